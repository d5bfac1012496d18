"""The commands about the file of pretrained weights: a file that lies on one machine becomes the team's.

An absolute path in backbone.weights is nobody else's. Under data/weights/ DVC keeps the file, and every clone has it.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from onepass.backbones import HUB, check_backbone
from onepass.core import UserError, atomic_file, replaced_scalar, write_atomically
from onepass.dvc_repo import dvc_files, is_kept
from onepass.params import PARAMS_FILE, BackboneParams, read_params, weights_sha256

FOLDER = Path("data/weights")
UNFINISHED = ".tmp"
SUFFIXES = (".h5", ".keras", ".onnx")


@click.group(no_args_is_help=True)
def command() -> None:
    """The file of pretrained weights: make it a part of the repository, or fetch it.

    Example: python -m onepass weights add /path/to/squeezenet.keras
    """


@command.command("add")
@click.argument("file", type=click.Path(path_type=Path))
def add(file: Path) -> None:
    """Make a file of weights a part of the repository, so that whoever clones and pulls it has the weights too.

    Copies FILE, a .h5, .keras or .onnx file, or the folder of a .onnx file or of a preset of Keras Hub, to
    data/weights/, adds the copy to DVC, and sets backbone.weights in params.yaml to it. Features are kept where FILE is
    what backbone.weights named before: only its content counts.

    Example: python -m onepass weights add /path/to/squeezenet.keras
    """
    before = read_params().read(BackboneParams)
    target = FOLDER / file.name
    check_file(file)
    check_backbone(before.model_copy(update={"weights": str(target)}))
    check_target(file, target)
    copy(file, target)
    keep(target, f"a copy of {file}", {"weights": str(target)}, before)


@command.command("fetch")
@click.argument("name")
def fetch(name: str) -> None:
    """Fetch a preset that Keras Hub knows by NAME, and make it a part of the repository.

    Writes it to data/weights/NAME, adds that to DVC, and sets backbone.name and backbone.weights in params.yaml. Needs
    Keras Hub: make install EXTRA=hub.

    Example: python -m onepass weights fetch dinov2_small
    """
    before = read_params().read(BackboneParams)
    target = FOLDER / name
    changes = {"name": HUB, "weights": str(target)}
    if target.exists() or Path(name).name != name:
        found = "is there already; to use it, set backbone.weights to it" if target.exists() else "is no name"
        raise UserError(f"{target} {found}.")
    check_backbone(before.model_copy(update=changes))
    from onepass.backbones.hub_fetching import fetch_preset  # noqa: PLC0415 - imports TensorFlow

    fetch_preset(name, target)
    keep(target, f"the preset {name} of Keras Hub", changes, before)


def keep(target: Path, what: str, changes: Mapping[str, str], before: BackboneParams) -> None:
    """Adds what lies there to DVC, changes these keys of backbone in params.yaml, and says what to do next."""
    dvc_add(target)
    print(f"{target}: {what}, added to DVC")
    for key, value in changes.items():
        write_atomically(PARAMS_FILE, replaced_scalar(PARAMS_FILE.read_bytes(), ("backbone", key), value))
        print(f"{PARAMS_FILE}: backbone.{key} is {value}, and was {getattr(before, key)}")
    changed = [FOLDER / ".gitignore", target.with_name(f"{target.name}.dvc"), PARAMS_FILE, Path("dvc.lock")]
    print("Now bring the results up to date, commit, and share it all:")
    print(f"    dvc repro\n    git add {shlex.join(map(str, changed))}")
    print(f"    git commit -m {shlex.quote(f'Weights for everyone: {target.name}')}\n    git push\n    make publish")


def check_file(file: Path) -> None:
    """UserError: it is no file of weights, or is shared already."""
    if not file.exists() or (file.is_dir() and not [*file.glob("*.onnx"), *file.glob("config.json")]):
        found = "is a folder without a .onnx file, and no preset" if file.is_dir() else "does not exist"
        raise UserError(f"{file} {found}. Expected a file of weights: {' or '.join(SUFFIXES)}.")
    if file.is_file() and not file.name.endswith(SUFFIXES):
        raise UserError(f"{file} given; expected a file of weights, whose name ends in {' or '.join(SUFFIXES)}.")
    if any("\ud800" <= letter <= "\udfff" for letter in file.name):
        raise UserError(f"{str(file)!r} is not UTF-8, which params.yaml has to be. Rename it.")
    if keeper := keeper_of(file):
        raise UserError(
            f"{file} is shared already: it is a part of this repository, and {keeper} keeps it. To use it, set "
            f"backbone.weights in {PARAMS_FILE} to its path from here."
        )


def keeper_of(file: Path) -> str:
    """Who keeps a file of this repository, DVC or git; empty where nobody does."""
    path = Path(os.path.abspath(file))  # noqa: PTH100 - where DVC links to its cache, the link is what is shared
    if not path.is_relative_to(Path.cwd()):
        return ""
    if is_kept(dvc_files(), path):
        return "DVC"
    known = subprocess.run(["git", "ls-files", "--error-unmatch", "--", str(path)], capture_output=True, check=False)
    return "git" if known.returncode == 0 else ""


def check_target(file: Path, target: Path) -> None:
    """UserError: another file has the name."""
    record = target.with_name(f"{target.name}.dvc")
    if record.is_file() and not target.exists():
        raise UserError(f"{target} is known to DVC and is not here: run `dvc pull {shlex.quote(str(target))}` first.")
    if target.exists() and weights_sha256(str(target)) != weights_sha256(str(file)):
        raise UserError(
            f"{target} is there already and has another content. Give {file} another name, or delete that one first: "
            f"`dvc remove {shlex.quote(str(record))}` and `rm {shlex.quote(str(target))}`."
        )


def copy(file: Path, target: Path) -> None:
    """Copies a file or a folder, whole or not at all; not where the copy is there already. UserError: it cannot be."""
    if target.exists():
        return
    try:
        if file.is_dir():
            copy_folder(file, target)
            return
        with file.open("rb") as source, atomic_file(target) as copied:
            shutil.copyfileobj(source, copied, 1 << 20)
    except (OSError, shutil.Error) as error:
        said = getattr(error, "strerror", None) or error
        raise UserError(f"{file} cannot be copied to {target}: {said}. Nothing was changed.") from error


def copy_folder(folder: Path, target: Path) -> None:
    """Appears at once. OSError, shutil.Error: it cannot be copied."""
    temporary = target.with_name(f".{target.name}{UNFINISHED}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        shutil.copytree(folder, temporary)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def dvc_add(path: Path) -> None:
    """``dvc add``. UserError: it fails."""
    line = [sys.executable, "-m", "dvc", "add", "--quiet", "--", str(path)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"`dvc add {shlex.quote(str(path))}` failed: {(done.stderr or done.stdout).strip()}")
