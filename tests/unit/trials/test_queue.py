"""What is put into DVC's queue arrives as it was meant, whatever is in it."""

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from onepass.trials.queue import overrides

SCALARS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).filter(lambda text: "${" not in text),
    st.sampled_from(["it's (a) b,c", "c:\\", "\\'", "null", "1", "~/Bücher", ""]),
    st.integers(-5, 5),
    st.floats(1e-9, 1e9),
    st.booleans(),
)


@given(st.one_of(SCALARS, st.lists(st.integers(1, 9), max_size=3)))
def test_a_value_means_the_same_to_dvc(value: Any) -> None:
    (text,) = overrides({"data": {"root": ...}}, {"data": {"root": value}})
    override = OverridesParser.create().parse_override(text)
    assert override.is_force_add()
    assert override.key_or_group == "data.root"
    assert override.value() == value


@pytest.mark.parametrize(
    ("here", "wanted", "expected"),
    [
        ({"head": {"kind": "mlp"}}, {"head": {"kind": "mlp"}}, []),
        ({"head": {"kind": "mlp", "own": 1}}, {"head": {"kind": "mlp"}}, ["~head.own"]),
        ({}, {"head": {"kind": "mlp"}}, ["++head.kind='mlp'"]),
        ({"train": {"seed": False}}, {"train": {"seed": 0}}, []),
    ],
)
def test_only_what_differs_is_told(here: Any, wanted: Any, expected: list[str]) -> None:
    assert [*overrides(here, wanted)] == expected
