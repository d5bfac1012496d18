"""Which photos the commands of a test open."""

from pathlib import Path


class Watch:
    """The environment in which processes are watched, and what they opened; see sitecustomize.py."""

    def __init__(self, photos: Path, folder: Path) -> None:
        """Watches what lies below ``photos``; notes are kept in ``folder``."""
        self._log = folder / "opened.log"
        self._log.touch()
        self.environment = {
            "PYTHONPATH": str(Path(__file__).parent),
            "WATCHED": str(photos),
            "OPENED": str(self._log),
        }

    def opened(self) -> list[str]:
        """The paths, one for each time."""
        return self._log.read_text().splitlines()
