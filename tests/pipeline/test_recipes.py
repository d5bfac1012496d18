"""Every named way to classify photos is complete, and runs by its name."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from onnx import save_model

from onepass.cli.recipes import command
from onepass.core import UserError
from onepass.heads import all_head_keys
from onepass.params import BackboneParams
from onepass.trials import read_recipe
from tests.builders import ROOT, Project, new_project
from tests.hostile.onnx_files import network
from tests.unit.backbones.old_weights import write_by_number
from tests.unit.backbones.test_onnx_network import tokens_network

OF_ONNX = {"convnext-tiny", "dinov2-small", "efficientnetv2-b0", "siglip-base", "swin-tiny"}
GIVE_MAPS = {"convnext-tiny", "efficientnetv2-b0"}
FILES = sorted((ROOT / "recipes").glob("*.yaml"))
NAMES = [path.stem for path in FILES]
OF_THE_SOURCES = {
    "article-bottleneck",
    "article-legacy-weights",
    "question-cnn",
    "question-frozen-vgg16",
    "question-frozen-resnet50",
    "question-frozen-inceptionv3",
    "question-frozen-mobilenet",
    "answer-intermediate-layer",
    "answer-unfreeze-last",
}


def test_every_system_of_the_sources_has_a_recipe_and_ours_stands_beside_them() -> None:
    assert set(NAMES) > OF_THE_SOURCES
    assert "ours" in NAMES


def test_the_list_shows_every_recipe_with_its_reason_and_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    lines = CliRunner().invoke(command, ["list"]).output.splitlines()
    for name, path in zip(NAMES, FILES, strict=True):
        recipe, place = read_recipe(path), lines.index(name)
        assert lines[place + 1 : place + 3] == [f"    {recipe.why}", f"    Source: {recipe.source}"]
        assert recipe.why.rstrip().endswith(".")


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_recipe_states_only_what_differs_from_the_defaults(path: Path) -> None:
    defaults = {
        schema.section: {key: field.default for key, field in schema.model_fields.items()}
        for schema in (BackboneParams, *all_head_keys())
    }
    for section, values in read_recipe(path).params.items():
        for key, value in values.items():
            assert key == "kind" or value != defaults[section][key], f"{section}.{key}"


@pytest.mark.parametrize(
    "text",
    ["why: x\n", "- a list\n", "why: a\nsource: b\nparams: {}\n", "why: [\n"],
    ids=["short", "list", "no params", "no YAML"],
)
def test_a_file_that_is_no_recipe_is_refused_by_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(UserError, match=r"mine\.yaml is no recipe"):
        read_recipe(tmp_path / "mine.yaml")


def test_an_unknown_name_is_refused_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(UserError, match=r"No recipe theirs in recipes/; there are: answer-"):
        command.main(["run", "ours", "theirs"], standalone_mode=False)


def test_a_run_is_dvc_exp_run_with_every_parameter_and_the_changes_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    dvc = tmp_path / "dvc"
    dvc.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\nexit 3\n')
    dvc.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert CliRunner().invoke(command, ["run", "question-cnn", "--queue", "-S", "train.epochs=1"]).exit_code == 3
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments[:4] == ["exp", "run", "--name", "question-cnn"]
    assert arguments[-3:] == ["--queue", "--set-param", "train.epochs=1"]
    assert "head.hidden_units=[120,60]" in arguments
    named = {argument.partition("=")[0] for argument in arguments}
    schemas = (BackboneParams, *all_head_keys())
    assert named >= {f"{schema.section}.{key}" for schema in schemas for key in schema.model_fields}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("recipes") / "project")
    project.run("dvc", "repro", "data/dvc.yaml:digit-images")
    return project


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with random weights of every network in the recipes: the mechanics need no others."""
    from onepass.backbones import build_application

    folder = tmp_path_factory.mktemp("weights")
    for name in OF_ONNX:
        write_onnx(folder / name, read_recipe(ROOT / "recipes" / f"{name}.yaml").params["backbone"])
    for name in {read_recipe(path).params["backbone"]["name"] for path in FILES} - {"custom", "onnx"}:
        network = build_application(name, 75)
        network.save_weights(folder / f"{name}.weights.h5")
        if name == "VGG16":
            write_by_number(folder / "oldest.h5", network)
    return folder


def write_onnx(folder: Path, backbone: dict[str, Any]) -> None:
    """A small network with the outputs that a recipe expects, beside what a publisher says of the images."""
    special = backbone.get("special_tokens", 1)
    model = network(["n", 3, 32, 32]) if folder.name in GIVE_MAPS else tokens_network(special, (32 // 16) ** 2, 6)
    if folder.name in GIVE_MAPS and "layer" in backbone:
        model.graph.node[-1].output[0] = model.graph.output[0].name = backbone["layer"]
    folder.mkdir()
    save_model(model, folder / "model.onnx")
    told = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": {"height": 32, "width": 32}}
    (folder / "preprocessor_config.json").write_text(json.dumps(told))


@pytest.mark.more
@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_runs_on_the_digits(name: str, digits: Project, weights: Path) -> None:
    network_name = read_recipe(ROOT / "recipes" / f"{name}.yaml").params["backbone"]["name"]
    changes = {
        "train.epochs": 1,
        "data.root": "data/digits/images",
        "backbone.image_side": 75 if "inception" in name else 32,
    }
    if name == "article-legacy-weights":
        changes["backbone.weights"] = str(weights / "oldest.h5")
    elif name in OF_ONNX:
        changes["backbone.weights"] = str(weights / name)
    elif network_name != "custom":
        changes["backbone.weights"] = str(weights / f"{network_name}.weights.h5")
    if "sigmoid" in (ROOT / "recipes" / f"{name}.yaml").read_text():
        changes["head.activation"] = "softmax"  # the digits have five classes
    options = [part for key, value in changes.items() for part in ("--set-param", f"{key}={value}")]
    output = digits.run("python", "-m", "onepass", "recipes", "run", name, *options)
    assert f"Ran experiment(s): {name}" in output
    assert "on 163 test images" in output
