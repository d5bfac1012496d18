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
from array import array
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

from tqdm import tqdm

from stages.shared.ahead import mapped
from stages.shared.durable import whole_file, write_json
from stages.shared.errors import UserError, listed
from stages.shared.params import load_params
from stages.shared.photos.decoding import recipe
from stages.shared.photos.examining import examine
from stages.shared.photos.known import Known
from stages.shared.photos.layouts import base, find_photos
from stages.shared.photos.packed_images import PackedImages
from stages.shared.photos.photos import Photos
from stages.shared.photos.splits import Images, assign, assignments
from stages.shared.photos.tables import Assignment, Image, Quarantined, Row, parse_rows, write_rows
from stages.shared.photos.usable import Usable
from stages.shared.photos.views import write_wanted
from stages.shared.run_log import key_of_files, record
from stages.shared.store.previous import dvc_files, read_previous


def main(out: Path) -> None:
    start = time.perf_counter()
    params = load_params()
    max_pixels = params.data.max_megapixels * 1_000_000
    decoding = recipe() | {"max_pixels": max_pixels}

    photos = find_photos(params.data.root)
    usable, quarantined = examine_all(photos, base(params.data.root), earlier_results(out, decoding), max_pixels)
    conflicts = label_conflicts(usable, params.data.label_conflicts)
    usable.drop({row.hash for row in conflicts})
    quarantined += conflicts
    # Before the splits, which may be refused because of what is missing here.
    write_rows(out / "quarantine.csv", Quarantined, sorted(quarantined, key=lambda row: row.file))
    report(usable, quarantined, out)
    splits = assign(usable, params.split.validation_fraction, params.split.test_fraction, params.split.seed)

    classes = set()
    with whole_file(out / "hashes.txt") as file:
        for row in assignments(usable, splits):
            file.write(write_wanted([(row.hash, params.backbone.views if row.split == "train" else 1)]))
            classes.add(row.label)
    write_rows(out / "images.csv", Image, usable.rows())
    write_rows(out / "splits.csv", Assignment, assignments(usable, splits))
    write_json(out / "decoding.json", decoding)
    record("prepare", key_of_files(out / "splits.csv"), {"seconds": time.perf_counter() - start})
    print(f"{usable.file_count} images, {len(classes)} classes, {len(quarantined)} quarantined")


def earlier_results(out: Path, decoding: dict[str, Any]) -> Known:
    """What the previous run found out by decoding, if it decoded as this one does."""
    files = dvc_files()
    try:
        if json.loads(read_previous(files, f"{out}/decoding.json") or b"null") != decoding:
            return Known()
        images = _rows(read_previous(files, f"{out}/images.csv"), Image)
        refused = _rows(read_previous(files, f"{out}/quarantine.csv"), Quarantined)
        return Known(images, (row for row in refused if row.hash and row.reason != "two_labels"))
    except (UserError, ValueError, OverflowError):
        return Known()  # an unreadable memory is no memory: everything is decoded again


def _rows(content: bytes | None, kind: type[Row]) -> Iterator[Row]:
    """Rows one by one. Only the iterator holds ``content``, and lets go of it after the last one."""
    return parse_rows(BytesIO(content or b""), kind, "the previous table")


def examine_all(photos: Photos, root: Path, known: Known, max_pixels: int) -> tuple[Usable, list[Quarantined]]:
    """What can be used, and what cannot and why."""
    numbers, images = array("I"), PackedImages()
    quarantined = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # Pillow and hashlib release the GIL
        examined = mapped(threads, lambda photo: examine(root, photo, known, max_pixels), photos)
        for number, row in enumerate(tqdm(examined, "prepare", len(photos), unit=" images", disable=None)):
            if isinstance(row, Quarantined):
                quarantined.append(row)
            else:
                numbers.append(number)
                images.append(row)
    return Usable(photos, numbers, images), quarantined


def label_conflicts(images: Images, policy: str) -> list[Quarantined]:
    """The same bytes under two labels: one of them must be wrong, and nobody but the user knows which."""
    conflicts = {hash_: same for hash_, same in images if len({photo.label for photo in same}) > 1}
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


def report(usable: Usable, quarantined: list[Quarantined], out: Path) -> None:
    """What a person should know before the counts: copies and refusals."""
    if copies := usable.file_count - usable.image_count:
        print(f"{copies} files are byte-identical copies of others; each image counts once")
    for reason, count in sorted(Counter(row.reason for row in quarantined).items()):
        print(f"quarantined: {count} {reason} (see {out}/quarantine.csv)", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
