"""The command that classifies photos."""

import glob
import os
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from onepass.cli.prediction_writer import FORMATS, Answer, Answering, writing
from onepass.core import UserError, progress_bar
from onepass.engines import BATCH, Forward, find_engine, infer
from onepass.heads import Limits
from onepass.photos import UndecodableError, decode, files_below, is_hidden, read_file

if TYPE_CHECKING:
    from onepass.model.keras_model import Model
    from onepass.model.onnx_model import OnnxModel

MEGAPIXELS = 80


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option(
    "--strangers",
    type=click.Path(path_type=str),
    metavar="PATH",
    help="Photos of anything else, also classified: tells how many of them the model refuses.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write here instead of to standard output."
)
@click.option("--top", type=click.IntRange(min=1), metavar="K", help="Only the K most probable classes; default: all.")
@click.option("--max-megapixels", type=click.IntRange(min=1), default=MEGAPIXELS, show_default=True)
def command(
    model: Path,
    paths: tuple[str, ...],
    strangers: str | None,
    form: str,
    output: Path | None,
    top: int | None,
    max_megapixels: int,
) -> None:
    """Say which class photos show, with the file of a model and nothing else.

    MODEL is data/model.keras or data/model.onnx, or a copy of it anywhere. PATH is a photo, a folder (everything below
    it but hidden files), a pattern such as 'photos/**/*.jpg', or - for a list of paths on standard input: one a line,
    or each ended by NUL, as `find -print0` writes them.

    The model is "sure" of a class that is probable enough, and a photo is "familiar" that is like those that trained;
    of all others it does not know. "set" has the classes that a photo may be of. docs/abstention.md has more.

    A file that is no usable photo has a line of its own with the reason, on standard error too. Exit code: 0 if every
    photo was classified, 1 if some were not, 2 if there is nothing to do or no model to do it with.

    Example: python -m onepass predict data/model.keras photos --output found.csv
    """
    own = [file for path in paths for file in files_of(path)]
    foreign = [*files_of(strangers)] if strangers is not None else []
    files = list(dict.fromkeys([*own, *foreign]))
    if not files:
        raise click.UsageError(f"no file in {' '.join(paths) or 'PATH...'}")
    # A bar and rows in one terminal would write over each other.
    crowded = output is None and sys.stdout.isatty()
    whole, forward = load(model)
    if strangers is not None and whole.limits is None:
        raise UserError(f"--strangers: {model} has no limits, so it refuses nothing. `dvc repro` writes one that has.")
    tally = Tally(set(foreign))
    with (
        writing(output, form, Answering(whole.classes, whole.limits, top)) as write,
        progress_bar(len(files), "predict", "photos", disable=crowded) as progress,
    ):
        for answers in classify(files, PhotoFiles(whole, max_megapixels * 1_000_000), forward, len(whole.classes)):
            write(answers)
            for answer in answers:
                if answer.refusal:
                    tqdm.write(f"{printable(answer.file)}: {answer.refusal}", file=sys.stderr)
                tally.add(answer, whole.limits)
            progress.update(len(answers))
    print(*tally.lines(), sep="\n", end="\n" if tally.lines() else "", file=sys.stderr)
    if tally.unusable:
        print(f"{tally.unusable} of {len(files)} photos could not be classified", file=sys.stderr)
        sys.exit(1)


class Tally:
    """What the model refused, of one's own photos and of strangers."""

    def __init__(self, strangers: Collection[str]) -> None:
        """``strangers``: files of which the model should refuse as many as it can."""
        self._strangers = strangers
        self._refused: dict[bool, list[bool]] = {True: [], False: []}  # by whether it is a stranger
        self._distances: dict[bool, list[float]] = {True: [], False: []}
        self.unusable = 0

    def add(self, answer: Answer, limits: Limits | None) -> None:
        """One more photo."""
        if answer.refusal:
            self.unusable += 1
        elif limits is not None and self._strangers:
            stranger = answer.file in self._strangers
            sure, familiar = limits.are_sure(answer.probabilities[None])[0], answer.distance <= limits.familiar
            self._refused[stranger].append(not (sure and familiar))
            self._distances[stranger].append(answer.distance)

    def lines(self) -> list[str]:
        """How many strangers were refused; nothing where none were given."""
        if not self._refused[True]:
            return []
        from onepass.evaluation import area_under_roc  # noqa: PLC0415 - only with strangers
        from onepass.statistics import wilson  # noqa: PLC0415

        lines = []
        for stranger, what in ((True, "strangers"), (False, "other photos")):
            photos, refused = len(self._refused[stranger]), sum(self._refused[stranger])
            if photos:
                low, high = wilson(refused / photos, photos)
                share = f"{refused / photos:.1%}, 95 % interval {low:.1%} to {high:.1%}"
                lines.append(f"{refused} of {photos} {what} refused ({share})")
        if self._refused[False]:
            foreign = np.repeat([True, False], [len(self._distances[True]), len(self._distances[False])])
            area = area_under_roc(foreign, np.array(self._distances[True] + self._distances[False]))
            lines.append(f"the distance tells them apart with an area under the ROC curve of {area:.4f}; 1 is best")
        return lines


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
        if not is_hidden(file):
            yield os.path.join(path, file)  # noqa: PTH118 - as the path was written: Path would shorten it


class PhotoFiles:
    """Pixels of files; those of a file that is no usable photo are black, and the reason is kept."""

    def __init__(self, model: "Model | OnnxModel", max_pixels: int) -> None:
        self._framing = model.framing
        self.shape = (model.framing.side, model.framing.side, 3)
        self._smallest = model.smallest
        self.refusals: dict[str, UndecodableError] = {}
        self._max_pixels = max_pixels

    def pixels(self, file: str) -> NDArray[np.uint8]:
        """The photo as extraction reads it: uint8 RGB (side, side, 3), 0..255."""
        try:
            return self._framing.pixels(decode(read_file(Path(file)), self._max_pixels, self._smallest).image)
        except UndecodableError as refusal:
            self.refusals[file] = refusal
            return np.zeros(self.shape, np.uint8)


def classify(files: list[str], photos: PhotoFiles, forward: Forward, classes: int) -> Iterable[list[Answer]]:
    """Answers to all files, in their order, batch by batch; only a few batches are in memory.

    ``forward`` gives the probabilities of so many classes and may give the distance in one more column.
    """
    for batch, columns in infer(files, photos.pixels, photos.shape, forward):
        distances = columns[:, classes] if columns.shape[1] > classes else np.full(len(columns), np.nan)
        yield [
            Answer(file, chances, float(distance), photos.refusals.pop(file, None))
            for file, chances, distance in zip(batch, columns[:, :classes], distances, strict=True)
        ]


def load(path: Path) -> tuple["Model | OnnxModel", Forward]:
    """The model, and it compiled from resized photos to probabilities and, with limits, the distance."""
    if path.suffix == ".onnx":
        from onepass.model.onnx_model import read_onnx_model  # noqa: PLC0415 - imports ONNX Runtime

        whole = read_onnx_model(path)
        return whole, whole.forward  # which leaves photos as they are that have its side
    from onepass.model.keras_model import read_model  # noqa: PLC0415 - imports TensorFlow
    from onepass.tensorflow import tf  # noqa: PLC0415

    model = read_model(path)
    after_resize = model.after_resize()
    shape = (BATCH, model.framing.side, model.framing.side, 3)
    traced = tf.function(lambda pixels: after_resize(pixels, training=False)).get_concrete_function(
        tf.TensorSpec(shape, tf.uint8)
    )
    return model, find_engine("tensorflow").compile(traced, shape, False)


def printable(name: str) -> str:
    """A file name that cannot play with a terminal."""
    return name if name.isprintable() else repr(name)
