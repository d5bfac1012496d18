"""The comparison of real DVC experiments: what it says, what it leaves out, and where it finds results."""

import shutil
from html import unescape
from pathlib import Path

import click
import pytest

from onepass.cli.compare import command
from onepass.core import UserError
from onepass.machine_facts import key_of, record
from tests.builders import ROOT, Project
from tests.pipeline.experiment_project import ODD, enter, run, with_experiments

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # inside DVC


@pytest.fixture(scope="module")
def compared_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return with_experiments(tmp_path_factory.mktemp("compared") / "project")


@pytest.fixture
def compared(compared_project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project, not to be changed, as the current directory."""
    enter(compared_project, monkeypatch)
    return compared_project


@pytest.fixture
def changeable(compared_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the project as the current directory."""
    project = compared_project.copy(tmp_path / "project")
    enter(project, monkeypatch)
    return project


def compare(*arguments: str) -> None:
    command.main(list(arguments), standalone_mode=False)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    compare(*arguments)
    return capsys.readouterr().out


def refused(*arguments: str) -> str:
    with pytest.raises(UserError) as refusal:
        compare(*arguments)
    return str(refusal.value)


def rows(output: str) -> dict[str, list[str]]:
    """The cells of the first table by experiment."""
    table = output[output.index("| experiment") :].split("\n\n", 1)[0].splitlines()[2:]
    return {cells[0]: cells[1:] for cells in ([cell.strip() for cell in line[2:-2].split(" | ")] for line in table)}


@pytest.mark.usefixtures("compared")
def test_without_names_all_experiments_of_this_commit_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    compare()
    output, left_out = capsys.readouterr()
    assert list(rows(output)) == ["good-0", "fair", f"{ODD} = workspace", "poor"]
    assert left_out == f"left out: HEAD: evaluated on validation images, {ODD} on test images\n\n"
    assert "corrected (Holm) for all 6 pairs, as the best was found on these very images" in output
    assert "These 200 test images have judged 6 of the models that exist here" in output  # good has three seeds
    better, unclear = output.splitlines()[-1].split("; ")
    assert better == f"good-0 is better than {ODD} and poor (p < 0.001 after correction for 6 comparisons)"
    assert unclear.startswith("not told apart from fair: the difference 2.3 points, interval ")


@pytest.mark.usefixtures("compared")
def test_experiments_that_differ_in_their_seed_only_count_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    output = said(capsys, "good-2", "poor", "good-1", "good-0")
    assert "good-0: the mean of good-0, good-1, good-2." in output
    assert output.endswith("good-0 is better than poor (p < 0.001).\n")
    accuracies = [float(rows(said(capsys, f"good-{seed}"))[f"good-{seed}"][0]) for seed in range(3)]
    mean, _, seeds, *_ = rows(output)["good-0"]
    assert float(mean) == pytest.approx(sum(accuracies) / 3, abs=5e-5)
    assert seeds == f"3: {min(accuracies):.4f} to {max(accuracies):.4f}"


@pytest.mark.usefixtures("compared")
def test_a_baseline_takes_the_place_of_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    output = said(capsys, "good-1", "poor", "--baseline", ODD)
    assert f"corrected (Holm) for the 2 comparisons with {ODD}." in output
    family = "(p < 0.001 after correction for 2 comparisons)"
    assert output.endswith(f"{ODD} is better than poor and worse than good-1 {family}.\n")


@pytest.mark.usefixtures("compared")
def test_all_shows_every_pair_and_a_baseline_has_no_other_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("poor", "fair", "good-0", ODD)
    some, every = said(capsys, *arguments), said(capsys, *arguments, "--all")
    assert "corrected (Holm) for all 6 pairs, as the best was found on these very images; --all shows them all." in some
    assert [len(output.split("\n\n")[1].splitlines()) - 2 for output in (some, every)] == [3, 6]
    assert some.splitlines()[-1] == every.splitlines()[-1]
    with pytest.raises(click.UsageError, match="--all shows the tests of every pair, with --baseline only those with"):
        compare(*arguments, "--all", "--baseline", "poor")


@pytest.mark.usefixtures("compared")
def test_one_experiment_has_a_table_and_no_tests(capsys: pytest.CaptureFixture[str]) -> None:
    output = said(capsys, "good-0")
    assert "There is nothing to compare good-0 with on these images.\n`python -m onepass try small -S head." in output
    assert "McNemar" not in output


@pytest.mark.usefixtures("compared")
@pytest.mark.parametrize(
    ("other", "images", "what"),
    [
        ("elsewhere", "200 test images", "images only here: 40, images only in fair: 40"),
        ("relabelled", "200 test images", "images with another label: 3"),
        ("validated", "200 validation images", "evaluated on validation images, fair on test images"),
    ],
)
def test_answers_for_other_images_have_a_comparison_of_their_own(
    other: str, images: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = said(capsys, other, "fair", ODD)[len("## Evaluated on ") :].split("\n\n## Evaluated on ")
    assert first.startswith("200 test images\n\n| experiment")
    assert list(rows(first)) == ["fair", ODD]
    assert first.endswith(f"\n\nfair is better than {ODD} (p < 0.001).")
    assert second.startswith(f"{images}\n\nNot those of fair: {what}.\n\n| experiment")
    assert list(rows(second)) == [other]
    assert second.endswith(f"There is nothing to compare {other} with on these images.\n")


@pytest.mark.usefixtures("compared")
def test_a_baseline_is_for_its_own_images(capsys: pytest.CaptureFixture[str]) -> None:
    output = said(capsys, "fair", ODD, "good-0", "validated", "--baseline", "validated")
    assert "validated was evaluated on other images: here the others are tested against the best." in output


def test_workspace_and_head_of_other_images_are_of_no_interest_unless_they_are_named(
    changeable: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    changeable.run("dvc", "exp", "apply", "validated")
    compare()
    output, left_out = capsys.readouterr()
    assert list(rows(output)) == ["good-0", "fair", ODD, "poor"]
    differs = f"evaluated on validation images, {ODD} on test images"
    assert left_out == f"left out: workspace: {differs}\n\nleft out: HEAD: {differs}\n\n"
    assert "HEAD = workspace" in said(capsys, "fair", "HEAD", "workspace")


@pytest.mark.usefixtures("compared")
def test_a_name_that_nobody_knows_is_refused_with_those_that_are_known() -> None:
    message = refused("good-0", "godo")
    assert "'godo' is neither an experiment nor a revision that git knows" in message
    assert "Experiments of this commit: $odd|%s-é, fair, good-0, good-1, good-2, poor." in message


@pytest.mark.usefixtures("compared")
def test_a_revision_without_results_is_refused_when_named() -> None:
    assert "HEAD~1 has no results: evaluate has not run in it. `dvc exp run --name" in refused("HEAD~1", "good-0")


def test_the_command_says_how_to_get_results(compared: Project, tmp_path: Path) -> None:
    compared.run("git", "clone", "--quiet", ".", str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.run("git", "checkout", "--quiet", "HEAD~1")
    output = clone.run("python", "-m", "onepass", "compare", expect=2, environment={"PYTHONPATH": str(ROOT)})
    assert output == (
        "\nonepass: there are no results to compare: `python -m onepass try small -S head.hidden_units=16` runs an "
        "experiment; params.yaml says what can be set.\n\n"
    )


def test_facts_that_this_machine_remembers_are_shown_and_others_are_not(
    changeable: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = changeable.folder / "data"  # of the experiment that ran last
    head = [(folder / "head" / name).read_bytes() for name in ("head.json", "weights.npz")]
    features = [(folder / name).read_bytes() for name in ("features/fingerprint.json", "prepared/wanted_views.txt")]
    record("train-head", key_of(*head), {"seconds": 12.34})
    record("extract-features", key_of(*features), {"seconds": 1.0, "reused": 0, "computed": 1200})
    found = rows(said(capsys, "poor", ODD))
    assert found["poor"][4:7] == ["-", "-", "1,200"]  # the same features
    assert found[ODD][4:7] == ["12.3", "1,234", "1,200"]


def test_results_that_only_the_remote_has_are_fetched(changeable: Project, capsys: pytest.CaptureFixture[str]) -> None:
    expected = said(capsys, "fair", "poor")
    shutil.move(changeable.folder / ".dvc/cache/files", changeable.folder.parent / "remote/files")
    changeable.run("dvc", "remote", "add", "--default", "team", "../remote")  # later than the experiments
    assert said(capsys, "fair", "poor") == expected


def test_results_that_nobody_has_are_refused_when_named_and_else_left_out(
    changeable: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(changeable.folder / ".dvc/cache/files")
    message = refused("workspace", "fair")
    assert "metrics/metrics.json of fair is neither on this machine nor on a remote that it knows." in message
    assert "`make publish-experiment NAME=fair`" in message
    compare()
    output = capsys.readouterr()
    assert list(rows(output.out)) == ["workspace"]
    assert output.err.count("left out: metrics/metrics.json of ") == 7


def test_answers_that_were_changed_by_hand_are_not_compared(changeable: Project) -> None:
    path = changeable.folder / "metrics/predictions.csv"
    path.write_bytes(path.read_bytes().replace(b"neither", b"dogs"))
    message = refused("workspace", "good-0")
    assert "metrics/predictions.csv of workspace is not what its dvc.lock says: changed or damaged" in message


def test_results_of_params_that_were_edited_since_are_left_out_or_refused_when_named(
    changeable: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    changeable.set({"model.skill": 0.123})
    why = "its results were made with model.skill 0.7, params.yaml says 0.123; `dvc repro`"
    compare()
    output, left_out = capsys.readouterr()
    assert list(rows(output)) == ["good-0", "fair", ODD, "poor"]
    assert left_out.startswith(f"left out: workspace: {why} brings them up to date.\n\n")
    assert refused("workspace", "fair") == f"workspace: {why} brings them up to date."
    changeable.commit()
    there = f"HEAD: {why} in a checkout of HEAD, then committed, brings them up to date."
    assert refused("fair", "--baseline", "HEAD") == there
    assert changeable.repro() == ["evaluate"]
    assert list(rows(said(capsys, "workspace"))) == ["workspace"]


def test_results_of_an_experiment_that_was_applied_are_those_of_its_params(
    changeable: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    changeable.run("dvc", "exp", "apply", "poor")
    assert list(rows(said(capsys, "workspace", "poor"))) == ["poor = workspace"]


def test_a_run_that_failed_midway_leaves_no_results(changeable: Project, capsys: pytest.CaptureFixture[str]) -> None:
    changeable.run("dvc", "exp", "run", "--set-param", "model.skill=much", expect=None)
    assert "made with model.skill 0.7, params.yaml says much; `dvc repro` brings" in refused("workspace")

    changeable.run("dvc", "exp", "apply", "poor")
    stages = changeable.folder / "dvc.yaml"
    before = "stages:\n  prepare:\n    cmd: cp params.yaml copy.txt\n    params: [copy]\n    outs: [copy.txt]\n"
    stages.write_text(
        stages.read_text().replace("stages:\n", before).replace("[evaluate.py]", "[evaluate.py, copy.txt]")
    )
    params = changeable.folder / "params.yaml"
    params.write_text(params.read_text() + "copy: 1\n")
    assert changeable.repro() == ["prepare", "evaluate"]
    assert list(rows(said(capsys, "workspace"))) == ["workspace"]
    params.write_text(params.read_text().replace("copy: 1", "copy: 2"))
    script = changeable.folder / "evaluate.py"
    script.write_text("raise SystemExit(1)\n" + script.read_text())
    changeable.run("dvc", "repro", expect=None)
    assert refused("workspace") == (
        "workspace: its results are of two runs: evaluate read another copy.txt than prepare has made since; "
        "`dvc repro` brings them up to date."
    )


def test_experiments_with_the_same_predictions_are_one_and_what_they_differ_in_had_no_effect(
    changeable: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    run("unlike", "split.seed=7")
    run("again", "split.seed=8", "model.skill=0.88")
    output = said(capsys, "unlike", ODD, "again", "fair", "--html", "page.html")
    assert list(rows(output)) == ["again = fair", f"{ODD} = unlike"]
    assert "again = fair: the same predictions, so what differs between them (split.seed) had no effect." in output
    assert output.endswith(f"again is better than {ODD} (p < 0.001).\n")
    page = unescape((changeable.folder / "page.html").read_text(encoding="utf-8"))
    assert ">8, 0<" in page and f"onepass compare again fair '{ODD}' unlike --html" in page
    alone = said(capsys, "again", "fair")
    assert "(split.seed) had no effect.\n" in alone
    assert "\n\nThere is nothing to compare again with" in alone


@pytest.mark.parametrize("content", ["<<<<<<< HEAD\nschema: '2.0'\n", "stages: [1]"])
def test_a_lock_that_git_could_not_merge_is_named(content: str, changeable: Project) -> None:
    (changeable.folder / "dvc.lock").write_text(content)
    assert "workspace: dvc.lock cannot be read: " in refused("workspace", "good-0")


@pytest.mark.usefixtures("compared")
def test_the_same_accuracies_are_drawn_to_the_same_bytes(tmp_path: Path) -> None:
    for name in ("0.svg", "1.svg", "0.png", "1.png"):
        compare("fair", ODD, "good-0", "good-1", "validated", "--plot", str(tmp_path / name))
    assert (tmp_path / "0.svg").read_bytes() == (tmp_path / "1.svg").read_bytes()
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()
    drawn = (tmp_path / "0.svg").read_text(encoding="utf-8")
    assert all(text in drawn for text in (ODD, "evaluated on 200 test images", "evaluated on 200 validation images"))


@pytest.mark.usefixtures("compared")
def test_a_page_is_written_of_two_and_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert f"params.yaml says what can be set. {page} was not written.\n" in said(capsys, "fair", "--html", str(page))
    sentence = said(capsys, "fair", ODD, "--html", str(page)).splitlines()[-1]
    text = unescape(page.read_text(encoding="utf-8"))
    assert all(part in text for part in (sentence, f"onepass compare fair '{ODD}' --html", ">model.skill<"))


@pytest.mark.usefixtures("compared")
def test_a_plot_of_another_kind_or_nowhere_is_refused() -> None:
    with pytest.raises(click.UsageError, match=r"plot\.xls given; allowed: a \.png or \.svg file"):
        compare("fair", "--plot", "plot.xls")
    with pytest.raises(click.UsageError, match=r"page\.php given; allowed: a \.html file"):
        compare("fair", "--html", "page.php")
    assert "dvc.yaml/plot.png cannot be written: File exists." in refused("fair", "--plot", "dvc.yaml/plot.png")
    assert "dvc.yaml/x.html cannot be written: File exists." in refused("fair", ODD, "--html", "dvc.yaml/x.html")
