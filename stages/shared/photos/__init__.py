"""From a folder of photos to tables and pixels."""
