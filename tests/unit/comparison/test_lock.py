"""Results belong to their params, or it is said why they do not: a run that failed midway, an edited params.yaml."""

from typing import Any

from onepass.comparison.lock import Lock
from onepass.core import load_yaml

PARAMS = {"split": {"seed": 0}, "backbone": {"name": "x"}, "head": {"kind": "mlp"}, "train": {"learning_rate": 0.001}}
LOCK = """\
schema: '2.0'
stages:
  prepare:
    cmd: prepare
    deps: [{path: photos, md5: p}]
    params: {params.yaml: {split: {seed: 0}}}
    outs: [{path: splits.csv, md5: s}]
  train-head:
    cmd: train
    deps: [{path: splits.csv, md5: s}, {path: weights, md5: w}]
    params: {params.yaml: {backbone: {name: x}, head: {kind: mlp}, train: {learning_rate: 0.001}}}
    outs: [{path: head, md5: h.dir}]
  evaluate:
    cmd: evaluate
    deps: [{path: splits.csv, md5: s}, {path: head, md5: h.dir}]
    params: {params.yaml: {head.kind: mlp, train: {learning_rate: 0.001}}}
    outs: [{path: predictions.csv, md5: a}]
  report:
    cmd: report
    deps: [{path: predictions.csv, md5: a}]
    params: {params.yaml: {head: {kind: mlp}}}
    outs: [{path: report.html, md5: r}]
"""


def why_stale(lock: str = LOCK, **edited: dict[str, Any]) -> str:
    return Lock(lock.encode()).why_stale("predictions.csv", PARAMS | edited)


def test_what_ran_with_these_params_belongs_to_them() -> None:
    assert why_stale() == ""
    assert why_stale(train={"learning_rate": 1e-3}, unread={"by": "any stage"}) == ""


def test_an_edited_param_is_given_with_both_its_values() -> None:
    said = "its results were made with train.learning_rate 0.001, params.yaml says 0.1"
    assert why_stale(train={"learning_rate": 0.1}) == said


def test_a_key_of_a_section_that_was_added_or_taken_away_is_an_edit() -> None:
    added, gone = {"learning_rate": 0.001, "epochs": 3}, dict[str, Any]()
    assert why_stale(train=added) == "its results were made without train.epochs, params.yaml says 3"
    assert why_stale(train=gone) == "its results were made with train.learning_rate 0.001, params.yaml has none"


def test_many_edits_are_counted() -> None:
    said = why_stale(split={"seed": 1}, backbone={"name": "y"}, head={"kind": "cnn"}, train={"learning_rate": 1})
    assert said.endswith("; and 1 more")
    assert said.count("params.yaml says") == 3


def test_a_run_that_failed_after_a_stage_leaves_results_of_two_runs() -> None:
    mixed = LOCK.replace("outs: [{path: head, md5: h.dir}]", "outs: [{path: head, md5: other.dir}]")
    assert why_stale(mixed) == "its results are of two runs: evaluate read another head than train-head has made since"


def test_a_param_of_two_stages_has_one_value_or_the_results_belong_to_no_params() -> None:
    mixed = LOCK.replace("{head.kind: mlp,", "{head.kind: cnn,")
    assert "with head.kind cnn, params.yaml says mlp" in why_stale(mixed)
    assert "with head.kind mlp, params.yaml says cnn" in why_stale(mixed, head={"kind": "cnn"})


def test_a_report_and_what_else_reads_the_results_count_for_nothing() -> None:
    stages = load_yaml(LOCK)["stages"]
    stages["report"]["deps"][0]["md5"] = "earlier"
    stages["report"]["params"] = {"params.yaml": {"page": "small"}}
    stages["export"] = {"cmd": "x", "deps": [{"path": "head", "md5": "earlier"}], "params": {"params.yaml": {"y": 1}}}
    assert why_stale(repr({"stages": stages})) == ""


def test_without_a_params_file_nothing_that_was_recorded_is_there() -> None:
    said = Lock(LOCK.encode()).why_stale("predictions.csv", {})
    assert said.startswith("its results were made with head.kind mlp, params.yaml has none; with train.learning_rate ")
