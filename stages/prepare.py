"""prepare: what images there are, which can be used, and what each of them means.

Reads   data.root, the photos, and data.fixes, what people have decided about some of them.
Writes  wanted_views.txt  the set of usable images: their content hashes, and how many views of them are
                          wanted where that is not one. Features depend on this alone.
        images.csv        where each usable file is, and what was given for it: hash, file, width, height,
                          grey, given_split, group
        splits.csv        what each image means: hash, label, split
        fixed.csv         each photo about which data.fixes has decided: hash, file, given, label
        quarantine.csv    each file that cannot be used, with the reason
        decoding.json     how images were decoded, so that the next run decodes only new ones
"""

import time
from functools import partial
from pathlib import Path

from onepass.core import atomic_file, run_stage, sha256_of_files, write_json
from onepass.dvc_repo import dvc_files, machine_folder, open_previous
from onepass.features import keeping_decoded
from onepass.machine_facts import record
from onepass.params import BackboneParams, DataParams, SplitParams, read_params
from onepass.photos import (
    Assignment,
    Fixed,
    Image,
    Quarantined,
    WantedViews,
    apply_fixes,
    assign,
    base_folder,
    find_photos,
    inspect_photos,
    inspection_recipe,
    label_conflicts,
    previous_decoding,
    read_fixes,
    refuse_losses,
    report_losses,
    write_rows,
)


def main(out: Path) -> None:
    start = time.perf_counter()
    params = read_params()
    data, split, backbone = params.read(DataParams), params.read(SplitParams), params.read(BackboneParams)
    decoding = inspection_recipe(data.max_pixels)
    photos = find_photos(data.root)
    fixes = read_fixes(Path(data.fixes), photos.given_labels)
    files = dvc_files()
    known = previous_decoding(partial(open_previous, files), out, decoding, photos)
    with keeping_decoded(machine_folder(files), backbone) as keep:
        quarantined = inspect_photos(photos, base_folder(data.root), known, data.max_pixels, keep)
    fixed = apply_fixes(photos, fixes)
    write_rows(out / "fixed.csv", Fixed, fixed)
    conflicts = label_conflicts(photos.images(least=2), data.label_conflicts)
    photos.drop({row.hash for row in conflicts})
    quarantined += conflicts
    # Before the splits, which may be refused for want of these.
    write_rows(out / "quarantine.csv", Quarantined, sorted(quarantined, key=lambda row: row.file))
    report_losses(photos, quarantined, out / "quarantine.csv")
    refuse_losses(photos, quarantined, data.max_quarantined, out / "quarantine.csv", {row.given for row in fixed})
    rows = assign(photos.images(), photos.given_splits, split.validation_fraction, split.test_fraction, split.seed)
    with atomic_file(out / "wanted_views.txt") as file:

        def wanted(row: Assignment) -> Assignment:
            file.write(WantedViews.line(row.hash, backbone.views if row.split == "train" else 1))
            return row

        write_rows(out / "splits.csv", Assignment, map(wanted, rows))
    write_rows(out / "images.csv", Image, photos.rows())
    write_json(out / "decoding.json", decoding)
    record("prepare", sha256_of_files(out / "splits.csv"), {"seconds": time.perf_counter() - start})
    print(f"{photos.file_count} images, {len(photos.labels)} classes, {len(quarantined)} quarantined")


if __name__ == "__main__":
    run_stage(main)
