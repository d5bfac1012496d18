"""dvc.yaml says what the code does: DVC tracks no Python imports, so nothing else would notice."""

import ast
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from onepass.params import ParamsFile
from tests.builders import ROOT

SECTIONS = {name: set(field.annotation.model_fields) for name, field in ParamsFile.model_fields.items()}  # type: ignore[union-attr]


def stages() -> dict[str, Any]:
    """Every stage of both dvc.yaml files, the templated one by its template."""
    yaml = YAML(typ="safe")
    own = yaml.load(ROOT / "dvc.yaml")["stages"]
    of_data = yaml.load(ROOT / "data" / "dvc.yaml")["stages"]
    return {name: stage.get("do", stage) for name, stage in (own | of_data).items()}


def script(stage: Any) -> Path:
    """The script of ``python -m package.module ...``."""
    return Path(stage["cmd"].removeprefix("exec ").split()[2].replace(".", "/") + ".py")


def modules(path: Path, seen: frozenset[Path] = frozenset()) -> frozenset[Path]:
    """The script and every first-party module that it imports, directly or not."""
    seen |= {path}
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            imported = Path(name.replace(".", "/") + ".py")
            if (ROOT / imported).is_file() and imported not in seen:
                seen |= modules(imported, seen)
    return seen


def params_read(path: Path) -> set[str]:
    """Every ``section.key`` that the code spells: ``params.train.seed``, or ``train.seed`` where train is handed on."""
    found = set()
    for module in modules(path) - {Path("stages/shared/params.py")}:
        for node in ast.walk(ast.parse((ROOT / module).read_text())):
            if isinstance(node, ast.Attribute):
                owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
                if node.attr in SECTIONS.get(owner, ()):
                    found.add(f"{owner}.{node.attr}")
    return found


@pytest.mark.parametrize("name", stages())
def test_deps_are_the_script_and_the_modules_that_it_imports(name: str) -> None:
    stage = stages()[name]
    declared = {Path(dep) for dep in stage["deps"] if dep.endswith(".py")}
    assert declared == modules(script(stage))


@pytest.mark.parametrize("name", ["prepare", "extract-features", "train-head", "evaluate"])
def test_params_are_the_keys_that_the_stage_reads(name: str) -> None:
    stage = stages()[name]
    read = params_read(script(stage))
    if name in ("extract-features", "evaluate"):
        assert "data.root" in read
        read.remove("data.root")  # it only says where to find bytes whose hash is known already
    assert set(stage.get("params", [])) == read


def test_every_param_is_read_by_a_stage() -> None:
    declared = {param for stage in stages().values() for param in stage.get("params", [])}
    assert declared == {f"{section}.{key}" for section, keys in SECTIONS.items() for key in keys}


def test_no_param_has_a_name_that_the_run_cache_forgets() -> None:
    keys = {key for section in SECTIONS.values() for key in section} | set(SECTIONS)
    assert not keys & {"size", "nfiles"}  # DVC drops these from the run-cache's key (treeverse/dvc#10296)


def test_every_path_in_a_command_is_declared() -> None:
    for name, stage in stages().items():
        outs = [next(iter(out)) if isinstance(out, dict) else out for out in stage["outs"] + stage.get("metrics", [])]
        declared = [*outs, *stage["deps"]]
        for path in stage["cmd"].removeprefix("exec ").split()[3:]:
            assert any(f"{known}/".startswith(f"{path}/") for known in declared) or path.startswith("${"), (name, path)
