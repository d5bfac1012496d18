"""The command that says which backbone suits the photos, by a sample of them."""

import shlex
import subprocess
import sys
from pathlib import Path

import click
from tabulate import tabulate

from onepass.cli.output_files import plot_option, written
from onepass.core import UserError
from onepass.params import BackboneParams, DataParams, read_params
from onepass.photos import Assignment, AssignmentTable, Image, base_folder, evaluated_split, first_files, read_rows
from onepass.selection import AtHand, Ranked, Sample, alike, backbones_at_hand, candidates_of, draw_ranking, rank
from onepass.trials import FOLDER, read_recipe, recipe_names

PREPARED = Path("data/prepared")
FEATURES = Path("data/features")
DIGITS = "data/digits/"
TOLD = ("name", "weights", "layer", "pooling", "preprocess", "image_side")  # of backbone, in the command for the winner


@click.command()
@click.argument("backbones", nargs=-1, metavar="[BACKBONE]...")
@click.option(
    "--sample", default=300, show_default=True, metavar="N", type=click.IntRange(20), help="Photos to look at."
)
@click.option("--side", "sides", multiple=True, type=click.IntRange(8, 4096), help="In pixels; also several.")
@plot_option("Draw the ranking into a .png or .svg file.")
def command(backbones: tuple[str, ...], sample: int, sides: tuple[int, ...], plot: Path | None) -> None:
    """Rank backbones by a cross-validation of cheap heads on a sample of the photos of params.yaml.

    BACKBONE is a name of keras.applications, a .keras, .onnx or .h5 file, NAME=FILE, or a recipe; without one: what is
    at hand. Each is cut where it is worth trying, a recipe where it says. Photos of the evaluated split are not looked
    at. The sample goes into the same pools as every extraction, so nothing of it is paid twice.

    Example: python -m onepass rank MobileNet data/weights/squeezenet.keras --side 150 --side 224
    """
    params = read_params()
    root = params.read(DataParams).root
    prepare()
    some, count = sampled(sample)
    named = [text for text in backbones if text not in recipe_names()]
    found = [of_recipe(text) for text in backbones if text in recipe_names()]
    if named or not found:
        found += backbones_at_hand(named, params.read(BackboneParams), root.startswith(DIGITS))
    if missing := [one.params.weights for one in found if one.is_to_be_fetched]:
        raise UserError(
            f"{', '.join(missing)} does not exist. Fetch it first: set backbone.name and backbone.weights, and run "
            "`dvc repro data/dvc.yaml:imagenet`."
        )
    ranked = rank([*candidates_of(found, sides)], some, base_folder(root), FEATURES)
    if plot:
        with written("--plot", plot):
            draw_ranking(ranked, plot)
    print(table(ranked, count))
    print(verdict(ranked, len(some.images), count))


def prepare() -> None:
    """Runs the stage prepare, which does nothing where nothing has changed. UserError: it failed."""
    done = subprocess.run([sys.executable, "-m", "dvc", "repro", "--quiet", "prepare"], check=False)
    if done.returncode:
        raise UserError("the stage prepare failed; its message stands above.")


def sampled(size: int) -> tuple[Sample, int]:
    """As many photos of each class as its share, those with the smallest hashes; and how many photos there are."""
    rows = AssignmentTable(read_rows(PREPARED / "splits.csv", Assignment))
    evaluated = evaluated_split(rows.splits)
    images = first_files(read_rows(PREPARED / "images.csv", Image), rows.hashes.packed)
    by_class: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if row.split != evaluated:
            by_class.setdefault(row.label, []).append(number)
    share = min(1.0, size / sum(map(len, by_class.values())))
    chosen = sorted(
        number for members in by_class.values() for number in members[: max(round(len(members) * share), 2)]
    )
    return Sample([images[number] for number in chosen], [rows[number].label for number in chosen]), len(rows)


def of_recipe(name: str) -> AtHand:
    """The backbone of a recipe, at its own cut."""
    params = BackboneParams(**read_recipe(FOLDER / f"{name}.yaml").params["backbone"])
    return AtHand(name, params, (params.preprocess,), chosen=True)


def table(ranked: list[Ranked], count: int) -> str:
    """A row a backbone, the best first."""
    rows = []
    for one in ranked:
        accuracy, low, high = one.best.accuracy()
        params = one.candidate.params
        rows.append(
            {
                "backbone": one.candidate.label,
                "layer": params.cut,
                "side": one.side,
                "preprocess": params.preprocess if isinstance(params.preprocess, str) else "its own",
                "head": one.best.kind,
                "accuracy": f"{accuracy:.4f}",
                "95 % interval": f"{low:.4f} to {high:.4f}",
                "ms a photo": f"{1000 * one.seconds:.1f}",
                "bytes a photo": f"{one.bytes:,}",
                f"s for all {count:,}": f"{one.seconds * count:.0f}",
            }
        )
    return str(tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True))


def in_yaml(value: object) -> str:
    """A setting as -S takes it."""
    return f"[{','.join(value)}]" if isinstance(value, list) else str(value)


def verdict(ranked: list[Ranked], sample: int, count: int) -> str:
    """What the sample can tell, and how to go on with the first."""
    first, others = ranked[0], alike(ranked)
    name = f"{first.candidate.label} at {first.candidate.params.cut}, {first.side} pixels"
    told = f"{name} is the best of {len(ranked)} on {sample} photos"
    if others:
        cheapest = min(others, key=lambda one: one.seconds)
        told += f"; {len(others)} cannot be told apart from it"
        if cheapest.seconds < first.seconds:
            cut = f"{cheapest.candidate.label} at {cheapest.candidate.params.cut}, {cheapest.side} pixels"
            told += f", of which {cut} is the cheapest"
    settings = first.candidate.params.model_dump(mode="json")
    changes = [f"backbone.{key}={in_yaml(settings[key])}" for key in TOLD if not isinstance(settings[key], dict)]
    settings_of_try = [f"-S{one}" for one in (*changes, f"head.kind={first.best.kind}")]
    command = shlex.join(["python", "-m", "onepass", "try", first.candidate.label, *settings_of_try])
    left = count - sample
    return f"{told}.\nThe other {left:,} photos take it {left * first.seconds:.0f} s, once it is loaded: {command}"
