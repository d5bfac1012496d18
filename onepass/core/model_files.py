"""Files of networks are data from elsewhere: what they claim is checked before Keras makes room for it."""

import subprocess
import sys
import zipfile
from pathlib import Path

from onepass.core.errors import UserError

READER = Path(__file__).with_name("hdf5_check.py")
KERAS_SUFFIX = ".keras"
# Members of such an archive, by Keras's names.
KERAS_CONFIG, KERAS_METADATA, KERAS_WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LARGEST_TEXT = 1 << 26  # bytes of one of the texts
MOST_TIMES, SPARE = 20, 1 << 26  # what a file may unpack to: so many times its own bytes, and as many more
SECONDS, BYTES_A_SECOND = 30, 20e6  # what reading may take


def check_model_file(path: Path, key: str = "") -> None:
    """Reads a .keras or .h5 file to its end in a process with limits of time and memory.

    Args:
        key: of params.yaml, under which it is given.

    Raises:
        UserError: it unpacks to far more than it has, is damaged, or refers to other files; and what is wrong with it.
        OSError: it is not there.

    """
    size = path.stat().st_size
    try:
        allowed = MOST_TIMES * size + SPARE
        member = _check_archive(path, allowed) if path.suffix == KERAS_SUFFIX else ""
        problem = _reading_problem(path, allowed, int(SECONDS + size / BYTES_A_SECOND), member)
    except (OSError, ValueError, KeyError, NotImplementedError, zipfile.BadZipFile) as error:
        problem = f"{type(error).__name__}: {error}"
    if problem:
        raise UserError(
            f"{f'{key}: ' if key else ''}{path} is not read: {problem}. It is damaged, or no file of Keras; take it "
            "anew from where it comes from."
        )


def read_archived_text(path: Path, name: str) -> bytes:
    """A text of a .keras file. ValueError: it claims too much; BadZipFile, KeyError, OSError: there is none."""
    with zipfile.ZipFile(path) as archive:
        claimed = archive.getinfo(name).file_size
        if claimed > LARGEST_TEXT:
            raise ValueError(f"{name} in it claims {claimed:,} bytes")
        return archive.read(name)


def _check_archive(path: Path, allowed: int) -> str:
    """The member with the weights. ValueError: the members claim too much; BadZipFile, KeyError: it is no .keras."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if (claimed := sum(member.file_size for member in members)) > allowed:
            raise ValueError(f"it would unpack to {claimed:,} bytes, too many for a file of its size")
        if any(member.flag_bits & 1 for member in members):
            raise ValueError("it is encrypted")
        found = archive.getinfo(KERAS_WEIGHTS).filename
    for name in (KERAS_CONFIG, KERAS_METADATA):
        read_archived_text(path, name)
    return found


def _reading_problem(path: Path, allowed: int, seconds: int, member: str) -> str:
    """What is wrong with the arrays; empty where they can be read."""
    command = [sys.executable, "-P", str(READER), str(path), str(allowed), str(seconds), member]
    try:
        done = subprocess.run(command, capture_output=True, timeout=2 * seconds, check=False)
    except subprocess.TimeoutExpired:
        return f"it takes more than {2 * seconds} seconds"
    if done.returncode:
        return f"reading it breaks off after at most {seconds} seconds of work ({_ending(done)})"
    return done.stdout.decode(errors="replace").strip()


def _ending(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return f"signal {-done.returncode}" if done.returncode < 0 else (lines or ["without a word"])[-1]
