"""The command that classifies photos: from the file of a model and nothing else."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onepass.cli import main
from onepass.model import write_model
from tests.builders import ENVIRONMENT, ROOT, write_photos
from tests.unit.heads.small_heads import LIMITS
from tests.unit.model.tiny_models import backbone, mlp, model_file

CLASSES = ["ant", "bee", "=cat"]
DOUBTS = ["sure", "familiar", "distance", "set"]


@pytest.fixture(scope="module")
def model(tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_file(tmp_path_factory.mktemp("model"), tiny_backbone, CLASSES)


@pytest.fixture(scope="module")
def old(tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as those of version 0.1 are."""
    path = tmp_path_factory.mktemp("old") / "old.keras"
    write_model(path, backbone(tiny_backbone, pooling="avg"), mlp(np.zeros((1, 8)), CLASSES))
    return path


@pytest.fixture(autouse=True)
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """40 photos in a folder, more than a batch, beside a hidden file; the current folder is the one above."""
    write_photos(tmp_path / "photos", {"a": 20, "b": 20})
    (tmp_path / "photos" / ".hidden").write_text("no photo")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "photos"


def exit_code(*arguments: str | Path) -> int:
    """Of the command, run as from a shell but in this process."""
    with pytest.raises(SystemExit) as ended:
        main(["predict", *map(str, arguments)])
    return int(ended.value.code or 0)


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[dict[str, str]], str]:
    """Exit code, rows and standard error."""
    code = exit_code(*arguments)
    printed = capsys.readouterr()
    return code, list(csv.DictReader(io.StringIO(printed.out))), printed.err


def test_every_photo_has_the_probabilities_of_the_whole_model(
    model: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from onepass.model.keras_model import read_model

    code, rows, errors = run(capsys, model, "photos")
    assert (code, errors) == (0, "")
    assert [row["file"] for row in rows] == sorted(
        f"photos/{path.parent.name}/{path.name}" for path in photos.glob("*/*")
    )
    network = read_model(model).network
    for row in rows[::13]:
        expected = network(np.asarray(Image.open(row["file"]))[None])[0]
        found = [float(row[f"p_{name}"]) for name in CLASSES]
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert row["predicted"].removeprefix("'") == CLASSES[int(np.argmax(found))]
        assert float(row["probability"]) == max(found)


def test_a_bad_file_has_its_reason_and_the_rest_go_on(
    model: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "a" / "notes.txt").write_text("these are no pixels")
    code, rows, errors = run(capsys, model, "photos/a", "absent.jpg")
    assert code == 1
    assert len(rows) == 22
    refused = {row["file"]: row["error"] for row in rows if row["error"]}
    assert refused["photos/a/notes.txt"].startswith("not_an_image: ")
    assert refused["absent.jpg"] == "unreadable: No such file or directory"
    assert all(f"{file}: {reason}\n" in errors for file, reason in refused.items())
    assert errors.endswith("2 of 22 photos could not be classified\n")


def test_patterns_and_lists_on_standard_input_name_photos_too(
    model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = sorted(map(str, Path("photos").glob("b/*")))
    _, rows, _ = run(capsys, model, "photos/**/b-*.png", names[0])
    assert [row["file"] for row in rows] == names  # one twice given stands once
    for listed in ("\n".join(names[:3]), "\0".join([*names[:3], ""])):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed.encode())))
        assert [row["file"] for row in run(capsys, model, "-")[1]] == names[:3]


def test_odd_names_come_back_and_no_spreadsheet_takes_one_for_a_formula(
    model: Path, photos: Path, tmp_path: Path
) -> None:
    content = min(photos.glob("a/*")).read_bytes()
    odd = ["=1+1.png", "new\nline.png", "Icon\r", 'quote".png', "stray\udcff.png"]
    for name in odd:
        (tmp_path / name).write_bytes(content)
    assert exit_code(model, *odd, "--output", "found.csv") == 0
    text = (tmp_path / "found.csv").read_bytes().decode(errors="surrogateescape")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["file"] for row in rows] == ["./=1+1.png", *odd[1:]]
    assert {row["predicted"] for row in rows} <= {"ant", "bee", "'=cat"}
    assert exit_code(model, *odd, "--format", "jsonl", "--output", "found.jsonl") == 0
    found = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text("ascii").splitlines()]
    assert [row["file"] for row in found] == odd
    assert list(found[0]["probabilities"]) == CLASSES
    assert sum(found[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_whether_it_knows_stands_beside_each_answer(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from onepass.model.keras_model import read_model

    rows = run(capsys, model, "photos")[1]
    assert exit_code(model, "photos", "--format", "jsonl") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    answers = read_model(model).answers()
    for row, record in list(zip(rows, found, strict=True))[::13]:
        expected = np.asarray(answers(np.asarray(Image.open(row["file"]))[None])[0])
        assert float(row["distance"]) == pytest.approx(expected[-1], abs=1e-5)
        assert row["familiar"] == ("yes" if expected[-1] <= LIMITS.familiar else "no")
        assert row["sure"] == ("yes" if expected[:-1].max() >= LIMITS.sure else "no")
        chosen = [name for name, chance in zip(CLASSES, expected, strict=False) if chance >= (LIMITS.in_set or 0)]
        assert row["set"].removeprefix("'").split("|") == chosen == record["set"]
        assert (record["sure"], record["familiar"]) == (row["sure"] == "yes", row["familiar"] == "yes")


def test_strangers_are_told_apart_from_other_photos(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, rows, errors = run(capsys, model, "photos/a", "--strangers", "photos/b")
    assert (code, len(rows)) == (0, 40)
    refused = [row["file"] for row in rows if "no" in (row["sure"], row["familiar"])]
    for folder, what in (("b", "strangers"), ("a", "other photos")):
        count = sum(Path(file).parent.name == folder for file in refused)
        assert f"{count} of 20 {what} refused ({count / 20:.1%}, 95 % interval" in errors
    assert "area under the ROC curve of " in errors
    assert "other photos" not in run(capsys, model, "--strangers", "photos/b")[2]


def test_a_model_without_limits_says_nothing_of_them(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, rows, _ = run(capsys, old, "photos/a")
    assert code == 0
    assert not set(rows[0]) & set(DOUBTS)
    code, _, errors = run(capsys, old, "--strangers", "photos/b")
    assert code == 2
    assert "has no limits, so it refuses nothing. `dvc repro` writes one that has." in errors


def test_top_names_the_most_probable_classes(model: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = min(photos.glob("a/*"))
    (row,) = run(capsys, model, photo)[1]
    best = sorted(CLASSES, key=lambda name: -float(row[f"p_{name}"]))
    (top,) = run(capsys, model, photo, "--top", "2")[1]
    assert list(top) == ["file", "predicted", "probability", *DOUBTS, "predicted_2", "probability_2", "error"]
    assert [top["predicted"].lstrip("'"), top["predicted_2"].lstrip("'")] == best[:2]
    assert exit_code(model, photo, "--top", "9", "--format", "jsonl") == 0
    assert list(json.loads(capsys.readouterr().out)["probabilities"]) == best


def test_no_model_and_nothing_to_do_are_told_apart_from_bad_photos(
    model: Path, photos: Path, tiny_backbone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, rows, errors = run(capsys, tiny_backbone, "photos")
    assert (code, rows) == (2, [])
    assert "not one from photos to classes" in errors
    code, _, errors = run(capsys, model, "photos", "--output", "absent/found.csv")
    assert code == 2
    assert "--output: absent/found.csv cannot be written: No such file or directory" in errors
    (photos / "empty").mkdir()
    for arguments, complaint in ((["photos/empty"], "no file in photos/empty"), (["photos", "--top", "0"], "--top")):
        code, rows, errors = run(capsys, model, *arguments)
        assert (code, rows) == (2, [])
        assert complaint in errors


def test_a_pipe_that_closes_early_is_no_error_and_shows_no_bar(model: Path, photos: Path) -> None:
    """Run where there is nothing else of the project, as on the machine that uses the model."""
    command = f"'{sys.executable}' -m onepass predict '{model}' photos photos/a/../b | head -1"
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=photos.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("file,predicted,probability,sure,familiar,distance,set,p_ant,p_bee,p_=cat,error")
    assert done.stderr == ""
    assert list(photos.parent.iterdir()) == [photos]
