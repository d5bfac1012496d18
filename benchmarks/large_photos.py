"""Photos of 12 megapixels, as phones take them, from files to features: time against one pass of Keras, and memory.

prepare and extract-features run as processes. The same two on a few small photos, in the same round, say what they take
to start, import and compile, which nobody's pass is charged with.
"""

from functools import partial
from pathlib import Path

from benchmarks.extraction import weights_of
from benchmarks.measuring import Options, Way, in_turn, once, ratios, record
from benchmarks.photos import add_large, add_photos
from benchmarks.project import mobilenet, new_project, run_afresh
from benchmarks.rivals import DATASET, PILLOW, image_dataset_from_directory, pillow, predicting

STAGES = ("prepare", "extract-features")
FEW = 32  # small photos: one batch of the network
ONEPASS, START = "prepare and extract-features", "their start"


def measure(name: str, folder: Path, options: Options, usual: int, target: str) -> None:
    """Time, and peak memory beyond that on small photos."""
    form = name.removeprefix("large-")
    small, large = folder / "small", folder / "large"
    count = add_photos(options.photos, small, options.number(usual))
    add_large(small, large, form)
    add_photos(options.photos, folder / "few", FEW)
    weights = weights_of("MobileNet", folder, options)
    projects = [project_of(folder / photos, weights) for photos in ("large", "few")]
    rival, reader = (PILLOW, pillow) if form == "webp" else (DATASET, image_dataset_from_directory)
    ways: dict[str, Way] = {
        ONEPASS: once(run, projects[0]),
        START: once(run, projects[1]),
        rival: partial(predicting, reader, "MobileNet", "conv_pw_12_relu", large, folder / "features.npy"),
    }
    seconds = in_turn(ways, options.rounds)
    seconds[ONEPASS] = [whole - start for whole, start in zip(seconds[ONEPASS], seconds[START], strict=True)]
    about = f"MobileNet float32, {count} photos of 12 megapixels as {form.upper()}, beyond the start, against {rival}"
    values = ratios(seconds[rival], seconds[ONEPASS])
    record(name, about, "s", seconds, values, target, options)
    measure_memory(name, form, count, projects, options)


def measure_memory(name: str, form: str, count: int, projects: list[Path], options: Options) -> None:
    """One run of each stage on the large photos and on the small ones."""
    large, small = (run_afresh(project, *STAGES) for project in projects)
    for stage, with_large, with_small in zip(STAGES, large, small, strict=True):
        peaks = {"12 megapixels": [with_large.mebibytes], "small photos": [with_small.mebibytes]}
        about = f"peak memory of {stage} on {count} photos of 12 megapixels as {form.upper()}, beyond small ones"
        beyond = [with_large.mebibytes - with_small.mebibytes]
        record(f"{name}-memory-{stage}", about, "MiB", peaks, beyond, "at most 200 MiB", options)


def project_of(photos: Path, weights: Path) -> Path:
    """A project in which only what must stand before prepare has run."""
    project = new_project(photos.with_name(f"project-{photos.name}"), mobilenet(photos, weights))
    run_afresh(project, "weights")
    return project


def run(project: Path) -> None:
    """Both stages, as if no photo had been seen before."""
    run_afresh(project, *STAGES)
