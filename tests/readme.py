"""The commands of the README, so that the tests run what people read."""

import re

from tests.builders import ROOT


def readme_block(heading: str, number: int = 0) -> list[str]:
    """The commands of the ``number``-th bash block under a heading; a continued line is joined to one."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.MULTILINE)[1]
    section = re.split(r"^#+ ", section, flags=re.MULTILINE)[0]
    block = re.findall(r"```bash\n(.*?)```", section, flags=re.DOTALL)[number]
    return [line for line in re.sub(r"\\\n\s*", "", block).splitlines() if line]
