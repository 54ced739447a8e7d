"""The command line: each command is one request to the daemon's Unix socket, said in words."""
