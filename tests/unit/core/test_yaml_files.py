"""YAML means to us what it means to DVC, and whatever is no plain YAML is refused in words."""

import re
from typing import Any

import pytest
import yaml
from dvc.utils.serialize import parse_yaml

from onepass.core import UserError, load_yaml, read_yaml, replaced_scalar
from onepass.core.yaml_files import DEEPEST
from tests.builders import ROOT

SCALARS: dict[str, Any] = {
    "1e-05": 1e-05,  # as DVC writes it; a text in YAML 1.1
    "1e5": 100000.0,
    "1.5e+3": 1500.0,
    ".5": 0.5,
    "5.": 5.0,
    "-.inf": float("-inf"),
    ".nan": float("nan"),
    "010": 10,  # 8 in YAML 1.1
    "-010": -10,
    "08": 8,
    "0o10": 8,
    "0x1F": 31,
    "+1": 1,
    "yes": "yes",  # True in YAML 1.1, as the next five or their opposite
    "no": "no",
    "on": "on",
    "off": "off",
    "y": "y",
    "No": "No",
    "1:30": "1:30",  # 90 in YAML 1.1
    "'1'": "1",
    "1e": "1e",
    "0o8": "0o8",
    "true": True,
    "False": False,
    "~": None,
    "null": None,
    "": None,
}


@pytest.mark.parametrize(("text", "expected"), SCALARS.items())
def test_a_scalar_is_what_yaml_1_2_and_dvc_say(text: str, expected: object) -> None:
    content = f"key: {text}\n"
    read = read_yaml(content.encode(), "params.yaml")
    assert repr(read) == repr({"key": expected})  # by repr, which tells 1 from 1.0 and knows nan
    assert repr(load_yaml(content)) == repr(read)
    assert repr(parse_yaml(content, "params.yaml")) == repr(read)


@pytest.mark.parametrize("name", ["params.yaml", "dvc.yaml"])
def test_the_files_of_the_project_are_read_as_dvc_reads_them(name: str) -> None:
    content = (ROOT / name).read_bytes()
    assert read_yaml(content, name) == parse_yaml(content.decode(), name)


def test_text_beyond_ascii_stays_as_it_is() -> None:
    assert read_yaml("root: fotos/größe 猫\n".encode(), "params.yaml") == {"root": "fotos/größe 猫"}


def test_an_empty_file_is_nothing() -> None:
    assert read_yaml(b"# only a comment\n", "params.yaml") is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"data: [", "is not readable YAML: while parsing"),
        (b"data: \xff", "is not UTF-8: byte 0xff in line 1, column 7. Save it as UTF-8."),
        (b"data: \x00", "is not readable YAML: unacceptable character"),
        ("data: 1".encode("utf-16"), "is not UTF-8: byte 0xff in line 1, column 1. Save it as UTF-8."),
        (b"data: 1\n---\ndata: 2\n", "is not readable YAML: expected a single document"),
        (
            b"data:\n  root: a\n  root: b\n",
            'is not readable YAML: duplicate key "root" in line 3; it stands in line 2 too',
        ),
        (b"data: 1\nsplit: 2\ndata: 1\n", 'duplicate key "data" in line 3; it stands in line 1 too'),
        (b"1: a\n'1': b\n", 'duplicate key "1" in line 2; it stands in line 1 too'),
        (b"data: &a {root: x}\nsplit: *a\n", "has a YAML alias (*name); write the value out instead."),
        (b"? [1]\n: 2\n", "is not readable YAML: while constructing a mapping"),
        (b"seed: " + b"1" * 5000, "is not readable YAML: Exceeds the limit"),
        # PyYAML raises bare errors of Python for these six.
        (b"seed: !!int many\n", ": seed: 'many' given, which YAML reads as int, line 1; allowed: texts, numbers, "),
        (b"root: !!timestamp 2024-02-30\n", ": root: '2024-02-30' given, which YAML reads as a date, line 1; "),
        (b"root: !!timestamp many\n", ": root: 'many' given, which YAML reads as a date, line 1; "),
        (b"root: !!bool many\n", ": root: 'many' given, which YAML reads as bool, line 1; "),
        (b"root: !!set [a]\n", ": root: which YAML reads as set, line 1; "),
        (b"root: !!float ''\n", ": root: '' given, which YAML reads as float, line 1; "),
        # DVC takes these for what they say.
        (b"data:\n  root: 2024-02-28\n", ": data.root: '2024-02-28' given, which YAML reads as a date, line 2; "),
        (b"data: {root: 2024-2-28 12:30:00}", ": data.root: '2024-2-28 12:30:00' given, which YAML reads as a date, "),
        (b"root: !!binary aGk=\n", ": root: 'aGk=' given, which YAML reads as bytes, line 1; "),
        (b"root: !!python/object:os.system x\n", ": root: 'x' given, which YAML reads as python/object:os.system, "),
        (b"[" * 100_000, "has more than 20 sections and lists inside one another."),
        (b"{a: " * 21 + b"}" * 21, "has more than 20 sections and lists inside one another."),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_not_plain_yaml_is_refused_in_words(content: bytes, complaint: str) -> None:
    with pytest.raises(UserError, match=re.escape(complaint)) as caught:
        read_yaml(content, "some/params.yaml")
    assert str(caught.value).startswith("some/params.yaml")


@pytest.mark.parametrize(
    "text", ["[", "a: 1\na: 2", "!!int many", "!!bool many", "!!set [a]", "!!timestamp many", "1" * 5000], ids=repr
)
def test_what_a_program_cannot_have_written_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load_yaml(text)


@pytest.mark.parametrize("text", ["1_000", "0b11", "-0x1F", "-0o7"])
def test_what_only_dvcs_reader_takes_for_a_number_is_a_text(text: str) -> None:
    # So that a section refuses it in words. DVC goes beyond YAML 1.2 here, but writes no value so.
    assert not isinstance(parse_yaml(f"key: {text}", "params.yaml")["key"], str)
    assert read_yaml(f"key: {text}".encode(), "params.yaml") == {"key": text}


def test_lists_may_be_as_deep_as_the_message_says() -> None:
    assert read_yaml(b"[" * DEEPEST + b"]" * DEEPEST, "params.yaml")


def test_aliases_that_would_fill_the_memory_are_refused_before_anything_is_built() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
    with pytest.raises(UserError, match="has a YAML alias"):
        read_yaml(bomb.encode(), "params.yaml")


TRICKY = """\
# 'weights: none' \U0001f408 é
data: {root: "a: b", weights: left alone}\r
backbone:   # comment
    name:    custom
    weights: OLD   # its comment
    filters: [32,   64]

train:
  learning_rate: 1e-05
"""


@pytest.mark.parametrize("old", ["old/a.h5", "'old/a.h5'", '"old\\u00e9.h5"', "/an old/a.h5"])
@pytest.mark.parametrize("new", ["data/weights/a.h5", "ä #1: {x}, [y].h5", "it's.keras", '"', "x" * 300, "a  b"])
def test_a_replaced_text_reads_as_given_and_all_else_is_byte_for_byte_the_same(old: str, new: str) -> None:
    replaced = replaced_scalar(TRICKY.replace("OLD", old).encode(), ("backbone", "weights"), new)
    assert load_yaml(replaced)["backbone"]["weights"] == new
    before, after = TRICKY.encode().split(b"OLD")
    assert replaced.startswith(before) and replaced.endswith(after)


def test_a_text_is_replaced_between_braces_too() -> None:
    replaced = replaced_scalar(b"backbone: {weights: a.h5, name: custom}\n", ("backbone", "weights"), "b, c].h5")
    assert load_yaml(replaced) == {"backbone": {"weights": "b, c].h5", "name": "custom"}}
