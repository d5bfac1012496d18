"""Where photos are and what is said of them: a file a layout. A new one is a file here, imported below."""

from onepass.photos.layouts import csv_file, folders  # each registers its layout; the first that recognises a root wins
from onepass.photos.layouts.folders import files_below
from onepass.photos.layouts.layout import Layout, base_folder, find_photos, register_layout

__all__ = ["Layout", "base_folder", "csv_file", "files_below", "find_photos", "folders", "register_layout"]
