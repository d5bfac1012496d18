"""Whatever is wrong in params, or would do nothing, is refused before the first photo is opened."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from onepass.cli import main
from onepass.trials import plan_trials
from tests.builders import ENVIRONMENT, ROOT, Project, stages_run, write_photos
from tests.pipeline.watched_photos.watch import Watch

PIXELS = ["backbone.layer=input", "backbone.weights=data/no-weights.txt", "backbone.image_side=8"]
UNITS = "allowed: a whole number from 1 to 65536, or a list of 1 to 16 of them"
DROPOUT = "allowed: a number of at least 0 and below 1, or a list of 1 to 16 of them"
KINDS = "allowed: cnn | lda | linear | logistic | mlp"
LOGISTIC = "which head.kind: logistic does not read; of train it reads class_weights, seed"
LINEAR = "which head.kind: linear does not read; of head it reads activation, kind, pooling, scale"
INPUT = (
    "which backbone.layer: input does not read; of backbone it reads color_mode, decoding, image_side, "
    "interpolation, layer, resize, versions, views, weights"
)
MLP = "which head.kind: mlp does not read; of head it reads activation, dropout, hidden_units, kind, pooling, scale"
FROZEN = "which head.kind: mlp without train.unfreeze does not read; of train it reads batch, class_weights, epochs, "

# What is given behind -S, and the key, the value and what is allowed as the message must name them.
CASES: list[tuple[list[str], str, str, str]] = [
    # of another type, or empty
    (["data.root="], "data.root", "'' given", "allowed: a text that is not empty"),
    (["data.max_megapixels=big"], "data.max_megapixels", "'big' given", "allowed: a whole number from 1 to 1000"),
    (["data.max_megapixels=2.5"], "data.max_megapixels", "2.5 given", "allowed: a whole number from 1 to 1000"),
    (["split.seed=true"], "split.seed", "True given", "allowed: a whole number from 0 to 2147483647"),
    (["split.seed="], "split.seed", "None given", "allowed: a whole number from 0 to 2147483647"),
    (["backbone.layer="], "backbone.layer", "'' given", "allowed: a text that is not empty"),
    (["backbone.views=[1, 2]"], "backbone.views", "[1, 2] given", "allowed: a whole number from 1 to 256"),
    (
        ["head.hidden_units=many"],
        "head.hidden_units",
        "'many' given",
        UNITS,
    ),
    (
        ["head.hidden_units=[]"],
        "head.hidden_units",
        "[] given",
        UNITS,
    ),
    (
        ["head.dropout={a: 1}"],
        "head.dropout",
        "{'a': 1} given",
        DROPOUT,
    ),
    (["train.learning_rate=fast"], "train.learning_rate", "'fast' given", "allowed: a number above 0 and at most 10"),
    (["train.epochs=1.5"], "train.epochs", "1.5 given", "allowed: a whole number from 1 to 100000"),
    # out of range
    (["data.max_megapixels=0"], "data.max_megapixels", "0 given", "allowed: a whole number from 1 to 1000"),
    (["split.validation_fraction=0"], "split.validation_fraction", "0 given", "allowed: a number above 0 and below 1"),
    (["split.test_fraction=.nan"], "split.test_fraction", "nan given", "allowed: a number of at least 0 and below 1"),
    (["split.seed=2147483648"], "split.seed", "2147483648 given", "allowed: a whole number from 0 to 2147483647"),
    (
        ["backbone.image_side=5000"],
        "backbone.image_side",
        "5000 given",
        "allowed: a whole number from 1 to 4096, or native",
    ),
    (["backbone.views=257"], "backbone.views", "257 given", "allowed: a whole number from 1 to 256"),
    (
        ["head.hidden_units=[64, 0]"],
        "head.hidden_units",
        "[64, 0] given",
        UNITS,
    ),
    (
        ["head.dropout=1"],
        "head.dropout",
        "1 given",
        DROPOUT,
    ),
    (["train.learning_rate=0"], "train.learning_rate", "0 given", "allowed: a number above 0 and at most 10"),
    (["train.learning_rate=.inf"], "train.learning_rate", "inf given", "allowed: a number above 0 and at most 10"),
    (["train.batch=0"], "train.batch", "0 given", "allowed: a whole number from 1 to 65536"),
    (["train.seed=0,-1"], "train.seed", "-1 given", "allowed: a whole number from 0 to 2147483647"),
    # names
    (["data.label_conflicts=ignore"], "data.label_conflicts", "'ignore' given", "allowed: error | quarantine"),
    (["backbone.name=VGG17"], "backbone.name", "'VGG17' given", "allowed: custom, ConvNeXtBase"),
    (["backbone.weights=vgg.pt"], "backbone.weights", "'vgg.pt' given", "allowed for name: custom: a .keras file"),
    (["backbone.pooling=mean"], "backbone.pooling", "'mean' given", "allowed: none | avg | max"),
    (["backbone.preprocess=imagenet"], "backbone.preprocess", "'imagenet' given", "allowed: native, none, rescale"),
    (["backbone.runtime=onnx"], "backbone.runtime", "'onnx' given", "allowed: onnxruntime, openvino, tensorflow"),
    (["backbone.precision=float16"], "backbone.precision", "'float16' given", "allowed: float32 | bfloat16"),
    (["head.kind=svm"], "head.kind", "'svm' given", KINDS),
    (["head.activation=relu"], "head.activation", "'relu' given", "allowed: auto | sigmoid | softmax"),
    (["train.optimizer=lion"], "train.optimizer", "'lion' given", "allowed: adam | adamw | nadam | rmsprop | sgd"),
    (["train.patience=never"], "train.patience", "'never' given", "allowed: a whole number from 1 to 100000, or none"),
    (["head.units=3"], "head.units", "unknown key", "allowed: head.kind, head.pooling"),
    (["train.momentum=0.9"], "train.momentum", "unknown key", "allowed: train.class_weights, train.seed"),
    (["optimizer.lr=0.1"], "optimizer.lr", "unknown key", "allowed: data.root, "),
    (["head=mlp"], "head", "unknown key", "allowed: head.kind, "),
    # together
    (
        ["split.validation_fraction=0.6", "split.test_fraction=0.6"],
        "split.validation_fraction + test_fraction",
        "1.2 given",
        "allowed: below 1",
    ),
    (["head.dropout=[0.1, 0.2]"], "head.dropout", "[0.1, 0.2] given", "allowed: one value, or one for each of"),
    (
        ["train.unfreeze=last", "backbone.pooling=avg"],
        "train.unfreeze",
        "last given",
        "allowed: backbone.pooling: none",
    ),
    (["train.unfreeze=last", "head.kind=cnn"], "train.unfreeze", "last given", "allowed: linear, mlp"),
    (
        ["train.unfreeze=last", "backbone.layer=last"],
        "train.unfreeze",
        "last given",
        "allowed: none, or a backbone.layer",
    ),
    (["backbone.preprocess=native"], "backbone.preprocess", "native given", "allowed: rescale, caffe"),
    (["backbone.color_mode=grayscale"], "backbone.color_mode", "grayscale given", "allowed for layer: features: rgb"),
    (["backbone.layer=input"], "backbone.image_side", "native given", "allowed: 1..4096"),
    # without effect
    (["head.kind=logistic", "train.learning_rate=0.1"], "train.learning_rate", "0.1 given", LOGISTIC),
    (["head.kind=logistic", "train.epochs=3"], "train.epochs", "3 given", LOGISTIC),
    (["head.kind=linear", "head.hidden_units=9"], "head.hidden_units", "9 given", LINEAR),
    (["head.kind=linear", "head.dropout=0.1"], "head.dropout", "0.1 given", LINEAR),
    (["head.filters=[8]"], "head.filters", "[8] given", MLP),
    (["train.batch_norm=trained"], "train.batch_norm", "trained given", FROZEN),
    ([*PIXELS, "backbone.pooling=avg"], "backbone.pooling", "avg given", INPUT),
    ([*PIXELS, "backbone.preprocess=tf"], "backbone.preprocess", "tf given", INPUT),
    ([*PIXELS, "backbone.name=VGG16"], "backbone.name", "VGG16 given", INPUT),
    (
        ["backbone.name=VGG16"],  # whose weights would still be those of the digits
        "backbone.name",
        "VGG16 given",
        "which backbone.weights: data/digits/backbone.keras with backbone.preprocess: rescale does not read; of",
    ),
]
# Of a project with a logistic head on pixels: how it is given, and what the message names.
REAL: list[tuple[str, list[str], str, str, str]] = [
    ("try", ["train.class_weights=equal"], "train.class_weights", "'equal' given", "allowed: none | balanced"),
    ("try", ["backbone.pooling=avg"], "backbone.pooling", "avg given", INPUT),
    ("dvc repro", ["head.kind=svm"], "head.kind", "'svm' given", KINDS),
    ("dvc repro", ["train.learning_rate=0.1"], "train.learning_rate", "0.1 given", LOGISTIC),
    ("dvc repro", ["head.units=3"], "head.units", "unknown key", "allowed: kind, pooling, activation"),
    ("dvc exp run", ["train.seed=-1"], "train.seed", "-1 given", "allowed: a whole number from 0 to 2147483647"),
    (
        "dvc exp run",
        ["head.filters=[8]"],
        "head.filters",
        "[8] given",
        "of head it reads activation, kind, pooling, scale",
    ),
    ("dvc exp run", ["+head.units=3"], "head.units", "unknown key", "allowed: kind, pooling, activation"),
    ("dvc exp run", ["train.unfreeze=last", "head.kind=mlp"], "train.unfreeze", "last given", "allowed: none"),
]
OPENED: list[str] = []  # by this process, below the folder WATCHED


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shipped params.yaml and photos, committed; what is opened below its photos is noted."""
    folder = tmp_path_factory.mktemp("watched")
    write_photos(folder / "photos", {"cats": 2, "dogs": 2})
    shipped = (ROOT / "params.yaml").read_text()
    (folder / "params.yaml").write_text(shipped.replace("data/digits/images", str(folder / "photos")))
    for command in (["init", "--quiet"], ["add", "params.yaml"], ["commit", "--quiet", "--message", "state"]):
        subprocess.run(["git", *command], cwd=folder, env=ENVIRONMENT, check=True)

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).startswith(str(folder / "photos")):
            OPENED.append(str(arguments[0]))

    sys.addaudithook(note)  # for ever; it sees these photos only
    return folder


@pytest.fixture
def here(watched: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It as the current directory, with nothing noted yet."""
    monkeypatch.chdir(watched)
    OPENED.clear()
    return watched


def test_the_watch_sees_a_photo_that_is_opened(here: Path) -> None:
    photo = here / "photos/cats/cats-0-0000.png"
    photo.read_bytes()
    assert [str(photo)] == OPENED


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("changes", "key", "given", "allowed"), CASES, ids=lambda value: str(value)[:60])
def test_try_refuses_it_with_key_given_and_allowed(
    changes: list[str], key: str, given: str, allowed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["try", "wrong", *(part for change in changes for part in ("-S", change))])
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert f"{key}: " in said
    assert given in said.partition(f"{key}: ")[2]
    assert allowed in said.partition(given)[2]
    assert not OPENED


@pytest.mark.usefixtures("here")
def test_every_case_is_a_mistake_in_the_values_and_not_in_the_way_they_are_given() -> None:
    for changes in (["head.hidden_units=9"], ["train.learning_rate=0.1"], [*PIXELS, "head.kind=cnn"]):
        assert plan_trials("right", changes)


@pytest.fixture
def never_run(fresh: Project) -> Project:
    """A project with a logistic head on pixels, in which nothing has run yet."""
    fresh.set({"head.kind": "logistic"})
    fresh.commit()
    return fresh


def start(project: Project, how: str, changes: list[str], watch: Watch) -> str:
    """Gives the changes in one of three ways, and what is said then."""
    options = [part for change in changes for part in ("-S", change)]
    if how == "dvc repro":
        section, key, value = changes[0].replace("=", ".", 1).split(".", 2)
        project.set({f"{section}.{key}": float(value) if value[0].isdigit() else value})
    command = ["python", "-m", "onepass", "try", "wrong", *options] if how == "try" else how.split()
    extra = ["--name", "wrong", *options] if how == "dvc exp run" else []
    return project.run(*command, *extra, expect=2 if how == "try" else 255, environment=watch.environment)


@pytest.mark.slow
@pytest.mark.parametrize(("how", "changes", "key", "given", "allowed"), REAL, ids=lambda value: str(value)[:40])
def test_nothing_is_opened_however_it_is_given(
    how: str, changes: list[str], key: str, given: str, allowed: str, never_run: Project
) -> None:
    watch = Watch(never_run.folder.parent / "photos", never_run.folder.parent)
    said = start(never_run, how, changes, watch)
    assert all(part in said for part in (f"{key}: ", given, allowed)), said
    assert stages_run(said) == ([] if how == "try" else ["prepare"])  # which checks, and fails
    assert watch.opened() == []


@pytest.mark.slow
def test_a_run_that_is_not_refused_opens_every_photo(never_run: Project) -> None:
    watch = Watch(never_run.folder.parent / "photos", never_run.folder.parent)
    never_run.run("dvc", "repro", "prepare", environment=watch.environment)
    assert len(set(watch.opened())) == 60
