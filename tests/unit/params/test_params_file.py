"""Every mistake in params.yaml ends in one message: the key, what was given and what is allowed."""

import re
from pathlib import Path

import pytest
from dvc.utils.serialize import modify_yaml
from stages.shared import params

from onepass.core import UserError
from onepass.params import ParamsFile, read_params

SHIPPED = Path(__file__).parents[1] / "params.yaml"
VGG16 = {
    "backbone.name": "VGG16",
    "backbone.weights": "data/imagenet/VGG16.weights.h5",
    "backbone.preprocess": "native",
}
Changes = dict[str, str | None]


def edited(text: str, key: str, value: str | None) -> str:
    """The shipped YAML with another value of section.key, or without the key."""
    section, name = key.split(".")
    line = "" if value is None else rf"  {name}: {value}\n"
    result, count = re.subn(rf"(?ms)(^{section}:.*?)^  {name}: [^\n]*\n", rf"\g<1>{line}", text, count=1)
    assert count == 1, f"params.yaml has no {key}"
    return result


def load(folder: Path, changes: Changes) -> ParamsFile:
    text = SHIPPED.read_text(encoding="utf-8")
    for key, value in changes.items():
        text = edited(text, key, value)
    return load_text(folder, text.encode())


def load_text(folder: Path, content: bytes) -> ParamsFile:
    path = folder / "params.yaml"
    path.write_bytes(content)
    return read_params(path)


def test_the_shipped_parameters_are_valid() -> None:
    assert read_params(SHIPPED).data.max_megapixels == 80


@pytest.mark.parametrize(
    "changes",
    [
        {"train.patience": "none"},
        {"split.test_fraction": "0"},
        {"backbone.image_side": "96"},
        {**VGG16, "backbone.image_side": "32", "backbone.layer": "last"},
        {**VGG16, "backbone.weights": "vgg16_weights.h5"},
        {"backbone.layer": "input", "backbone.image_side": "64", "backbone.weights": "data/no-weights.txt"},
    ],
    ids=",".join,
)
def test_what_the_comments_of_params_yaml_allow_is_allowed(tmp_path: Path, changes: Changes) -> None:
    load(tmp_path, changes)


def test_a_small_number_is_a_number_as_dvc_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(SHIPPED.read_bytes())
    with modify_yaml(str(path)) as content:  # what dvc exp run -S does
        content["train"]["learning_rate"] = 1e-05
    assert "learning_rate: 1e-05\n" in path.read_text(encoding="utf-8")
    assert read_params(path).train.learning_rate == pytest.approx(1e-05, rel=1e-12)


# Wrong key, wrong value as YAML, and the whole line about it.
WRONG_VALUES = [
    ("data.max_megapixels", "true", "True given; should be a valid integer"),
    ("data.max_megapixels", "80.5", "80.5 given; should be a valid integer"),
    ("data.max_megapixels", "1001", "1001 given; should be less than or equal to 1000"),
    ("data.root", "5", "5 given; should be a valid string"),
    ("data.label_conflicts", "ignore", "'ignore' given; should be 'error' or 'quarantine'"),
    ("split.validation_fraction", "0", "0 given; should be greater than 0"),
    ("split.test_fraction", "1.0", "1.0 given; should be less than 1"),
    ("split.seed", "-1", "-1 given; should be greater than or equal to 0"),
    ("head.kind", "forest", "'forest' given; should be 'linear', 'mlp', 'cnn' or 'logistic'"),
    ("train.learning_rate", "'0.001'", "'0.001' given; should be a valid number"),
    ("train.learning_rate", "false", "False given; should be a valid number"),
    ("train.learning_rate", "", "None given; should be a valid number"),
    ("train.learning_rate", "11.0", "11.0 given; should be less than or equal to 10"),
    ("train.batch", "0", "0 given; should be greater than or equal to 1"),
]
ADD_IT_BACK = "missing; add it back (the params.yaml of the project says what each key means)"
LEFT_OUT = [("train.batch", ADD_IT_BACK), ("data.root", ADD_IT_BACK)]


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [*WRONG_VALUES, *((key, None, complaint) for key, complaint in LEFT_OUT)],
)
def test_one_wrong_value_gives_one_line_with_key_given_and_allowed(
    tmp_path: Path, key: str, value: str | None, complaint: str
) -> None:
    with pytest.raises(UserError) as caught:
        load(tmp_path, {key: value})
    expected = f"\nonepass: {tmp_path / 'params.yaml'} cannot be used:\n  {key}: {complaint}\n"
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("changes", "complaints"),
    [
        ({"backbone.name": "VGG17"}, ["backbone.name: 'VGG17' given; allowed: custom, ConvNeXtBase", "VGG16, VGG19"]),
        (
            {**VGG16, "backbone.image_side": "31"},
            ["backbone.image_side: 31 given; allowed for VGG16: 32..4096, or native"],
        ),
        ({**VGG16, "backbone.image_side": "4097"}, ["backbone.image_side: 4097 given;", "4096", "'native'"]),
        ({**VGG16, "backbone.image_side": "big"}, ["backbone.image_side: 'big' given;", "integer", "'native'"]),
        ({**VGG16, "backbone.weights": "vgg.pt"}, ["backbone.weights: 'vgg.pt' given; allowed: a .h5 or"]),
        (
            {"backbone.preprocess": "native"},
            ["backbone.preprocess: native given", "allowed: rescale, caffe, tf, torch, none"],
        ),
        (
            {"backbone.weights": "mine.h5"},
            ["backbone.weights: 'mine.h5' given; allowed for name: custom: a .keras file"],
        ),
        (
            {"backbone.layer": "input"},
            ["backbone.image_side: native given, but layer: input has no network; allowed: 1..4096"],
        ),
        (
            {"head.hidden_units": "[120, 60]", "head.dropout": "[0.25]"},
            ["head.dropout: [0.25] given; allowed: one value, or one for each of hidden_units: [120, 60]"],
        ),
        ({"head.dropout": "1.0"}, ["head.dropout: 1.0 given; should be less than 1 or: "]),
        (
            {"backbone.color_mode": "grayscale"},
            ["backbone.color_mode: grayscale given; allowed for layer: features: rgb"],
        ),
        (
            {"train.unfreeze": "last", "backbone.pooling": "avg"},
            ["train.unfreeze: last given with backbone.pooling: avg; allowed: backbone.pooling: none (head.pooling"],
        ),
        (
            {"train.unfreeze": "last", "backbone.layer": "last"},
            ["train.unfreeze: last given, but backbone.layer: last leaves no layer above the cut"],
        ),
        (
            {"train.unfreeze": "last", "head.kind": "logistic"},
            ["train.unfreeze: last given with head.kind: logistic; allowed: linear, mlp"],
        ),
        (
            {"split.validation_fraction": "0.5", "split.test_fraction": "0.5"},
            ["split.validation_fraction + test_fraction: 1 given", "leaves nothing to train on; allowed: below 1"],
        ),
    ],
    ids=str,
)
def test_values_that_do_not_fit_together_say_which_would(
    tmp_path: Path, changes: Changes, complaints: list[str]
) -> None:
    with pytest.raises(UserError, match="cannot be used:") as caught:
        load(tmp_path, changes)
    *_, line = str(caught.value).strip().splitlines()
    assert line.startswith(f"  {complaints[0]}")
    assert all(complaint in line for complaint in complaints)
    assert str(caught.value).count("\n  ") == 1


@pytest.mark.parametrize(
    ("added", "complaint"),
    [
        ("  momentum: 0.9\n", "  train.momentum: unknown key; allowed: optimizer, learning_rate, batch, epochs,"),
        ("optimiser: {}\n", "  optimiser: unknown key; allowed: data, split, backbone, head, train\n"),
    ],
)
def test_an_unknown_key_names_the_allowed_ones(tmp_path: Path, added: str, complaint: str) -> None:
    with pytest.raises(UserError) as caught:
        load_text(tmp_path, SHIPPED.read_bytes() + added.encode())  # train is the last section
    assert complaint in str(caught.value)


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    before, _, _ = SHIPPED.read_text(encoding="utf-8").partition("\ntrain:\n")
    with pytest.raises(UserError) as caught:
        load_text(tmp_path, before.encode())
    assert str(caught.value).endswith(f"cannot be used:\n  train: {ADD_IT_BACK}\n")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"data: [", "is not readable YAML"),
        (b"data: \xff", "is not readable YAML: 'utf-8' codec"),
        (b"data: 1\n---\ndata: 2\n", "is not readable YAML: expected a single document"),
        (b"data:\n  root: a\n  root: b\n", 'duplicate key "root" with value "b" (original value: "a")'),
        (b"data: &a {root: x}\nsplit: *a\n", "has a YAML alias (*name); write the value out instead."),
        # ruamel raises a bare ValueError for these three.
        (b"data:\n  root: 2024-02-30\n", "is not readable YAML: day is out of range for month"),
        (b"split:\n  seed: !!int many\n", "is not readable YAML: invalid literal"),
        (b"split:\n  seed: " + b"1" * 5000, "is not readable YAML: Exceeds the limit"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_not_plain_yaml_is_refused_in_words(tmp_path: Path, content: bytes, complaint: str) -> None:
    with pytest.raises(UserError, match=re.escape(str(tmp_path / "params.yaml"))) as caught:
        load_text(tmp_path, content)
    assert complaint in str(caught.value)


def test_a_file_too_large_for_parameters_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has 1,048,577 bytes; allowed: 1,048,576"):
        load_text(tmp_path, b"#" * (params.LARGEST_FILE + 1))


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is missing\. Run from the root of the project"):
        read_params(tmp_path / "params.yaml")
