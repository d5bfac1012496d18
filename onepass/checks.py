"""Whether a params.yaml can be used, all of it and before any work, and whether what was changed does anything.

What only the classes of the photos and the layers of the network can tell waits until prepare has run, and no longer:
no photo passes the network for a head that could not be trained.

This can only refuse: what comes out of a stage does not depend on it.
"""

import subprocess
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from onepass.backbones import check_backbone, resolve
from onepass.core import UserError, read_yaml
from onepass.features import shape_of_rows
from onepass.heads import (
    FineTuning,
    HeadPlan,
    all_head_keys,
    check_pooling,
    read_head_plan,
    read_head_section,
    resolve_activation,
    unfrozen_layers,
)
from onepass.params import (
    INPUT,
    NONE,
    BackboneParams,
    DataParams,
    ParamsError,
    ParamsFile,
    PredictParams,
    SplitParams,
    unknown_key,
)
from onepass.photos import Assignment, read_rows

SCHEMAS = {schema.section: schema for schema in (DataParams, SplitParams, BackboneParams, PredictParams)}
SECTIONS = ("data", "split", "backbone", "head", "train", "predict")


def check_params(params: ParamsFile, prepared: Path | None = None) -> None:
    """Refuses params that cannot be used, and a run in which nothing that differs from the last commit is read.

    Says which changes are not read, where others are.

    Args:
        prepared: the folder that prepare has written; with it, what does not fit the classes or the network is refused.

    Raises:
        ParamsError: a line for each key that is wrong, or that does nothing.

    """
    if problems := problems_of(params) or (misfits(params, prepared) if prepared else []):
        raise ParamsError(problems)
    changed = changed_keys(params)
    idle = idle_keys(params, changed)
    if idle and len(idle) == len(changed):
        raise ParamsError(list(idle.values()))
    for line in idle.values():
        print(f"without effect: {line}", flush=True)


def problems_of(params: ParamsFile) -> list[str]:
    """A line for each key that is wrong, section by section."""
    unknown = [name for name in params.section_names if name not in SECTIONS]
    problems = [f"{name}: {unknown_key(str(name), SECTIONS)}" for name in unknown]
    for check in (_data, _split, _backbone, _head, _train, _predict, _together):
        try:
            check(params)
        except ParamsError as error:  # the last check reads what those before it read: each problem once
            problems += [problem for problem in error.problems if problem not in problems]
    return problems


def misfits(params: ParamsFile, prepared: Path) -> list[str]:
    """A line for each key, of params without problems, that does not fit the classes of the photos or the network.

    The network is loaded only where the params ask for more of it than this machine has noted. What is not there yet
    is not missed: who needs it says so.
    """
    backbone = params.read(BackboneParams)
    plan = read_head_plan(params, backbone)
    problems: list[str] = []
    for check in (_activation, _shape, _unfrozen):
        try:
            check(plan, backbone, prepared)
        except UserError as error:  # also of weights that two of them read: each problem once
            problems += [str(error)] if str(error) not in problems else []
    return problems


def idle_keys(params: ParamsFile, changed: Collection[str]) -> dict[str, str]:
    """Of these keys, section.key, those that nothing reads with these params; each with a line that says so."""
    unread = _unread_keys(params)
    idle = {}
    for name in changed:
        if name in unread:
            section = name.split(".")[0]
            read = [key.split(".")[1] for key in known_keys() if key.startswith(f"{section}.") and key not in unread]
            idle[name] = (
                f"{name}: {params.value(*name.split('.'))} given, which {unread[name]} does not read; "
                f"of {section} it reads {', '.join(sorted(read))}"
            )
    return idle


def _unread_keys(params: ParamsFile) -> dict[str, str]:
    """The keys, section.key, that nothing reads with these params, each with the param because of which."""
    backbone = params.read(BackboneParams)
    source, _ = check_backbone(backbone)
    plan = read_head_plan(params, backbone)
    kind = f"head.kind: {plan.kind.name}"
    unread = {f"backbone.{key}": why for key, why in source.unread_keys(backbone).items()}
    if backbone.pooling == NONE:
        unread.setdefault("backbone.special_tokens", f"backbone.pooling: {NONE}")
    if backbone.resize != "crop":
        unread["backbone.crop_fraction"] = f"backbone.resize: {backbone.resize}"
    for every, own in zip(all_head_keys(), (plan.head, plan.train), strict=True):
        unread |= {f"{every.section}.{key}": kind for key in set(every.model_fields) - set(type(own).model_fields)}
    if isinstance(plan.train, FineTuning) and plan.unfreeze == NONE:
        unread["train.batch_norm"] = f"{kind} without train.unfreeze"
    return unread


def changed_keys(params: ParamsFile) -> list[str]:
    """The keys that are given another value than the committed one; none where nothing is committed."""
    try:
        before = ParamsFile(committed_params())
    except UserError:
        return []
    values = {name: params.value(*name.split(".")) for name in known_keys()}
    return [name for name, value in values.items() if value not in (None, before.value(*name.split(".")))]


def known_keys() -> dict[str, FieldInfo]:
    """Every key that params.yaml can have, section.key, those of all kinds of heads too."""
    schemas = (*SCHEMAS.values(), *all_head_keys())
    return {f"{schema.section}.{key}": field for schema in schemas for key, field in schema.model_fields.items()}


def committed_params() -> dict[str, Any]:
    """The content of the params.yaml of git's HEAD. UserError: there is none."""
    try:
        text = subprocess.run(["git", "show", "HEAD:./params.yaml"], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError("params.yaml is not committed: an experiment starts from the last commit of git.") from error
    content = read_yaml(text, "params.yaml of HEAD")
    if not isinstance(content, dict):
        raise UserError("params.yaml of HEAD has no sections: an experiment starts from the last commit of git.")
    return content


def _data(params: ParamsFile) -> None:
    params.read(DataParams)


def _split(params: ParamsFile) -> None:
    params.read(SplitParams)


def _backbone(params: ParamsFile) -> None:
    check_backbone(params.read(BackboneParams))


def _head(params: ParamsFile) -> None:
    read_head_section(params)


def _train(params: ParamsFile) -> None:
    params.read(all_head_keys()[1])


def _predict(params: ParamsFile) -> None:
    params.read(PredictParams)


def _together(params: ParamsFile) -> None:
    read_head_plan(params, params.read(BackboneParams))


def _activation(plan: HeadPlan, _backbone: BackboneParams, prepared: Path) -> None:
    splits = prepared / "splits.csv"
    if splits.is_file():
        resolve_activation(plan.head.activation, sorted({row.label for row in read_rows(splits, Assignment)}))


def _shape(plan: HeadPlan, backbone: BackboneParams, prepared: Path) -> None:
    if plan.needs_shape and _is_there(backbone):
        plan.check_shape(shape_of_rows(resolve(backbone), prepared.with_name("features")))


def _unfrozen(plan: HeadPlan, backbone: BackboneParams, _prepared: Path) -> None:
    make_layers = unfrozen_layers(plan, resolve(backbone)) if _is_there(backbone) else None
    if make_layers:
        check_pooling(plan.head.pooling, make_layers().output_shape[1:])


def _is_there(backbone: BackboneParams) -> bool:
    """Whether the network can be asked."""
    return backbone.layer == INPUT or Path(backbone.weights).exists()
