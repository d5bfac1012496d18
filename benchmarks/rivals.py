"""What people would do without this project: photos to features by Keras alone, or by PyTorch and timm.

All in the simplest way that their documentation shows: a reader of folders, the network, one array saved at the end.
Networks have random weights, which take the same time.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import Way
from onepass.core import batched

SIDE, BATCH = 150, 32
TORCH_SCRIPT = Path(__file__).parent / "torch_timm.py"
GENERATOR, DATASET = "flow_from_directory + predict", "image_dataset_from_directory + predict"
PILLOW = "Pillow + predict"
EAGER, COMPILED = "PyTorch + timm, eager", "PyTorch + timm, compiled"


def keras_ways(network: str, layer: str, photos: Path, out: Path) -> dict[str, Way]:
    """The article's way, and what Keras offers instead of it today."""
    return {
        name: partial(predicting, reader, network, layer, photos, out)
        for name, reader in ((GENERATOR, flow_from_directory), (DATASET, image_dataset_from_directory))
    }


def torch_ways(python: str, network: str, precision: str, photos: Path, out: Path) -> tuple[dict[str, Way], str]:
    """PyTorch's ways, where that Python has it, and a sentence about those that are left out."""
    ways: dict[str, Way] = {}
    skipped = []
    modes = {EAGER: ("eager", ""), COMPILED: ("compiled", "torch.compile(torch.nn.Linear(1, 1))(torch.ones(1, 1))")}
    for name, (mode, compiles) in modes.items():
        tried = subprocess.run(
            [python, "-c", f"import timm, torch, torchvision\n{compiles}"], capture_output=True, check=False
        )
        if tried.returncode == 0:
            ways[name] = partial(talking_to, python, network, precision, mode, str(photos), str(out))
        else:
            skipped.append(f"{name}: skipped, {'cannot compile here' if ways else 'not installed'}")
    return ways, "; ".join(skipped)


def talking_to(python: str, *arguments: str) -> Callable[[], None]:
    """A run of the script in a process of its own, which is ready before and ends with this one."""
    process = subprocess.Popen(
        [python, TORCH_SCRIPT, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def wait_for(word: str) -> None:
        if process.stdout is None or process.stdout.readline() != f"{word}\n":
            raise SystemExit(f"{TORCH_SCRIPT.name} {' '.join(arguments)} failed; its error stands above")

    def run() -> None:
        print(file=process.stdin, flush=True)
        wait_for("done")

    wait_for("ready")
    return run


def predicting(reader: Callable[[Path], Any], network: str, layer: str, photos: Path, out: Path) -> Callable[[], None]:
    """``predict`` over a reader of folders, everything in one array, saved at the end."""
    from onepass.tensorflow import keras  # noqa: PLC0415

    whole = getattr(keras.applications, network)(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))
    model = keras.Model(whole.inputs, whole.output if layer == "last" else whole.get_layer(layer).output)

    def run() -> None:
        np.save(out, model.predict(reader(photos), verbose=0))

    return run


def flow_from_directory(photos: Path) -> Any:
    """The article's reader, in today's Keras."""
    from onepass.tensorflow import tf  # noqa: PLC0415

    generator = tf.keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255)
    return generator.flow_from_directory(
        photos, target_size=(SIDE, SIDE), class_mode=None, batch_size=BATCH, shuffle=False
    )


def image_dataset_from_directory(photos: Path) -> Any:
    """What Keras offers instead now; it reads no WebP."""
    from onepass.tensorflow import keras  # noqa: PLC0415

    dataset = keras.utils.image_dataset_from_directory(
        photos, image_size=(SIDE, SIDE), label_mode=None, batch_size=BATCH, shuffle=False, verbose=False
    )
    return dataset.map(lambda pixels: pixels / 255).prefetch(2)


def pillow(photos: Path) -> Iterator[tuple[NDArray[np.float32]]]:
    """Whatever Pillow reads, by as many threads as there are cores: batches as ``predict`` takes them."""
    from PIL import Image  # noqa: PLC0415

    def pixels(file: Path) -> NDArray[np.float32]:
        with Image.open(file) as photo:
            resized = photo.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        return np.asarray(resized, np.float32) / np.float32(255)

    files = sorted(path for path in photos.rglob("*") if path.is_file())
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for some in batched(files, BATCH):
            yield (np.stack([*threads.map(pixels, some)]),)
