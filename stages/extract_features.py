"""extract-features: every image passes the frozen network once.

Reads   wanted_views.txt, the set of images, and backbone.weights, whose digest weights.json has. Where the bytes of
        a hash are found (images.csv and data.root) is not an input: it cannot change the result.
Writes  data/features/: parts of rows keyed by hash, fingerprint.json and versions.json (see
        onepass/features/README.md).

Rows of its own previous output and of this machine's pool are kept where hash and fingerprint match; where they come
from other versions, a sample of them is computed anew before others are computed beside them.
TensorFlow is imported only if a row must be computed.

    python -m stages.extract_features --shard 3/16

computes a sixteenth of the rows into the pool, beside the DVC cache, and writes nothing else: on 16 machines that share
this folder, or have the same ONEPASS_POOL, after which the stage finds everything there. ONEPASS_WORKERS=ray hands the
work to a cluster. docs/scale.md says how.
"""

import argparse
import time
from functools import partial
from pathlib import Path

from onepass.backbones import resolve
from onepass.core import check_recorded, run_stage, sha256_of_files
from onepass.features import FINGERPRINT_FILE, extract, parse_shard
from onepass.machine_facts import record
from onepass.params import BackboneParams, DataParams, read_params
from onepass.photos import Image, WantedViews, any_remote_in, base_folder, read_rows


def main(weights: Path, prepared: Path, out: Path, shard: str | None = None) -> None:
    start = time.perf_counter()
    check_recorded(weights, prepared)
    params = read_params()
    section = params.read(BackboneParams)
    resolve(section).check_weights(weights)
    root = base_folder(params.read(DataParams).root)
    wanted, table = prepared / "wanted_views.txt", prepared / "images.csv"
    images, remote = partial(read_rows, table, Image), any_remote_in(table)
    part = parse_shard(shard) if shard else None

    rows, computed = extract(section, WantedViews.read(wanted), images, root, out, remote, part)

    if shard:
        print(f"shard {shard}: {rows} images, {rows - computed} were there, {computed} computed")
        return
    facts = {"seconds": time.perf_counter() - start, "reused": rows - computed, "computed": computed}
    record("extract-features", sha256_of_files(out / FINGERPRINT_FILE, wanted), facts)
    print(f"{rows} images: {rows - computed} reused, {computed} computed")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m stages.extract_features")
    for name, usual in (("weights", "data/weights.json"), ("prepared", "data/prepared"), ("out", "data/features")):
        parser.add_argument(name, type=Path, nargs="?", default=Path(usual), help="%(default)s")
    parser.add_argument("--shard", metavar="I/N", help="compute this part of the rows, into the pool alone")
    run_stage(main, vars(parser.parse_args()))
