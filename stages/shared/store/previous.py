"""What DVC still has of a stage's last run, and where this machine keeps things beside DVC's cache.

DVC deletes outputs before a stage runs, but dvc.lock still names them, so DVC's own file system serves them:
from the cache, else from the remote.
"""

from pathlib import Path
from typing import Any


def dvc_files() -> Any:
    """An fsspec file system of the outputs that dvc.lock names, rooted at the repository of this folder."""
    from dvc.api import DVCFileSystem  # noqa: PLC0415 - costs 0.3 s, so not before it is needed

    return DVCFileSystem()


def read_previous(files: Any, path: str) -> bytes | None:
    """The bytes of an earlier output, or None where there is none or nobody can give it any more."""
    try:
        return bytes(files.read_bytes(path))
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 - each kind of remote has its own errors
        # A run that must not depend on its past: whatever is the matter, everything can be made anew.
        print(f"not reused, the previous {path} cannot be read: {error}", flush=True)
        return None


def previous_folder(files: Any, folder: str) -> dict[str, Path]:
    """Where DVC's cache keeps each file of an earlier output, by its name in the folder.

    What the cache lacks is brought from the remote first, all at once: one by one, thousands of parts would
    cost as many round trips. (And read through ``files``, each would cost a query of DVC's index, 2 ms.)
    """
    repo = files.repo
    cache = repo.cache.local
    found: dict[str, Path] = {}
    for out in repo.index.outs:
        if str(out) != folder or not out.hash_info:
            continue
        listing = out.get_obj()
        if listing is None or not all(cache.exists(content.value) for _, _, content in listing):
            try:
                repo.fetch(targets=[folder])
            except Exception as error:  # noqa: BLE001 - each kind of remote has its own errors
                print(f"not fetched, the previous {folder}: {error}", flush=True)
        for parts, _, content in out.get_obj() or ():
            found["/".join(parts)] = Path(cache.oid_to_path(content.value))
    return found


def machine_folder(files: Any) -> Path:
    """A folder beside the DVC cache: the same one for every temporary workspace of ``dvc exp run``."""
    return Path(files.repo.cache.local_cache_dir) / "onepass"
