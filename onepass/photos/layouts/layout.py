"""What a layout is, and which one a root has."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from onepass.core import UserError
from onepass.photos.photo_table import PhotoTable


@dataclass(frozen=True)
class Layout:
    """A way to lay out photos and what is said of them."""

    name: str
    rank: int  # of the layouts that recognise a root, the one with the lowest is taken
    recognises: Callable[[Path], bool]  # whether a root that exists is laid out so
    read: Callable[[Path], PhotoTable]  # every file of it, sorted by name; UserError where it is ambiguous or wrong


LAYOUTS: list[Layout] = []


def register_layout(layout: Layout) -> Layout:
    """Makes a layout known."""
    LAYOUTS.append(layout)
    LAYOUTS.sort(key=lambda known: known.rank)
    return layout


def base_folder(root: str) -> Path:
    """The folder to which the file names are relative."""
    path = Path(root)
    return path.parent if path.is_file() else path


def find_photos(root: str) -> PhotoTable:
    """Every file below ``data.root`` (or every row of its CSV), sorted by name.

    Raises:
        UserError: the root is missing, its folders are ambiguous, or the CSV is wrong.

    """
    path = Path(root)
    if not path.exists():
        raise UserError(
            f"data.root: {root!r} does not exist (looked in {Path.cwd()}). Give the folder of your photos; outside "
            "this repository, or inside but ignored by git, as an absolute path."
        )
    layout = next(layout for layout in LAYOUTS if layout.recognises(path))
    return layout.read(path)
