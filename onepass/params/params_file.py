"""The file params.yaml: readable YAML of a bounded size, its sections given out on demand, and its errors in words."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from onepass.core import UserError, listed, read_yaml
from onepass.params.sections import Section

PARAMS_FILE = Path("params.yaml")
LARGEST_FILE = 1 << 20  # bytes; parameters are a page of text
AnySection = TypeVar("AnySection", bound=Section)


class ParamsError(UserError):
    """What is wrong in params.yaml: a line a key, with what was given and what is allowed."""

    def __init__(self, problems: list[str], path: Path = PARAMS_FILE) -> None:
        super().__init__(f"{path} cannot be used:\n{listed(problems, most=20)}")
        self.problems = problems


class ParamsFile:
    """The content of a params.yaml."""

    def __init__(self, content: Mapping[str, Any], path: Path = PARAMS_FILE) -> None:
        self._content = content
        self._path = path

    @property
    def section_names(self) -> list[str]:
        """The sections that the file has, in its order."""
        return list(self._content)

    def value(self, section: str, key: str) -> Any:
        """What stands in the file, unchecked; None where nothing does."""
        content = self._content.get(section)
        return content.get(key) if isinstance(content, Mapping) else None

    def read(self, schema: type[AnySection], ignored: Collection[str] = ()) -> AnySection:
        """A section, checked, with its defaults.

        Args:
            ignored: keys that may stand in the file and are not for this schema.

        Raises:
            ParamsError: names each key that is wrong, what was given and what is allowed.

        """
        name = schema.section
        content = self._content.get(name, {})
        if not isinstance(content, Mapping):
            keys = ", ".join(schema.model_fields)
            raise ParamsError([f"{name}: {content!r} given; allowed: a section with the keys {keys}"], self._path)
        try:
            return schema.model_validate({key: value for key, value in content.items() if key not in ignored})
        except ValidationError as error:
            problems: dict[str, list[str]] = {}  # a union of types reports each of its members: join them
            for problem in error.errors():
                key = ".".join(map(str, (name, *problem["loc"][:1])))
                problems.setdefault(key, []).append(_sentence(problem, schema))
            raise ParamsError([key + " or".join(said) for key, said in problems.items()], self._path) from error


def read_params(path: Path = PARAMS_FILE) -> ParamsFile:
    """The params.yaml of the project. UserError where it is missing or no plain YAML."""
    if not path.is_file():
        raise UserError(f"{path} is missing. Run from the root of the project, where {path} and dvc.yaml are.")
    if path.stat().st_size > LARGEST_FILE:
        raise UserError(f"{path} has {path.stat().st_size:,} bytes; allowed: {LARGEST_FILE:,}.")
    content = read_yaml(path.read_bytes(), str(path))
    if not isinstance(content, dict):
        raise ParamsError(["expected the sections data, split, backbone, head and train"], path)
    return ParamsFile(content, path)


def _sentence(problem: Any, schema: type[Section]) -> str:
    """One entry of pydantic's report in our words: what was given, what is allowed."""
    if problem["type"] == "extra_forbidden":
        return f": unknown key; allowed: {', '.join(schema.model_fields)}"
    if problem["type"] == "missing":
        return ": missing; add it back (the params.yaml of the project says what each key means)"
    if problem["type"] == "value_error":  # from our own checks, which begin with the key
        return f".{problem['ctx']['error']}"
    allowed = re.sub("^(Input|String|List) | after validation.*", "", problem["msg"])
    return f": {problem['input']!r} given; {allowed}"
