"""A photo in a file of this machine."""

from pathlib import Path
from stat import S_ISREG

from onepass.photos.refusals import UndecodableError

LARGEST_FILE = 1 << 29  # bytes; a file is read whole


def read_file(path: Path) -> bytes:
    """The bytes of a file. UndecodableError: unreadable or too_large."""
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise UndecodableError("unreadable", "not a regular file")
        if status.st_size > LARGEST_FILE:
            raise too_large(status.st_size)
        return path.read_bytes()
    except OSError as error:
        raise UndecodableError("unreadable", error.strerror or type(error).__name__) from error


def too_large(size: int) -> UndecodableError:
    """The refusal of so many bytes."""
    return UndecodableError("too_large", f"{size:,} bytes; allowed: {LARGEST_FILE:,}")
