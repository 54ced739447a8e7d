"""Tollbridge: the native half of a web app."""

__version__ = "0.1.0"
