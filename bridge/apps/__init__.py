"""Native programs made reachable; each folder or file is one app."""
