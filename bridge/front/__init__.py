"""Everything that knows a browser exists; holds the connections."""
