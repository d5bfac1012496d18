"""Two workers of Ray with a core each against the process of the stage with both: photos to features.

extract-features runs as a process on many photos and, in the same round, on few: what it takes on these, which is
starting, importing and compiling, is taken off.
"""

import os
from importlib.util import find_spec
from pathlib import Path

from benchmarks.extraction import weights_of
from benchmarks.measuring import Options, in_turn, once, ratios, record, skip
from benchmarks.photos import add_photos
from benchmarks.project import forget, mobilenet, new_project, run, run_afresh, stage_command

FEW = 64  # photos: a batch for each worker
TARGET = "at least 0.9"
LOCAL, RAY = "local, both cores", "Ray, two workers of a core"


def measure(name: str, folder: Path, options: Options) -> None:
    """Both ways, less their start."""
    about = "MobileNet float32, extract-features by two workers of Ray with a core each, against one process with both"
    if not find_spec("ray"):
        skip(name, about, TARGET, "needs Ray: `make install EXTRA=ray`", options)
        return
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - an extra

    count = add_photos(options.photos, folder / "photos", options.number(2_800))
    add_photos(options.photos, folder / "few", FEW)
    weights = weights_of("MobileNet", folder, options)
    many, few = (prepared(folder / photos, weights) for photos in ("photos", "few"))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        ways = {
            f"{workers} {photos}": once(extract, project, address)
            for photos, project in (("many", many), ("few", few))
            for workers, address in ((LOCAL, ""), (RAY, cluster.address))
        }
        seconds = in_turn(ways, options.rounds)
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]
    beyond = {
        way: [whole - start for whole, start in zip(seconds[f"{way} many"], seconds[f"{way} few"], strict=True)]
        for way in (LOCAL, RAY)
    }
    record(name, f"{about}, {count - FEW} photos", "s", beyond, ratios(beyond[LOCAL], beyond[RAY]), TARGET, options)


def prepared(photos: Path, weights: Path) -> Path:
    """A project in which the stages before extract-features have run."""
    project = new_project(photos.with_name(f"project-{photos.name}"), mobilenet(photos, weights))
    run_afresh(project, "weights", "prepare")
    return project


def extract(project: Path, address: str) -> None:
    """The stage, decoding all photos itself; by the cluster at an address, where one is given."""
    forget(project)
    if address:
        os.environ |= {"ONEPASS_WORKERS": "ray", "RAY_ADDRESS": address}
    run(project, *stage_command(project, "extract-features"))
