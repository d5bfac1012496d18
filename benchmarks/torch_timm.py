"""Photos to features by PyTorch and timm, the same network with random weights: a rival that is no dependency.

    python benchmarks/torch_timm.py MobileNet|VGG16 float32|bfloat16 eager|compiled PHOTOS OUT.npy

Imports nothing of this project, so that another environment's Python can run it. Says ``ready`` once the network has
been warmed up, then extracts all photos for each line on standard input and says ``done``.
"""

import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import timm
import torch
from torchvision import transforms
from torchvision.datasets import ImageFolder

SIDE, BATCH = 150, 32
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def main(network: str, precision: str, mode: str, photos: str, out: str) -> None:
    model = cut(network).eval().to(DEVICE, memory_format=torch.channels_last)
    call = torch.compile(model) if mode == "compiled" else model
    steps = [transforms.Resize((SIDE, SIDE)), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    dataset = ImageFolder(photos, transforms.Compose(steps))
    workers: dict[str, Any] = {"num_workers": os.cpu_count(), "persistent_workers": True}
    batches = torch.utils.data.DataLoader(dataset, BATCH, **workers, pin_memory=DEVICE == "cuda")

    def extract() -> None:
        with torch.inference_mode(), torch.autocast(DEVICE, torch.bfloat16, enabled=precision == "bfloat16"):
            features = [
                call(pixels.to(DEVICE, memory_format=torch.channels_last)).float().cpu() for pixels, _ in batches
            ]
        np.save(out, torch.cat(features).numpy())

    extract()
    print("ready", flush=True)
    for _ in lines():
        extract()
        print("done", flush=True)


def cut(network: str) -> torch.nn.Module:
    """VGG16's convolutions, or MobileNet without its last block: where the others are cut, too."""
    if network == "VGG16":
        return timm.create_model("vgg16").features
    model = timm.create_model("mobilenetv1_100")
    model.blocks[-1] = model.blocks[-1][:1]
    halving = [part for part in model.blocks.modules() if getattr(part, "stride", None) == (2, 2)]
    for part, padding in zip(halving, (0, 0, 1, 0), strict=True):
        part.padding = (
            padding,
            padding,
        )  # maps of 75, 37, 18, 9, 4 pixels as in Keras, a tenth less work
    return torch.nn.Sequential(model.conv_stem, model.bn1, model.blocks)


def lines() -> Iterator[str]:
    yield from iter(sys.stdin.readline, "")


if __name__ == "__main__":
    main(*sys.argv[1:])
