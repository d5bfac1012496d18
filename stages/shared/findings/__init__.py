"""What explains a result."""
