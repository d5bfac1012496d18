"""What must be known to read a comparison: how the tests were made, what counts as one, and what nobody can claim."""

from collections.abc import Sequence

from onepass.comparison.differences import differing_files, differing_params
from onepass.comparison.seed_groups import Run, SeedGroup
from onepass.comparison.verdict import Verdict

MOST_NAMED = 3


def notes(groups: Sequence[SeedGroup], verdict: Verdict | None, baseline: SeedGroup | None) -> list[str]:
    """How the tests were made, and what they do not say; sentences.

    Args:
        groups: that were evaluated on the same images.
        verdict: of their tests, if there are at least two.
        baseline: the group that the others were tested against, if it was chosen beforehand.

    """
    lines = _how_tested(groups, verdict, baseline) if verdict else []
    lines += [
        f"{group.name}: the mean of {', '.join(run.title for run in group.runs)}."
        for group in groups
        if len(group.runs) > 1
    ]
    lines += [line for group in groups for run in group.runs if (line := _without_effect(run))]
    if verdict and any(group.seeds_tried == 1 for group in groups):
        lines.append("Of one seed, a test speaks of that one trained head: another seed may give another accuracy.")
    return lines


def optimism(groups: Sequence[SeedGroup]) -> str:
    """Whose accuracies these images have helped to reach, and what to do about it; empty where nobody's."""
    touched = [group for group in groups if any(run.chose_the_epoch for run in group.runs)]
    if not touched:
        return ""
    whose = "all experiments" if len(touched) == len(groups) > 1 else _some([group.name for group in touched])
    what = "its accuracy is" if len(touched) == 1 else "their accuracies are"
    advice = {_advice(run.first.params) for group in touched for run in group.runs if run.chose_the_epoch}
    return (
        f"These images also chose the epochs of {whose}: {what} somewhat optimistic. "
        f"For an accuracy on images that decided nothing, {' or '.join(sorted(advice))}."
    )


def looked_at(images: int, models: int) -> list[str]:
    """What it means that so many models were judged by the same test images; nothing for the first."""
    if models < 2:
        return []
    return [
        f"These {images} test images have judged {models} of the models that exist here: who takes the best of them "
        "takes some luck, too, and its accuracy on other photos is probably a little lower. `python -m onepass best` "
        "chooses without them."
    ]


def _how_tested(groups: Sequence[SeedGroup], verdict: Verdict, baseline: SeedGroup | None) -> list[str]:
    test = "McNemar's exact test"
    if any(len(group.runs) > 1 for group in groups):
        test = f"exact permutation test of each image's share of right seeds (Fisher); of one seed each, {test}"
    correction = ""
    if verdict.corrected_for > 1 and baseline:
        correction = f"; corrected (Holm) for the {verdict.corrected_for} comparisons with {baseline.name}"
    elif verdict.corrected_for > 1:
        pairs = f"all {verdict.corrected_for} pairs, as the best was found on these very images"
        more = "" if len(verdict.tests) == verdict.corrected_for else "; --all shows them all"
        correction = f"; corrected (Holm) for {pairs}{more}"
    return [
        f"p: {test}{correction}.",
        "Intervals of differences: paired bootstrap over images (Efron), each for itself.",
    ]


def _without_effect(run: Run) -> str:
    """What the experiments of a run have different, and might as well have the same; empty where nothing."""
    differing = [*differing_params(run.experiments), *differing_files(run.experiments)]
    if not differing:
        return ""
    return f"{run.title}: the same predictions, so what differs between them ({_some(differing)}) had no effect."


def _advice(params: dict[str, object]) -> str:
    """How there can be a test split, which depends on whether the project draws the splits."""
    if params.get("split.test_fraction") == 0:
        return "give split.test_fraction a value above 0"
    return "give some photos to a test split (a folder test/, or split=test in the CSV)"


def _some(names: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    few = [*names[:MOST_NAMED], *([f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else [])]
    return " and ".join(filter(None, [", ".join(few[:-1]), few[-1]]))
