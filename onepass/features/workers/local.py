"""The process of the stage itself, with all cores of its machine: the default."""

from collections.abc import Iterator

from onepass.features.work import Job, Saved, reader, save_rows
from onepass.features.workers.workers import Workers, register_workers
from onepass.photos import threads_for


def compute_here(job: Job) -> Iterator[Saved]:
    """Batch by batch."""
    work = job.work
    photos = reader(work, job.backbone, job.keys)
    return save_rows(job.views, job.forward(), photos, job.pool, work.store, threads_for(work.any_remote))


register_workers(Workers("local", chosen_by=lambda value: value == "local", compute=lambda _value: compute_here))
