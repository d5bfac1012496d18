"""A team shares features through a remote: the commands of docs/team.md against real servers."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import Project, new_project, stages_run, write_photos
from tests.readme import commands_below
from tests.remote.servers import SERVERS_MISSING, s3, sshd

pytestmark = pytest.mark.more
needs_servers = pytest.mark.skipif(bool(SERVERS_MISSING), reason=SERVERS_MISSING or "nothing is missing")


def team_page(heading: str, number: int = 0) -> list[str]:
    return commands_below(heading, number, "docs/team.md")


class Team:
    """An author, a bare git repository, a DVC remote, and any number of colleagues."""

    def __init__(self, author: Project, folder: Path, url: str, credentials: dict[str, str]) -> None:
        self.folder = folder
        self.url = url
        self.credentials = credentials
        self.author = author

    def follow(self, project: Project, commands: list[str]) -> str:
        """Runs commands of the page, with this test's names in the place of its placeholders."""
        output = ""
        for command in commands:
            ready = command.replace("REMOTE", self.url).replace("MORE/.", f"{self.folder}/more/.")
            # The environment is the one that the tests run in; make must not install another.
            ready = re.sub(r"^make ", "ln -sfn $VENV .venv && make -o .venv/ready ", ready)
            output += project.run("bash", "-c", ready, environment={"VENV": sys.prefix})
        return output

    def sign_in(self, project: Project) -> None:
        """The credentials that each member has on their own machine."""
        for key, value in self.credentials.items():
            project.run("dvc", "remote", "modify", "--local", "team", key, value)

    def join(self, name: str) -> Project:
        """A colleague's fresh clone, before any data is pulled."""
        project = Project(self.folder / name)
        project.folder.mkdir()
        project.run("git", "clone", "--quiet", str(self.folder / "origin"), ".")
        self.sign_in(project)
        return project


@pytest.fixture(scope="module")
def folder_remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    yield str(tmp_path_factory.mktemp("remote")), {}


@pytest.fixture(scope="module")
def ssh_remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    with sshd(tmp_path_factory.mktemp("ssh")) as server:
        yield server.url, {"user": server.user, "keyfile": str(server.keyfile)}


@pytest.fixture(scope="module")
def s3_remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    with s3(tmp_path_factory.mktemp("s3")) as server:
        yield (
            f"s3://{server.bucket}/onepass",
            {
                "endpointurl": server.endpoint,
                "access_key_id": server.access_key,
                "secret_access_key": server.secret_key,
            },
        )


@pytest.fixture(scope="module")
def lone_project(tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """60 photos and a weights file that were taken in, everything run, nothing shared yet; the file outside is gone."""
    project = new_project(tmp_path_factory.mktemp("lone") / "author")
    write_photos(project.folder / "data" / "photos", {"cats": 30, "dogs": 30})
    project.set({"data.root": "data/photos", "backbone.layer": "late", "backbone.image_side": 8, "train.epochs": 2})
    project.run("dvc", "add", "--quiet", "data/photos")
    weights = project.folder.parent / "of-the-author.keras"
    shutil.copy(tiny_backbone, weights)
    project.run("python", "-m", "onepass", "weights", "add", str(weights))
    weights.unlink()
    ran = project.repro("dvc.yaml", "data/dvc.yaml")
    assert ran == ["prepare", "weights", "extract-features", "train-head", "evaluate", "report"]
    return project


@pytest.fixture(
    scope="module",
    params=[
        "folder_remote",
        pytest.param("ssh_remote", marks=needs_servers),
        pytest.param("s3_remote", marks=needs_servers),
    ],
)
def team(request: pytest.FixtureRequest, lone_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """A project whose author has published it as the page says."""
    url, credentials = request.getfixturevalue(request.param)
    folder = tmp_path_factory.mktemp("team")
    author = lone_project.copy(folder / "author")
    team = Team(author, folder, url, credentials)
    write_photos(team.folder / "more", {"cats": 5, "dogs": 5}, seed=1)
    author.run("git", "init", "--quiet", "--bare", "--initial-branch", "main", str(team.folder / "origin"))
    author.run("git", "remote", "add", "origin", str(team.folder / "origin"))
    author.run("git", "push", "--quiet", "--set-upstream", "origin", "main")
    team.follow(author, team_page("Set up the remote, once"))
    team.sign_in(author)
    team.follow(author, team_page("Publish photos, features and results"))
    return team


def test_a_colleague_who_joins_runs_no_stage(team: Team) -> None:
    colleague = team.join("joined")
    clone, enter, *rest = team_page("Join")
    assert (clone, enter) == ("git clone URL project", "cd project")  # which team.join has done
    output = team.follow(colleague, [command for command in rest if ".venv" not in command])
    assert "Running stage" not in output
    assert "Data and pipelines are up to date." in output
    accuracy = (team.author.folder / "metrics" / "metrics.json").read_bytes()
    assert (colleague.folder / "metrics" / "metrics.json").read_bytes() == accuracy


def test_a_changed_head_needs_no_photo_on_disk(team: Team) -> None:
    colleague = team.join("head-only")
    output = team.follow(colleague, team_page("Change only the head, without any photo on disk"))
    assert stages_run(output) == ["train-head", "evaluate", "report"]
    assert not (colleague.folder / "data" / "photos").exists()
    assert (colleague.folder / "data" / "weights" / "of-the-author.keras").exists()


def test_an_experiment_that_was_published_is_taken_whole(team: Team) -> None:
    team.author.run("dvc", "exp", "run", "--name", "wide", "--set-param", "head.hidden_units=32")
    team.author.run("git", "checkout", "--quiet", "--force", "main")
    team.follow(team.author, team_page("Share an experiment", 0))
    colleague = team.join("applied")
    team.follow(colleague, team_page("Share an experiment", 1))
    assert "hidden_units: 32" in (colleague.folder / "params.yaml").read_text()
    assert colleague.repro("--pull", "--allow-missing") == []


def test_what_a_colleague_ran_but_kept_out_of_git_is_fetched_not_computed(team: Team) -> None:
    private = team.join("private")
    private.set({"head.hidden_units": 8, "backbone.image_side": 9})
    private.repro("--pull")
    team.follow(private, ["make publish"])
    colleague = team.join("fetching")
    colleague.set({"backbone.image_side": 9})
    output = team.follow(colleague, team_page("Share an experiment", 2))
    assert stages_run(output) == []
    assert (colleague.folder / "metrics" / "metrics.json").read_bytes() == (
        private.folder / "metrics" / "metrics.json"
    ).read_bytes()


def test_ten_photos_added_without_the_features_compute_ten(team: Team) -> None:
    colleague = team.join("adding")
    output = team.follow(colleague, team_page("Add photos without having pulled the features"))
    assert "70 images: 60 reused, 10 computed" in output
