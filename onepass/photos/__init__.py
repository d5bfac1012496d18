"""From a folder of photos to tables and pixels.

Where photos are and what is said of them (``layouts``), whether a file can be used (``inspection``), how its bytes
become pixels (``decoding``, then ``resizing``), what each image means (``splits``), and augmented ``views``.
Knows nothing of networks, features or DVC.
"""

from onepass.photos.assignment_table import AssignmentTable
from onepass.photos.decode_cache import DecodeCache, previous_decoding
from onepass.photos.decoding import (
    SMALLEST,
    UNLIMITED,
    decode,
    decoding_recipe,
    smallest_size,
)
from onepass.photos.fixes import DROP, apply_fixes, read_fixes
from onepass.photos.inspection import inspect_file, inspect_photos, inspection_recipe, known_unread
from onepass.photos.layouts import (
    LABEL_COLUMNS,
    Layout,
    base_folder,
    files_below,
    find_photos,
    is_hidden,
    register_layout,
)
from onepass.photos.losses import refuse_losses, report_losses
from onepass.photos.odd_entries import odd_entries
from onepass.photos.photo_table import Photo, PhotoTable
from onepass.photos.pixels import LocatedView, PixelReader
from onepass.photos.reading import any_remote_in, is_at_hand, is_remote, place_of, read_file, readings, threads_for
from onepass.photos.refusals import UndecodableError
from onepass.photos.resizing import LIGHT, RESIZE_RECIPES, UPWARDS, Framing, grayscale, resize
from onepass.photos.splits import SPLITS, assign, evaluated_split, label_conflicts
from onepass.photos.tables import Assignment, Fixed, Image, Quarantined, first_files, parse_rows, read_rows, write_rows
from onepass.photos.views import View, WantedViews, augmented, views_of

__all__ = [
    "DROP",
    "LABEL_COLUMNS",
    "LIGHT",
    "RESIZE_RECIPES",
    "SMALLEST",
    "SPLITS",
    "UNLIMITED",
    "UPWARDS",
    "Assignment",
    "AssignmentTable",
    "DecodeCache",
    "Fixed",
    "Framing",
    "Image",
    "Layout",
    "LocatedView",
    "Photo",
    "PhotoTable",
    "PixelReader",
    "Quarantined",
    "UndecodableError",
    "View",
    "WantedViews",
    "any_remote_in",
    "apply_fixes",
    "assign",
    "augmented",
    "base_folder",
    "decode",
    "decoding_recipe",
    "evaluated_split",
    "files_below",
    "find_photos",
    "first_files",
    "grayscale",
    "inspect_file",
    "inspect_photos",
    "inspection_recipe",
    "is_at_hand",
    "is_hidden",
    "is_remote",
    "known_unread",
    "label_conflicts",
    "odd_entries",
    "parse_rows",
    "place_of",
    "previous_decoding",
    "read_file",
    "read_fixes",
    "read_rows",
    "readings",
    "refuse_losses",
    "register_layout",
    "report_losses",
    "resize",
    "smallest_size",
    "threads_for",
    "views_of",
    "write_rows",
]
