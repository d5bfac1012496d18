"""Files of photos as pixels of one size, for the network: exactly the bytes that prepare saw, or an error."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import UserError
from onepass.photos.decoding import UNLIMITED, decode, smallest_size
from onepass.photos.inspection import DECODERS
from onepass.photos.reading import is_at_hand, place_of, readings
from onepass.photos.refusals import UndecodableError
from onepass.photos.resizing import Framing, grayscale
from onepass.photos.views import View, augmented

AGAIN = "Run `dvc repro`, which prepares the photos as they are now; `dvc repro --force prepare` always does."


class LocatedView(NamedTuple):
    """A view, and the file whose bytes have its hash."""

    file: str  # as images.csv names it
    view: View


class PixelReader:
    """Makes the bytes of files pixels of one size."""

    def __init__(
        self,
        root: Path,
        shape: tuple[int, int, int],
        decoding: str,
        decoded: Callable[[str], NDArray[np.uint8] | None] = lambda _hash: None,
        framing: Framing | None = None,
    ) -> None:
        """What is asked for.

        Args:
            root: the folder to which the names of files are relative.
            shape: (side, side, 3) for RGB, (side, side, 1) for grey.
            decoding: exact | scaled.
            decoded: gives the RGB pixels of a photo, by its hash, where they are at hand: its file is not read then.
            framing: of that side; unless given, the whole photo, squeezed.

        """
        self.shape = shape
        self._root = root
        self._framing = framing or Framing(shape[0])
        self._smallest = smallest_size(decoding, self._framing.resized)
        self._decoded = decoded

    def has(self, located: LocatedView) -> bool:
        """Whether its bytes can be asked for; reads none of them."""
        return is_at_hand(self._root, located.file)

    def pixels(self, located: LocatedView) -> NDArray[np.uint8]:
        """The view resized: uint8 of ``shape``, 0..255.

        Raises:
            UserError: the file is gone, or its bytes are not those that prepare saw.

        """
        decoded = self._decoded(located.view.hash) if located.view.number == 0 else None
        pixels = self._read(located) if decoded is None else decoded
        return grayscale(pixels) if self.shape[2] == 1 else pixels

    def _read(self, located: LocatedView) -> NDArray[np.uint8]:
        content = self._content(located)
        try:
            with DECODERS:
                # prepare has decoded these very bytes below the limit of megapixels
                photo = decode(content, UNLIMITED, self._smallest).image
                return self._framing.pixels(augmented(photo, located.view))
        except UndecodableError as error:
            where = place_of(self._root, located.file)
            raise UserError(f"{where} was decoded by prepare, but not here: {error}. {AGAIN}") from error

    def _content(self, located: LocatedView) -> bytes:
        """Bytes that have the hash, whatever was fetched first."""
        where = place_of(self._root, located.file)
        try:
            for content in readings(self._root, located.file):
                if hashlib.sha256(content).hexdigest() == located.view.hash:
                    return content
        except UndecodableError as error:
            raise UserError(f"{where} cannot be read any more: {error.detail}. {AGAIN}") from error
        raise UserError(f"{where} has changed since prepare hashed it. {AGAIN}")
