"""audit: what to trust and what to fix, by the features that are stored; nothing is changed.

`dvc repro` alone does not run it; `dvc repro data/probe/dvc.yaml` does.

Reads   images.csv, splits.csv, data/features/ and the photos (data.root), which are looked at for flaws and copies.
Writes  data/audit.csv              what stands out: hash, file, split, label, kind, suggested, score
        data/audit.html             the same as a page with pictures, which writes a CSV of decisions (data.fixes)
        data/probe/left_out.csv     what cheap heads say of each photo outside the evaluated split that they had no part
                                    of: hash, file, split, label, predicted, a probability a class
        data/probe/left_out.json    how good that is, with intervals
        data/probe/learning_curve.csv  how good with fewer photos, and what more may bring
"""

import sys
from pathlib import Path

from onepass.audit import audit_page, audit_photos, write_audit, write_left_out
from onepass.core import check_recorded, run_stage, write_atomically
from onepass.features import open_store
from onepass.params import DataParams, read_params
from onepass.photos import Assignment, AssignmentTable, Image, base_folder, evaluated_split, first_files, read_rows


def main(prepared: Path, features: Path, out: Path, probe: Path) -> None:
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # classes can have any name
    check_recorded(prepared)
    rows = AssignmentTable(read_rows(prepared / "splits.csv", Assignment))
    images = first_files(read_rows(prepared / "images.csv", Image), rows.hashes.packed)
    root = base_folder(read_params().read(DataParams).root)
    found = audit_photos(rows, evaluated_split(rows.splits), images, features, open_store(features), root)
    write_left_out(probe, found, rows, images)
    write_audit(out / "audit.csv", found.rows)
    write_atomically(out / "audit.html", audit_page(found, images, root))
    print(*found.sentences(), sep="\n")


if __name__ == "__main__":
    run_stage(main)
