"""Odd folders of photos: each layout with each flaw, made anew in a folder."""

import io
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

COUNT = 25  # photos of a class
Change = Callable[[Path], object]  # of the folder that holds classes


def photo(number: int) -> bytes:
    """A PNG of 12 by 12 pixels, another one for each number."""
    pixels = np.random.default_rng(number).integers(256, size=(12, 12, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def put(content: bytes, name: str, root: Path) -> None:
    """Writes a file below the root."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)


def put_class(name: str, root: Path, first: int = 500) -> None:
    """Another class of photos."""
    for number in range(COUNT):
        put(photo(first + number), f"{name}/{number}.png", root)


def damage(names: list[str], root: Path) -> None:
    """Cuts photos off."""
    for name in names:
        (root / name).write_bytes((root / name).read_bytes()[:60])


def link(target: str, name: str, root: Path) -> None:
    """A link below the root; the target is relative to the root's parent."""
    (root / name).symlink_to(root.parent / target)


def outside(name: str, root: Path) -> None:
    """A photo outside of the root, and a link to it."""
    put(photo(700), "elsewhere.png", root.parent)
    link("elsewhere.png", name, root)


def folder_outside(name: str, root: Path) -> None:
    """A class outside of the root, and a link to it."""
    put_class("elsewhere", root.parent)
    link("elsewhere", name, root)


def one_photo(root: Path) -> None:
    """Takes away all cats but one."""
    for number in range(1, COUNT):
        (root / f"cats/{number}.png").unlink()


def mistakes(root: Path) -> None:
    """One of each kind of file that is no photo."""
    contents = {"a.txt": b"words", "b.png": b"", "c.mp4": b"\0\0\0\x18ftypmp42", "d": b"\xff\xd8\xff"}
    for name, content in contents.items():
        put(content, f"cats/{name}", root)


def together(*changes: Change) -> Change:
    """One after the other."""

    def change(root: Path) -> None:
        for one in changes:
            one(root)

    return change


NAMES = ("ü ñ 猫", "two words", "a,b", 'quo"te', "a\nb", "-rf", "$(id)", "%20", "#1", "nan", "1", "x" * 200)
FOLDERS: dict[str, Change] = {
    "as it should be": lambda root: root,
    "an empty class": lambda root: (root / "empty").mkdir(),
    "a class of folders without a file": lambda root: (root / "empty/deep/deeper").mkdir(parents=True),
    "a class all damaged": together(partial(put_class, "bad"), partial(damage, [f"bad/{n}.png" for n in range(COUNT)])),
    "a class of text": partial(put, b"words", "notes/read.txt"),
    "one damaged": partial(damage, ["cats/0.png"]),
    "a quarter damaged": partial(damage, [f"cats/{n}.png" for n in range(COUNT // 2)]),
    "one class down to one photo": one_photo,
    "one class": lambda root: shutil.rmtree(root / "dogs"),
    "no class": together(lambda root: shutil.rmtree(root / "dogs"), lambda root: shutil.rmtree(root / "cats")),
    "files that are no photos": mistakes,
    "hidden files": together(partial(put, b"x", "cats/.DS_Store"), partial(put, photo(501), "cats/._0.png")),
    "a hidden folder": partial(put, photo(502), "cats/.thumbnails/0.png"),
    "a photo beside the classes": partial(put, photo(503), "stray.png"),
    "a copy in its class": lambda root: shutil.copy(root / "cats/0.png", root / "cats/copy.png"),
    "a copy in another class": lambda root: shutil.copy(root / "cats/0.png", root / "dogs/copy.png"),
    "a wrong suffix": partial(put, photo(504), "cats/really.jpg"),
    "no suffix": partial(put, photo(505), "cats/photo"),
    "thirty folders deep": partial(put, photo(506), f"cats/{'deep/' * 30}0.png"),
    "a link to a photo": partial(outside, "cats/link.png"),
    "a link to a class": partial(folder_outside, "birds"),
    "many classes": together(*(partial(put_class, f"class{n:02}", first=1000 + COUNT * n) for n in range(30))),
    "a class in capitals too": partial(put_class, "CATS"),
    **{f"a photo named {name[:12]!r}": partial(put, photo(600), f"cats/0-{name}.png") for name in NAMES},
    **{f"a class named {name[:12]!r}": partial(put_class, name) for name in NAMES},
}
ROWS = [f"{label}/{number}.png,{label}" for label in ("cats", "dogs") for number in range(COUNT)]


def table(*lines: str, header: str = "file,label", end: str = "\n", encoding: str = "utf-8") -> bytes:
    """A CSV."""
    return "".join(f"{line}{end}" for line in (header, *lines)).encode(encoding)


CSV: dict[str, bytes] = {
    "as it should be": table(*ROWS),
    "a byte order mark": b"\xef\xbb\xbf" + table(*ROWS),
    "ends of lines of Windows": table(*ROWS, end="\r\n"),
    "no last end of line": table(*ROWS)[:-1],
    "empty lines": table(*ROWS, "", ""),
    "quotes": table(*(f'"{row.split(",")[0]}","{row.split(",")[1]}"' for row in ROWS)),
    "columns turned round": table(*(",".join(reversed(row.split(","))) for row in ROWS), header="label,file"),
    "semicolons": table(*(row.replace(",", ";") for row in ROWS), header="file;label"),
    "UTF-16": table(*ROWS, encoding="utf-16"),
    "empty": b"",
    "a header alone": table(),
    "no header": table(*ROWS[1:], header=ROWS[0]),
    "another column": table(*(f"{row},x" for row in ROWS), header="file,label,note"),
    "a column twice": table(*(f"{row},x" for row in ROWS), header="file,label,label"),
    "no label": table(*ROWS[:-1], "dogs/24.png,"),
    "too few cells": table(*ROWS[:-1], "dogs/24.png"),
    "too many cells": table(*ROWS[:-1], "dogs/24.png,dogs,more"),
    "a file twice": table(*ROWS, ROWS[0]),
    "a file twice with two labels": table(*ROWS, "cats/0.png,dogs"),
    "a file that is not there": table(*ROWS, "cats/gone.png,cats"),
    "a folder": table(*ROWS, "cats,cats"),
    "a way out": table(*ROWS, "../outside.png,cats"),
    "an absolute path": table(*ROWS, "/etc/hostname,cats"),
    "an unfinished quote": table(*ROWS, '"cats/x.png,cats'),
    "bytes that are no text": table(*ROWS) + b"\x00\xff\x00,cats\n",
    "a split misspelt": table(*(f"{row},trian" for row in ROWS), header="file,label,split"),
    "one split alone": table(*(f"{row},train" for row in ROWS), header="file,label,split"),
    "all in a group": table(*(f"{row},one" for row in ROWS), header="file,label,group"),
    "a group in two splits": table(
        *(f"{row},{'train' if '0' in row else 'validation'},one" for row in ROWS), header="file,label,split,group"
    ),
}


def data_sets() -> Iterator[tuple[str, Callable[[Path], Path]]]:
    """A name, and what makes it in an empty folder and says what data.root is."""
    for name, change in FOLDERS.items():
        yield f"folders: {name}", partial(_folders, change)
    for name in ("as it should be", "an empty class", "one damaged", "a copy in another class", "a class all damaged"):
        yield f"splits: {name}", partial(_splits, FOLDERS[name])
    for name, content in CSV.items():
        yield f"CSV: {name}", partial(_csv, content)


def _folders(change: Change, folder: Path) -> Path:
    root = folder / "photos"
    put_class("cats", root, 0)
    put_class("dogs", root, 100)
    change(root)
    return root


def _splits(change: Change, folder: Path) -> Path:
    root = folder / "photos"
    for number, split in enumerate(("train", "validation", "test")):
        put_class("cats", root / split, 200 * number)
        put_class("dogs", root / split, 200 * number + 100)
    change(root / "train")
    return root


def _csv(content: bytes, folder: Path) -> Path:
    root = _folders(FOLDERS["as it should be"], folder)
    put(content, "labels.csv", root)
    return root
