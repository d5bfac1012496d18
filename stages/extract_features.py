"""extract-features: every image passes the frozen network once.

Reads   wanted_views.txt, the set of images, and backbone.weights, whose digest weights.json has. Where the bytes of
        a hash are found (images.csv and data.root) is not an input: it cannot change the result.
Writes  data/features/: parts of rows keyed by hash, fingerprint.json and versions.json (see
        onepass/features/README.md).

Rows of its own previous output and of this machine's pool are kept where hash and fingerprint match; where they come
from other versions, a sample of them is computed anew before others are computed beside them.
TensorFlow is imported only if a row must be computed.
"""

import time
from functools import partial
from pathlib import Path

from onepass.backbones import resolve
from onepass.core import check_recorded, run_stage, sha256_of_files
from onepass.features import FINGERPRINT_FILE, extract
from onepass.machine_facts import record
from onepass.params import BackboneParams, DataParams, read_params
from onepass.photos import Image, WantedViews, base_folder, read_rows


def main(weights: Path, prepared: Path, out: Path) -> None:
    start = time.perf_counter()
    check_recorded(weights, prepared)
    params = read_params()
    section = params.read(BackboneParams)
    backbone = resolve(section)
    backbone.check_weights(weights)
    root = base_folder(params.read(DataParams).root)
    wanted = prepared / "wanted_views.txt"
    images = partial(read_rows, prepared / "images.csv", Image)

    rows, computed = extract(backbone, WantedViews.read(wanted), images, root, out, section.versions)

    facts = {"seconds": time.perf_counter() - start, "reused": rows - computed, "computed": computed}
    record("extract-features", sha256_of_files(out / FINGERPRINT_FILE, wanted), facts)
    print(f"{rows} images: {rows - computed} reused, {computed} computed")


if __name__ == "__main__":
    run_stage(main)
