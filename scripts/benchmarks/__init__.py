"""What the daemon costs, beside reference servers that do the same decoding and encoding, in one run."""
