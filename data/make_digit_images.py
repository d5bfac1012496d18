"""Writes scikit-learn's scans of the handwritten digits 5 to 9 as PNG files, a folder a digit."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from onepass.core import run_stage, write_atomically


def main(out: Path) -> None:
    digits = load_digits()
    for number, (scan, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        if digit >= 5:
            content = io.BytesIO()
            Image.fromarray((scan * 255 / 16).astype(np.uint8)).save(content, "PNG")
            write_atomically(out / str(digit) / f"{number:04d}.png", content.getvalue())


if __name__ == "__main__":
    run_stage(main)
