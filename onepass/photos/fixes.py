"""Decisions of people about photos, by content hash: another label, or none. The photos themselves stay as they are."""

import csv
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

from onepass.core import SHA256, UserError, listed
from onepass.photos.photo_table import PhotoTable
from onepass.photos.tables import Fixed

COLUMNS = ("hash", "label")
DROP = "drop"  # instead of a label: not used at all


def read_fixes(path: Path, classes: AbstractSet[str]) -> dict[str, str]:
    """For each content hash its label, or DROP.

    Args:
        path: of the decisions.
        classes: the labels that photos have been given.

    Raises:
        UserError: a line is none of that, with its number; or a label that no photo has.

    """
    fixes = _parsed(path)
    if DROP in classes and DROP in fixes.values():
        raise UserError(f"{path}: {DROP} means not to use a photo, but a class is called so. Rename that class.")
    if strange := sorted(set(fixes.values()) - classes - {DROP}):
        alike = get_close_matches(strange[0], classes, 1)
        meant = f"Did you mean {alike[0]}? " if alike else ""
        raise UserError(
            f"{path}: {strange[0]!r} is no class. {meant}Classes are {', '.join(sorted(classes)[:10])}; a new one "
            "begins with a photo that data.root gives that label."
        )
    return fixes


def _parsed(path: Path) -> dict[str, str]:
    problems: list[str] = []
    found: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, list(COLUMNS))
            first = [header] if SHA256.fullmatch(header[0] if header else "") else []  # written by hand, without one
            if header != list(COLUMNS) and not first:
                raise UserError(f"{path}: expected the columns {','.join(COLUMNS)}, found {','.join(header)}.")
            for cells in filter(None, chain(first, reader)):
                if problem := _problem(cells, found):
                    problems.append(f"line {reader.line_num}: {problem}")
                else:
                    found[cells[0]] = cells[1]
    except OSError as error:
        raise UserError(
            f"data.fixes: {path} cannot be read ({error.strerror}). Expected a CSV with the columns hash,label; "
            "without decisions, of that line alone."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is not a CSV in UTF-8: {error}") from error
    if problems:
        raise UserError(f"{path} cannot be used:\n{listed(problems)}")
    return found


def _problem(cells: list[str], before: Mapping[str, str]) -> str:
    if len(cells) != len(COLUMNS):
        return f"{len(cells)} cells; expected a hash and a label, or a hash and {DROP}"
    hash_, label = cells
    if not SHA256.fullmatch(hash_):
        return f"hash {hash_!r}; allowed: the 64 hex digits of a sha256, as metrics/predictions.csv has them"
    if not label:
        return f"no label; allowed: a class, or {DROP}"
    if before.get(hash_, label) != label:
        return f"{label} for a photo that an earlier line calls {before[hash_]}"
    return ""


def apply_fixes(photos: PhotoTable, fixes: Mapping[str, str]) -> list[Fixed]:
    """Gives usable photos the labels that were decided, and makes those that were dropped unusable.

    Args:
        photos: whose content is known.
        fixes: as ``read_fixes`` gives them.

    Returns:
        What was changed; decisions about photos that are not there change nothing.

    """
    changed = [
        Fixed(hash_, photo.file, photo.label, fixes[hash_])
        for hash_, photo in photos.with_hashes(fixes)
        if photo.label != fixes[hash_]
    ]
    photos.relabel({row.hash: row.label for row in changed if row.label != DROP})
    photos.drop({row.hash for row in changed if row.label == DROP})
    if changed:
        dropped = sum(row.label == DROP for row in changed)
        print(f"data.fixes: {len(changed) - dropped} photos have another label, {dropped} are dropped", flush=True)
    return sorted(changed, key=lambda row: row.file)
