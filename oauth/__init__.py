"""OAuth 2.1 for a daemon on loopback: authorization server, DPoP, and the store of what the owner allowed."""
