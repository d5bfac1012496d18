"""Every mistake in params.yaml ends in one message: the key, what was given and what is allowed.

Here are the file and the sections data, split and backbone; what needs the heads and the backbones is in
``tests/unit/test_checks.py``.
"""

import re
from pathlib import Path

import pytest
from dvc.utils.serialize import modify_yaml

from onepass.core import UserError
from onepass.heads import all_head_keys
from onepass.params import BackboneParams, DataParams, ParamsError, ParamsFile, Section, SplitParams, read_params
from onepass.params.params_file import LARGEST_FILE
from tests.builders import ROOT

SHIPPED = ROOT / "params.yaml"
SCHEMAS: dict[str, type[Section]] = {"data": DataParams, "split": SplitParams, "backbone": BackboneParams}
ADD_IT_BACK = "missing; add it back (the params.yaml of the project says what each key means)"


def edited(text: str, key: str, value: str | None) -> str:
    """The shipped YAML with another value of section.key, or without the key."""
    section, name = key.split(".")
    line = "" if value is None else rf"  {name}: {value}\n"
    result, count = re.subn(rf"(?ms)(^{section}:.*?)^  {name}: [^\n]*\n", rf"\g<1>{line}", text, count=1)
    assert count == 1, f"params.yaml has no {key}"
    return result


def load(folder: Path, changes: dict[str, str | None]) -> ParamsFile:
    text = SHIPPED.read_text(encoding="utf-8")
    for key, value in changes.items():
        text = edited(text, key, value)
    return load_text(folder, text.encode())


def load_text(folder: Path, content: bytes) -> ParamsFile:
    path = folder / "params.yaml"
    path.write_bytes(content)
    return read_params(path)


def test_the_shipped_parameters_are_valid() -> None:
    shipped = read_params(SHIPPED)
    assert shipped.section_names == ["data", "split", "backbone", "head", "train", "predict"]
    assert shipped.read(DataParams).max_megapixels == 80
    for schema in SCHEMAS.values():
        shipped.read(schema)


@pytest.mark.parametrize("schema", [*SCHEMAS.values(), *all_head_keys()], ids=lambda schema: schema.section)
def test_the_shipped_file_has_every_key_that_there_is(schema: type[Section]) -> None:
    content = read_params(SHIPPED)._content[schema.section]
    assert set(content) == set(schema.model_fields)


def test_a_small_number_is_a_number_as_dvc_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(SHIPPED.read_bytes())
    with modify_yaml(str(path)) as content:  # what dvc exp run -S does
        content["split"]["test_fraction"] = 1e-05
        content["train"]["learning_rate"] = 1e-05
    assert "learning_rate: 1e-05\n" in path.read_text(encoding="utf-8")
    params = read_params(path)
    assert params.read(SplitParams).test_fraction == pytest.approx(1e-05, rel=1e-12)
    rate = params.read(all_head_keys()[1]).learning_rate  # type: ignore[attr-defined]  # a key of some kinds
    assert rate == pytest.approx(1e-05, rel=1e-12)


# Wrong key, wrong value as YAML, and the whole line about it.
WRONG_VALUES = [
    ("data.max_megapixels", "true", "True given; allowed: a whole number from 1 to 1000"),
    ("data.max_megapixels", "80.5", "80.5 given; allowed: a whole number from 1 to 1000"),
    ("data.max_megapixels", "1001", "1001 given; allowed: a whole number from 1 to 1000"),
    ("data.root", "5", "5 given; allowed: a text that is not empty"),
    ("data.root", "''", "'' given; allowed: a text that is not empty"),
    ("data.label_conflicts", "ignore", "'ignore' given; allowed: error | quarantine"),
    ("split.validation_fraction", "0", "0 given; allowed: a number above 0 and below 1"),
    ("split.test_fraction", "1.0", "1.0 given; allowed: a number of at least 0 and below 1"),
    ("split.test_fraction", ".nan", "nan given; allowed: a number of at least 0 and below 1"),
    ("split.seed", "-1", "-1 given; allowed: a whole number from 0 to 2147483647"),
    ("split.seed", "2147483648", "2147483648 given; allowed: a whole number from 0 to 2147483647"),
    ("backbone.views", "257", "257 given; allowed: a whole number from 1 to 256"),
    ("backbone.pooling", "no", "'no' given; allowed: none | avg | max | cls | cls+avg"),
    ("backbone.color_mode", "grey", "'grey' given; allowed: rgb | grayscale"),
    ("backbone.precision", "float16", "'float16' given; allowed: float32 | bfloat16"),
    (
        "backbone.image_side",
        "4097",
        "4097 given; allowed: a whole number from 1 to 4096, or native",
    ),
    ("backbone.image_side", "big", "'big' given; allowed: a whole number from 1 to 4096, or native"),
    ("data.root", None, ADD_IT_BACK),
    ("backbone.name", None, ADD_IT_BACK),
    ("backbone.weights", None, ADD_IT_BACK),
]


@pytest.mark.parametrize(("key", "value", "complaint"), WRONG_VALUES)
def test_one_wrong_value_gives_one_line_with_key_given_and_allowed(
    tmp_path: Path, key: str, value: str | None, complaint: str
) -> None:
    params = load(tmp_path, {key: value})
    with pytest.raises(ParamsError) as caught:
        params.read(SCHEMAS[key.partition(".")[0]])
    assert str(caught.value) == f"{tmp_path / 'params.yaml'} cannot be used:\n  {key}: {complaint}"
    assert caught.value.problems == [f"{key}: {complaint}"]


def test_fractions_that_leave_nothing_to_train_on_are_refused_together(tmp_path: Path) -> None:
    params = load(tmp_path, {"split.validation_fraction": "0.5", "split.test_fraction": "0.5"})
    with pytest.raises(ParamsError) as caught:
        params.read(SplitParams)
    assert caught.value.problems == [
        "split.validation_fraction + test_fraction: 1 given, which leaves nothing to train on; allowed: below 1"
    ]


def test_several_wrong_values_of_a_section_give_a_line_each(tmp_path: Path) -> None:
    params = load(tmp_path, {"data.root": "5", "data.max_megapixels": "0"})
    with pytest.raises(ParamsError) as caught:
        params.read(DataParams)
    assert caught.value.problems == [
        "data.root: 5 given; allowed: a text that is not empty",
        "data.max_megapixels: 0 given; allowed: a whole number from 1 to 1000",
    ]


def test_an_unknown_key_names_the_allowed_ones() -> None:
    params = ParamsFile({"data": {"root": "photos", "megapixels": 5}})
    with pytest.raises(ParamsError) as caught:
        params.read(DataParams)
    assert caught.value.problems == [
        "data.megapixels: unknown key, is max_megapixels meant?; "
        "allowed: root, max_megapixels, label_conflicts, max_quarantined, fixes"
    ]


def test_keys_for_another_schema_may_stand_in_the_file() -> None:
    params = ParamsFile({"data": {"root": "photos", "megapixels": 5}})
    assert params.read(DataParams, ignored=["megapixels"]).root == "photos"


@pytest.mark.parametrize("content", [None, 3, "photos", ["root"]])
def test_a_section_that_is_none_says_which_keys_it_has(content: object) -> None:
    params = ParamsFile({"data": content})
    assert params.value("data", "root") is None
    with pytest.raises(ParamsError) as caught:
        params.read(DataParams)
    keys = "root, max_megapixels, label_conflicts, max_quarantined, fixes"
    assert caught.value.problems == [f"data: {content!r} given; allowed: a section with the keys {keys}"]


def test_keys_and_sections_that_are_left_out_take_their_defaults() -> None:
    params = ParamsFile({"data": {"root": "photos"}, "backbone": {"name": "VGG16", "weights": "w.h5"}})
    assert params.read(DataParams) == DataParams(
        root="photos", max_megapixels=80, label_conflicts="error", max_quarantined=0.2, fixes="data/fixes.csv"
    )
    assert params.read(SplitParams) == SplitParams(validation_fraction=0.2, test_fraction=0.2, seed=0)
    backbone = params.read(BackboneParams)
    assert (backbone.image_side, backbone.layer, backbone.pooling, backbone.views) == ("native", "last", "none", 1)
    assert (backbone.color_mode, backbone.preprocess) == ("rgb", "native")
    assert (backbone.precision, backbone.runtime) == ("float32", "openvino")


def test_a_section_that_is_left_out_has_its_required_keys_named() -> None:
    with pytest.raises(ParamsError) as caught:
        ParamsFile({}).read(BackboneParams)
    assert caught.value.problems == [f"backbone.name: {ADD_IT_BACK}", f"backbone.weights: {ADD_IT_BACK}"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"data: [", "is not readable YAML"),
        (b"data: \xff", "is not UTF-8: byte 0xff in line 1, column 7. Save it as UTF-8."),
        (b"data: 1\n---\ndata: 2\n", "is not readable YAML: expected a single document"),
        (b"data:\n  root: a\n  root: b\n", 'duplicate key "root" in line 3; it stands in line 2 too'),
        (b"data: &a {root: x}\nsplit: *a\n", "has a YAML alias (*name); write the value out instead."),
        (
            b"data:\n  root: !!timestamp 2024-02-30\n",
            "data.root: '2024-02-30' given, which YAML reads as a date, line 2",
        ),
        (b"split:\n  seed: !!int many\n", "split.seed: 'many' given, which YAML reads as int, line 2"),
        (b"split:\n  seed: " + b"1" * 5000, "is not readable YAML: Exceeds the limit"),
        (b"", "cannot be used:\n  expected the sections data, split, backbone, head, train and predict"),
        (b"[1]\n", "cannot be used:\n  expected the sections data, split, backbone, head, train and predict"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_not_plain_yaml_is_refused_in_words(tmp_path: Path, content: bytes, complaint: str) -> None:
    with pytest.raises(UserError, match=re.escape(str(tmp_path / "params.yaml"))) as caught:
        load_text(tmp_path, content)
    assert complaint in str(caught.value)


def test_a_file_too_large_for_parameters_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has 1,048,577 bytes; allowed: 1,048,576"):
        load_text(tmp_path, b"#" * (LARGEST_FILE + 1))


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is missing\. Run from the root of the project"):
        read_params(tmp_path / "params.yaml")
