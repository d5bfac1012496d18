"""Pages that need nothing beside themselves: templates with everything escaped, one style sheet inside.

``pages/base.html`` and ``pages/style.css`` are what all pages share; each page is a template that extends the base.
"""

import math
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

PAGES = Path(__file__).with_name("pages")  # templates, the style sheet, scripts
THIN_SPACE = "\u202f"  # narrow, and no line breaks at it


def render(template: str, **content: Any) -> bytes:
    r"""The page that a template in ``pages/`` makes of ``content``, UTF-8; always the same bytes.

    Bytes of file names that are no UTF-8 show as ``\xff``.
    """
    environment = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": count, "percent": percent}
    text = environment.get_template(template).render(content)
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace").encode()


def count(number: int) -> str:
    """12,345."""
    return f"{number:,}"


def percent(share: float, decimals: int = 1) -> str:
    """0.9712 as 97.1 %."""
    return f"{share * 100:.{decimals}f}{THIN_SPACE}%"


def decimals_for(width: float) -> int:
    """How many decimals of a percentage tell the ends of an interval apart; ``width`` is a share, 0..1."""
    return max(1, 1 - math.floor(math.log10(width * 100))) if width > 0 else 1
