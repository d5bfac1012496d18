"""Finds damaged copies of what the stages made and deletes them, so that sound ones take their place.

    python -m tools.repair [PATH...] [--remote [NAME]]

DVC never looks again at an object once it is in the cache, and takes what a remote gives for what it asked.
This reads every byte of the workspace's and the cache's copies of PATH (data/features unless given) and, with
--remote, of the remote's, and deletes each one whose content is not what dvc.lock says.
"""

import argparse
import hashlib
from collections.abc import Iterator
from typing import Any

from dvc.api import DVCFileSystem
from dvc.fs import localfs
from tqdm import tqdm

CHUNK = 1 << 20  # bytes

Copy = tuple[str, Any, str, str]  # what to call it, its file system, its path there, the md5 it should have


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("paths", nargs="*", default=["data/features"], help="tracked files or folders")
    parser.add_argument("--remote", nargs="?", const="", help="check the (default) remote's copies too")
    given = parser.parse_args(arguments)
    repo = DVCFileSystem().repo
    # Files that people put under DVC with `dvc add` are theirs to change: a difference there is no damage.
    made = {str(out): out for out in repo.index.outs if out.hash_info and not out.stage.is_data_source}
    wanted = [path.rstrip("/") for path in given.paths]
    if missing := sorted(set(wanted) - set(made)):
        parser.error(f"dvc.lock knows no output {', '.join(missing)}; it knows: {', '.join(sorted(made)) or 'none'}")
    outs = [made[path] for path in wanted]
    listings = [copy for out in outs for copy in listing_copies(repo, out, given.remote)]
    deleted = delete_damaged(listings)
    # A damaged listing does not say which files the folder should hold.
    files = [copy for out in outs for copy in file_copies(repo, out, given.remote)]
    deleted += delete_damaged(files)
    print(f"{len(listings) + len(files)} copies checked, {deleted} deleted")
    if deleted:
        print("Now run `dvc repro`: it takes sound copies from cache and remote and computes the rest.")
        if given.remote is not None:
            print("Then send sound copies to the remote again: `make publish`.")


def delete_damaged(copies: list[Copy]) -> int:
    """Deletes each copy that exists and has another md5; how many these were."""
    deleted = 0
    for name, files, path, md5 in tqdm(copies, "repair", unit=" copies", disable=None):
        if files.exists(path) and md5_of(files, path) != md5:
            files.remove(path)
            print(f"deleted, damaged: {name}")
            deleted += 1
    return deleted


def listing_copies(repo: Any, out: Any, remote: str | None) -> Iterator[Copy]:
    """The stored listing of a tracked folder, which names the content of its files."""
    if out.hash_info.isdir:
        for place, files, stored in stores(repo, out.hash_info.value, remote):
            yield f"the listing of {out} in {place}", files, stored, out.hash_info.value.removesuffix(".dir")


def file_copies(repo: Any, out: Any, remote: str | None) -> Iterator[Copy]:
    """Every copy of an output, or of every file in it; none where its listing is lost."""
    listing = (out.get_obj() or ()) if out.hash_info.isdir else [((), None, out.hash_info)]
    for parts, _, content in listing:
        file = "/".join([str(out), *parts])
        yield f"{file} in the workspace", localfs, f"{repo.root_dir}/{file}", content.value
        for place, files, stored in stores(repo, content.value, remote):
            yield f"{file} in {place}", files, stored, content.value


def stores(repo: Any, oid: str, remote: str | None) -> Iterator[tuple[str, Any, str]]:
    """The places of an object in the cache and, if asked for, the remote."""
    yield "the cache", repo.cache.local.fs, repo.cache.local.oid_to_path(oid)
    if remote is not None:
        store = repo.cloud.get_remote_odb(name=remote or None)
        yield "the remote", store.fs, store.oid_to_path(oid)


def md5_of(files: Any, path: str) -> str:
    """DVC names objects by md5; it is no guard against malice here, only against damage."""
    digest = hashlib.md5(usedforsecurity=False)
    with files.open(path, "rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


if __name__ == "__main__":
    main()
