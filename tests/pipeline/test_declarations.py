"""dvc.yaml says what the code does: DVC tracks no Python imports, so nothing else would notice."""

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from onepass.heads import all_head_keys
from onepass.params import BackboneParams, DataParams, PredictParams, SplitParams
from tests.builders import ROOT, Project

PIPELINE = ["prepare", "weights", "extract-features", "train-head", "evaluate", "report"]
SCHEMAS = (DataParams, SplitParams, BackboneParams, PredictParams, *all_head_keys())
DOWNLOADS = {"imagenet"}  # stages whose output is no function of our code
# Runs a stage as its command does, and then says which modules of ours it imported and which sections it read.
TRACED = """
import json, runpy, sys
from onepass.params import ParamsFile
read, sections = ParamsFile.read, set()
def recorded(self, schema, ignored=()):
    sections.add(schema.section)
    return read(self, schema, ignored)
ParamsFile.read = recorded
runpy.run_module(sys.argv.pop(1), run_name="__main__")
print(json.dumps({"modules": [name for name in sys.modules if name.startswith("onepass.")], "read": sorted(sections)}))
"""


def stages() -> dict[str, Any]:
    """Every stage of all dvc.yaml files."""
    yaml = YAML(typ="safe")
    files = [ROOT / "dvc.yaml", *sorted((ROOT / "data").rglob("dvc.yaml"))]
    return {name: stage for file in files for name, stage in yaml.load(file)["stages"].items()}


def words(stage: Any) -> list[str]:
    """The command itself: python -m package.module ARGUMENT..."""
    return str(stage["cmd"].split("&&")[-1]).removeprefix(" exec").split()


def script(stage: Any) -> Path:
    return Path(words(stage)[2].replace(".", "/") + ".py")


def unit(module: str) -> Path | None:
    """What a stage declares for a module of ours: its folder below onepass/, or the file; none for the package."""
    parts = module.split(".")
    if parts[0] != "onepass" or len(parts) == 1:
        return None
    folder = Path("onepass", parts[1])
    return folder if (ROOT / folder).is_dir() else folder.with_suffix(".py")


@cache
def imports(file: Path) -> frozenset[Path]:
    """The units that a file imports from, at its top or in a function."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {found_unit for name in names if (found_unit := unit(name))}
    return frozenset(found)


def all_imports(file: Path) -> set[Path]:
    """The units that a script imports from, directly or through others."""
    found: set[Path] = set()
    waiting = set(imports(file))
    while waiting:
        some = waiting.pop()
        found.add(some)
        files = (ROOT / some).rglob("*.py") if (ROOT / some).is_dir() else [ROOT / some]
        waiting |= {other for inner in files for other in imports(inner.relative_to(ROOT))} - found
    return found


@pytest.mark.parametrize("name", sorted(set(stages()) - DOWNLOADS))
def test_code_deps_are_the_script_and_all_that_it_can_import(name: str) -> None:
    stage = stages()[name]
    declared = {Path(dep) for dep in stage["deps"] if dep.startswith("onepass/") or dep.endswith(".py")}
    assert declared == all_imports(script(stage)) | {script(stage)}


def test_a_download_depends_on_no_code() -> None:
    assert all("deps" not in stages()[name] for name in DOWNLOADS)


@pytest.mark.slow
@pytest.mark.parametrize("name", PIPELINE)
def test_a_run_imports_and_reads_only_what_is_declared(name: str, settled: Project) -> None:
    stage = stages()[name]
    if name == "extract-features":  # so that it has something to compute
        settled.run("rm", "-r", ".dvc/cache/onepass", "data/features", "dvc.lock")
    output = settled.run("python", "-c", TRACED, words(stage)[2], *words(stage)[3:])
    traced = json.loads(output.splitlines()[-1])
    assert {unit(module) for module in traced["modules"]} <= {Path(dep) for dep in stage["deps"]}
    declared = {param.split(".")[0] for param in stage["params"]}
    # Two only look there for bytes whose hash is known already; train-head checks all params, and can only refuse.
    undeclared = {"extract-features": {"data"}, "report": {"data"}, "train-head": {"data", "split"}}
    assert set(traced["read"]) == declared | undeclared.get(name, set())


def test_every_param_is_declared_by_a_stage_of_the_pipeline() -> None:
    declared = {param for name in PIPELINE for param in stages()[name]["params"]}
    assert {schema.section for schema in SCHEMAS} <= declared


def test_params_yaml_states_every_key() -> None:
    content = YAML(typ="safe").load(ROOT / "params.yaml")
    assert content.keys() == {schema.section for schema in SCHEMAS}
    for schema in SCHEMAS:
        assert content[schema.section].keys() == set(schema.model_fields)


def test_no_param_has_a_name_that_the_run_cache_forgets() -> None:
    keys = {key for schema in SCHEMAS for key in (schema.section, *schema.model_fields)}
    assert not keys & {"size", "nfiles"}  # DVC drops these from the run-cache's key (treeverse/dvc#10296)


def test_every_path_in_a_command_is_declared() -> None:
    for name, stage in stages().items():
        entries = [*stage["outs"], *stage.get("metrics", []), *stage.get("deps", [])]
        declared = [path for entry in entries for path in ([entry] if isinstance(entry, str) else entry)]
        for path in words(stage)[3:]:
            assert any(f"{known}/".startswith(f"{path}/") for known in declared), (name, path)


def test_dvc_yaml_stays_readable() -> None:
    assert len((ROOT / "dvc.yaml").read_text().splitlines()) <= 120
