"""DVC: the only module that imports its Python.

What DVC still has of a stage's last run: it deletes outputs before a stage runs, but dvc.lock still names them, so
DVC's own file system serves them, from the cache, else from the remote. And experiments, revisions, and the copies
that cache and remote keep.
"""

import hashlib
import io
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from onepass.core import UserError


def dvc_files() -> Any:
    """An fsspec file system of the outputs that dvc.lock names, rooted at the repository of this folder."""
    from dvc.api import DVCFileSystem  # noqa: PLC0415 - costs 0.3 s, so not before it is needed

    return DVCFileSystem()


def files_at(files: Any, revision: str) -> Any:
    """The same of a revision of git, with this workspace's configuration: its own may be older than the remote."""
    from dvc.api import DVCFileSystem  # noqa: PLC0415

    return DVCFileSystem(rev=revision, config=files.repo.config)


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


@contextmanager
def open_previous(files: Any, path: str) -> Iterator[IO[bytes]]:
    """The same to be read piece by piece; empty where there is none."""
    try:
        file = files.open(path, "rb")
    except FileNotFoundError:
        file = io.BytesIO()
    except Exception as error:  # noqa: BLE001 - as above
        print(f"not reused, the previous {path} cannot be read: {error}", flush=True)
        file = io.BytesIO()
    with file:
        yield file


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


def cache_folder(files: Any) -> Path:
    """Where DVC's cache is on this machine."""
    return Path(files.repo.cache.local_cache_dir)


@contextmanager
def holding_list_of_locks(path: Path) -> Iterator[None]:
    """Nobody else writes DVC's list of locks meanwhile. UserError: another DVC is at it and does not let go."""
    from dvc.lock import LockError, make_lock  # noqa: PLC0415

    guard = make_lock(f"{path}.lock", tmp_dir=str(path.parent))
    try:
        guard.lock()
    except LockError as error:
        raise UserError(f"{path} is in use by another DVC. Wait for its end, and run this again.") from error
    try:
        yield
    finally:
        guard.unlock()


def has_remote(files: Any) -> bool:
    """Whether the repository has a default remote for its data, beside the one that DVC's file system makes up."""
    return files.repo.config.get("core", {}).get("remote") not in (None, "auto-generated-upstream")


def is_kept(files: Any, path: Path) -> bool:
    """Whether DVC keeps a file or folder, something in it, or a folder that it is in."""
    mine = path.absolute()
    kept = [Path(out.fs_path) for out in files.repo.index.outs]
    return any(mine == theirs or mine in theirs.parents or theirs in mine.parents for theirs in kept)


def stages_for(files: Any, target: str) -> set[str]:
    """The names of the stages of a dvc.yaml, and of all that they need, directly or through others."""
    found = files.repo.stage.collect(target, with_deps=True)
    return {stage.name for stage in found}


def stages_that_make(files: Any, paths: Collection[str]) -> list[str]:
    """The addresses of the stages whose outputs these paths are, or lie in; sorted."""
    wanted = [Path(path).absolute() for path in paths]
    outs = [(Path(out.fs_path), out.stage) for out in files.repo.index.outs if not out.stage.is_data_source]
    return sorted({stage.addressing for made, stage in outs if any(path.is_relative_to(made) for path in wanted)})


def digest_of(files: Any, path: str) -> str:
    """What dvc.lock would say of a file or folder now; DVC remembers the files that have not changed."""
    from dvc.fs import localfs  # noqa: PLC0415
    from dvc_data.hashfile.build import build  # noqa: PLC0415

    repo = files.repo
    where = str(Path(path).absolute())
    *_, built = build(repo.cache.local, where, localfs, "md5", dry_run=True, ignore=repo.dvcignore)
    return str(built.hash_info.value)


def write_settings(files: Any, folder: Path) -> None:
    """Gives another checkout the settings of this workspace, with absolute paths, and links to this cache.

    Links instead of copies: features of 100,000 photos have gigabytes.
    """
    from dvc.config import Config, merge  # noqa: PLC0415

    with Config(str(folder / ".dvc")).edit("local") as settings:
        settings.clear()
        for level in ("repo", "local"):  # the others are those of the person or the machine: there, too
            merge(settings, files.repo.config.read(level))
        merge(settings, {"cache": {"dir": str(cache_folder(files)), "type": "hardlink,symlink"}})


def machine_folder(files: Any) -> Path:
    """A folder beside the DVC cache: the same one for every temporary workspace of ``dvc exp run``."""
    return cache_folder(files) / "onepass"


def machine_folder_of_here() -> Path:
    """``machine_folder`` of the current directory; where it is DVC's root, found without opening the repository, which
    takes 0.3 s.
    """
    from dvc.config import Config  # noqa: PLC0415

    here = Path(".dvc").absolute()
    if not here.is_dir():
        return machine_folder(dvc_files())
    return Path(Config(str(here)).get("cache", {}).get("dir") or here / "cache") / "onepass"


def read_tracked(files: Any, path: str) -> bytes:
    """A file that git tracks, of ``dvc_files`` or ``files_at``; empty where there is none."""
    from dvc.exceptions import DvcException  # noqa: PLC0415

    try:
        return bytes(files.read_bytes(path))
    except FileNotFoundError:
        return b""
    except DvcException as error:
        raise UserError(f"dvc.yaml and dvc.lock cannot be read: {error}. Mend them, or run `dvc repro`.") from error


def experiments_of_head(files: Any) -> dict[str, str]:
    """The experiments of this commit, name and revision, as `dvc exp list` names them; sorted."""
    from dvc.exceptions import DvcException  # noqa: PLC0415

    try:
        listed = files.repo.experiments.ls()
    except DvcException:  # nothing is committed yet, or there is no git
        return {}
    return dict(sorted(experiment for of_commit in listed.values() for experiment in of_commit))


def resolve_revision(files: Any, name: str) -> str:
    """The commit that a name of git means. ValueError: git knows none."""
    from dvc.exceptions import DvcException  # noqa: PLC0415
    from dvc.scm import resolve_rev  # noqa: PLC0415

    try:
        return str(resolve_rev(files.repo.scm, name))
    except DvcException as error:
        raise ValueError(str(error)) from error


class StoredCopy(NamedTuple):
    """One copy of an object, in the workspace, the cache or the remote."""

    name: str  # what to call it
    files: Any  # its file system
    path: str  # there
    md5: str  # that it should have

    def is_damaged(self) -> bool:
        """Whether it is there and its bytes are others. md5 is no guard against malice here, only against damage."""
        if not self.files.exists(self.path):
            return False
        digest = hashlib.md5(usedforsecurity=False)
        with self.files.open(self.path, "rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
        return digest.hexdigest() != self.md5


def outputs_made() -> dict[str, Any]:
    """DVC's record of each output that a stage made, by path.

    Files that people put under DVC with `dvc add` are theirs to change: a difference there is no damage.
    """
    return {str(out): out for out in dvc_files().repo.index.outs if out.hash_info and not out.stage.is_data_source}


def listing_copies(out: Any, remote: str | None) -> Iterator[StoredCopy]:
    """The stored listing of a tracked folder, which names the content of its files.

    Args:
        remote: whose copies count too; empty: the default one; None: no remote.

    """
    if out.hash_info.isdir:
        for place, files, stored in _stores(out.repo, out.hash_info.value, remote):
            yield StoredCopy(
                f"the listing of {out} in {place}", files, stored, out.hash_info.value.removesuffix(".dir")
            )


def file_copies(out: Any, remote: str | None) -> Iterator[StoredCopy]:
    """Every copy of an output, or of every file in it; none where its listing is lost."""
    from dvc.fs import localfs  # noqa: PLC0415

    listing = (out.get_obj() or ()) if out.hash_info.isdir else [((), None, out.hash_info)]
    for parts, _, content in listing:
        file = "/".join([str(out), *parts])
        yield StoredCopy(f"{file} in the workspace", localfs, f"{out.repo.root_dir}/{file}", content.value)
        for place, files, stored in _stores(out.repo, content.value, remote):
            yield StoredCopy(f"{file} in {place}", files, stored, content.value)


def _stores(repo: Any, oid: str, remote: str | None) -> Iterator[tuple[str, Any, str]]:
    """The places of an object in the cache and, if asked for, the remote."""
    yield "the cache", repo.cache.local.fs, repo.cache.local.oid_to_path(oid)
    if remote is not None:
        store = repo.cloud.get_remote_odb(name=remote or None)
        yield "the remote", store.fs, store.oid_to_path(oid)
