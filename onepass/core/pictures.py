"""Pictures that people look at outside of a page: files whose bytes are the same for the same figures."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from onepass.core.atomic_files import write_atomically


@contextmanager
def picture(path: Path, width: float, height: float) -> Iterator[Any]:
    """A figure of matplotlib to draw on, in inches; at the end it is a file, a .png or a .svg."""
    import matplotlib as mpl  # noqa: PLC0415 - costs a second
    from matplotlib.figure import Figure  # noqa: PLC0415

    kind = path.suffix[1:].lower()
    with mpl.rc_context({"svg.hashsalt": "onepass", "svg.fonttype": "none"}):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        content = io.BytesIO()
        figure.savefig(content, format=kind, metadata={"Date": None} if kind == "svg" else None)
    write_atomically(path, content.getvalue())


def name_rows(axes: Any, names: list[str]) -> None:
    """A row for each name, the first on top."""
    axes.set_yticks(range(len(names)), names)
    for tick in axes.get_yticklabels():
        tick.set_parse_math(False)  # a $ in a name is a $
    axes.set_ylim(len(names) - 0.5, -0.5)


def cut(name: str, width: int) -> str:
    """A name in at most ``width`` characters, the middle left out: what is compared often differs at its ends."""
    head = width // 2
    return name if len(name) <= width else f"{name[:head]}…{name[head + 1 - width :]}"
