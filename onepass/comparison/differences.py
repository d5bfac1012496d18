"""In what experiments differ: params, code and data from outside, and the images that they were evaluated on."""

from collections.abc import Sequence

from onepass.comparison.experiments import Experiment
from onepass.comparison.lock import as_written
from onepass.comparison.seed_groups import SeedGroup


def differing_params(experiments: Sequence[Experiment]) -> list[str]:
    """The names of params that are not the same in all."""
    names = sorted({name for experiment in experiments for name in experiment.params})
    return [name for name in names if len(_values(experiments, name)) > 1]


def differing_files(experiments: Sequence[Experiment]) -> list[str]:
    """Code and data from outside that is not the same for all, by path."""
    sources = [experiment.sources for experiment in experiments]
    return sorted(path for path in set().union(*sources) if len({of_one.get(path) for of_one in sources}) > 1)


def params_table(groups: Sequence[SeedGroup]) -> list[list[str]]:
    """A table of those params in which any two experiments differ, with its header; empty where in none.

    The longer of the two, params and groups, goes down the page.
    """
    differing = differing_params([experiment for group in groups for experiment in group.experiments])
    if not differing:
        return []
    table = [["", *(group.name for group in groups)]]
    table += [[name, *(", ".join(_values(group.experiments, name)) for group in groups)] for name in differing]
    return [list(row) for row in zip(*table, strict=True)] if len(groups) > len(differing) else table


def difference(experiment: Experiment, reference: Experiment) -> str:
    """In what the evaluated images differ from those of ``reference``; empty where in nothing."""
    if experiment.split != reference.split:
        return f"evaluated on {experiment.split} images, {reference.name} on {reference.split} images"
    mine, theirs = experiment.labels, reference.labels
    relabelled = sum(mine[hash_] != theirs[hash_] for hash_ in mine.keys() & theirs.keys())
    facts = [
        (len(mine.keys() - theirs.keys()), "only here"),
        (len(theirs.keys() - mine.keys()), f"only in {reference.name}"),
        (relabelled, "with another label"),
    ]
    return ", ".join(f"images {what}: {count}" for count, what in facts if count)


def _values(experiments: Sequence[Experiment], name: str) -> list[str]:
    """Each value once, in the order of the experiments."""
    return list(
        dict.fromkeys(
            as_written(experiment.params[name]) if name in experiment.params else "not read"
            for experiment in experiments
        )
    )
