"""The command that says which photos of an unlabelled folder are best labelled next."""

import os
import sys
from pathlib import Path

import click

from onepass.core import UserError, write_atomically, write_csv
from onepass.dvc_repo import dvc_files, machine_folder
from onepass.features import keeping_decoded
from onepass.labelling import MOST, Labelled, Suggestion, suggest, suggestions_page
from onepass.params import BackboneParams, DataParams, read_params
from onepass.photos import (
    Assignment,
    AssignmentTable,
    DecodeCache,
    Image,
    Photo,
    PhotoTable,
    base_folder,
    evaluated_split,
    files_below,
    first_files,
    inspect_photos,
    is_hidden,
    read_rows,
)

PREPARED = Path("data/prepared")
FEATURES = Path("data/features")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--count", default=50, show_default=True, type=click.IntRange(1), help="Photos to suggest.")
@click.option(
    "--output", default=Path("suggestions.csv"), show_default=True, type=click.Path(path_type=Path), metavar="FILE.csv"
)
def command(folder: Path, count: int, output: Path) -> None:
    """Say which photos of a folder without labels are best labelled next.

    Typical photos come first, and those unlike any that is labelled already; once each class has a few labels, those
    of which heads are less sure. Copies are suggested once. The labelled photos are those of data/prepared, where it
    is there; without any it works too. The photos pass the backbone of params.yaml, into the same pools as every
    extraction, so that labelling them later costs nothing.

    FILE.csv has the columns file,label,hash: fill in the labels, and it can be data.root. Beside it lies a page with
    the pictures.

    Example: python -m onepass suggest new-photos --count 50 --output suggestions.csv
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder. Give one that has the photos.")
    if output.suffix != ".csv":
        raise click.BadParameter(f"{output} given; expected a name that ends with .csv", param_hint="--output")
    params = read_params()
    backbone, data = params.read(BackboneParams), params.read(DataParams)
    labelled = labelled_photos(base_folder(data.root))
    found = usable(folder, backbone, data.max_pixels)
    known = {image.hash for image in labelled.images} if labelled else set()
    images = [image for image in found if image.hash not in known]
    if not images:
        raise UserError(f"{folder} has no photo that can be used and has no label yet.")
    suggestions = suggest(backbone, images, folder, labelled, count, FEATURES)
    write(suggestions, folder, output)
    with_label = len(labelled.images) if labelled else 0
    looked_at = min(len(images), MOST)
    write_atomically(output.with_suffix(".html"), suggestions_page(suggestions, folder, looked_at, with_label))
    if looked_at < len(images):
        print(f"{looked_at:,} of {len(images):,} photos were looked at, drawn by lot; what is labelled makes room.")
    pages = f"{output}, {output.with_suffix('.html')}"
    print(f"{len(suggestions)} of {looked_at:,} photos without a label; {with_label:,} have one: {pages}")


def labelled_photos(root: Path) -> Labelled | None:
    """The photos that prepare has found; None where it has not run."""
    if not (PREPARED / "splits.csv").is_file():
        return None
    rows = AssignmentTable(read_rows(PREPARED / "splits.csv", Assignment))
    evaluated = evaluated_split(rows.splits)
    images = first_files(read_rows(PREPARED / "images.csv", Image), rows.hashes.packed)
    return Labelled(images, [row.label for row in rows], [row.split != evaluated for row in rows], root)


def usable(folder: Path, backbone: BackboneParams, max_pixels: int) -> list[Image]:
    """The photos below a folder, each once, sorted by hash; what cannot be used is told."""
    photos = PhotoTable(Photo(file, "", "", "") for file in files_below(folder) if not is_hidden(file))
    with keeping_decoded(machine_folder(dvc_files()), backbone) as keep:
        for row in inspect_photos(photos, folder, DecodeCache(), max_pixels, keep):
            print(f"{row.file!r} cannot be used: {row.reason} ({row.detail})", file=sys.stderr)
    by_hash: dict[str, Image] = {}
    for image in photos.rows():
        by_hash.setdefault(image.hash, image)
    return [by_hash[hash_] for hash_ in sorted(by_hash)]


def write(suggestions: list[Suggestion], folder: Path, output: Path) -> None:
    """A CSV that is a data.root once its labels are filled in: files are relative to its own folder, or absolute."""
    here, photos = Path(os.path.realpath(output)).parent, Path(os.path.realpath(folder))
    base = photos.relative_to(here) if photos.is_relative_to(here) else photos
    write_csv(
        output, ["file", "label", "hash"], ([str(base / one.image.file), "", one.image.hash] for one in suggestions)
    )
