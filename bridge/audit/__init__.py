"""The audit: what was done, by whom, and with what outcome, in records that are chained to each other."""
