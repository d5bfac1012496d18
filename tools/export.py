"""Writes a model in a format that other programs read, and checks that it says the same there.

    python -m tools.export MODEL --format savedmodel|onnx|tflite --output PATH [--photos FOLDER]

MODEL is what train-head writes, data/model.keras. All formats take uint8 RGB photos of any size; the default
signature of a SavedModel takes the bytes of image files, as clients of TensorFlow Serving send them.
The check asks both models about photos of FOLDER, or without one about generated images of several sizes; a
file that differs by more than 0.002 in a probability is not kept.
"""

import argparse
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stages.shared.errors import UserError
from stages.shared.photos.decoding import UNLIMITED, UndecodableError, decode
from stages.shared.photos.examining import read_file
from stages.shared.photos.layouts import files_below

NAMES = ("savedmodel", "onnx", "tflite")
MOST = 100  # photos of a folder that the check looks at
LARGEST_DIFFERENCE = 2e-3
SIZES = ((1, 1), (7, 300), (150, 150), (375, 500), (640, 480), (1100, 731))  # of generated images: height, width


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.export", description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("model", type=Path, help="data/model.keras, or a copy of it anywhere")
    parser.add_argument("--format", choices=NAMES, required=True)
    parser.add_argument("--output", type=Path, required=True, help="a file, or for savedmodel a folder; not there yet")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="check with these; default: generated images")
    given = parser.parse_args(arguments)
    if given.output.exists() or not given.output.absolute().parent.is_dir():
        parser.error(f"--output: {given.output} given; expected a name that is not taken, in a folder that exists")
    photos = found_photos(given.photos) if given.photos else generated_photos()

    from stages.shared.model.model_file import read_model  # noqa: PLC0415 - imports TensorFlow
    from tools.formats import FORMATS  # noqa: PLC0415

    form = FORMATS[given.format]
    if missing := [name for name in form.needs if find_spec(name) is None]:
        raise UserError(f"--format {given.format} needs {', '.join(missing)}: pip install '.[export]'")
    model = read_model(given.model)
    temporary = given.output.with_name(f".{given.output.name}")
    remove(temporary)
    try:
        form.write(model, temporary)
        images, difference = compare(model.network, form.open(temporary), photos)
        if not difference <= LARGEST_DIFFERENCE:
            raise UserError(
                f"{given.format}: a probability differs by {difference:.2g} from {given.model} in {images} images; "
                f"allowed: {LARGEST_DIFFERENCE:g}. Nothing is written. Try another version of "
                f"{', '.join(form.needs) or 'TensorFlow'}."
            )
        temporary.replace(given.output)
    finally:
        remove(temporary)
    print(f"{given.output}: largest difference of a probability {difference:.2g}, in {images} images")


def compare(network: Any, asks: list[Any], photos: Iterator[NDArray[np.uint8]]) -> tuple[int, float]:
    """How many photos there were, and the largest difference; NaN where one of the models has no answer."""
    differences = []
    for photo in photos:
        expected = np.asarray(network(photo[None]))
        differences.append([np.abs(ask(photo[None]) - expected).max() for ask in asks])
    return len(differences), float(np.max(differences))


def found_photos(folder: Path) -> Iterator[NDArray[np.uint8]]:
    """At most ``MOST`` photos from all over a folder: RGB (height, width, 3). UserError: there is none."""
    files = list(files_below(folder)) if folder.is_dir() else []
    photos = (pixels for file in files[:: len(files) // MOST + 1] if (pixels := pixels_of(folder / file)) is not None)
    first = next(photos, None)
    if first is None:
        raise UserError(f"--photos: {folder} given, where no photo can be read. Give a folder of photos.")
    yield first
    yield from photos


def pixels_of(file: Path) -> NDArray[np.uint8] | None:
    """A photo as it is decoded for extraction; None where it cannot be."""
    try:
        return np.asarray(decode(read_file(file), UNLIMITED))
    except UndecodableError:
        return None


def generated_photos() -> Iterator[NDArray[np.uint8]]:
    """Coarse noise, as an image of each size: it has edges and planes, which noise alone has not."""
    random = np.random.default_rng(0)
    for height, width in SIZES:
        coarse = random.integers(0, 256, (9, 9, 3), np.uint8)
        yield np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def remove(path: Path) -> None:
    """Deletes a file or a folder, if it is there."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
