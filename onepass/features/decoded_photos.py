"""Photos that prepare has decoded, as the pixels that extraction will ask for: each passes the decoder once.

prepare decodes every photo to find damage, and what it finds sound is what extraction needs next. So the pixels are
kept in a pool beside the DVC cache, as rows like any other, as many as its limit allows. Nothing depends on them: what
is missing is decoded from its file.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from onepass.backbones import Backbone, resolve
from onepass.core import Hashes, UserError, find, packed
from onepass.features.fingerprint import pixel_fingerprint
from onepass.features.pool import Pool, folder_of, size_limit
from onepass.features.row_index import RowIndex
from onepass.features.rows import DamagedPartError, make_rows, map_rows, pack, row_hashes
from onepass.features.store import Store
from onepass.params import BackboneParams
from onepass.photos import SMALLEST, smallest_size

CHUNK = 4 << 20  # bytes of pixels in a file
MAPS = 4  # photos are asked for in the order in which they were decoded, but for what several threads mix up
SHARE = 0.5  # of the pools' limit, at most: rows of features cost more to compute


class DecodedPhotos:
    """The pixels of photos, RGB and of one size, by content hash."""

    def __init__(self, machine: Path, backbone: Backbone, hashes: Hashes) -> None:
        """Finds those of ``hashes``, which are sorted and different, that are at hand."""
        side = backbone.side
        store = Store(len(hashes), "uint8", [side, side, 3], pixel_fingerprint(backbone), "")
        self._index = RowIndex(hashes, store.row_type, MAPS)
        self._store = store
        self._pool = Pool(folder_of(machine, store.key) / "pixels", store, self._index)
        # Not by Pool.find, which verifies whole chunks: of those, a worker needs a photo here and there.
        for path in sorted(self._pool.folder.glob("[!.]*.npy")):
            with suppress(DamagedPartError, FileNotFoundError):
                self._index.add(str(path), path, row_hashes(map_rows(path, store.row_type)))
        self._missing = self._index.missing()

    def pixels(self, hash_: str) -> NDArray[np.uint8] | None:
        """uint8 (side, side, 3), or None where they are not at hand."""
        place = int(find(self._index.keys, packed([hash_]))[0])
        if place < 0 or self._missing[place]:
            return None
        try:
            rows = self._index.read(slice(place, place + 1))
            found: NDArray[np.uint8] = self._store.unpack(pack(rows), hash_)["features"][0]
        except (UserError, DamagedPartError):  # another run has just made room, or the disk fails
            return None
        return found

    def add(self, hashes: Sequence[str], pixels: NDArray[np.uint8]) -> None:
        """Keeps the pixels, (images, side, side, 3), of these hashes. A power loss may take them."""
        self._pool.add(make_rows(hashes, pixels, self._store.key), durable=False)

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(file.stat().st_size for file in self._pool.folder.glob("*.npy"))


@contextmanager
def keeping_decoded(machine: Path, params: BackboneParams) -> Iterator[Callable[[str, Image.Image], None]]:
    """A function, for several threads, that keeps what prepare decoded: a photo's hash, and its image of ``SMALLEST``.

    It keeps nothing where the backbone is given other pixels than can be made of that, or cannot be known yet: its
    weights may be made by a stage that runs later.
    """
    try:
        backbone = resolve(params)
    except UserError:
        backbone = None
    if backbone is None or smallest_size(backbone.decoding, backbone.framing.resized) != SMALLEST:
        yield lambda _hash, _image: None
        return
    photos = DecodedPhotos(machine, backbone, packed([]))
    room = int(size_limit() * SHARE) - photos.size
    size = backbone.side**2 * 3
    # Two pieces of memory, one of which is filled while the other is written, and one thread that writes: what many
    # threads leave here and there, and what each of them needed to write, would stay with the process.
    block, written = np.empty((2, max(CHUNK // size, 1), backbone.side, backbone.side, 3), np.uint8)
    waiting: dict[str, None] = {}
    lock, writer, writing = Lock(), ThreadPoolExecutor(1), Future[None]()
    writing.set_result(None)

    def keep(hash_: str, image: Image.Image) -> None:
        nonlocal room, block, written, writing
        with lock:
            room -= size
        if room < 0:
            return
        pixels = backbone.framing.pixels(image)
        with lock:
            if hash_ in waiting:
                return
            block[len(waiting)] = pixels
            waiting[hash_] = None
            if len(waiting) == len(block):
                writing.result()
                block, written = written, block
                writing = writer.submit(photos.add, list(waiting), written)
                waiting.clear()

    with writer:
        yield keep
    writing.result()
    if waiting:
        photos.add(list(waiting), block[: len(waiting)])
