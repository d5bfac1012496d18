"""Ways of doing the same, timed in turn, each in a process of its own; medians, ratios and a record of them."""

import json
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
Way = Callable[[], Callable[[], None]]  # prepares, and gives what is timed; picklable


def in_turn(ways: Mapping[str, Way], rounds: int) -> dict[str, list[float]]:
    """Seconds of each way, ``rounds`` times, in turn: what else the machine does meets all of them alike.

    Each way has a process, which prepares once and runs once untimed; while one runs, the others wait.
    """
    context = multiprocessing.get_context("spawn")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    pipes: dict[str, Connection] = {}
    processes = []
    try:
        for name, way in ways.items():
            pipes[name], theirs = context.Pipe()
            processes.append(context.Process(target=_serve, args=(way, theirs), daemon=True))
            processes[-1].start()
            theirs.close()
            pipes[name].recv()  # prepared, before the next one starts to
        for _ in range(rounds):
            for name, pipe in pipes.items():
                pipe.send("run")
                seconds[name].append(pipe.recv())
    finally:
        for pipe in pipes.values():
            pipe.close()
        for process in processes:
            process.join()
    return seconds


def _serve(way: Way, pipe: Connection) -> None:
    run = way()
    run()
    pipe.send("ready")
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        start = time.perf_counter()
        run()
        pipe.send(time.perf_counter() - start)


def once(way: Callable[..., None], *arguments: Any) -> Way:
    """A way that needs no preparing."""
    return partial(_prepared, partial(way, *arguments))


def _prepared(run: Callable[[], None]) -> Callable[[], None]:
    return run


def medians(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    """The median of each way."""
    return {name: statistics.median(values) for name, values in seconds.items()}


def machine() -> dict[str, Any]:
    """What a figure depends on; nothing that names whose machine it is."""
    models = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = [int(line.split()[1]) >> 20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")]
    return {
        "processor": next(iter(models), platform.processor()),
        "cores": os.cpu_count(),
        "bfloat16": any("avx512_bf16" in line for line in _lines("/proc/cpuinfo")),
        "memory_gib": next(iter(memory), None),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("dvc", "keras", "numpy", "pillow", "tensorflow")},
    }


def record(
    row: str, about: str, unit: str, found: Mapping[str, float], ratio: float, target: str, keep: bool = True
) -> None:
    """Prints a row and keeps it in ``benchmarks/results/``.

    Args:
        found: of each way, in ``unit``.
        ratio: what the target speaks of.
        target: in words: "at least 0.95".

    """
    figures = ", ".join(f"{name} {value:.4g}" for name, value in found.items())
    print(f"{row}: {ratio:.2f} (target: {target}) - {figures} {unit}", flush=True)
    if not keep:
        return
    content = {"row": row, "about": about, "unit": unit, "found": found, "ratio": ratio, "target": target}
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(content | {"machine": machine()}, indent=2, sort_keys=True)
    (RESULTS / f"{row}.json").write_text(f"{text}\n")


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).is_file() else []
