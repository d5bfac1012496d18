"""What dvc.lock says of the run that made the outputs: more than params.yaml, which may have been edited since."""

import json
from typing import Any

from ruamel.yaml import YAML

SEEDS = ["train.seed", "split.seed"]


class Lock:
    """The content of a dvc.lock."""

    def __init__(self, content: bytes) -> None:
        self._stages: dict[str, Any] = (YAML(typ="safe").load(content) or {}).get("stages", {})
        outs = [out for stage in self._stages.values() for out in stage.get("outs", [])]
        self.made: dict[str, str] = {out["path"]: out["md5"] for out in outs}  # digests of all outputs

    @property
    def recipe(self) -> str:
        """All that decides the outputs, but seeds: commands, params, and the code and data from outside by digest."""
        recipe = {
            name: {
                "cmd": stage["cmd"],
                "params": {key: value for key, value in _params(stage).items() if key not in SEEDS},
                "deps": self._from_outside(stage),
            }
            for name, stage in self._stages.items()
        }
        return json.dumps(recipe, sort_keys=True)

    @property
    def seeds(self) -> list[int]:
        """By SEEDS; 0 where no stage has one."""
        return [self.params.get(key, 0) for key in SEEDS]

    @property
    def params(self) -> dict[str, Any]:
        """Those of all stages, by the names of params.yaml: train.seed."""
        return {key: value for stage in self._stages.values() for key, value in _params(stage).items()}

    @property
    def sources(self) -> dict[str, str | None]:
        """Digests of the code and the data that came from outside, by path."""
        return {path: md5 for stage in self._stages.values() for path, md5 in self._from_outside(stage).items()}

    def _from_outside(self, stage: dict[str, Any]) -> dict[str, str | None]:
        return {dep["path"]: dep.get("md5") for dep in stage.get("deps", []) if dep["path"] not in self.made}


def _params(stage: dict[str, Any]) -> dict[str, Any]:
    return dict(stage.get("params", {}).get("params.yaml", {}))
