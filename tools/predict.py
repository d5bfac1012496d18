"""Says which class photos show, with the file of a model and nothing else.

    python -m tools.predict MODEL PATH... [--format csv|jsonl] [--output FILE] [--top K]

MODEL is what train-head writes, data/model.keras. PATH is a photo, a folder (everything below it but hidden
files), a pattern such as 'photos/**/*.jpg', or - for a list of paths on standard input: one a line, or each
ended by NUL, as `find -print0` writes them.

A file that is no usable photo has a line of its own with the reason, on standard error too. Exit code: 0 if
every photo was classified, 1 if some were not, 2 if there is nothing to do or no model to do it with.
"""

import argparse
import glob
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.shared.backbone.forward import Forward
from stages.shared.errors import UserError
from stages.shared.photos.decoding import UndecodableError, decode, resize
from stages.shared.photos.examining import read_file
from stages.shared.photos.layouts import files_below
from stages.shared.store.computing import BATCH, compute
from tools.answers import FORMATS, Answer, writing

MEGAPIXELS = 80


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.predict", description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("model", type=Path, help="data/model.keras, or a copy of it anywhere")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="photo, folder, pattern, or - for a list on stdin")
    parser.add_argument("--format", choices=FORMATS, default="csv", help="default: csv")
    parser.add_argument("--output", type=Path, metavar="FILE", help="instead of standard output")
    parser.add_argument("--top", type=positive, metavar="K", help="only the K most probable classes; default: all")
    parser.add_argument("--max-megapixels", type=positive, default=MEGAPIXELS, help=f"default: {MEGAPIXELS}")
    given = parser.parse_args(arguments)
    files = list(dict.fromkeys(file for path in given.paths for file in files_of(path)))
    if not files:
        parser.error(f"no file in {' '.join(given.paths)}")
    # A bar and rows in one terminal would write over each other.
    quiet = not sys.stderr.isatty() or (given.output is None and sys.stdout.isatty())
    try:
        classes, forward, side = load(given.model)
        with (
            writing(given.output, given.format, classes, given.top) as write,
            tqdm(total=len(files), desc="predict", unit=" photos", disable=quiet) as progress,
        ):
            refused = 0
            for answers in classify(files, Photos(side, given.max_megapixels * 1_000_000), forward):
                write(answers)
                for answer in answers:
                    if answer.refusal:
                        refused += 1
                        tqdm.write(f"{printable(answer.file)}: {answer.refusal}", file=sys.stderr)
                progress.update(len(answers))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    if refused:
        print(f"{refused} of {len(files)} photos could not be classified", file=sys.stderr)
    return 1 if refused else 0


def files_of(path: str) -> Iterator[str]:
    """The files that an argument means, sorted. What does not exist is given too: whoever reads it finds out why."""
    if path == "-":
        listed = sys.stdin.buffer.read()
        names = listed.split(b"\0") if b"\0" in listed else listed.splitlines()
        yield from (file for name in names if name for file in below(os.fsdecode(name)))
    elif os.path.lexists(path):
        yield from below(path)
    else:
        matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        yield from (file for match in matches or [path] for file in below(match))


def below(path: str) -> Iterator[str]:
    """A file itself, or all files below a folder but hidden ones."""
    if not Path(path).is_dir():
        yield path
        return
    for file in files_below(Path(path)):
        if not any(part.startswith(".") for part in file.split("/")):
            yield os.path.join(path, file)  # noqa: PTH118 - as the path was written: Path would shorten it


class Photos:
    """Pixels of files; those of a file that is no usable photo are black, and the reason is kept."""

    def __init__(self, side: int, max_pixels: int) -> None:
        self.shape = (side, side, 3)
        self.refusals: dict[str, UndecodableError] = {}
        self._max_pixels = max_pixels

    def pixels(self, file: str) -> NDArray[np.uint8]:
        """The photo as extraction reads it: uint8 RGB (side, side, 3), 0..255."""
        try:
            return resize(decode(read_file(Path(file)), self._max_pixels), self.shape[0])
        except UndecodableError as refusal:
            self.refusals[file] = refusal
            return np.zeros(self.shape, np.uint8)


def classify(files: list[str], photos: Photos, forward: Forward) -> Iterable[list[Answer]]:
    """Answers to all files, in their order, batch by batch; only a few batches are in memory."""
    for batch, probabilities in compute(files, photos.pixels, photos.shape, forward):
        yield [
            Answer(file, chances, photos.refusals.pop(file, None))
            for file, chances in zip(batch, probabilities, strict=True)
        ]


def load(path: Path) -> tuple[list[str], Forward, int]:
    """Class names, the compiled model from resized photos to probabilities, and the side of those photos."""
    from stages.shared.backbone.runtimes import with_tensorflow  # noqa: PLC0415
    from stages.shared.model.model_file import read_model  # noqa: PLC0415 - imports TensorFlow
    from stages.shared.tensorflow import tf  # noqa: PLC0415

    model = read_model(path)
    after_resize = model.after_resize()
    photos = tf.TensorSpec((BATCH, model.side, model.side, 3), tf.uint8)
    traced = tf.function(lambda pixels: after_resize(pixels, training=False)).get_concrete_function(photos)
    return model.classes, with_tensorflow(traced, fuse_bfloat16=False), model.side


def positive(text: str) -> int:
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def printable(name: str) -> str:
    """A file name that cannot play with a terminal."""
    return name if name.isprintable() else repr(name)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends this quietly
    sys.exit(main())
