"""extract-features: every image passes the frozen network once.

Reads   hashes.txt, the set of images, and backbone.weights. Where the bytes of a hash are found
        (images.csv and data.root) is not an input: it cannot change the result.
Writes  data/features/: parts of rows keyed by hash, and fingerprint.json (see stages/shared/store/features.py).

Rows of its own previous output and of this machine's pool are kept where hash and fingerprint match.
TensorFlow is imported only if a row must be computed.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from tqdm import tqdm

from stages.shared.backbone.describing import describe
from stages.shared.backbone.fingerprint import fingerprint
from stages.shared.backbone.forward import Forward
from stages.shared.backbone.weights_file import resolved_side
from stages.shared.durable import write_json
from stages.shared.errors import UserError
from stages.shared.hashes import packed
from stages.shared.params import INPUT, load_params
from stages.shared.photos.layouts import base
from stages.shared.photos.tables import Image, each_row
from stages.shared.photos.views import read_wanted
from stages.shared.run_log import key_of_files, record
from stages.shared.store.computing import BATCH, Located, Photos, compute, locate
from stages.shared.store.features import FINGERPRINT_FILE, Store, by_part, make_rows, pack
from stages.shared.store.found_rows import FoundRows
from stages.shared.store.pool import Pool, limit, locked, trim
from stages.shared.store.previous import dvc_files, machine_folder
from stages.shared.store.previous_rows import find_previous, previous_store


def main(prepared: Path, out: Path) -> None:
    parent = os.getppid()
    start = time.perf_counter()
    params = load_params()
    backbone = params.backbone
    side = resolved_side(backbone)
    wanted = prepared / "hashes.txt"
    keys = packed(view.key for view in read_wanted(wanted))
    keys.sort()

    @lru_cache(maxsize=1)
    def network() -> Any:
        from stages.shared.backbone.frozen import FrozenBackbone  # noqa: PLC0415 - imports TensorFlow

        return FrozenBackbone(backbone, side)

    most = limit()
    files = dvc_files()
    machine = machine_folder(files)
    before = previous_store(files, out)
    description, weights_file = describe(backbone, side, before, machine, network)
    store = Store(
        images=len(keys),
        dtype=description.dtype,
        shape=description.shape,
        fingerprint=fingerprint(backbone, side, description.network),
        weights_file=weights_file,
    )
    found = FoundRows(keys, store.row_type)
    if before and before.key == store.key:
        find_previous(found, files, out, before)

    with locked(machine, store.key):
        pool = Pool(machine, store, found)
        missing = int(found.missing().sum())
        if missing:
            forward = Forward(lambda pixels: pixels, 1) if backbone.layer == INPUT else network().forward(BATCH)
            photos = Photos(base(params.data.root), backbone, side)
            views_a_photo = 1 + max(view.number for view in read_wanted(wanted))
            views = locate(each_row(prepared / "images.csv", Image), views_a_photo, found)
            batches = compute(views, photos.pixels, photos.shape, forward)
            add_rows(batches, missing, pool, store.key, parent)
        stop_if_orphaned(parent)
        # Run by hand, and not by DVC, the rows that are kept may lie in ``out``: it stays until all is written.
        fresh = out.with_name(f".{out.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for name, places in by_part(keys):
            (fresh / name).write_bytes(pack(found.read(places)))
        write_json(fresh / FINGERPRINT_FILE, store._asdict())
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)
        trim(machine, pool.folder, most)
    reused = len(keys) - missing
    facts = {"seconds": time.perf_counter() - start, "reused": reused, "computed": missing}
    record("extract-features", key_of_files(out / FINGERPRINT_FILE, wanted), facts)
    print(f"{len(keys)} images: {reused} reused, {missing} computed")


def add_rows(
    batches: Iterable[tuple[list[Located], NDArray[Any]]], count: int, pool: Pool, key: bytes, parent: int
) -> None:
    """Computes the ``count`` missing rows batch by batch; each batch is safe in the pool before the next one."""
    with tqdm(total=count, desc="extract-features", unit=" images", disable=None) as progress:
        for views, features in batches:
            pool.add(make_rows([located.view.key for located in views], features, key))
            progress.update(len(views))
            stop_if_orphaned(parent)


def stop_if_orphaned(parent: int) -> None:
    """DVC, when it is killed, leaves its stages running; nobody waits for this one's output any more."""
    if os.getppid() != parent:
        raise UserError("the dvc that started this run has ended. What was computed is kept.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
