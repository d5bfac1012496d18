"""The result for people, as a page."""
