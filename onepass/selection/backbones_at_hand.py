"""Which backbones can be tried: those that were named, else every weights file that lies in its place."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from onepass.backbones import APPLICATIONS, resolve
from onepass.core import UserError
from onepass.params import INPUT, BackboneParams, BackbonePooling, PixelScaling

IMAGENET = "data/imagenet/{}.weights.h5"  # where the pipeline fetches the weights of a network of keras.applications
PLACES = ("data/weights/*.keras", "data/weights/*.h5", "data/weights/*.onnx", "data/imagenet/*.weights.h5")
IN_FOLDERS = ("data/weights/*/*.onnx", "data/weights/*/config.json")  # which are given
DIGITS = "data/digits/"  # the embedded network, which has seen nothing but digits
FIRST_CHOICE = "MobileNet"  # where nothing is at hand: 16 MB to fetch, and the fastest of the good ones
# How pixels may have been prepared for a network that does not say so itself, and for which side it may have been made.
USUAL_SIDE = 224  # pixels
OF_OUTPUT: dict[int, BackbonePooling] = {2: "cls+avg", 3: "avg"}  # by dimensions of features: of tokens, and of maps
GUESSES = ("caffe", "tf", "torch", "rescale")


class AtHand(NamedTuple):
    """A backbone that can be tried."""

    label: str  # in the names of experiments
    params: BackboneParams  # as it would be used without a better idea
    preprocess: tuple[str | PixelScaling, ...]  # to be tried
    chosen: bool = False  # whether the cut of ``params`` is somebody's choice, and to be tried too
    of_output: BackbonePooling = (
        "none"  # what the output of the network is pooled by, where no other cut is worth trying
    )

    @property
    def is_to_be_fetched(self) -> bool:
        """Whether its weights are not here yet."""
        return not Path(self.params.weights).exists()


def backbones_at_hand(named: Sequence[str], committed: BackboneParams, digits: bool) -> list[AtHand]:
    """What there is to choose from, in the order given, each file once.

    Args:
        named: NAME (fetched, with weights of ImageNet), FILE or NAME=FILE each; none: whatever is at hand.
        committed: the backbone of params.yaml.
        digits: whether the photos are the embedded digits.

    Raises:
        UserError: a name or a file that cannot be used.

    """
    found = [_named(text) for text in named] or list(_lying_there(committed, digits))
    if not found:
        found = [_application(FIRST_CHOICE, IMAGENET.format(FIRST_CHOICE))]
    each_once = {backbone.params.weights: backbone for backbone in found}
    return [*_with_labels_of_their_own(each_once.values())]


def _named(text: str) -> AtHand:
    name, equals, file = text.partition("=")
    if not equals and (Path(text).suffix in (".h5", ".keras", ".onnx") or Path(text).is_dir()):
        name, file = "", text
    if name and name not in APPLICATIONS:
        known = ", ".join(APPLICATIONS)
        raise UserError(
            f"backbone {text}: allowed: a .keras, .onnx or .h5 file, a folder of an .onnx file or of a preset, NAME, "
            f"or NAME=FILE; NAME is one of {known}"
        )
    if file and not Path(file).exists():
        raise UserError(f"backbone {text}: {file} does not exist. Give the path of a .h5, .keras or .onnx file.")
    path = _as_written_in_params(Path(file)) if file else IMAGENET.format(name)
    return _application(name, path) if name else _by_file(path)


def _as_written_in_params(path: Path) -> str:
    """Below this folder relative, so that it means the same elsewhere; else absolute."""
    whole = path.absolute()
    return str(whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole)


def _by_file(path: str) -> AtHand:
    """A file whose name is all that is known. UserError: a .h5 file that does not say which network it fills."""
    if path.endswith(".onnx") or Path(path).is_dir():
        is_onnx = path.endswith(".onnx") or any(Path(path).glob("*.onnx"))
        return _of_what_lies_beside("onnx" if is_onnx else "hub", path)
    if path.endswith(".keras"):
        params = BackboneParams(name="custom", weights=path, preprocess=GUESSES[0])
        try:
            resolve(params)
        except UserError:  # the file does not say for which side it was made
            params = params.model_copy(update={"image_side": USUAL_SIDE})
        return AtHand(_stem(path), params, GUESSES)
    plain = re.sub(r"[^a-z0-9]", "", _stem(path).lower())
    if names := [name for name in APPLICATIONS if plain.startswith(name.lower())]:
        return _application(max(names, key=len), path)
    raise UserError(
        f"{path}: a .h5 file holds weights and does not say which network they fill. Give NAME={path}; NAME "
        f"is one of {', '.join(APPLICATIONS)}"
    )


def _of_what_lies_beside(name: str, path: str) -> AtHand:
    """A network in a folder where its publisher may say what it expects, or in an ONNX file. UserError: unusable."""
    told = BackboneParams(name=name, weights=path)
    try:
        preprocess: tuple[str | PixelScaling, ...] = ("native",)
        resolve(told)
    except UserError:  # nobody says how its pixels were prepared, or for which side it was made
        preprocess, told = GUESSES, told.model_copy(update={"preprocess": GUESSES[0]})
        try:
            resolve(told)
        except UserError:
            told = told.model_copy(update={"image_side": USUAL_SIDE})
    dimensions = len(resolve(told).load().feature_shape().shape)
    return AtHand(_stem(path), told, preprocess, of_output=OF_OUTPUT.get(dimensions, "none"))


def _application(name: str, path: str) -> AtHand:
    return AtHand(name, BackboneParams(name=name, weights=path), ("native",))


def _stem(path: str) -> str:
    return Path(path).name.removesuffix(".h5").removesuffix(".keras").removesuffix(".onnx").removesuffix(".weights")


def _lying_there(committed: BackboneParams, digits: bool) -> Iterator[AtHand]:
    """That of params.yaml, where it suits the photos, and every file in the places for weights."""
    theirs = committed.weights
    if committed.layer != INPUT and (digits or not theirs.startswith(DIGITS)):
        label = _stem(theirs) if committed.name == "custom" else committed.name
        yield AtHand(label, committed.model_copy(update={"views": 1}), (committed.preprocess,), chosen=True)
    if not digits:  # which are no photos
        files = {str(path) for place in PLACES for path in Path().glob(place)}
        for path in sorted(files | {str(path.parent) for place in IN_FOLDERS for path in Path().glob(place)}):
            if path != theirs:
                try:
                    yield _by_file(path)
                except UserError as error:  # nobody has asked for this one
                    print(f"left out: {error}", flush=True)


def _with_labels_of_their_own(backbones: Iterable[AtHand]) -> Iterator[AtHand]:
    seen: dict[str, int] = {}
    for backbone in backbones:
        label = re.sub(r"[^\w-]+", "_", backbone.label)
        seen[label] = seen.get(label, 0) + 1
        yield backbone._replace(label=label if seen[label] == 1 else f"{label}-{seen[label]}")
