"""Features on one scale; and, for closed forms, in double precision and in no more dimensions than rows."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.heads.trained_head import Arrays

COLUMNS = 1024  # values at a time, in double precision
ROWS = 1024  # at a time
SMALLEST = 1e-10  # of the largest variance; what varies less is rounding
MANY = 8_192  # rows, of which more are not copied but read a piece at a time
PIECE = 2 << 20  # values of a piece: 16 MB in double precision


class Scaling(NamedTuple):
    """What brings each value to mean 0 and deviation 1; one that is the same in all rows, to 0."""

    mean: NDArray[np.float64]  # (values,)
    deviation: NDArray[np.float64]  # (values,)

    def apply(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features (rows, values) on one scale."""
        scaled = features - self.mean.astype(np.float32)
        scaled /= self.deviation.astype(np.float32)
        return scaled

    def folded_into(self, kernel: NDArray[Any], bias: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Kernel (values, units) and bias (units,) that give for plain features what these give for scaled ones."""
        folded = kernel / self.deviation[:, None]
        return folded, bias - self.mean @ folded


def scaling_of(features: Any) -> Scaling:
    """Of features (rows, values), an array or what is read like one."""
    rows = features.shape[0]
    mean = np.zeros(features.shape[1])
    for _, piece in _read(features, ROWS):
        mean += piece.sum(axis=0, dtype=np.float64) / rows
    squares = np.zeros(features.shape[1])
    for _, piece in _read(features, ROWS):
        away = piece - mean.astype(np.float32)  # rounded, so that of a value that never varies it is 0
        squares += np.einsum("ij,ij->j", away, away, dtype=np.float64)
    deviation = np.sqrt(squares / rows)
    deviation[deviation == 0] = 1
    return Scaling(mean, deviation)


def _read(features: Any, together: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """All rows, so many at a time, each piece with its place."""
    rows = features.shape[0]
    for start in range(0, rows, together):
        stop = min(start + together, rows)
        yield slice(start, stop), features[np.arange(start, stop)]


class ScaledRows:
    """Many rows on one scale, in double precision, of which a piece is in memory at a time."""

    def __init__(self, features: Any, scaling: Scaling) -> None:
        """``features``: (rows, values), an array or what is read like one."""
        self._features, self._scaling = features, scaling
        self.shape = features.shape

    def pieces(self) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """All rows, each piece with its place."""
        for place, rows in _read(self._features, max(PIECE // self.shape[1], 1)):
            yield place, self._scaling.apply(rows).astype(np.float64)


def pieces_of(rows: NDArray[np.float64] | ScaledRows) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """An array is one piece."""
    if isinstance(rows, ScaledRows):
        yield from rows.pieces()
    else:
        yield slice(None), rows


class Standardised(NamedTuple):
    """Features with mean 0 and deviation 1 of each value; where there are more values than rows, turned."""

    # (rows, dimensions), with the distances and angles that all values have
    features: NDArray[np.float64] | ScaledRows
    values: int  # of each row, before it was turned
    scaling: Scaling  # of each value
    of_values: NDArray[np.float32]  # where they are turned, the features of all values, (rows, values)
    axes: NDArray[np.float64] | None  # (rows, dimensions): ``of_values.T @ axes`` are the dimensions; None: not turned

    def unfolded(self, kernel: NDArray[np.float64], bias: NDArray[np.float64], logits: int) -> Arrays:
        """The kernel, (values, logits), and the bias that give for plain features what these give for ours.

        Args:
            kernel: (dimensions, logits); of two classes one column, the difference of the two logits.
            bias: (logits,).
            logits: of the head; 2 where the one column must become two.

        """
        turned = kernel if self.axes is None else self.of_values.T @ (self.axes @ kernel).astype(np.float32)
        kernel, bias = self.scaling.folded_into(turned, bias)
        if logits == 2 and kernel.shape[1] == 1:
            kernel, bias = np.hstack([-kernel / 2, kernel / 2]), np.hstack([-bias / 2, bias / 2])
        return [kernel.astype(np.float32), bias.astype(np.float32)]


def standardised(features: Any) -> Standardised:
    """Of features (rows, values), an array or, of many rows, what is read like one.

    A value that is the same in all rows becomes 0.
    """
    scaling, (rows, values) = scaling_of(features), features.shape
    if rows > max(MANY, values):
        return Standardised(ScaledRows(features, scaling), values, scaling, np.empty((0, values), np.float32), None)
    of_values = scaling.apply(features)
    wide = of_values.shape[1] > len(of_values)
    turned, axes = _in_few_dimensions(of_values) if wide else (of_values.astype(np.float64), None)
    return Standardised(turned, of_values.shape[1], scaling, of_values, axes)


def _in_few_dimensions(wide: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same points with as many values as they have dimensions, and what makes each of these values of the rows.

    Args:
        wide: (rows, values).

    Returns:
        ``points``, (rows, dimensions), with the distances and angles of ``wide``, and ``rows``, (rows, dimensions),
        so that ``wide.T @ rows`` are the axes of the points.

    """
    products = np.zeros((len(wide), len(wide)))
    for start in range(0, wide.shape[1], COLUMNS):
        columns = wide[:, start : start + COLUMNS].astype(np.float64)
        products += columns @ columns.T
    squares, vectors = np.linalg.eigh(products)
    inside = squares > SMALLEST * squares[-1]
    lengths = np.sqrt(squares[inside])
    return vectors[:, inside] * lengths, vectors[:, inside] / lengths
