"""What to do about near-copies: a list of all pairs to look at, and a CSV in which no split tears them apart.

near_copies.csv has a row a pair. labels.csv can be taken as data.root, see ``onepass.photos.layouts``: all usable
files, near-copies in one group, and the splits and groups that the user gave as far as they go with that.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import write_csv
from onepass.evaluation.near_copies import NearCopies, NearCopy
from onepass.photos import LABEL_COLUMNS, Assignment, AssignmentTable, Image

PAIR_COLUMNS = ("likeness", "hash", "file", "split", "label", "copy_hash", "copy_file", "copy_label")


def write_copy_tables(
    out: Path,
    copies: NearCopies,
    files: Mapping[str, str],
    rows: AssignmentTable,
    images: Callable[[], Iterable[Image]],
) -> None:
    """Writes near_copies.csv and labels.csv into a folder; headers only where there are no near-copies.

    Args:
        out: the folder.
        copies: what was found.
        files: the first file of each image of a pair, by hash.
        rows: of splits.csv.
        images: gives the rows of images.csv, as often as it is called.

    """
    named = {hash_: rows[place] for hash_ in files if (place := rows.place(hash_)) is not None}
    write_csv(out / "near_copies.csv", PAIR_COLUMNS, (_pair_row(pair, files, named) for pair in copies.pairs))
    write_csv(out / "labels.csv", LABEL_COLUMNS, _label_rows(copies.pairs, rows, images) if copies.pairs else [])


def _pair_row(pair: NearCopy, files: Mapping[str, str], named: Mapping[str, Assignment]) -> tuple[str, ...]:
    image, copy = named[pair.hash], named[pair.copy_hash]
    cells = pair.likeness, image.hash, files[image.hash], image.split, image.label
    return *cells, copy.hash, files[copy.hash], copy.label


class _Images(NamedTuple):
    """What the user said of each image, in the order of splits.csv."""

    splits: list[str]
    groups: list[str]


def _label_rows(
    pairs: Sequence[NearCopy], rows: AssignmentTable, images: Callable[[], Iterable[Image]]
) -> Iterator[tuple[str, str, str, str]]:
    """A row of labels.csv for each usable file, in the order of the files."""
    given = _given(rows, images())
    splits, groups = _regrouped(pairs, rows, given)
    for image in images():
        place = rows.place(image.hash)
        if place is not None:
            yield image.file, rows[place].label, splits[place], groups[place]


def _given(rows: AssignmentTable, images: Iterable[Image]) -> _Images:
    """Of files with the same bytes, one may say what the other leaves open."""
    said = _Images([""] * len(rows), [""] * len(rows))
    for image in images:
        place = rows.place(image.hash)
        if place is not None:
            said.splits[place] = said.splits[place] or image.given_split
            said.groups[place] = said.groups[place] or image.group
    return said


def _regrouped(pairs: Sequence[NearCopy], rows: AssignmentTable, given: _Images) -> tuple[list[str], list[str]]:
    """Split and group of each image, so that near-copies, and the groups that they are in, stay together.

    Where members were given different splits, all of them train: what leaked must leave the test. Where splits are
    drawn, the group is drawn by what one of its training images was drawn by: it trains too, with this split.seed.
    """
    components = _components(pairs, rows, given)
    torn = {int(components[rows.place(pair.hash)]) for pair in pairs}
    members = [(place, of) for place, of in enumerate(components.tolist()) if of in torn]
    said: dict[int, set[str]] = {}
    names: dict[int, str] = {}
    for place, of in members:
        said.setdefault(of, set()).add(given.splits[place])
        if rows[place].split == "train":
            drawn_by = given.groups[place] or rows[place].hash
            names[of] = min(names.get(of, drawn_by), drawn_by)
    splits, groups = given.splits.copy(), given.groups.copy()
    for place, of in members:
        splits[place] = next(iter(said[of])) if len(said[of]) == 1 else "train"
        groups[place] = names[of]
    return splits, groups


def _components(pairs: Sequence[NearCopy], rows: AssignmentTable, given: _Images) -> NDArray[np.int32]:
    """Which images hang together, by pairs and by the user's groups: a number an image, equal where they do."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - takes a quarter of a second
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    count = len(given.groups)
    numbers = {name: count + number for number, name in enumerate(dict.fromkeys(filter(None, given.groups)))}
    edges = [(rows.place(pair.hash), rows.place(pair.copy_hash)) for pair in pairs]
    edges += [(place, numbers[group]) for place, group in enumerate(given.groups) if group]
    nodes = count + len(numbers)
    ends = np.array(edges).T
    _, components = connected_components(coo_array((np.ones(len(edges)), (ends[0], ends[1])), (nodes, nodes)))
    return np.asarray(components[:count], np.int32)
