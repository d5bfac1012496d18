"""What dvc.lock says of the run that made the results, and whether they belong to their params.

dvc.lock can be a mix of two runs, where the later one failed midway; and params.yaml may have been edited since.
"""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from onepass.core import LockedStage, UserError, load_yaml, parse_lock
from onepass.dvc_repo import read_tracked

SEEDS = ("train.seed", "split.seed")
PRESENTATION = "report"  # the stage whose params and code change no result
MOST_SHOWN = 3  # params that differ


class Lock:
    """A dvc.lock, or several: more than params.yaml, which may have been edited since."""

    def __init__(self, *contents: bytes) -> None:
        """UserError: one is not readable."""
        self._stages: dict[str, LockedStage] = {}
        for content in contents:
            self._stages |= parse_lock(content)
        outs = [(out, name) for name, stage in self._stages.items() for out in stage.outs]
        self.made: dict[str, str | None] = {out.path: out.md5 for out, _ in outs}  # digests of all outputs
        self._makers = {out.path: name for out, name in outs}
        self._stages.pop(PRESENTATION, None)

    @property
    def recipe(self) -> str:
        """All that decides the results, but seeds: commands, params, and the code and data from outside by digest."""
        recipe = {
            name: {
                "cmd": stage.cmd,
                "params": {key: value for key, value in _flat(_recorded(stage)).items() if key not in SEEDS},
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
        return {key: value for stage in self._stages.values() for key, value in _flat(_recorded(stage)).items()}

    @property
    def sources(self) -> dict[str, str | None]:
        """Digests of the code and the data that came from outside, by path."""
        return {path: md5 for stage in self._stages.values() for path, md5 in self._from_outside(stage).items()}

    def why_stale(self, path: str, params: Any) -> str:
        """Why an output does not belong to the content of params.yaml; empty where it does.

        Only the stages behind the output count: what comes after it, such as a report, changes nothing in it.
        """
        stages = self._behind(path)
        edited = {text: None for stage in stages.values() for text in _edited(_recorded(stage), params)}
        if edited:
            more = f"; and {len(edited) - MOST_SHOWN} more" if len(edited) > MOST_SHOWN else ""
            return f"its results were made {'; '.join(list(edited)[:MOST_SHOWN])}{more}"
        for name, stage in stages.items():
            for dep in stage.deps:
                if dep.md5 != self.made.get(dep.path, dep.md5):
                    return (
                        f"its results are of two runs: {name} read another {dep.path} than "
                        f"{self._makers[dep.path]} has made since"
                    )
        return ""

    def _behind(self, path: str) -> dict[str, LockedStage]:
        """The stages without which an output would not be there, by name."""
        found: dict[str, LockedStage] = {}
        wanted = [path]
        while wanted:
            name = self._makers.get(wanted.pop())
            if name in self._stages and name not in found:
                found[name] = self._stages[name]
                wanted += [dep.path for dep in found[name].deps]
        return found

    def _from_outside(self, stage: LockedStage) -> dict[str, str | None]:
        return {dep.path: dep.md5 for dep in stage.deps if dep.path not in self.made}


def read_lock(files: Any, *paths: str) -> Lock:
    """The dvc.lock files of ``dvc_files`` or ``files_at``; as if empty where there is none."""
    return Lock(*(read_tracked(files, path) for path in paths))


def read_params_of(files: Any) -> Any:
    """The content of the params.yaml of ``dvc_files`` or ``files_at``. UserError: it is not readable."""
    try:
        return load_yaml(read_tracked(files, "params.yaml")) or {}
    except yaml.YAMLError as error:
        raise UserError(f"params.yaml cannot be read: {error}. Mend it.") from error


def as_written(value: Any) -> str:
    """The value of a param as params.yaml would have it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _recorded(stage: LockedStage) -> dict[str, Any]:
    """The params that a stage declared, sections or keys, as they were when it ran."""
    return stage.params.get("params.yaml", {})


def _flat(declared: dict[str, Any]) -> dict[str, Any]:
    """By section.key, also where a stage declares a whole section."""
    flat: dict[str, Any] = {}
    for name, value in declared.items():
        flat |= {f"{name}.{key}": inner for key, inner in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _edited(recorded: dict[str, Any], params: Any) -> Iterator[str]:
    """What was recorded and is something else in params.yaml, which may leave out what has a default."""
    then, now = _flat(recorded), _flat(dict(_standing(recorded, params)))
    for key in then | now:
        if key not in then:
            yield f"without {key}, params.yaml says {as_written(now[key])}"
        elif key not in now:
            yield f"with {key} {as_written(then[key])}, params.yaml has none"
        elif then[key] != now[key]:
            yield f"with {key} {as_written(then[key])}, params.yaml says {as_written(now[key])}"


def _standing(names: dict[str, Any], params: Any) -> Iterator[tuple[str, Any]]:
    """Those sections and keys that params.yaml has, by the names under which stages declare them."""
    for name in names:
        found = params
        for part in name.split("."):
            found = found.get(part, ...) if isinstance(found, dict) else ...
        if found is not ...:
            yield name, found
