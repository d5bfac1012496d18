"""The record of environments: joined, read back, and never trusted where it is damaged."""

import json
from pathlib import Path

import pytest

from onepass.features.versions import Environment, Record, environment, joined, parse_record
from onepass.params import VersionsRule
from tests.builders import backbone

ONE, OTHER, THIRD = ({"pillow": version, "processor": "abacus"} for version in ("1.0", "2.0", "3.0"))


def of(*environments: Environment, same_bits: bool = True) -> Record:
    return Record(environments=list(environments), same_bits=same_bits)


def test_the_bytes_of_a_record_depend_on_no_order_and_are_read_back(tmp_path: Path) -> None:
    orders = [(of(ONE), of(OTHER, THIRD)), (of(THIRD), of(OTHER), of(ONE)), (of(THIRD, ONE), of(ONE, OTHER))]
    for order in orders:
        joined(order).write(tmp_path / "versions.json")
        assert parse_record((tmp_path / "versions.json").read_bytes()) == of(ONE, OTHER, THIRD)


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"environments": {}}',
        b'{"environments": [{"pillow": 1}]}',
        b'{"environments": [{"pillow": ""}]}',
        b'{"environments": [{"pillow": "\\u001b[2J"}]}',
        b'{"environments": [{"pillow": "1\\n"}]}',
        b'{"environments": [], "same_bits": "yes"}',
        b'{"environments": [], "more": 1}',
        b'{"environments": ' + b"[" * 100_000,
        json.dumps({"environments": [{"pillow": "1" * 301}]}).encode(),
    ],
    ids=lambda content: repr(content)[:40],
)
def test_a_damaged_record_knows_no_environment(content: bytes | None) -> None:
    assert parse_record(content) == Record()
    assert not Record().covers(ONE, "close")
    assert Record().differences(ONE) == "versions that are not recorded"


@pytest.mark.parametrize(
    ("record", "rule", "covered"),
    [
        (of(ONE), "close", True),
        (of(ONE), "exact", True),
        (of(ONE), "renew", True),
        (of(OTHER), "close", False),
        (of(ONE, OTHER, same_bits=False), "close", True),
        (of(ONE, OTHER, same_bits=False), "exact", False),
        (of(ONE, OTHER, same_bits=False), "renew", False),
    ],
)
def test_only_close_takes_rows_whose_environments_differ_in_the_last_bits(
    record: Record, rule: VersionsRule, covered: bool
) -> None:
    assert record.covers(ONE, rule) is covered


def test_a_record_of_which_one_part_is_only_close_is_only_close() -> None:
    assert not joined([of(ONE), of(OTHER, same_bits=False)]).same_bits
    assert joined([of(ONE), of(OTHER)]).same_bits


def test_the_most_similar_environment_is_the_one_that_is_named() -> None:
    far = {"pillow": "1.0", "processor": "slide rule", "keras": "2.0"}
    assert of(far, ONE).differences(OTHER) == "pillow 1.0 (here 2.0)"
    assert of(far).differences(ONE) == "keras 2.0 (here none), processor slide rule (here abacus)"


def test_an_environment_names_the_processor_and_every_library_that_computes(tmp_path: Path) -> None:
    pixels = environment(backbone(layer="input", weights="data/no-weights.txt", image_side=8))
    assert {*pixels} == {"processor", "pillow"}
    network = environment(backbone(image_side=8))
    assert {*network} == {"processor", "pillow", "keras", "tensorflow", "openvino"}
    of(network).write(tmp_path / "versions.json")
    assert parse_record((tmp_path / "versions.json").read_bytes()) == of(network)
