"""The commands of the documents, so that the tests run what people read."""

import re
from typing import NamedTuple

from tests.builders import ROOT


class Block(NamedTuple):
    """Commands of a document, and what it says that they print."""

    commands: str
    expected: list[str]  # lines


def blocks(document: str = "README.md") -> list[Block]:
    """All bash blocks in the order of the page, each with the block of output that follows before the next one."""
    text = (ROOT / document).read_text(encoding="utf-8")
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    found: list[Block] = []
    for language, content in fenced:
        if language == "bash":
            found.append(Block(content, []))
        elif language == "":
            found[-1] = found[-1]._replace(expected=content.splitlines())
    return found


def commands_below(heading: str, number: int = 0, document: str = "README.md") -> list[str]:
    """The commands of the ``number``-th bash block under a heading; a continued line is joined to one."""
    text = (ROOT / document).read_text(encoding="utf-8")
    section = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.MULTILINE)[1]
    section = re.split(r"^#+ ", section, flags=re.MULTILINE)[0]
    block = re.findall(r"```bash\n(.*?)```", section, flags=re.DOTALL)[number]
    return [line for line in re.sub(r"\\\n\s*", "", block).splitlines() if line]
