"""The command that finds damaged copies of what the stages made, and deletes them."""

import click

from onepass.core import progress_bar
from onepass.dvc_repo import StoredCopy, file_copies, listing_copies, outputs_made


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--remote", is_flag=False, flag_value="", metavar="[NAME]", help="Check the remote's copies too.")
def command(paths: tuple[str, ...], remote: str | None) -> None:
    """Find damaged copies of what the stages made and delete them, so that sound ones take their place.

    DVC never looks again at an object once it is in the cache, and takes what a remote gives for what it asked. This
    reads every byte of the workspace's and the cache's copies of PATH (all outputs unless given) and, with --remote,
    of the remote's, and deletes each one whose content is not what dvc.lock says.

    Example: python -m onepass repair
    """
    made = outputs_made()
    wanted = [path.rstrip("/") for path in paths or sorted(made)]
    if missing := sorted(set(wanted) - set(made)):
        raise click.UsageError(
            f"dvc.lock knows no output {', '.join(missing)}; it knows: {', '.join(sorted(made)) or 'none'}"
        )
    outs = [made[path] for path in wanted]
    listings = [copy for out in outs for copy in listing_copies(out, remote)]
    deleted = delete_damaged(listings)
    # A damaged listing does not say which files the folder should hold.
    files = [copy for out in outs for copy in file_copies(out, remote)]
    deleted += delete_damaged(files)
    print(f"{len(listings) + len(files)} copies checked, {deleted} deleted")
    if deleted:
        print("Now run `dvc repro`: it takes sound copies from cache and remote and computes the rest.")
        if remote is not None:
            print("Then send sound copies to the remote again: `make publish`.")


def delete_damaged(copies: list[StoredCopy]) -> int:
    """Deletes each copy that is damaged; how many these were."""
    deleted = 0
    with progress_bar(len(copies), "repair", "copies") as bar:
        for copy in copies:
            if copy.is_damaged():
                copy.files.remove(copy.path)
                print(f"deleted, damaged: {copy.name}")
                deleted += 1
            bar.update()
    return deleted
