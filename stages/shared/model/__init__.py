"""The one model that comes out."""
