"""The house rules that no linter holds: doors, docstrings, and what a stranger finds by the folder listing."""

import ast
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from onepass import NEEDED
from tests.builders import ROOT

PACKAGES = sorted(path.parent for path in (ROOT / "onepass").glob("*/__init__.py"))
FILES = sorted(
    path for name in ("onepass", "stages", "data", "benchmarks", "docs") for path in (ROOT / name).rglob("*.py")
)
# Behind these doors stands what imports TensorFlow or ONNX Runtime: others import it inside a function.
BESIDE_THE_DOOR = {
    "onepass.backbones.hub_fetching",
    "onepass.model.exports",
    "onepass.model.keras_model",
    "onepass.model.onnx_model",
}


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_package_has_a_door_with_a_docstring(package: Path) -> None:
    tree = ast.parse((package / "__init__.py").read_text())
    docstring = ast.get_docstring(tree) or ""
    assert len(docstring.splitlines()) >= 3


def test_others_come_in_by_the_door() -> None:
    for file in FILES:
        own = file.relative_to(ROOT).parts[:2]
        for module in imported(file):
            parts = module.split(".")
            if parts[0] == "onepass" and len(parts) > 2 and tuple(parts[:2]) != own:
                assert module in BESIDE_THE_DOOR, f"{file.relative_to(ROOT)} imports {module}"


def test_dvc_is_imported_in_two_places() -> None:
    found = {file.name for file in FILES if any(module.split(".")[0] == "dvc" for module in imported(file))}
    assert found == {"dvc_process.py", "dvc_repo.py"}


def test_tensorflow_and_keras_are_imported_in_one_package() -> None:
    found = {
        file.relative_to(ROOT).parts[:2]
        for file in FILES
        if any(module.split(".")[0] in ("tensorflow", "keras") for module in imported(file))
    }
    assert found == {("onepass", "tensorflow")}


def test_the_scripts_in_stages_are_small() -> None:
    lines = {path.name: len(path.read_text().splitlines()) for path in (ROOT / "stages").glob("*.py")}
    assert sum(lines.values()) <= 450
    assert max(lines.values()) <= 80


def test_every_file_that_the_documents_name_exists() -> None:
    for document in [*(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md", ROOT / "README.md"]:
        for path in re.findall(r"`((?:onepass|stages|tests|docs|benchmarks)/[\w/.-]*\w)/?`", document.read_text()):
            assert (ROOT / path).exists(), f"{document.name} names {path}"


def test_whatever_is_imported_is_asked_for_in_the_environment_first() -> None:
    extras = {"keras_hub", "onnx", "openvino", "onnxruntime", "pillow_heif", "ray", "tf2onnx", "ai_edge_litert"}
    own = {"onepass", "stages", "data", "benchmarks", "docs", ""}
    with_dvc = {"aiohttp", "dvc_data"}
    files = [file for file in FILES if file.relative_to(ROOT).parts[0] in ("onepass", "stages")]
    found = {module.split(".")[0] for file in files for module in imported(file)}
    assert found - sys.stdlib_module_names - own - extras - with_dvc == set(NEEDED)


def test_another_python_is_told_how_to_get_the_environment(tmp_path: Path) -> None:
    venv.create(tmp_path)
    for module in ("onepass", "stages.prepare"):
        command = [str(tmp_path / "bin/python"), "-m", module]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert f"onepass: {tmp_path}/bin/python has no PIL, click, dvc, " in done.stderr
        assert "environment first:\n    make .venv && . .venv/bin/activate\n" in done.stderr
