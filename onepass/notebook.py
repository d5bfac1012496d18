"""The photos of a project as numpy arrays: ``import onepass; photos = onepass.load()``.

Every array has a row an image, in the order of the content hashes. Rows of features carry a checksum and are verified
when they are read; where all together are large, only those that are asked for are read.
"""

import csv
import html
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.core import HashList, UserError, check_recorded_in, find, packed
from onepass.evaluation import Prediction
from onepass.features import Store, open_store, read_features
from onepass.photos import SPLITS, Assignment, AssignmentTable, Image, first_files, read_rows

IN_MEMORY = 128 << 20  # bytes of features; more stay on the disk
SHOWN = 10  # rows of the table that a notebook shows
GIVEN = Prediction._fields  # columns of predictions.csv before the probabilities


class StoredFeatures:
    """Features on the disk, read and verified when rows are asked for; numpy makes an array of all of it."""

    def __init__(self, folder: Path, store: Store, hashes: HashList) -> None:
        """``folder``: of the store."""
        self._folder, self._store, self._hashes = folder, store, hashes
        self.shape = (len(hashes), *store.shape)
        self.dtype = np.dtype(store.read_as)

    @property
    def ndim(self) -> int:
        """How many dimensions the array has."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Of all features."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def __len__(self) -> int:
        return len(self._hashes)

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        """One row by its number; or several by a slice, numbers or a mask. UserError: a row is damaged."""
        chosen = self._hashes.packed[rows]
        if isinstance(rows, int | np.integer):
            return np.asarray(read_features(self._folder, self._store, HashList(np.array([chosen], "S32")))[0])
        return read_features(self._folder, self._store, HashList(chosen))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("features on the disk are always copied; take rows of them to read less")
        return self[:].astype(self.dtype if dtype is None else dtype, copy=False)

    def __repr__(self) -> str:
        return f"StoredFeatures(shape={self.shape}, dtype={self.dtype}, on the disk)"


class LoadedPhotos(NamedTuple):
    """What is known of all photos of a project, a row an image."""

    features: Any  # (images, *shape): an array, or StoredFeatures where they are large
    labels: NDArray[np.str_]  # (images,)
    splits: NDArray[np.str_]  # (images,): train | validation | test
    hashes: NDArray[np.str_]  # (images,): sha256 of the file's bytes, hex; sorted
    files: list[str]  # the first file of each image, relative to the photos
    probabilities: NDArray[np.float64] | None  # (images, classes), of the head; None where nothing was evaluated
    classes: list[str]  # sorted
    backbone: dict[str, Any]  # what decides the features

    def table(self, count: int | None = None) -> list[dict[str, Any]]:
        """The first ``count`` images, or all, a dictionary each: ``pandas.DataFrame`` takes it."""
        rows = range(len(self.files))[:count]
        columns: dict[str, Any] = {"hash": self.hashes, "file": self.files, "split": self.splits, "label": self.labels}
        found: list[dict[str, Any]] = [{name: str(column[n]) for name, column in columns.items()} for n in rows]
        if self.probabilities is not None:
            for n, row in zip(rows, found, strict=True):
                row |= {f"p_{name}": float(p) for name, p in zip(self.classes, self.probabilities[n], strict=True)}
        return found

    def __repr__(self) -> str:
        by_split = ", ".join(f"{split} {n:,}" for split in SPLITS if (n := int((self.splits == split).sum())))
        classes = ", ".join(self.classes[:5]) + (", ..." if len(self.classes) > 5 else "")
        said = "no probabilities" if self.probabilities is None else "with probabilities"
        return (
            f"{len(self.files):,} photos of {len(self.classes)} classes ({classes}): {by_split}; features "
            f"{self.features.dtype} {self.features.shape} of {self.backbone.get('architecture')} cut at "
            f"{self._cut}, {said}"
        )

    @property
    def _cut(self) -> str:
        layer = self.backbone.get("layer")
        return "+".join(layer) if isinstance(layer, list) else str(layer)

    def _repr_html_(self) -> str:
        rows = self.table(SHOWN)
        head = "".join(f"<th>{html.escape(str(name))}</th>" for name in rows[0]) if rows else ""
        cells = ("".join(f"<td>{html.escape(_shown(cell))}</td>" for cell in row.values()) for row in rows)
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        return f"<p>{html.escape(repr(self))}</p><table><tr>{head}</tr>{body}</table>"


def load_photos(folder: str | Path = ".") -> LoadedPhotos:
    """What the stages of a project have written.

    Raises:
        UserError: nothing was extracted yet, or a file is not what its stage wrote.

    """
    root = Path(folder)
    prepared, features = root / "data" / "prepared", root / "data" / "features"
    check_recorded_in(root, "data/prepared", "metrics/predictions.csv")
    rows = AssignmentTable(read_rows(prepared / "splits.csv", Assignment))
    store = open_store(features)
    if store.images < len(rows):
        raise UserError(f"{features} has {store.images:,} rows, splits.csv {len(rows):,}. Run `dvc repro`.")
    images = first_files(read_rows(prepared / "images.csv", Image), rows.hashes.packed)
    stored = StoredFeatures(features, store, rows.hashes)
    return LoadedPhotos(
        np.asarray(stored) if stored.nbytes <= IN_MEMORY else stored,
        np.array([row.label for row in rows]),
        np.array([row.split for row in rows]),
        np.array(list(rows.hashes)),
        [image.file for image in images],
        _probabilities(root / "metrics" / "predictions.csv", rows),
        rows.labels,
        store.fingerprint,
    )


def _probabilities(path: Path, rows: AssignmentTable) -> NDArray[np.float64] | None:
    """Of each image what the head said; None where nobody asked it about these images and classes."""
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file)
        if next(reader, []) != [*GIVEN, *(f"p_{name}" for name in rows.labels)]:
            return None
        hashes, chances = [], []
        for cells in reader:
            hashes.append(cells[0])
            chances.append([float(cell) for cell in cells[len(GIVEN) :]])
    places = find(rows.hashes.packed, packed(hashes))
    if len(hashes) != len(rows) or (np.sort(places) != np.arange(len(rows))).any():
        return None
    found = np.empty((len(rows), len(rows.labels)))
    found[places] = chances
    return found


def _shown(cell: Any) -> str:
    return f"{cell:.4f}" if isinstance(cell, float) else str(cell)
