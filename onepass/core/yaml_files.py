"""YAML as DVC reads and writes it, by PyYAML's loader in C."""

import math
import re
from typing import Any

import yaml

from onepass.core.errors import UserError

TAG = "tag:yaml.org,2002:"  # what the names of YAML's own types begin with
NAMES = {"timestamp": "a date", "binary": "bytes"}
DEEPEST = 20  # sections and lists inside one another, in a file that people write


def read_yaml(content: bytes, name: str) -> Any:
    """The one document of a YAML file that people write: no aliases, no key twice, of a bounded depth.

    YAML 1.2's core schema, as DVC reads it: 1e-05 is a number, and only true and false are truth values. Dates, bytes
    and other types that no parameter has are refused, for DVC would read them as such.

    Args:
        name: of the file, for the message.

    Raises:
        UserError: anything else.

    """
    try:
        text = content.decode()
        _check_events(text, name)
        _check_types(yaml.compose(text, _Loader), name, [])
        return load_yaml(text)
    except UnicodeDecodeError as error:
        line, column = content.count(b"\n", 0, error.start) + 1, error.start - content.rfind(b"\n", 0, error.start)
        raise UserError(
            f"{name} is not UTF-8: byte 0x{content[error.start]:02x} in line {line}, column {column}. Save it as UTF-8."
        ) from error
    except yaml.YAMLError as error:
        raise UserError(f"{name} is not readable YAML: {yaml_problem(error)}") from error


def yaml_problem(error: yaml.YAMLError) -> str:
    """What a reader of YAML says, and where, in one line."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return next(iter(str(error).splitlines()), "empty")
    said = ", ".join(filter(None, (getattr(error, "context", None), getattr(error, "problem", None))))
    return f"{said}, line {mark.line + 1}, column {mark.column + 1}"


def load_yaml(content: str | bytes) -> Any:
    """The one document of YAML that a program wrote, with the scalars of YAML 1.2. yaml.YAMLError: it is none."""
    try:
        return yaml.load(content, _Loader)  # noqa: S506 - a subclass of the safe loader
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # PyYAML lets them through: ValueError for !!int many, KeyError for !!bool many, TypeError for !!set [a].
        raise yaml.YAMLError(str(error)) from error


def replaced_scalar(content: bytes, path: tuple[str, ...], value: str) -> bytes:
    """A YAML file in which a text stands in the place of a scalar, and everything else byte for byte as before.

    Args:
        content: of the file, with mappings inside one another.
        path: the keys that lead to the scalar, which is there.
        value: the text.

    """
    text = content.decode()
    node: Any = yaml.compose(text, yaml.SafeLoader)  # the loader in Python: its marks count characters
    for name in path:
        node = next(inner for key, inner in node.value if key.value == name)
    quoted = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=math.inf).strip()[1:-1]
    return (text[: node.start_mark.index] + quoted + text[node.end_mark.index :]).encode()


def _check_events(text: str, name: str) -> None:
    """Before anything is built: aliases can blow a small file up to gigabytes, and no parameter needs one."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise UserError(f"{name} has a YAML alias (*name); write the value out instead.")
        if depth > DEEPEST:
            raise UserError(f"{name} has more than {DEEPEST} sections and lists inside one another.")


def _check_types(node: yaml.Node | None, name: str, path: list[str]) -> None:
    """Refuses dates, bytes and whatever else is not a text, a number, a truth value, nothing, a list or a section."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _check_types(key, name, path)
            _check_types(value, name, [*path, str(key.value)])
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check_types(value, name, path)
    if node is None:
        return
    kind = node.tag.removeprefix(TAG)
    fits = kind not in SCALARS or re.fullmatch(SCALARS[kind][0], node.value)
    if not fits or kind not in (*SCALARS, "str", "map", "seq"):
        given = f"{node.value!r} given, " if isinstance(node, yaml.ScalarNode) else ""
        raise UserError(
            f"{name}: {'.'.join(path) or 'the whole file'}: {given}which YAML reads as {NAMES.get(kind, kind)}, line "
            f"{node.start_mark.line + 1}; allowed: texts, numbers, true, false, lists. Put a text in quotes."
        )


class _Loader(yaml.CSafeLoader):
    """The loader in C, with the scalars of YAML 1.2 and an eye for keys that stand twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own name and type

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        lines: dict[str, int] = {}
        for key_node, _ in node.value:
            key, line = str(self.construct_object(key_node, deep=True)), key_node.start_mark.line + 1
            if key in lines:
                raise yaml.YAMLError(f'duplicate key "{key}" in line {line}; it stands in line {lines[key]} too')
            lines[key] = line
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping

    def construct_int(self, node: Any) -> int:
        """PyYAML would read 010 as 8."""
        text = str(self.construct_scalar(node))
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


SCALARS = {  # tag: pattern, and the characters that it may begin with
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
}
# A day, or a day with a time: no type of ours, but DVC reads them so.
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}.*"
for _name, (_pattern, _first) in {**SCALARS, "timestamp": (DATE, list("0123456789"))}.items():
    _Loader.add_implicit_resolver(f"{TAG}{_name}", re.compile(rf"(?:{_pattern})\Z"), _first)
_Loader.add_constructor(f"{TAG}int", _Loader.construct_int)
