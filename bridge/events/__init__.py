"""The one event sequence and everybody who hears it."""
