"""Actors of Ray on the machines of a team: each loads the network once, takes ranges of photos and writes their rows.

Neither pixels nor features pass Ray: rows go into the pool, which all machines see as a folder or behind an address
(``ONEPASS_POOL``), and what comes back is how many. Ranges become smaller towards the end, so that nobody waits for the
last one. A range whose actor was lost is given to another one, but for the rows that it had saved.
"""

import os
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from onepass.backbones import resolve
from onepass.core import CORES_VARIABLE, UserError, find, first_line, packed, write_atomically
from onepass.engines import BATCH, Forward
from onepass.features.pool import open_pools
from onepass.features.row_index import RowIndex
from onepass.features.team_pool import POOL_VARIABLE, team_pool
from onepass.features.versions import environment
from onepass.features.work import Job, Saved, Work, reader, save_rows
from onepass.features.workers.workers import Workers, register_workers
from onepass.photos import LocatedView, threads_for

LARGEST_RANGE = 16 * BATCH  # photos: what a lost actor costs at most, seconds to a minute
CORES = 4  # of an actor: decoding and the network keep as many busy, and each more would be a network in memory
GLANCE = 1.0  # seconds between two looks at whether the run is still wanted
PACKAGE = Path(__file__).parents[2]  # goes to all machines, so that they run the code of this one


class Assignment(NamedTuple):
    """What every actor is told."""

    work: Work
    project: str  # the folder of the run, where the machine has it
    mark: Path  # a file in the pools, by which a machine sees that they are the same there


class Extractor:
    """What an actor does: Ray makes one in a process of its own."""

    def __init__(self, given: Assignment) -> None:
        """Loads nothing yet, so that nothing can go wrong without an answer."""
        self._given = given
        self._node = os.uname().nodename

    def ready(self) -> None:
        """Loads the network. UserError: the machine has not what the rows depend on."""
        work, project, mark = self._given
        if Path(project).is_dir():
            os.chdir(project)
        self._backbone = resolve(work.params)
        if (here := environment(self._backbone)) != work.here:
            raise UserError(f"{self._node} computes with other versions: {here}; expected: {work.here}.")
        if self._backbone.weights_sha256() != work.store.weights_file:
            raise UserError(f"{self._node}: {self._backbone.weights} is another file there than here. Copy it there.")
        self._team = team_pool(work.pools)
        if not mark.is_file() and self._team is None:
            raise UserError(
                f"{self._node} does not see {work.pools}, where rows are left. Share the folder with it, or set "
                "ONEPASS_POOL=s3://bucket/pool."
            )
        self._forward: Forward = self._backbone.load().forward(BATCH)

    def save(self, views: list[LocatedView]) -> Saved:
        """Computes the rows of these views into the pool."""
        work, *_ = self._given
        keys = packed(sorted(located.view.key for located in views))
        index = RowIndex(keys, work.store.row_type)
        pool, *_ = open_pools(work.pools, work.store, index, work.here, self._team)
        photos, threads = reader(work, self._backbone, keys), threads_for(work.any_remote)
        steps = list(save_rows(views, self._forward, photos, pool, work.store, threads))
        return Saved(sum(step.rows for step in steps), [message for step in steps for message in step.refused])


class InHand(NamedTuple):
    """What an actor is at."""

    actor: Any
    views: list[LocatedView]  # none: it is loading the network


class Ranges:
    """What is still to be handed out."""

    def __init__(self, views: Iterator[LocatedView], count: int) -> None:
        """All of it."""
        self._fresh = views
        self._given_back: list[LocatedView] = []
        self.left = count

    def take(self, actors: int) -> list[LocatedView]:
        """The next range: half of an equal share of what is left, in whole batches."""
        share = self.left // (2 * actors) // BATCH * BATCH
        size = min(max(share, BATCH), LARGEST_RANGE)
        taken = self._given_back[:size]
        del self._given_back[:size]
        taken += islice(self._fresh, size - len(taken))
        self.left = self.left - len(taken) if taken else 0
        return taken

    def give_back(self, views: list[LocatedView]) -> None:
        """Of an actor that was lost."""
        self._given_back += views
        self.left += len(views)


def compute_on_ray(job: Job, address: str) -> Iterator[Saved]:
    """Rows computed by the cluster that a value of the variable names."""
    ray = _connected(address)
    mark = job.work.pools / f".{uuid4().hex}.mark"
    write_atomically(mark, b"", durable=False)
    try:
        yield from _handed_out(ray, job, Assignment(job.work, str(Path.cwd()), mark))
        job.pool.find_sent()
    finally:
        mark.unlink(missing_ok=True)
        ray.shutdown()  # which ends the actors, too


def _connected(address: str) -> Any:
    """Ray, connected to a running cluster; where ``ray`` names none that runs, to one of this machine alone."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UserError(
            f"ONEPASS_WORKERS: {address} given, but no Ray is installed: `make install EXTRA=ray`."
        ) from error
    given: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": "ERROR",
        "runtime_env": {"py_modules": [str(PACKAGE)]},
    }
    named = address if "://" in address else os.environ.get("RAY_ADDRESS")
    try:
        ray.init(address=named or "auto", **given)
    except ConnectionError as error:
        if named:
            raise UserError(f"ONEPASS_WORKERS: no cluster of Ray answers at {named}: {first_line(error)}.") from error
        print("no cluster of Ray runs here (`ray start --head` starts one): this machine alone computes", flush=True)
        ray.init(include_dashboard=False, **given)
    return ray


def _start_actors(ray: Any, given: Assignment) -> list[Any]:
    """On each machine as many as its cores allow."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

    actors = []
    for node in ray.nodes():
        cores = int(node["Resources"].get("CPU", 0)) if node["Alive"] else 0
        own = min(cores, CORES)
        options: dict[str, Any] = {
            "num_cpus": own,
            "scheduling_strategy": NodeAffinitySchedulingStrategy(node["NodeID"], soft=True),
            # Known before TensorFlow and OpenVINO are imported there.
            "runtime_env": {"env_vars": {CORES_VARIABLE: str(own), **_passed_on()}},
        }
        actors += [ray.remote(Extractor).options(**options).remote(given) for _ in range(cores // own if own else 0)]
    if not actors:
        raise UserError("ONEPASS_WORKERS: the cluster of Ray has no processor to give.")
    return actors


def _passed_on() -> dict[str, str]:
    """What the machines must know, too, of this process's environment."""
    return {name: os.environ[name] for name in (POOL_VARIABLE,) if name in os.environ}


def _handed_out(ray: Any, job: Job, given: Assignment) -> Iterator[Saved]:
    """Ranges to whoever is idle, until all are done."""
    actors = _start_actors(ray, given)
    busy = {actor.ready.remote(): InHand(actor, []) for actor in actors}
    idle: list[Any] = []
    ranges, alive = Ranges(job.views, len(job.keys)), len(actors)
    while ranges.left or any(held.views for held in busy.values()):
        done, _ = ray.wait(list(busy), timeout=GLANCE)
        for future in done:
            actor, views = busy.pop(future)
            try:
                saved = ray.get(future) or Saved(0, [])
                idle.append(actor)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from error
            except ray.exceptions.RayActorError as error:
                alive -= 1
                if not alive:
                    raise UserError(_all_lost(len(actors), error)) from error
                lost = _not_saved(job, views)
                ranges.give_back(lost)
                saved = Saved(len(views) - len(lost), [])
            yield saved._replace(note=f"{alive} workers")
        while idle and (views := ranges.take(alive)):
            actor = idle.pop()
            busy[actor.save.remote(views)] = InHand(actor, views)
        yield Saved(0, [])  # a moment for whoever looks whether this run is still wanted


def _not_saved(job: Job, views: list[LocatedView]) -> list[LocatedView]:
    """Those of a lost actor whose rows are not in the pool."""
    if views:
        job.pool.find_sent()
    missing = job.index.missing()[find(job.index.keys, packed(located.view.key for located in views))]
    return [located for located, lacking in zip(views, missing, strict=True) if lacking]


def _all_lost(count: int, error: Exception) -> str:
    return (
        f"all {count} workers of Ray were lost ({first_line(error)}). What they saved is kept; the same command goes "
        "on from there."
    )


def _is_ray(value: str) -> bool:
    return value == "ray" or value.startswith("ray://")


register_workers(
    Workers("ray, ray://HOST:PORT", chosen_by=_is_ray, compute=lambda value: partial(compute_on_ray, address=value))
)
