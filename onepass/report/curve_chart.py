"""The curves of the training as charts."""

from markupsafe import Markup

from onepass.evaluation import Curve
from onepass.report.charts import Axis, line_chart, round_down
from onepass.report.page import percent

RATIO = 30  # of the highest to the lowest loss, from which on its axis is logarithmic


def curve_chart(curve: Curve, best_epoch: int) -> Markup | None:
    """The chart, or None where there are not two epochs to connect."""
    if max((len(points) for points in curve.lines.values()), default=0) < 2:
        return None
    said = percent if curve.name == "accuracy" else "{:.3g} nats".format
    ends = [f"{split} from {said(points[0][1])} to {said(points[-1][1])}" for split, points in curve.lines.items()]
    text = f"{curve.name} by epoch: {', '.join(ends)}; epoch {best_epoch} was kept"
    return line_chart(text, curve.lines, "epoch", _axis(curve), (best_epoch, "kept"))


def is_logarithmic(curve: Curve) -> bool:
    """Whether the axis is logarithmic, because the values are far apart."""
    values = _values(curve)
    return curve.name == "loss" and bool(values) and 0 < RATIO * min(values) < max(values)


def _axis(curve: Curve) -> Axis:
    low, high = min(_values(curve)), max(_values(curve))
    if curve.name == "accuracy":
        return Axis(round_down(low), 1, 0, 0, share=True)
    if is_logarithmic(curve):
        return Axis(low, high, 0, 0, log=True)
    return Axis(min(low, 0), max(high, 1e-9), 0, 0)


def _values(curve: Curve) -> list[float]:
    return [value for points in curve.lines.values() for _, value in points]
