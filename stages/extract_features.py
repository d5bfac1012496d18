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
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from stages.shared.backbone.describing import describe
from stages.shared.backbone.fingerprint import fingerprint
from stages.shared.backbone.forward import Forward
from stages.shared.backbone.weights_file import resolved_side
from stages.shared.durable import write_json
from stages.shared.errors import UserError
from stages.shared.params import INPUT, load_params
from stages.shared.photos.layouts import base
from stages.shared.photos.tables import Image, read_rows
from stages.shared.photos.views import View, read_wanted
from stages.shared.run_log import key_of, record
from stages.shared.store.computing import BATCH, Located, compute
from stages.shared.store.features import FINGERPRINT_FILE, Store, by_part, make_rows, pack
from stages.shared.store.pool import Pool, limit, locked, trim
from stages.shared.store.previous import dvc_files, machine_folder
from stages.shared.store.previous_rows import PreviousRows, previous_store


def main(prepared: Path, out: Path) -> None:
    parent = os.getppid()
    start = time.perf_counter()
    params = load_params()
    backbone = params.backbone
    side = resolved_side(backbone)
    wanted = (prepared / "hashes.txt").read_bytes()
    views = {view.key: view for view in read_wanted(wanted.decode())}

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
        images=len(views),
        dtype=description.dtype,
        shape=description.shape,
        fingerprint=fingerprint(backbone, side, description.network),
        weights_file=weights_file,
    )
    kept = PreviousRows(files, out, before) if before and before.key == store.key else None

    with locked(machine, store.key):
        new = [key for key in views if kept is None or key not in kept]
        pool = Pool(machine, store, new)
        missing = [views[key] for key in new if key not in pool]
        if missing:
            forward = Forward(lambda pixels: pixels, 1) if backbone.layer == INPUT else network().forward(BATCH)
            located = Located(base(params.data.root), read_rows(prepared / "images.csv", Image), backbone, side)
            add_rows(missing, located, forward, pool, store.key, parent)
        stop_if_orphaned(parent)
        # Run by hand, and not by DVC, the rows that are kept may lie in ``out``: it stays until all is written.
        fresh = out.with_name(f".{out.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for name, members in by_part(views).items():
            rows = [pool.row(key) if kept is None or key not in kept else kept.row(key) for key in members]
            (fresh / name).write_bytes(pack(np.concatenate(rows)))
        write_json(fresh / FINGERPRINT_FILE, store._asdict())
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)
        trim(machine, pool.folder, most)
    reused = len(views) - len(missing)
    facts = {"seconds": time.perf_counter() - start, "reused": reused, "computed": len(missing)}
    record("extract-features", key_of((out / FINGERPRINT_FILE).read_bytes(), wanted), facts)
    print(f"{len(views)} images: {reused} reused, {len(missing)} computed")


def add_rows(missing: list[View], located: Located, forward: Forward, pool: Pool, key: bytes, parent: int) -> None:
    """Computes the missing rows batch by batch; each batch is safe in the pool before the next one."""
    with tqdm(total=len(missing), desc="extract-features", unit=" images", disable=None) as progress:
        for views, features in compute(missing, located.pixels, located.shape, forward):
            pool.add(make_rows([view.key for view in views], features, key))
            progress.update(len(views))
            stop_if_orphaned(parent)


def stop_if_orphaned(parent: int) -> None:
    """DVC, when it is killed, leaves its stages running; nobody waits for this one's output any more."""
    if os.getppid() != parent:
        raise UserError("the dvc that started this run has ended. What was computed is kept.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
