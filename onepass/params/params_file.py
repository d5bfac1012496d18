"""The file params.yaml: readable YAML of a bounded size, its sections given out on demand, and its errors in words."""

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from onepass.core import UserError, listed, read_yaml
from onepass.params.allowed_values import allowed_values
from onepass.params.sections import Section

PARAMS_FILE = Path("params.yaml")
LARGEST_FILE = 1 << 20  # bytes; parameters are a page of text
LONGEST_VALUE = 100  # characters of a value in a message
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
            problems: dict[str, str] = {}  # a union of types reports each of its members: the key is named once
            for problem in error.errors():
                key = ".".join(map(str, (name, *problem["loc"][:1])))
                problems.setdefault(key, key + _sentence(problem, schema, content))
            raise ParamsError(list(problems.values()), self._path) from error


def read_params(path: Path = PARAMS_FILE) -> ParamsFile:
    """The params.yaml of the project. UserError where it is missing or no plain YAML."""
    if not path.is_file():
        raise UserError(f"{path} is missing. Run from the root of the project, where {path} and dvc.yaml are.")
    if path.stat().st_size > LARGEST_FILE:
        raise UserError(f"{path} has {path.stat().st_size:,} bytes; allowed: {LARGEST_FILE:,}.")
    content = read_yaml(path.read_bytes(), str(path))
    if not isinstance(content, dict):
        raise ParamsError(["expected the sections data, split, backbone, head, train and predict"], path)
    return ParamsFile(content, path)


def unknown_key(key: str, allowed: Collection[str]) -> str:
    """A key that nothing reads: the nearest that there is, and all of them."""
    nearest = difflib.get_close_matches(key, allowed, n=1)
    return f"unknown key{f', is {nearest[0]} meant?' if nearest else ''}; allowed: {', '.join(allowed)}"


def _sentence(problem: Any, schema: type[Section], content: Mapping[str, Any]) -> str:
    """One entry of pydantic's report in our words: what was given, what is allowed."""
    if problem["type"] == "value_error":  # from our own checks, which begin with the key
        return f".{problem['ctx']['error']}"
    if problem["type"] == "missing":
        return ": missing; add it back (the params.yaml of the project says what each key means)"
    key = problem["loc"][0]
    if key not in schema.model_fields:
        return f": {unknown_key(str(key), schema.model_fields)}"
    return f": {_shortened(repr(content[key]))} given; allowed: {allowed_values(schema, key)}"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
