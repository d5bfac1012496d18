"""The command that writes a model for other programs, and checks that it says the same there."""

import io
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from onepass.core import UserError, write_atomically
from onepass.model import Difference, open_openvino, sample_photos, save_onnx_as_openvino
from onepass.photos import UNLIMITED, UndecodableError, decode, files_below, read_file

NAMES = ("savedmodel", "onnx", "openvino", "tflite")
MOST = 100  # photos of a folder that the check looks at
SIZES = ((1, 1), (7, 300), (150, 150), (375, 500), (640, 480), (1100, 731))  # of generated images: height, width


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--format", "name", type=click.Choice(NAMES), required=True)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="A file, or for savedmodel and openvino a folder; not there yet.",
)
@click.option(
    "--photos",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Check with these; default: generated images.",
)
def command(model: Path, name: str, output: Path, folder: Path | None) -> None:
    """Write a model in a format that other programs read, and check that it says the same there.

    MODEL is data/model.keras, data/model.onnx (for onnx and openvino), or a copy of one. All formats take uint8 RGB
    photos of any size; the default signature of a SavedModel takes the bytes of image files, as clients of TensorFlow
    Serving send them. A file that differs by more than 0.002 in a probability or distance is not kept; of a backbone in
    bfloat16 the others compute in float32, and may differ by 0.05 on average.

    Example: python -m onepass export data/model.keras --format onnx --output model.onnx --photos photos
    """
    if output.exists() or not output.absolute().parent.is_dir():
        raise click.BadParameter(
            f"{output} given; expected a name that is not taken, in a folder that exists", param_hint="--output"
        )
    if model.suffix == ".onnx":
        hand_on(model, name, output, folder)
        return
    from onepass.model.exports import FORMATS  # noqa: PLC0415 - imports TensorFlow
    from onepass.model.keras_model import read_model  # noqa: PLC0415

    form = FORMATS[name]
    if missing := [name for name in form.needs if find_spec(name) is None]:
        raise UserError(f"--format {name} needs {', '.join(missing)}. `make install EXTRA=export` brings it.")
    whole = read_model(model)
    # As small as the model has photos decoded: what a file shows and what pixels show is the same then.
    photos = found_photos(folder, whole.smallest) if folder else generated_photos(whole.smallest)
    needs = ", ".join(form.needs) or "TensorFlow"
    precision = "float32" if name == "savedmodel" else whole.precision
    write_checked(output, partial(form.write, whole), form.open, whole.answers(), photos, needs, precision)


def hand_on(model: Path, name: str, output: Path, folder: Path | None) -> None:
    """Of a model that is ONNX: a copy, or OpenVINO's files. UserError: it is none, or another format is asked for."""
    from onepass.model.onnx_model import read_onnx_model  # noqa: PLC0415 - imports ONNX Runtime

    if name not in ("onnx", "openvino"):
        raise UserError(
            f"--format: {name} given; allowed for {model}, which has no layers of TensorFlow: onnx, openvino."
        )
    whole = read_onnx_model(model)
    if name == "onnx":
        write_atomically(output, model.read_bytes())
        print(f"{output}: a copy of {model}")
        return
    photos = found_photos(folder, whole.smallest) if folder else generated_photos(whole.smallest)
    write = partial(save_onnx_as_openvino, model, classes=whole.classes)
    write_checked(output, write, open_openvino, whole.forward.call, photos, "openvino")


def write_checked(
    output: Path,
    write: Callable[[Path], None],
    open_: Callable[[Path], list[Any]],
    network: Callable[[Any], Any],
    photos: Iterator[NDArray[np.uint8]],
    needs: str,
    precision: str = "float32",
) -> None:
    """Writes what answers as ``network`` does, or nothing. UserError: it answers something else, or cannot be written.

    Args:
        output: a file or a folder that is not there yet.
        write: writes it elsewhere.
        open_: what was written there, as functions, one a signature.
        network: of the model: uint8 (1, height, width, 3) to columns.
        photos: by which they are compared.
        needs: the packages that have a part in it.
        precision: in which the model computes what the other computes in float32.

    """
    temporary = output.with_name(f".{output.name}")
    remove(temporary)
    try:
        write(temporary)
        difference = difference_of(network, open_(temporary), photos)
        if problem := difference.problem(precision):
            raise UserError(f"{output} would {problem}. Nothing is written. Try another version of {needs}.")
        temporary.replace(output)
    finally:
        remove(temporary)
    print(
        f"{output}: largest difference {difference.largest:.2g}, {difference.mean:.2g} on average, "
        f"in {difference.images} images"
    )


def difference_of(network: Any, asks: list[Any], photos: Iterator[NDArray[np.uint8]]) -> Difference:
    """Between the answers of a model and those of all the functions."""
    differences = []
    for photo in photos:
        expected = np.asarray(network(photo[None]))
        differences.append(float(np.max([np.abs(ask(photo[None]) - expected).max() for ask in asks])))
    return Difference.of(differences)


def found_photos(folder: Path, smallest: int | None = None) -> Iterator[NDArray[np.uint8]]:
    """At most ``MOST`` photos from all over a folder: RGB (height, width, 3). UserError: there is none.

    ``smallest``: see ``decode``.
    """
    files = list(files_below(folder)) if folder.is_dir() else []
    photos = (
        pixels
        for file in files[:: len(files) // MOST + 1]
        if (pixels := pixels_of(folder / file, smallest)) is not None
    )
    first = next(photos, None)
    if first is None:
        raise UserError(f"--photos: {folder} given, where no photo can be read. Give a folder of photos.")
    yield first
    yield from photos


def pixels_of(file: Path, smallest: int | None) -> NDArray[np.uint8] | None:
    """A photo as it is decoded for extraction; None where it cannot be."""
    try:
        return np.asarray(decode(read_file(file), UNLIMITED, smallest).image)
    except UndecodableError:
        return None


def generated_photos(smallest: int | None = None) -> Iterator[NDArray[np.uint8]]:
    """Images of each size, as they are decoded for extraction: RGB (height, width, 3)."""
    for photo in sample_photos(SIZES):
        file = io.BytesIO()
        photo.save(file, "PNG")
        yield np.asarray(decode(file.getvalue(), UNLIMITED, smallest).image)


def remove(path: Path) -> None:
    """Deletes a file or a folder, if it is there."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
