"""Features on one scale, in double precision, in no more dimensions than rows: what closed forms work on."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onepass.heads.trained_head import Arrays

COLUMNS = 1024  # values at a time, in double precision
SMALLEST = 1e-10  # of the largest variance; what varies less is rounding


class Standardised(NamedTuple):
    """Features with mean 0 and deviation 1 of each value; where there are more values than rows, turned."""

    features: NDArray[np.float64]  # (rows, dimensions), with the distances and angles that all values have
    values: int  # of each row, before it was turned
    mean: NDArray[np.float64]  # of each value
    scale: NDArray[np.float64]  # of each value, its deviation
    of_values: NDArray[np.float32]  # the features of all values, (rows, values)
    axes: NDArray[np.float64] | None  # (rows, dimensions): ``of_values.T @ axes`` are the dimensions; None: not turned

    def unfolded(self, kernel: NDArray[np.float64], bias: NDArray[np.float64], logits: int) -> Arrays:
        """The kernel, (values, logits), and the bias that give for plain features what these give for ours.

        Args:
            kernel: (dimensions, logits); of two classes one column, the difference of the two logits.
            bias: (logits,).
            logits: of the head; 2 where the one column must become two.

        """
        turned = kernel if self.axes is None else self.of_values.T @ (self.axes @ kernel).astype(np.float32)
        kernel = turned / self.scale[:, None]
        bias = bias - self.mean @ kernel
        if logits == 2 and kernel.shape[1] == 1:
            kernel, bias = np.hstack([-kernel / 2, kernel / 2]), np.hstack([-bias / 2, bias / 2])
        return [kernel.astype(np.float32), bias.astype(np.float32)]


def standardised(features: NDArray[np.float32]) -> Standardised:
    """Of features (rows, values). A value that is the same in all rows becomes 0."""
    mean = features.mean(axis=0, dtype=np.float64)
    of_values = features - mean.astype(np.float32)
    scale = np.sqrt(np.einsum("ij,ij->j", of_values, of_values, dtype=np.float64) / len(of_values))
    scale[scale == 0] = 1
    of_values /= scale.astype(np.float32)
    wide = of_values.shape[1] > len(of_values)
    turned, axes = _in_few_dimensions(of_values) if wide else (of_values.astype(np.float64), None)
    return Standardised(turned, of_values.shape[1], mean, scale, of_values, axes)


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
