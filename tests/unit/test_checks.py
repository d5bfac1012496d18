"""All that is wrong in params.yaml is found before any work, and so is a change that does nothing."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from onepass.checks import changed_keys, check_params, idle_keys, known_keys, problems_of
from onepass.heads import read_head_plan
from onepass.params import BackboneParams, ParamsError, ParamsFile, read_params
from tests.builders import ENVIRONMENT, ROOT, params

SHIPPED = ROOT / "params.yaml"
VGG16 = {
    "backbone__name": "VGG16",
    "backbone__weights": "data/imagenet/VGG16.weights.h5",
    "backbone__preprocess": "native",
}
PIXELS = {"backbone__layer": "input", "backbone__image_side": 64, "backbone__weights": "data/no-weights.txt"}
LEAST = {
    "data": {"root": "photos"},
    "backbone": {"name": "VGG16", "weights": "data/imagenet/VGG16.weights.h5"},
}
ADD_IT_BACK = "missing; add it back (the params.yaml of the project says what each key means)"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"train__patience": "none"},
        {"split__test_fraction": 0},
        {"backbone__image_side": 96},
        {**VGG16, "backbone__image_side": 32, "backbone__layer": "last"},
        {**VGG16, "backbone__weights": "vgg16_weights.h5"},
        {**VGG16, "backbone__weights": "vgg16.keras"},
        PIXELS,
        {**PIXELS, "backbone__color_mode": "grayscale"},
        {"head__hidden_units": [120, 60], "head__dropout": [0.25, 0.5]},
        {"train__unfreeze": "last"},
        {"head__kind": "linear", "train__unfreeze": "last"},
        {"backbone__runtime": "openvino"},
    ],
    ids=lambda changes: ",".join(changes) or "shipped",
)
def test_what_the_comments_of_params_yaml_allow_is_allowed(changes: dict[str, Any]) -> None:
    assert problems_of(params(**changes)) == []


@pytest.mark.parametrize("kind", ["linear", "mlp", "cnn", "logistic", "lda"])
def test_keys_that_only_another_kind_of_head_reads_are_no_error(kind: str) -> None:
    assert problems_of(params(head__kind=kind)) == []  # the shipped file has the keys of all kinds


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("data.max_megapixels", True, "True given; allowed: a whole number from 1 to 1000"),
        ("split.seed", -1, "-1 given; allowed: a whole number from 0 to 2147483647"),
        ("backbone.views", 0, "0 given; allowed: a whole number from 1 to 256"),
        ("head.kind", "forest", "'forest' given; allowed: cnn | lda | linear | logistic | mlp"),
        ("head.kind", None, "None given; allowed: cnn | lda | linear | logistic | mlp"),
        ("head.dropout", 1.0, "1.0 given; allowed: a number of at least 0 and below 1, or a list of 1 to 16 of them"),
        ("head.activation", "relu", "'relu' given; allowed: auto | sigmoid | softmax"),
        ("train.learning_rate", "0.001", "'0.001' given; allowed: a number above 0 and at most 10"),
        ("train.learning_rate", False, "False given; allowed: a number above 0 and at most 10"),
        ("train.learning_rate", None, "None given; allowed: a number above 0 and at most 10"),
        ("train.learning_rate", 11.0, "11.0 given; allowed: a number above 0 and at most 10"),
        ("train.batch", 0, "0 given; allowed: a whole number from 1 to 65536"),
        ("train.class_weights", "equal", "'equal' given; allowed: none | balanced"),
        # A key that the chosen kind, mlp, does not read.
        ("head.filters", 0, "0 given; allowed: a whole number from 1 to 4096, or a list of 1 to 16 of them"),
    ],
)
def test_one_wrong_value_gives_one_line_with_key_given_and_allowed(key: str, value: object, complaint: str) -> None:
    assert problems_of(params(**{key.replace(".", "__"): value})) == [f"{key}: {complaint}"]


@pytest.mark.parametrize(
    ("changes", "complaints"),
    [
        ({"backbone__name": "VGG17"}, ["backbone.name: 'VGG17' given; allowed: custom, ConvNeXtBase", "VGG16, VGG19"]),
        (
            {**VGG16, "backbone__image_side": 31},
            ["backbone.image_side: 31 given; allowed for VGG16: 32..4096, or native"],
        ),
        (
            {**VGG16, "backbone__image_side": 4097},
            ["backbone.image_side: 4097 given; allowed: a whole number from 1 to 4096, or native"],
        ),
        ({**VGG16, "backbone__image_side": "big"}, ["backbone.image_side: 'big' given; allowed: a whole number"]),
        ({**VGG16, "backbone__weights": "vgg.pt"}, ["backbone.weights: 'vgg.pt' given; allowed: a .h5 or"]),
        (
            {"backbone__preprocess": "native"},
            ["backbone.preprocess: native given", "allowed: rescale, caffe, tf, torch, none"],
        ),
        (
            {"backbone__preprocess": "resnet"},
            ["backbone.preprocess: 'resnet' given; allowed: native, ", "rescale", "caffe", "tf", "torch", "none"],
        ),
        ({"backbone__runtime": "onnx"}, ["backbone.runtime: 'onnx' given; allowed: onnxruntime, openvino, tensorflow"]),
        (
            {"backbone__weights": "mine.h5"},
            ["backbone.weights: 'mine.h5' given; allowed for name: custom: a .keras file"],
        ),
        (
            {"backbone__layer": "input"},
            ["backbone.image_side: native given, but layer: input has no network; allowed: 1..4096"],
        ),
        (
            {"backbone__layer": ["features", "last", "features"]},
            ["backbone.layer: features stands twice in the list; allowed: each layer once"],
        ),
        (
            {"backbone__layer": ["input"]},
            ["backbone.layer: input given in a list; allowed there: names of layers, last"],
        ),
        (
            {"train__unfreeze": "last", "backbone__layer": ["features", "last"]},
            ["train.unfreeze: last given, but backbone.layer is a list; allowed: none, or one backbone.layer"],
        ),
        (
            {"backbone__color_mode": "grayscale", "backbone__layer": ["features", "last"]},
            ["backbone.color_mode: grayscale given; allowed for layer: features+last: rgb"],
        ),
        (
            {"head__hidden_units": [120, 60], "head__dropout": [0.25]},
            ["head.dropout: [0.25] given; allowed: one value, or one for each of hidden_units: [120, 60]"],
        ),
        (
            {"backbone__color_mode": "grayscale"},
            ["backbone.color_mode: grayscale given; allowed for layer: features: rgb"],
        ),
        (
            {"train__unfreeze": "last", "backbone__pooling": "avg"},
            ["train.unfreeze: last given with backbone.pooling: avg; allowed: backbone.pooling: none (head.pooling"],
        ),
        (
            {"train__unfreeze": "last", "backbone__layer": "last"},
            ["train.unfreeze: last given, but backbone.layer: last leaves no layer above the cut"],
        ),
        (
            {**PIXELS, "train__unfreeze": "last"},
            ["train.unfreeze: last given, but backbone.layer: input leaves no layer above the cut"],
        ),
        (
            {"train__unfreeze": "last", "head__kind": "logistic"},
            ["train.unfreeze: last given with head.kind: logistic; allowed: linear, mlp"],
        ),
        (
            {"train__unfreeze": "last", "head__kind": "cnn"},
            ["train.unfreeze: last given with head.kind: cnn; allowed: linear, mlp"],
        ),
        (
            {"split__validation_fraction": 0.5, "split__test_fraction": 0.5},
            ["split.validation_fraction + test_fraction: 1 given", "leaves nothing to train on; allowed: below 1"],
        ),
    ],
    ids=str,
)
def test_values_that_do_not_fit_together_say_which_would(changes: dict[str, Any], complaints: list[str]) -> None:
    [line] = problems_of(params(**changes))
    assert line.startswith(complaints[0])
    assert all(complaint in line for complaint in complaints)


@pytest.mark.parametrize("section", ["head", "train"])
def test_a_key_that_no_kind_of_head_reads_names_the_allowed_ones(section: str) -> None:
    [line] = problems_of(params(**{f"{section}__momentum": 0.9}))
    said, _, allowed = line.partition("; allowed: ")
    assert said == f"{section}.momentum: unknown key"
    assert set(allowed.split(", ")) == set(read_params(SHIPPED)._content[section])


def test_an_unknown_section_names_the_allowed_ones() -> None:
    content = {**params()._content, "optimiser": {}}
    assert problems_of(ParamsFile(content)) == [
        "optimiser: unknown key; allowed: data, split, backbone, head, train, predict"
    ]


@pytest.mark.parametrize("backbone", [{"backbone__views": 0}, {"backbone__name": "VGG17"}], ids=str)
def test_every_wrong_key_has_a_line_of_its_own_section_by_section(backbone: dict[str, Any]) -> None:
    wrong = {"data__root": 5, "split__seed": -1, **backbone, "head__kind": "forest", "train__batch": 0}
    keys = [line.partition(":")[0] for line in problems_of(params(**wrong))]
    assert keys == [key.replace("__", ".") for key in wrong]


@pytest.mark.parametrize("other", [{"backbone__views": 0}, {"train__batch": 0}], ids=str)
def test_what_does_not_fit_together_is_named_beside_another_wrong_key(other: dict[str, Any]) -> None:
    wrong = {"head__hidden_units": [120, 60], "head__dropout": [0.25], **other}
    keys = {line.partition(":")[0] for line in problems_of(params(**wrong))}
    assert keys == {"head.dropout", *(key.replace("__", ".") for key in other)}


def test_a_section_that_is_none_says_which_keys_it_has() -> None:
    [line] = problems_of(ParamsFile({**params()._content, "train": None}))
    assert line.startswith("train: None given; allowed: a section with the keys ")
    assert "learning_rate" in line


def test_all_but_three_keys_may_be_left_out() -> None:
    assert problems_of(ParamsFile(LEAST)) == []
    assert problems_of(ParamsFile({})) == [
        f"data.root: {ADD_IT_BACK}",
        f"backbone.name: {ADD_IT_BACK}",
        f"backbone.weights: {ADD_IT_BACK}",
    ]


@pytest.mark.parametrize("name", sorted(known_keys()))
def test_any_one_key_that_is_left_out_takes_its_default_or_is_named(name: str) -> None:
    section, key = name.split(".")
    content = params(**VGG16, backbone__layer="block4_pool")._content
    without = {kept: value for kept, value in content[section].items() if kept != key}
    required = name in ("data.root", "backbone.name", "backbone.weights")
    problems = problems_of(ParamsFile({**content, section: without}))
    assert problems == ([f"{name}: {ADD_IT_BACK}"] if required else [])


def test_a_head_whose_keys_are_left_out_is_the_shipped_one() -> None:
    plan = read_head_plan(ParamsFile(LEAST), BackboneParams(name="VGG16", weights="w.h5"))
    shipped = params()
    expected = read_head_plan(shipped, shipped.read(BackboneParams))
    assert (plan.kind, plan.head, plan.train) == expected


# Changes, a key, and what is said of it.
IDLE: list[tuple[dict[str, Any], str, str]] = [
    (
        {"head__kind": "logistic", "train__learning_rate": 0.01},
        "train.learning_rate",
        "0.01 given, which head.kind: logistic does not read; of train it reads class_weights, seed",
    ),
    (
        {"head__kind": "linear", "head__hidden_units": 99},
        "head.hidden_units",
        "99 given, which head.kind: linear does not read; of head it reads activation, kind, pooling, scale",
    ),
    (
        {"head__kind": "mlp", "head__filters": [8]},
        "head.filters",
        "[8] given, which head.kind: mlp does not read; "
        "of head it reads activation, dropout, hidden_units, kind, pooling, scale",
    ),
    (
        {},
        "backbone.color_mode",
        "rgb given, which backbone.layer: features does not read; of backbone it reads decoding, image_side, "
        "interpolation, layer, name, pooling, precision, preprocess, resize, runtime, storage, versions, views, "
        "weights",
    ),
    (
        {"train__batch_norm": "trained"},
        "train.batch_norm",
        "trained given, which head.kind: mlp without train.unfreeze does not read; of train it reads batch, "
        "class_weights, epochs, learning_rate, monitor, optimizer, patience, seed, unfreeze",
    ),
]


@pytest.mark.parametrize(("changes", "key", "said"), IDLE)
def test_a_key_that_nothing_reads_says_why_and_what_is_read(changes: dict[str, Any], key: str, said: str) -> None:
    assert idle_keys(params(**changes), [key]) == {key: f"{key}: {said}"}


@pytest.mark.parametrize("key", ["name", "preprocess", "pooling", "precision", "runtime", "storage"])
def test_without_a_network_nothing_reads_what_is_only_for_one(key: str) -> None:
    name = f"backbone.{key}"
    [line] = idle_keys(params(**PIXELS), [name]).values()
    assert line.startswith(f"{name}: ")
    assert (
        " given, which backbone.layer: input does not read; of backbone it reads color_mode, decoding, image_side,"
        in line
    )


def test_the_name_of_a_network_that_a_file_brings_itself_is_idle_unless_it_says_how_to_preprocess() -> None:
    digits = {"backbone__name": "VGG16"}  # with the weights and the preprocessing of the digits
    [line] = idle_keys(params(**digits), ["backbone.name"]).values()
    because = "backbone.weights: data/digits/backbone.keras with backbone.preprocess: rescale"
    assert line.startswith(
        f"backbone.name: VGG16 given, which {because} does not read; of backbone it reads decoding, image_side"
    )
    assert idle_keys(params(**digits, backbone__preprocess="native"), ["backbone.name"]) == {}
    assert idle_keys(params(**VGG16), ["backbone.name"]) == {}


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"head__kind": "logistic"}, ["train.seed", "train.class_weights", "head.pooling", "head.kind"]),
        ({"head__kind": "linear"}, ["train.learning_rate", "train.unfreeze"]),
        ({"head__kind": "mlp"}, ["train.learning_rate", "head.hidden_units", "head.dropout"]),
        ({"head__kind": "cnn"}, ["train.learning_rate", "head.hidden_units", "head.filters"]),
        (PIXELS, ["backbone.color_mode", "backbone.image_side", "backbone.views", "backbone.versions"]),
        ({}, ["backbone.preprocess", "backbone.precision", "backbone.runtime", "backbone.pooling"]),
        ({"train__unfreeze": "last"}, ["train.batch_norm"]),
        ({}, ["data.root", "data.max_megapixels", "split.seed"]),
    ],
    ids=str,
)
def test_a_key_that_is_read_is_not_called_idle(changes: dict[str, Any], keys: list[str]) -> None:
    assert idle_keys(params(**changes), keys) == {}


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], env=ENVIRONMENT, check=True, capture_output=True)


def commit(content: bytes) -> None:
    """Commits a params.yaml in the current directory."""
    Path("params.yaml").write_bytes(content)
    git("add", "params.yaml")
    git("commit", "--quiet", "--message", "state")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository without a commit, and the current directory."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    return tmp_path


@pytest.fixture
def committed(repository: Path) -> Path:
    """The repository with the shipped params.yaml in its one commit."""
    commit(SHIPPED.read_bytes())
    return repository


@pytest.mark.usefixtures("committed")
def test_only_keys_whose_values_differ_from_the_commit_have_changed() -> None:
    assert changed_keys(params()) == []
    assert changed_keys(params(train__batch=32, train__epochs=3, data__root="photos")) == ["data.root", "train.epochs"]


def test_a_project_inside_a_larger_repository_is_compared_with_its_own_file(
    committed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (committed / "inner").mkdir()
    monkeypatch.chdir(committed / "inner")
    commit(SHIPPED.read_bytes().replace(b"epochs: 50", b"epochs: 3"))
    assert changed_keys(params()) == ["train.epochs"]
    assert changed_keys(params(train__epochs=3)) == []


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"head__filters": [8]}, ["head.filters"]),
        ({"head__filters": [8], "train__batch_norm": "trained"}, ["head.filters", "train.batch_norm"]),
    ],
    ids=str,
)
def test_a_run_in_which_only_idle_keys_changed_is_refused(changes: dict[str, Any], keys: list[str]) -> None:
    changed = params(**changes)
    with pytest.raises(ParamsError) as caught:
        check_params(changed)
    assert caught.value.problems == list(idle_keys(changed, keys).values())
    assert len(caught.value.problems) == len(keys)


@pytest.mark.usefixtures("committed")
def test_idle_changes_beside_real_ones_are_told_and_do_not_stop_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    check_params(params(head__kind="logistic", train__learning_rate=0.01))
    assert capsys.readouterr().out == (
        "without effect: train.learning_rate: 0.01 given, which head.kind: logistic does not read; "
        "of train it reads class_weights, seed\n"
    )


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("changes", [{}, {"train__epochs": 3}, {"head__kind": "logistic"}], ids=str)
def test_changes_that_are_read_and_no_changes_are_passed_in_silence(
    changes: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    check_params(params(**changes))
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("committed")
def test_a_value_that_cannot_be_used_is_refused_before_idle_keys_are_looked_for() -> None:
    with pytest.raises(ParamsError) as caught:
        check_params(params(train__batch=0, head__filters=[8]))
    assert caught.value.problems == ["train.batch: 0 given; allowed: a whole number from 1 to 65536"]


@pytest.mark.parametrize("content", [None, b"data: [", b"", b"- data\n"], ids=str)
def test_where_no_usable_params_are_committed_nothing_is_compared(
    repository: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        commit(content)
    (repository / "params.yaml").write_text(yaml.safe_dump(LEAST), encoding="utf-8")
    changed = params(head__filters=[8])
    assert changed_keys(changed) == []
    check_params(changed)
    assert capsys.readouterr().out == ""


def test_outside_of_git_nothing_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert changed_keys(params(head__filters=[8])) == []
    check_params(params(head__filters=[8]))


def test_a_key_that_is_left_out_is_no_change(committed: Path) -> None:
    path = committed / "params.yaml"
    lines = SHIPPED.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("  filters:")))
    check_params(read_params(path))
