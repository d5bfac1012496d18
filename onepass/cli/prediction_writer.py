"""Predictions as rows of text: CSV for spreadsheets, JSON Lines for programs."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from onepass.core import UserError, csv_line
from onepass.heads import Limits
from onepass.photos import UndecodableError

FORMATS = ("csv", "jsonl")


class Answer(NamedTuple):
    """What the model says of a file, or why it could not be asked."""

    file: str
    probabilities: NDArray[np.float32]  # of each class; meaningless beside a refusal, as the distance is
    distance: float  # from the photos that trained; NaN where the model has no limits
    refusal: UndecodableError | None


class Answering(NamedTuple):
    """What a row says of an answer."""

    classes: list[str]
    limits: Limits | None  # of the model
    top: int | None = None  # how many classes a row names, the most probable first; None: all, in their own order

    def doubts(self, answer: Answer) -> dict[str, Any]:
        """Whether the model is sure of the answer and the photo familiar, and the classes that it may be."""
        if self.limits is None:
            return {}
        chances = answer.probabilities[None].astype(np.float64)
        found: dict[str, Any] = {
            "sure": bool(self.limits.are_sure(chances)[0]),
            "familiar": bool(self.limits.are_familiar(np.array([answer.distance]))[0]),
            "distance": round(answer.distance, 6),
        }
        if self.limits.in_set is not None:
            inside = np.flatnonzero(self.limits.sets(chances)[0])
            found["set"] = [self.classes[number] for number in inside]
        return found

    @property
    def columns_of_doubts(self) -> list[str]:
        """The names of what ``doubts`` gives."""
        if self.limits is None:
            return []
        return ["sure", "familiar", "distance", *(["set"] if self.limits.in_set is not None else [])]


@contextmanager
def writing(output: Path | None, form: str, answering: Answering) -> Iterator[Callable[[list[Answer]], None]]:
    """A function that writes answers to a file, which appears when all are written, or to standard output.

    ``form``: one of ``FORMATS``.
    """
    row = csv_row if form == "csv" else json_row
    with destination(output) as stream:
        if form == "csv":
            stream.write(csv_line(header(answering)))

        def write(answers: list[Answer]) -> None:
            stream.writelines(row(answer, answering) for answer in answers)
            stream.flush()

        yield write


@contextmanager
def destination(output: Path | None) -> Iterator[TextIO]:
    """UTF-8, where file names may bring stray bytes of their own. UserError: the file cannot be written."""
    if output is None:
        stream: Any = sys.stdout
        stream.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")
        yield stream
        return
    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            yield file
        temporary.replace(output)
    except OSError as error:
        raise UserError(f"--output: {output} cannot be written: {error.strerror}. Give another file.") from error
    finally:
        temporary.unlink(missing_ok=True)


def header(answering: Answering) -> list[str]:
    """The columns of the CSV."""
    more = [f"p_{name}" for name in answering.classes]
    if answering.top is not None:
        ranks = range(2, min(answering.top, len(answering.classes)) + 1)
        more = [f"{column}_{rank}" for rank in ranks for column in ("predicted", "probability")]
    return ["file", "predicted", "probability", *answering.columns_of_doubts, *more, "error"]


def csv_row(answer: Answer, answering: Answering) -> str:
    """A line with the columns of ``header``; what is not known is empty."""
    if answer.refusal:
        empty = [""] * (len(header(answering)) - 2)
        return csv_line([safe_file(answer.file), *empty, str(answer.refusal)])
    ranked = [(safe(name), f"{chance:.6f}") for name, chance in best(answer, answering.classes, answering.top or 1)]
    more = [cell for pair in ranked[1:] for cell in pair]
    if answering.top is None:
        more = [f"{chance:.6f}" for chance in answer.probabilities]
    doubts = [_cell(value) for value in answering.doubts(answer).values()]
    return csv_line([safe_file(answer.file), *ranked[0], *doubts, *more, ""])


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return safe("|".join(value)) if isinstance(value, list) else f"{value:.6f}"


def json_row(answer: Answer, answering: Answering) -> str:
    """A JSON object; ASCII, so that a name that is not UTF-8 survives (as Python's surrogateescape)."""
    row: dict[str, Any] = {"file": answer.file}
    if answer.refusal:
        row["error"] = str(answer.refusal)
    else:
        classes, top = answering.classes, answering.top
        row["predicted"], row["probability"] = best(answer, classes, 1)[0]
        row |= answering.doubts(answer)
        named = best(answer, classes, top) if top else zip(classes, map(float, answer.probabilities), strict=True)
        row["probabilities"] = {name: round(chance, 6) for name, chance in named}
        row["probability"] = round(row["probability"], 6)
    return json.dumps(row) + "\n"


def best(answer: Answer, classes: list[str], count: int) -> list[tuple[str, float]]:
    """The most probable classes, each with its probability."""
    ranked = np.argsort(-answer.probabilities, kind="stable")[:count]
    return [(classes[number], float(answer.probabilities[number])) for number in ranked]


def safe(name: str) -> str:
    """A class name that no spreadsheet takes for a formula: with a ' before it, which such programs do not show."""
    return f"'{name}" if _like_a_formula(name) else name


def safe_file(name: str) -> str:
    """The same for a file, which is still its path: =1.jpg is ./=1.jpg."""
    return f"./{name}" if _like_a_formula(name) else name


def _like_a_formula(text: str) -> bool:
    try:
        float(text)  # -1 is a number
    except ValueError:
        return text.startswith(("=", "+", "-", "@", "\t", "\r"))
    return False
