"""Each key with each kind of wrong value: one line, to the word, before any photo is looked at."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.checks import known_keys, problems_of
from onepass.core import UserError
from onepass.params import ParamsError, ParamsFile, read_params
from onepass.surroundings import check_surroundings
from tests.builders import ROOT

TEXT = "a text that is not empty"
SEED = "a whole number from 0 to 2147483647"
BELOW_ONE = "a number of at least 0 and below 1"
UNITS = "a whole number from 1 to 65536"
FILTERS = "a whole number from 1 to 4096"
ALLOWED = {  # what the message must say of each key
    "data.root": TEXT,
    "data.max_megapixels": "a whole number from 1 to 1000",
    "data.label_conflicts": "error | quarantine",
    "data.max_quarantined": "a number from 0 to 1",
    "data.fixes": TEXT,
    "split.validation_fraction": "a number above 0 and below 1",
    "split.test_fraction": BELOW_ONE,
    "split.seed": SEED,
    "backbone.name": TEXT,
    "backbone.weights": TEXT,
    "backbone.image_side": "a whole number from 1 to 4096, or native",
    "backbone.layer": f"{TEXT}, or a list of 1 to 16 of them",
    "backbone.pooling": "none | avg | max | cls | cls+avg",
    "backbone.special_tokens": "a whole number from 0 to 1000",
    "backbone.color_mode": "rgb | grayscale",
    "backbone.views": "a whole number from 1 to 256",
    "backbone.decoding": "scaled | exact",
    "backbone.preprocess": f"{TEXT}, or its parts: scale, mean, std, channels",
    "backbone.resize": "stretch | crop | native",
    "backbone.interpolation": "bilinear | bicubic | native",
    "backbone.crop_fraction": "a number from 0.1 to 1",
    "backbone.precision": "float32 | bfloat16",
    "backbone.runtime": TEXT,
    "backbone.storage": "float32 | float16",
    "backbone.versions": "close | exact | renew",
    "head.kind": "cnn | lda | linear | logistic | mlp",
    "head.pooling": "none | avg | max",
    "head.scale": "none | l2 | standard",
    "head.activation": "auto | sigmoid | softmax",
    "head.hidden_units": f"{UNITS}, or a list of 1 to 16 of them",
    "head.dropout": f"{BELOW_ONE}, or a list of 1 to 16 of them",
    "head.filters": f"{FILTERS}, or a list of 1 to 16 of them",
    "train.class_weights": "none | balanced",
    "train.seed": SEED,
    "train.optimizer": "adam | adamw | nadam | rmsprop | sgd",
    "train.learning_rate": "a number above 0 and at most 10",
    "train.batch": UNITS,
    "train.epochs": "a whole number from 1 to 100000",
    "train.patience": "a whole number from 1 to 100000, or none",
    "train.monitor": "accuracy | loss",
    "train.unfreeze": TEXT,
    "train.batch_norm": "frozen | trained",
    "predict.refuse": "a number from 0 to 0.5",
}
NEVER: list[Any] = [None, True, [], {}, {"a": 1}, [[1]], ["x", None]]  # right for no key
NUMBERS: list[Any] = [-1, math.nan, math.inf, -math.inf, 1e300, 10**30, "1e-3", "many"]  # right for no key with bounds
CASES = [
    (key, value)
    for key, allowed in ALLOWED.items()
    for value in [*NEVER, *([5, 2.5] if allowed.startswith(TEXT) else ["", *NUMBERS])]
]


def with_value(key: str, value: Any) -> ParamsFile:
    """The shipped params with another value."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    section, name = key.split(".")
    content[section][name] = value
    return ParamsFile(content)


def test_every_key_is_tried_with_more_than_120_wrong_values() -> None:
    assert set(ALLOWED) == set(known_keys())
    assert len(CASES) > 120


@pytest.mark.parametrize(("key", "value"), CASES, ids=repr)
def test_a_wrong_value_gives_one_line_with_key_given_and_allowed(key: str, value: Any) -> None:
    assert problems_of(with_value(key, value)) == [f"{key}: {value!r} given; allowed: {ALLOWED[key]}"]


@pytest.mark.parametrize("key", ALLOWED)
def test_a_misspelt_key_is_told_the_one_that_was_meant(key: str) -> None:
    section, name = key.split(".")
    misspelt = f"{name[:-2]}{name[-1]}{name[-2]}"  # the last two letters exchanged
    misspelt = misspelt if misspelt != name else f"{name}s"
    found = problems_of(with_value(f"{section}.{misspelt}", 1))
    assert len(found) == 1
    assert found[0].startswith(f"{section}.{misspelt}: unknown key, is {name} meant?; allowed: ")


# The whole file, and what is said after its name.
FILES = {
    b"data:\n  root: \xff\xfe\n": " is not UTF-8: byte 0xff in line 2, column 9. Save it as UTF-8.",
    b"data:\n  root: caf\xe9\n": " is not UTF-8: byte 0xe9 in line 2, column 12. Save it as UTF-8.",
    b"data: &a [x]\nsplit: *a\n": " has a YAML alias (*name); write the value out instead.",
    b"data:\n  root: a\n  root: b\n": (
        ' is not readable YAML: duplicate key "root" in line 3; it stands in line 2 too'
    ),
    b"data:\n  root: 2024-02-28\n": (
        ": data.root: '2024-02-28' given, which YAML reads as a date, line 2; "
        "allowed: texts, numbers, true, false, lists. Put a text in quotes."
    ),
    b"data:\n  root: !!binary aGk=\n": (
        ": data.root: 'aGk=' given, which YAML reads as bytes, line 2; "
        "allowed: texts, numbers, true, false, lists. Put a text in quotes."
    ),
    b"train:\n  epochs: !!int many\n": (
        ": train.epochs: 'many' given, which YAML reads as int, line 2; "
        "allowed: texts, numbers, true, false, lists. Put a text in quotes."
    ),
    b"data: [": (
        " is not readable YAML: while parsing a flow node, did not find expected node content, line 2, column 1"
    ),
    b"\tdata: 1": (
        " is not readable YAML: while scanning for the next token, found character that cannot start any token, "
        "line 1, column 1"
    ),
    b"a: 1\n---\nb: 2\n": (
        " is not readable YAML: expected a single document in the stream, but found another document, line 2, column 1"
    ),
    b"": " cannot be used:\n  expected the sections data, split, backbone, head, train and predict",
    b"[" * 30 + b"]" * 30: " has more than 20 sections and lists inside one another.",
}


@pytest.mark.parametrize("content", FILES, ids=repr)
def test_a_file_that_is_no_settings_says_where(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_params(path)
    assert str(caught.value) == f"{path}{FILES[content]}"


def test_settings_are_refused_before_the_folder_of_photos_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text().replace("views: 1", "views: 0"))
    with pytest.raises(ParamsError, match=r"cannot be used:\n  backbone\.views: 0 given; allowed: a whole number"):
        check_surroundings(["no folder"])


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner), max_leaves=5
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(ALLOWED)), anything)
def test_any_value_is_taken_or_refused_in_lines_of_ours(key: str, value: Any) -> None:
    for line in problems_of(with_value(key, value)):
        assert "given" in line or "unknown" in line
        assert "\n" not in line.replace(repr(value), "")
