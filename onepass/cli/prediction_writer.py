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
from onepass.photos import UndecodableError

FORMATS = ("csv", "jsonl")


class Answer(NamedTuple):
    """What the model says of a file, or why it could not be asked."""

    file: str
    probabilities: NDArray[np.float32]  # of each class; meaningless beside a refusal
    refusal: UndecodableError | None


@contextmanager
def writing(
    output: Path | None, form: str, classes: list[str], top: int | None
) -> Iterator[Callable[[list[Answer]], None]]:
    """A function that writes answers to a file, which appears when all are written, or to standard output.

    Args:
        form: one of ``FORMATS``.
        top: how many classes a row names, the most probable first; None: all, in their own order.

    """
    row = csv_row if form == "csv" else json_row
    with destination(output) as stream:
        if form == "csv":
            stream.write(csv_line(header(classes, top)))

        def write(answers: list[Answer]) -> None:
            stream.writelines(row(answer, classes, top) for answer in answers)
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


def header(classes: list[str], top: int | None) -> list[str]:
    """The columns of the CSV."""
    more = [f"p_{name}" for name in classes]
    if top is not None:
        ranks = range(2, min(top, len(classes)) + 1)
        more = [f"{column}_{rank}" for rank in ranks for column in ("predicted", "probability")]
    return ["file", "predicted", "probability", *more, "error"]


def csv_row(answer: Answer, classes: list[str], top: int | None) -> str:
    """A line with the columns of ``header``; what is not known is empty."""
    columns = header(classes, top)
    if answer.refusal:
        return csv_line([safe_file(answer.file), *[""] * (len(columns) - 2), str(answer.refusal)])
    ranked = [(safe(name), f"{chance:.6f}") for name, chance in best(answer, classes, top or 1)]
    more = [cell for pair in ranked[1:] for cell in pair]
    if top is None:
        more = [f"{chance:.6f}" for chance in answer.probabilities]
    return csv_line([safe_file(answer.file), *ranked[0], *more, ""])


def json_row(answer: Answer, classes: list[str], top: int | None) -> str:
    """A JSON object; ASCII, so that a name that is not UTF-8 survives (as Python's surrogateescape)."""
    row: dict[str, Any] = {"file": answer.file}
    if answer.refusal:
        row["error"] = str(answer.refusal)
    else:
        row["predicted"], row["probability"] = best(answer, classes, 1)[0]
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
