"""What the tests say of one experiment against the others, in a sentence of two lines that claims no more than they do.

Whatever the names and however many: what has no room by its name is counted, and the tables have all of it.
"""

from collections.abc import Sequence

from onepass.comparison.pairs import PairOfGroups, points
from onepass.comparison.seed_groups import SeedGroup
from onepass.core import cut
from onepass.statistics import LEVEL

LONGEST = 200  # characters, two lines of a wide terminal
# How many others a clause names before it counts them, and in how many characters each; the first that has room.
ATTEMPTS = ((3, 100), (2, 100), (3, 32), (2, 32), (1, 32), (0, 32), (0, 16))


def headline(reference: SeedGroup, tests: Sequence[PairOfGroups], corrected_for: int) -> str:
    """The sentence.

    Args:
        tests: of the reference with each other one.
        corrected_for: this many comparisons.

    """
    sentences = [_sentence(reference, tests, corrected_for, most, width) for most, width in ATTEMPTS]
    return next((sentence for sentence in sentences if len(sentence) <= LONGEST), sentences[-1])


def _sentence(reference: SeedGroup, tests: Sequence[PairOfGroups], corrected_for: int, most: int, width: int) -> str:
    behind = [test for test in tests if test.told_apart and test.winner is reference]
    ahead = [test for test in tests if test.told_apart and test.winner is not reference]
    unclear = [test for test in tests if not test.told_apart]
    counted = [some for some in (behind, ahead, unclear) if len(some) > most]

    def others(some: Sequence[PairOfGroups], every: str) -> str:
        """By name, or how many; of how many once."""
        if len(some) <= most:
            return _and([cut(test.other(reference).name, width) for test in some])
        if len(some) == len(tests):
            return f"{every} {len(tests)} others"
        return f"{len(some)} of the {len(tests)} others" if some is counted[0] else f"{len(some)}"

    name, images = cut(reference.name, width), f"on these {len(reference.first.labels)} images"
    told = [f"better than {others(behind, 'all')}"] if behind else []
    told += [f"worse than {others(ahead, 'all')}"] if ahead else []
    clauses = [f"{name} is {' and '.join(told)} ({_bound(behind + ahead, corrected_for)})"] if told else []
    if unclear and told:
        clauses.append(f"not told apart from {others(unclear, 'any of the')}: {_apart(unclear, most)}")
    elif unclear:
        which = others(unclear, "any of the")
        clauses.append(f"{name} cannot be told apart from {which} {images}: {_apart(unclear, most)}")
    return "; ".join(clauses) + "."


def _apart(unclear: Sequence[PairOfGroups], most: int) -> str:
    """How far apart those are that cannot be told apart: their intervals say what else is possible."""
    if all(test.right_on_the_same for test in unclear):
        return "right on the same ones"
    if len(unclear) == 1 and most:
        difference, low, high, p = unclear[0].paired
        alone = "uncorrected " if p < LEVEL else ""
        return f"the difference {points(difference)} points, {alone}interval {points(low)} to {points(high)}"
    largest = max(abs(test.paired.difference) for test in unclear)
    reach = max(abs(end) for test in unclear for end in (test.paired.low, test.paired.high))
    return f"at most {points(largest)} points apart, intervals up to {points(reach)}"


def _bound(tests: Sequence[PairOfGroups], corrected_for: int) -> str:
    largest = max(test.p for test in tests)
    bound = min(bound for bound in (0.001, 0.01, LEVEL) if largest < bound)
    return f"p < {bound:g}" + (f" after correction for {corrected_for} comparisons" if corrected_for > 1 else "")


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
