"""onepass: every image passes the backbone once; everything after that takes seconds.

docs/architecture.md has the map of these packages, and the ten words that they use.
"""
