"""Ways of doing the same, timed in turn, each in a process of its own; what they found, kept as a file a row."""

import json
import multiprocessing
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
Way = Callable[[], Callable[[], object]]  # prepares, and gives what is timed; picklable


@dataclass(frozen=True)
class Options:
    """What a person can say to every row."""

    photos: Path | None = None  # synthetic ones where there are none
    weights: Path | None = None  # of MobileNet; random ones where there are none: they take the same time
    rounds: int = 3
    count: int | None = None  # photos, instead of as many as the row has
    torch_python: str = sys.executable  # a Python that may have PyTorch and timm
    keep: bool = True  # the results, from which README.md is written

    def number(self, usual: int) -> int:
        """How many photos a row has, of which it has ``usual`` where nobody says otherwise."""
        return self.count or usual


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
            _receive(name, pipes[name])  # prepared, before the next one starts to
        for _ in range(rounds):
            for name, pipe in pipes.items():
                pipe.send("run")
                seconds[name].append(_receive(name, pipe))
    finally:
        for pipe in pipes.values():
            pipe.close()
        for process in processes:
            process.join()
    return seconds


def _receive(name: str, pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except EOFError as error:
        raise SystemExit(f"{name} has failed; its error stands above") from error


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


def once(way: Callable[..., object], *arguments: Any) -> Way:
    """A way that needs no preparing."""
    return partial(_prepared, partial(way, *arguments))


def _prepared(run: Callable[[], object]) -> Callable[[], object]:
    return run


def timed(run: Callable[..., object], *arguments: object) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    run(*arguments)
    return time.perf_counter() - start


def ratios(over: Iterable[float], under: Iterable[float]) -> list[float]:
    """Of each round, the one over the other: what slowed a round as a whole is in neither."""
    return [one / other for one, other in zip(over, under, strict=True)]


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
    row: str,
    about: str,
    unit: str,
    found: Mapping[str, Sequence[float]],
    values: Sequence[float],
    target: str,
    options: Options,
    skipped: str = "",
) -> None:
    """Prints a row and keeps it in ``benchmarks/results/``.

    Args:
        found: of each way, what each round gave, in ``unit``.
        values: of each round, what the target speaks of: mostly a ratio of two ways.
        target: in words: "at least 0.95".
        skipped: which ways were left out, and why.

    """
    figures = ", ".join(f"{name} {statistics.median(some):.4g}" for name, some in found.items())
    print(
        f"{row}: {statistics.median(values):.4g} (target: {target}) - {figures} {unit} {skipped}".rstrip(), flush=True
    )
    content = {"about": about, "unit": unit, "found": {name: [*some] for name, some in found.items()}}
    _keep(row, content | {"values": [*values], "target": target, "skipped": skipped}, options)


def skip(row: str, about: str, target: str, why: str, options: Options) -> None:
    """Says that a row cannot be measured here. What was measured elsewhere stays."""
    print(f"{row}: skipped (target: {target}) - {why}", flush=True)
    if not (RESULTS / f"{row}.json").exists():
        content = {"about": about, "unit": "", "found": {}, "values": [], "target": target, "skipped": why}
        _keep(row, content, options)


def _keep(row: str, content: Mapping[str, Any], options: Options) -> None:
    if options.keep:
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps({"row": row, **content, "machine": machine()}, indent=2, sort_keys=True)
        (RESULTS / f"{row}.json").write_text(f"{text}\n")


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).is_file() else []
