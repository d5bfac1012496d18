"""data/weights.json: the digest of the file that backbone.weights names, and nothing of where that is. A network whose
weights lie in several files is a folder.

It is written before any stage that reads the file, so that a machine without the file stops there. Else it would lose
the outputs of the others: DVC deletes the outputs of a stage before it finds that a dependency is missing.
"""

import hashlib
import json
from pathlib import Path

from onepass.core import UserError, sha256_of_files, write_json


def record_weights(weights: str, record: Path) -> None:
    """Writes the digest. UserError: the file is missing."""
    write_json(record, {"sha256": weights_sha256(weights)})


def check_weights(weights: str, record: Path) -> None:
    """UserError: the file is missing, or is another one than that of which the digest was written."""
    try:
        expected = json.loads(record.read_bytes())["sha256"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{record} cannot be read: {error}. `dvc repro` writes it; `dvc pull` fetches it.") from error
    found = weights_sha256(weights)
    if found != expected:
        raise UserError(
            f"backbone.weights: {weights} has the sha256 {found[:12]}..., and {record} says {expected[:12]}...: the "
            "file has changed while the pipeline ran. Run `dvc repro` again. If that says the same, its bytes have "
            "changed without its date, as on a failing disk: take the file anew from where it comes from."
        )


def weights_sha256(weights: str) -> str:
    """The digest of a weights file, or of all files of a folder. UserError: it is missing, and who has it."""
    if problem := missing_elsewhere(weights):
        raise UserError(problem)
    if not Path(weights).exists():
        raise UserError(
            f"backbone.weights: {weights} does not exist. `dvc repro` makes what a dvc.yaml knows how to make; `dvc "
            "pull` fetches what the team has; or give the path of a .h5, .keras or .onnx file of yours."
        )
    if Path(weights).is_file():
        return sha256_of_files(Path(weights))
    digests = [f"{sha256_of_files(file)} {file.relative_to(weights).as_posix()}\n" for file in weights_files(weights)]
    return hashlib.sha256("".join(digests).encode(errors="surrogateescape")).hexdigest()


def weights_files(weights: str) -> list[Path]:
    """The file itself, or all files of the folder, sorted."""
    path = Path(weights)
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def missing_elsewhere(weights: str) -> str:
    """What to do about a file that is missing and that neither git nor DVC can bring; empty for any other."""
    path = Path(weights)
    if path.exists() or path.resolve().is_relative_to(Path.cwd()):
        return ""
    return (
        f"backbone.weights: {weights} does not exist on this machine. It is outside of this repository, so neither git "
        "nor DVC brings it. Ask who has it to run `python -m onepass weights add FILE` there, which makes it a part of "
        "the repository; or set backbone.weights to a copy of your own. `dvc checkout` brings back what DVC "
        "deleted for this run."
    )
