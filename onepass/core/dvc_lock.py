"""What DVC writes down of a run: dvc.lock, as far as this project reads it."""

from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from onepass.core.errors import UserError, first_line
from onepass.core.yaml_files import load_yaml


class Recorded(BaseModel):
    """A file or a folder that a stage read or made."""

    model_config = ConfigDict(strict=True)
    path: str
    md5: str | None = None  # of a folder that of its listing, and .dir


class LockedStage(BaseModel):
    """A stage as it was when it last ran."""

    model_config = ConfigDict(strict=True)
    cmd: str | list[str]
    deps: list[Recorded] = []
    outs: list[Recorded] = []
    params: dict[str, dict[str, Any]] = {}  # by file


class _Locked(BaseModel):
    model_config = ConfigDict(strict=True)
    stages: dict[str, LockedStage] = {}


def parse_lock(content: bytes) -> dict[str, LockedStage]:
    """What a dvc.lock says of each stage, by name; of an empty one nothing. UserError: it is none."""
    try:
        return _Locked.model_validate(load_yaml(content) or {}).stages
    except (yaml.YAMLError, ValidationError) as error:
        raise UserError(
            f"dvc.lock cannot be read: {first_line(error)}. `git checkout dvc.lock` brings back what was committed; "
            "where git has marked a conflict of two people in it, keep either side and run `dvc repro`."
        ) from error
