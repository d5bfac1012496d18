"""Where photos are and what is said of them: a file a layout; a new one is found by being there."""

from onepass.core import import_all
from onepass.photos.layouts.csv_file import LABEL_COLUMNS
from onepass.photos.layouts.folders import files_below, is_hidden
from onepass.photos.layouts.layout import Layout, base_folder, find_photos, register_layout

__all__ = ["LABEL_COLUMNS", "Layout", "base_folder", "files_below", "find_photos", "is_hidden", "register_layout"]

import_all(__name__, __path__)
