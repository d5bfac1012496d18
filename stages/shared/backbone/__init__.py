"""The frozen network: its weights, its cut, and what identifies its features."""
