"""Charts as inline SVG: small functions from numbers to markup.

Colours come from the classes in ``pages/style.css``, so a chart follows its page into the dark and onto paper. A
chart is as wide as a column of a page, in units that are about pixels, so that its text is as large as the page's.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from onepass.report.page import THIN_SPACE

WIDTH, HEIGHT = 440, 270
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 24, 44  # margins of the drawn area
MOST_POINTS = 400  # of a line; more are finer than the screen
Points = Sequence[tuple[float, float]]


class Axis(NamedTuple):
    """A range of values and the pixels that they are drawn on."""

    low: float
    high: float
    start: float  # the pixel of ``low``
    end: float
    log: bool = False
    whole: bool = False  # no ticks between whole numbers
    share: bool = False  # the values are shares, 0..1, and their ticks percent

    def at(self, value: float) -> float:
        """The pixel of a value."""
        low, high, value = map(math.log10, (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values on the axis, three to nine; on a logarithmic one powers of ten, if need be with 2 and 5."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            factors = (1, 2, 5) if len(powers) <= 4 else (1,)
            candidates = [factor * 10.0**power for power in powers for factor in factors]
            return [value for value in candidates if self.low <= value <= self.high]
        power = 10.0 ** math.floor(math.log10((self.high - self.low) / 8))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * 8 >= self.high - self.low)
        if self.whole:
            step = max(step, 1)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(number * step, 12) for number in range(first, last + 1)]

    def name(self, value: float) -> str:
        """What stands at a tick."""
        return f"{value * 100:g}{THIN_SPACE}%" if self.share else f"{value:g}"


def tag(name: str, *children: object, **attributes: object) -> Markup:
    """An element. Text and values are escaped; ``class_`` stands for class, ``text_anchor`` for text-anchor."""
    pairs = [
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), f"{value:.1f}" if type(value) is float else value)
        for key, value in attributes.items()
    ]
    content = Markup().join(map(escape, children))
    return Markup("<{0}{1}>{2}</{0}>").format(name, Markup().join(pairs), content)


def picture(description: str, width: int, height: int, *children: Markup) -> Markup:
    """A chart that is one picture to those who listen to the page: ``description`` is all they hear."""
    return tag("svg", *children, viewBox=f"0 0 {width} {height}", role="img", aria_label=description, class_="chart")


def line_chart(description: str, lines: Mapping[str, Points], x_label: str, y: Axis, mark: tuple[int, str]) -> Markup:
    """Lines over whole numbers of steps.

    Args:
        lines: by style class: points in the order of x.
        y: its pixels are ours to choose, its range and scale the caller's.
        mark: a step to point at, and what to call it.

    """
    steps = [x for points in lines.values() for x, _ in points]
    across = Axis(min(steps), max(steps), LEFT, WIDTH - RIGHT, whole=True)
    up = y._replace(start=HEIGHT - BOTTOM, end=TOP)
    place = across.at(mark[0])
    marker = [
        tag("line", x1=place, x2=place, y1=TOP, y2=HEIGHT - BOTTOM, class_="mark"),
        tag("text", mark[1], x=place, y=TOP - 8, text_anchor="middle"),
    ]
    drawn = [tag("polyline", points=_points(points, across, up), class_=style) for style, points in lines.items()]
    return picture(description, WIDTH, HEIGHT, *_grid(across, up, x_label), *marker, *drawn)


def reliability_chart(description: str, bins: Sequence[tuple[float, float, float, float, float]]) -> Markup:
    """Confidence against accuracy, and a bar for the images at each confidence: as high on the axis as their share.

    Args:
        bins: mean confidence, accuracy, the two ends of its interval, and the share of all images; all 0..1.

    """
    across = Axis(0, 1, LEFT, WIDTH - RIGHT, share=True)
    up = Axis(0, 1, WIDTH - BOTTOM, TOP, share=True)
    parts = []
    for confidence, _, _, _, share in bins:  # all before any point, which another's bar would hide
        x = min(across.at(confidence), across.end - 11)  # half the width of its stroke
        parts.append(tag("line", x1=x, x2=x, y1=up.start, y2=up.at(share), class_="share"))
    parts.append(tag("line", x1=across.start, y1=up.start, x2=across.end, y2=up.end, class_="ideal"))
    parts += _dots(across, up, [of_bin[:4] for of_bin in bins])
    return picture(description, WIDTH, WIDTH, *_grid(across, up, "confidence"), *parts)


def coverage_chart(description: str, points: Sequence[tuple[float, float, float, float]]) -> Markup:
    """Share of the photos that are answered against accuracy.

    Args:
        points: the share, accuracy, and the two ends of its interval; all 0..1.

    """
    across = Axis(0, 1, LEFT, WIDTH - RIGHT, share=True)
    up = Axis(round_down(min(low for _, _, low, _ in points)), 1, HEIGHT - BOTTOM, TOP, share=True)
    grid = _grid(across, up, "share of the photos that are answered, the surest")
    return picture(description, WIDTH, HEIGHT, *grid, *_dots(across, up, points))


def interval_chart(description: str, value: float, low: float, high: float, mark: float) -> Markup:
    """A share with its interval on an axis that ends at 1, and a tick at another share to compare with."""
    across = Axis(round_down(min(low, mark)), 1, LEFT / 2, WIDTH - LEFT / 2, share=True)
    place = across.at(mark)
    numbers = [tag("text", across.name(tick), x=across.at(tick), y=50, text_anchor="middle") for tick in across.ticks()]
    tick = tag("line", x1=place, x2=place, y1=8, y2=28, class_="mark")
    return picture(description, WIDTH, 56, *_interval(across, 18, value, low, high), tick, *numbers)


def interval_bar(
    description: str, value: float, low: float, high: float, across: Axis, marks: Sequence[float] = ()
) -> Markup:
    """A value with its interval on a line, small enough for a cell of a table, and ticks at other values."""
    ticks = [tag("line", x1=across.at(mark), x2=across.at(mark), y1=0, y2=16, class_="mark") for mark in marks]
    return picture(description, round(across.start + across.end), 16, *_interval(across, 8, value, low, high), *ticks)


def bar_scale(across: Axis) -> Markup:
    """The numbers that belong under a column of interval bars."""
    numbers = [tag("text", f"{tick:g}", x=across.at(tick), y=12, text_anchor="middle") for tick in across.ticks()]
    return picture(f"from {across.low:.3g} to {across.high:.3g}", round(across.start + across.end), 16, *numbers)


def round_down(share: float) -> float:
    """To a tenth below 1, where an axis may begin."""
    return min(math.floor(share * 10), 9) / 10


def _interval(across: Axis, y: int, value: float, low: float, high: float) -> list[Markup]:
    return [
        tag("line", x1=across.start, x2=across.end, y1=y, y2=y, class_="track"),
        tag("line", x1=across.at(low), x2=across.at(high), y1=y, y2=y, class_="interval wide"),
        tag("circle", cx=across.at(value), cy=y, r=4, class_="dot"),
    ]


def _dots(across: Axis, up: Axis, points: Sequence[tuple[float, float, float, float]]) -> list[Markup]:
    """Places along x with a value and the two ends of its interval."""
    parts = []
    for place, value, low, high in points:
        x = across.at(place)
        parts += [
            tag("line", x1=x, x2=x, y1=up.at(low), y2=up.at(high), class_="interval"),
            tag("circle", cx=x, cy=up.at(value), r=5, class_="dot"),
        ]
    return parts


def _points(points: Points, across: Axis, up: Axis) -> str:
    stride = math.ceil(len(points) / MOST_POINTS)
    return " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in [*points[:-1:stride], points[-1]])


def _grid(across: Axis, up: Axis, x_label: str) -> list[Markup]:
    """The axes: a line and a number at each tick, and what stands along x; the page says what stands along y."""
    parts = []
    for value in up.ticks():
        y = up.at(value)
        parts += [
            tag("line", x1=across.start, x2=across.end, y1=y, y2=y, class_="grid"),
            tag("text", up.name(value), x=across.start - 8, y=y + 4, text_anchor="end"),
        ]
    for value in across.ticks():
        parts.append(tag("text", across.name(value), x=across.at(value), y=up.start + 18, text_anchor="middle"))
    parts.append(tag("text", x_label, x=(across.start + across.end) / 2, y=up.start + 36, text_anchor="middle"))
    return parts
