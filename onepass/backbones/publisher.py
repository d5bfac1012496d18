"""What the publisher of a network says, in a file beside it, of the images that it expects."""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from onepass.backbones.preprocessing import MODES, Mode, mode_of
from onepass.core import UserError
from onepass.params import LEAST_KEPT, BackboneParams, PixelScaling

WITHOUT_A_CROP = 384  # pixels, from which on ConvNeXt of Hugging Face sees the whole photo


class Told(NamedTuple):
    """What is said; None where nothing is, or nothing that can be done here."""

    mode: Mode | None = None
    side: int | None = None  # pixels
    resize: str | None = None  # stretch | crop
    crop: float | None = None  # as in Framing; with crop
    interpolation: str | None = None  # bilinear | bicubic


def as_published(params: BackboneParams, told: Told, side: int | None) -> dict[str, Any]:
    """What the params mean, with what is said in place of native, as ``Backbone.of`` takes it.

    Args:
        side: pixels of the square for which the network was made; None: nobody says.

    Raises:
        UserError: something is native, and nobody says what that is.

    """
    spoken = {"preprocess": told.mode, "image_side": side, "resize": told.resize, "interpolation": told.interpolation}
    for key, value in spoken.items():
        if getattr(params, key) == "native" and value is None:
            raise UserError(f"backbone.{key}: native given, but {params.weights} {UNTOLD[key]}")
    native = {key for key in spoken if getattr(params, key) == "native"}
    mode = told.mode if "preprocess" in native else mode_of(params.preprocess)
    return {
        "preprocess": mode,
        "side": side if "image_side" in native else params.image_side,
        "crop": told.crop if "resize" in native else params.crop,
        "interpolation": told.interpolation if "interpolation" in native else params.interpolation,
    }


def told_beside(folder: Path) -> Told:
    """From the first file that says it. UserError: one cannot be understood."""
    for name, read in READERS.items():
        path = folder / name
        if path.is_file():
            try:
                config = json.loads(path.read_bytes())
                if name != TIMM or "pretrained_cfg" in config:  # Hugging Face and Keras Hub have a config.json, too
                    return _possible(read(config))
            except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, ZeroDivisionError) as error:
                raise UserError(
                    f"{path} does not say how images are prepared: {error!r}. Give backbone.preprocess."
                ) from error
    return Told()


def _possible(told: Told) -> Told:
    """ValueError: so little of a photo is to be kept that the rest of it, resized, would take all memory."""
    if told.crop is not None and not LEAST_KEPT <= told.crop <= 1:
        raise ValueError(f"{told.crop:g} of the shorter side is to be kept; allowed: {LEAST_KEPT} to 1")
    return told


def _of_transformers(config: Any) -> Told:
    """preprocessor_config.json of Hugging Face."""
    size = config.get("crop_size" if config.get("do_center_crop") else "size") or {}
    side = size if isinstance(size, int) else size.get("height", size.get("shortest_edge"))
    plain = not config.get("do_normalize", True)
    scaling = PixelScaling(
        scale=float(config.get("rescale_factor", 1 / 255)) if config.get("do_rescale", True) else 1.0,
        mean=(0.0, 0.0, 0.0) if plain else tuple(config["image_mean"]),
        std=(1.0, 1.0, 1.0) if plain else tuple(config["image_std"]),
    )
    resize, crop = _framing_of_transformers(config)
    return Told(mode_of(scaling), side, resize, crop, {2: "bilinear", 3: "bicubic"}.get(config.get("resample")))


def _framing_of_transformers(config: Any) -> tuple[str | None, float | None]:
    """As in ``Told``. Its shorter side is ``size``, of which the middle is cut; or ``size`` is both sides."""
    size = config.get("size") or {}
    shorter = size if isinstance(size, int) else size.get("shortest_edge")
    if "crop_pct" in config:  # of ConvNeXt, which squeezes where it is given many pixels
        return ("stretch", None) if shorter and shorter >= WITHOUT_A_CROP else ("crop", float(config["crop_pct"]))
    if not config.get("do_center_crop"):
        both = isinstance(size, dict) and "height" in size and size.get("height") == size.get("width")
        return ("stretch", None) if both else (None, None)
    kept = config.get("crop_size") or 0
    kept = kept if isinstance(kept, int) else kept.get("height", 0)
    return ("crop", kept / shorter) if shorter and 0 < kept <= shorter else (None, None)


def _of_timm(config: Any) -> Told:
    """config.json of timm."""
    told = config["pretrained_cfg"]
    mode = mode_of(PixelScaling(scale=1 / 255, mean=tuple(told["mean"]), std=tuple(told["std"])))
    crop = float(told.get("crop_pct", 0)) or None  # which of its versions all have written
    resize = {"center": "crop", "squash": "stretch"}.get(told.get("crop_mode", "center")) if crop else None
    filter_ = told.get("interpolation")
    interpolation = filter_ if filter_ in ("bilinear", "bicubic") else None
    return Told(mode, told["input_size"][-1], resize, crop if resize == "crop" else None, interpolation)


def _of_keras_hub(config: Any) -> Told:
    """image_converter.json of Keras Hub: ``pixel * scale + offset``, which is ``(pixel + offset / scale) * scale``."""
    told = config["config"]
    scale, offset = _three(told.get("scale"), 1.0), _three(told.get("offset"), 0.0)
    if "mean" in told and "variance" in told:  # as its first versions wrote it
        deviations = [math.sqrt(value) for value in _three(told["variance"], 1.0)]
        offset = [-mean / deviation for mean, deviation in zip(_three(told["mean"], 0.0), deviations, strict=True)]
        scale = [factor / deviation for factor, deviation in zip(scale, deviations, strict=True)]
    scaling = PixelScaling(
        scale=1.0,
        mean=tuple(-add / factor for add, factor in zip(offset, scale, strict=True)),
        std=tuple(1 / factor for factor in scale),
    )
    size = told.get("image_size") or [told.get("height")]
    crops = told.get("crop_to_aspect_ratio", True)
    resize = None if told.get("pad_to_aspect_ratio") else "crop" if crops else "stretch"
    filter_ = told.get("interpolation", "bilinear")
    interpolation = filter_ if filter_ in ("bilinear", "bicubic") else None
    return Told(mode_of(scaling), size[0], resize, 1.0 if resize == "crop" else None, interpolation)


def _three(given: Any, absent: float) -> list[float]:
    """A number for each channel."""
    values = [absent] if given is None else given if isinstance(given, list) else [given]
    return [float(value) for value in (values * 3 if len(values) == 1 else values)]


TIMM = "config.json"
READERS = {
    "preprocessor_config.json": _of_transformers,
    TIMM: _of_timm,
    "image_converter.json": _of_keras_hub,
}
UNTOLD = {
    "preprocess": f"has no {' or '.join(READERS)} that says it. Allowed: {', '.join(MODES)}, or its parts: scale, "
    "mean, std, channels.",
    "image_side": "does not say for which side it was made. Give pixels.",
    "resize": f"has no {' or '.join(READERS)} that says what can be done here. Allowed: stretch, crop.",
    "interpolation": f"has no {' or '.join(READERS)} that says what can be done here. Allowed: bilinear, bicubic.",
}
