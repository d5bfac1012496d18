"""Every command of the README, in the order of the page, in one fresh clone: it gives what the page shows."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import SHARED, Project, new_project
from tests.readme import Block, blocks

pytestmark = pytest.mark.more

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
TOLERANCE = 0.02  # of accuracies, which depend on the processor in the last points
PLACES = {
    "--photos /path/to/photos --recipe ours": f"--photos {SHARED}/data/cats-dogs --recipe ours "
    f"-S backbone.weights={SHARED}/weights/mobilenet_1_0_224_notop.weights.h5",  # instead of fetching them
}


def ready(commands: str, folder: Path) -> str:
    """Commands with this test's places; the environment is that of the tests, and make must not install another."""
    for place, here in {**PLACES, "REMOTE": str(folder / "remote"), "URL": str(folder / "origin")}.items():
        commands = commands.replace(place, here)
    commands = re.sub(r"^make install", "make -n install", commands, flags=re.MULTILINE)
    return re.sub(r"^make ", f"ln -sfn {sys.prefix} .venv && make -o .venv/ready ", commands, flags=re.MULTILINE)


def is_shown(line: str, output: str) -> bool:
    """Whether the output has the line: the same words and counts, nearly the same accuracies, any seconds."""
    words = NUMBER.sub("#", line).split()
    alike = [found for found in output.splitlines() if NUMBER.sub("#", found).split() == words]
    return any(all(map(same, NUMBER.findall(line), NUMBER.findall(found))) for found in alike)


def same(expected: str, found: str) -> bool:
    if "." not in expected:
        return expected == found
    return len(expected.partition(".")[2]) < 4 or abs(float(expected) - float(found)) <= TOLERANCE


def outputs(folder: Path) -> Iterator[tuple[Block, str]]:
    """Each block with what it printed; where a `cd` leads, the next one goes on."""
    project = Project(folder / "clone")
    for block in blocks():
        if "/path/to/" in block.commands and not SHARED.is_dir():
            continue
        commands = f"set -e\n{ready(block.commands, folder)}\npwd > {folder}/where"
        yield block, project.run("bash", "-c", commands)
        project = Project(Path((folder / "where").read_text().strip()))


def test_every_block_in_the_order_of_the_page_gives_what_the_page_shows(tmp_path: Path) -> None:
    author = new_project(tmp_path / "author")
    author.run("git", "clone", "--quiet", "--bare", ".", str(tmp_path / "origin"))
    author.run("git", "clone", "--quiet", str(tmp_path / "origin"), str(tmp_path / "clone"))
    done = list(outputs(tmp_path))
    assert len(done) >= 6
    for block, output in done:
        missing = [line for line in block.expected if not is_shown(line, output)]
        assert not missing, f"{block.commands}\n{missing}\n{output}"
    joined = done[-1][1]
    assert "Running stage" not in joined
    assert "Data and pipelines are up to date." in joined
    for name in ("found.csv", "model.onnx", "data/model.keras", "metrics/report.html"):
        assert (tmp_path / "clone" / name).is_file()


def test_the_page_is_short() -> None:
    assert sum(1 for _ in (Path(__file__).parents[2] / "README.md").open()) < 150


@pytest.mark.parametrize(
    ("line", "output", "shown"),
    [
        ("accuracy 0.98 on 163", "x\naccuracy 0.98 on 163", True),
        ("accuracy 0.9816 on 163", "accuracy 0.9755 on 163", True),
        ("accuracy 0.9816 on 163", "accuracy 0.9455 on 163", False),
        ("accuracy 0.9816 on 163", "accuracy 0.9816 on 164", False),
        ("trained 65,925", "trained 65,926", False),
        ("a  1.2 s", "a 3.4 s", True),
    ],
)
def test_what_counts_as_shown(line: str, output: str, shown: bool) -> None:
    assert is_shown(line, output) is shown
