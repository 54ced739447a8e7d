"""The authorization server: authorize, token, metadata, and the verification of what it issued."""
