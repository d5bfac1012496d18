"""What a comparison says in tables: rows of text, for the terminal and for the page."""

from collections.abc import Sequence

from onepass.comparison.pairs import points
from onepass.comparison.seed_groups import SeedGroup
from onepass.comparison.verdict import Verdict


def accuracies(groups: Sequence[SeedGroup]) -> list[dict[str, str]]:
    """Rows of the table of what each experiment reached and cost."""
    return [
        {
            "experiment": group.runs[0].title,
            "accuracy": f"{group.accuracy:.4f}",
            "95 % interval": "{:.4f} to {:.4f}".format(*group.interval),
            "seeds": _seeds(group),
            "log loss": f"{group.log_loss:.4f}",
            "seconds to train": _known(group.seconds, ",.1f"),
            "parameters trained": _known(group.first.trained_parameters, ","),
            "rows computed": _known(group.computed, ","),
            "evaluated on": f"{len(group.first.labels)} {group.first.split}",
        }
        for group in groups
    ]


def paired_tests(verdict: Verdict) -> list[dict[str, str]]:
    """Rows of the table of the tests."""
    return [
        {
            "accuracy of": test.first.name,
            "minus that of": test.second.name,
            "points": points(test.paired.difference),
            "95 % interval": f"{points(test.paired.low)} to {points(test.paired.high)}",
            "p": _p(test.paired.p),
            "p, corrected": _p(test.p),
        }
        for test in verdict.tests
    ]


def _seeds(group: SeedGroup) -> str:
    """How many gave answers of their own, and of what accuracies; "1 (3 tried)" where three seeds gave the same."""
    by_seed = group.right.mean(axis=1)
    count = f"{len(by_seed)}" + (f" ({group.seeds_tried} tried)" if group.seeds_tried > len(by_seed) else "")
    return f"{count}: {by_seed.min():.4f} to {by_seed.max():.4f}" if len(by_seed) > 1 else count


def _known(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"
