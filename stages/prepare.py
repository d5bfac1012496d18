"""prepare: what images there are, which can be used, and what each of them means.

Reads   data.root, the photos.
Writes  hashes.txt      the set of usable images: their content hashes, and how many views of them are
                        wanted where that is not one. Features depend on this alone.
        images.csv      where each usable file is: hash, file, width, height, grey
        splits.csv      what each image means: hash, label, split
        quarantine.csv  each file that cannot be used, with the reason
        decoding.json   how images were decoded, so that the next run decodes only new ones
"""

import json
import os
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

from tqdm import tqdm

from stages.shared.durable import write_json, write_whole
from stages.shared.errors import UserError, listed
from stages.shared.params import load_params
from stages.shared.photos.decoding import recipe
from stages.shared.photos.examining import Known, examine
from stages.shared.photos.layouts import Photo, base, find_photos
from stages.shared.photos.splits import assign
from stages.shared.photos.tables import Assignment, Image, Quarantined, parse_rows, write_rows
from stages.shared.photos.views import write_wanted
from stages.shared.run_log import key_of, record
from stages.shared.store.previous import dvc_files, read_previous


def main(out: Path) -> None:
    start = time.perf_counter()
    params = load_params()
    root = base(params.data.root)
    max_pixels = params.data.max_megapixels * 1_000_000
    decoding = recipe() | {"max_pixels": max_pixels}

    photos = find_photos(params.data.root)
    known = earlier_results(out, decoding)
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # Pillow and hashlib release the GIL
        examined = threads.map(lambda photo: examine(root, photo, known, max_pixels), photos)
        results = list(tqdm(examined, "prepare", len(photos), unit=" images", disable=None))
    usable = [(photo, row) for photo, row in zip(photos, results, strict=True) if isinstance(row, Image)]
    quarantined = [row for row in results if isinstance(row, Quarantined)]

    by_hash = {
        hash_: [photo for photo, _ in same]
        for hash_, same in groupby(sorted(usable, key=lambda pair: pair[1].hash), key=lambda pair: pair[1].hash)
    }
    conflicts = label_conflicts(by_hash, params.data.label_conflicts)
    quarantined += conflicts
    for row in conflicts:
        by_hash.pop(row.hash, None)
    images = [row for _, row in usable if row.hash in by_hash]
    # Before the splits, which may be refused because of what is missing here.
    write_rows(out / "quarantine.csv", Quarantined, sorted(quarantined, key=lambda row: row.file))
    report(images, by_hash, quarantined, out)
    assignments = assign(by_hash, params.split.validation_fraction, params.split.test_fraction, params.split.seed)

    views = {row.hash: params.backbone.views if row.split == "train" else 1 for row in assignments}
    write_whole(out / "hashes.txt", write_wanted(sorted(views.items())))
    write_rows(out / "images.csv", Image, sorted(images, key=lambda row: row.file))
    write_rows(out / "splits.csv", Assignment, assignments)
    write_json(out / "decoding.json", decoding)
    record("prepare", key_of((out / "splits.csv").read_bytes()), {"seconds": time.perf_counter() - start})
    classes = {row.label for row in assignments}
    print(f"{len(images)} images, {len(classes)} classes, {len(quarantined)} quarantined")


def earlier_results(out: Path, decoding: dict[str, Any]) -> Known:
    """What the previous run found out by decoding, if it decoded as this one does."""
    files = dvc_files()
    try:
        if json.loads(read_previous(files, f"{out}/decoding.json") or b"null") != decoding:
            return {}
        images = list(parse_rows(BytesIO(read_previous(files, f"{out}/images.csv") or b""), Image, "images.csv"))
        before = BytesIO(read_previous(files, f"{out}/quarantine.csv") or b"")
        refused = list(parse_rows(before, Quarantined, "quarantine.csv"))
    except (UserError, ValueError):
        return {}  # an unreadable memory is no memory: everything is decoded again
    known: Known = {row.hash: row for row in images}
    return known | {row.hash: row for row in refused if row.hash and row.reason != "two_labels"}


def label_conflicts(by_hash: dict[str, list[Photo]], policy: str) -> list[Quarantined]:
    """The same bytes under two labels: one of them must be wrong, and nobody but the user knows which."""
    conflicts = {hash_: same for hash_, same in by_hash.items() if len({photo.label for photo in same}) > 1}
    if conflicts and policy == "error":
        lines = [" and ".join(f"{photo.file} ({photo.label})" for photo in same) for same in conflicts.values()]
        raise UserError(
            f"{len(conflicts)} images stand under two labels with the same bytes:\n{listed(lines)}\n"
            "Delete or relabel one of each, or use neither: data.label_conflicts: quarantine."
        )
    return [
        Quarantined(hash_, photo.file, "two_labels", "also " + ", ".join(p.file for p in same if p != photo))
        for hash_, same in conflicts.items()
        for photo in same
    ]


def report(images: list[Image], by_hash: dict[str, Any], quarantined: list[Quarantined], out: Path) -> None:
    """What a person should know before the counts: copies and refusals."""
    if copies := len(images) - len(by_hash):
        print(f"{copies} files are byte-identical copies of others; each image counts once")
    for reason, count in sorted(Counter(row.reason for row in quarantined).items()):
        print(f"quarantined: {count} {reason} (see {out}/quarantine.csv)", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
