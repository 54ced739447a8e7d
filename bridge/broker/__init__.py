"""The queue between the front and the workers."""
