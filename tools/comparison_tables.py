"""What a comparison says in tables: rows of text, for the terminal and for the page."""

from collections.abc import Sequence

from tools.systems import System
from tools.verdict import Verdict, points


def accuracies(systems: Sequence[System]) -> list[dict[str, str]]:
    """Rows of the table of what each system reached and cost."""
    return [
        {
            "experiment": " = ".join(system.runs[0].names),
            "accuracy": f"{system.accuracy:.4f}",
            "95 % interval": "{:.4f} to {:.4f}".format(*system.interval),
            "seeds": _seeds(system),
            "log loss": f"{system.log_loss:.4f}",
            "seconds to train": _known(system.seconds, ",.1f"),
            "parameters trained": _known(system.runs[0].trained_parameters, ","),
            "rows computed": _known(system.computed, ","),
            "evaluated on": f"{len(system.runs[0].labels)} {system.runs[0].split}",
        }
        for system in systems
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


def _seeds(system: System) -> str:
    by_seed = system.right.mean(axis=1)
    return f"{len(by_seed)}: {by_seed.min():.4f} to {by_seed.max():.4f}" if len(by_seed) > 1 else "1"


def _known(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"
