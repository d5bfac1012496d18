"""Each file that prepare meets is used or quarantined with its reason, and two labels never both count."""

import hashlib
import io
import os
import signal
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image as Pillow

from onepass.core import UserError
from onepass.photos import (
    Assignment,
    DecodeCache,
    Image,
    Photo,
    PhotoTable,
    Quarantined,
    UndecodableError,
    assign,
    inspect_file,
    inspect_photos,
    inspection,
    label_conflicts,
    read_file,
    write_rows,
)
from onepass.photos.reading import local_file

LIMIT = 1_000_000  # pixels


@pytest.fixture
def in_time() -> Iterator[None]:
    """Fails a test that hangs: reading a FIFO waits for a writer for ever."""

    def fail(*_: object) -> None:
        pytest.fail("still reading after five seconds")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(5)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def photo(name: str, label: str = "cats", refused: str = "") -> Photo:
    return Photo(name, label, "", "", refused)


def write_png(path: Path) -> str:
    """An image of 3x2 pixels; the hash of its file."""
    file = io.BytesIO()
    Pillow.new("RGB", (3, 2), "red").save(file, "PNG")
    path.write_bytes(file.getvalue())
    return hashlib.sha256(file.getvalue()).hexdigest()


def put_fifo(path: Path) -> None:
    os.mkfifo(path)


def put_broken_link(path: Path) -> None:
    path.symlink_to("nowhere.jpg")


def put_link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize(
    ("put", "detail"),
    [
        (put_fifo, "not a regular file"),
        (Path.mkdir, "not a regular file"),
        (put_broken_link, "No such file or directory"),
        (put_link_to_itself, "Too many levels of symbolic links"),
        (Path.exists, "No such file or directory"),
    ],
    ids=["FIFO", "folder", "broken link", "link to itself", "deleted since it was listed"],
)
def test_what_cannot_be_read_is_quarantined_and_stops_nothing(
    tmp_path: Path, put: Callable[[Path], object], detail: str
) -> None:
    put(tmp_path / "odd.jpg")
    row = inspect_file(tmp_path, photo("odd.jpg"), DecodeCache(), LIMIT)
    assert row == Quarantined("", "odd.jpg", "unreadable", detail)


def test_a_file_too_large_to_be_read_whole_is_quarantined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_png(tmp_path / "1.png")
    size = (tmp_path / "1.png").stat().st_size
    monkeypatch.setattr(local_file, "LARGEST_FILE", size - 1)
    row = inspect_file(tmp_path, photo("1.png"), DecodeCache(), LIMIT)
    assert row == Quarantined("", "1.png", "too_large", f"{size} bytes; allowed: {size - 1}")


def test_a_file_as_large_as_allowed_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1.png").write_bytes(b"12345")
    monkeypatch.setattr(local_file, "LARGEST_FILE", 5)
    assert read_file(tmp_path / "1.png") == b"12345"


def test_a_sound_image_is_described_by_hash_and_size(tmp_path: Path) -> None:
    hash_ = write_png(tmp_path / "1.png")
    assert inspect_file(tmp_path, photo("1.png"), DecodeCache(), LIMIT) == Image(hash_, "1.png", 3, 2, grey=0)


@pytest.mark.parametrize(
    ("colour", "mode", "grey"),
    [((90, 90, 90), "L", 1), ((90, 90, 90), "RGB", 1), ((90, 90, 75), "RGB", 0), ((90, 90, 84), "RGB", 1)],
)
@pytest.mark.parametrize("side", [1, 8, 500])
def test_an_image_without_colour_is_called_grey(
    colour: tuple[int, int, int], mode: str, grey: int, side: int, tmp_path: Path
) -> None:
    image = Pillow.new("RGB", (side, side), colour)
    image.convert(mode).save(tmp_path / "1.jpg", quality=50, subsampling=0)
    row = inspect_file(tmp_path, photo("1.jpg"), DecodeCache(), LIMIT)
    assert isinstance(row, Image)
    assert row.grey == grey


def test_damaged_bytes_are_quarantined_with_their_hash(tmp_path: Path) -> None:
    content = b"version https://git-lfs.github.com/spec/v1"
    (tmp_path / "1.png").write_bytes(content)
    row = inspect_file(tmp_path, photo("1.png"), DecodeCache(), LIMIT)
    hash_ = hashlib.sha256(content).hexdigest()
    assert row == Quarantined(hash_, "1.png", "not_an_image", "begins with b'version https://'")


def test_a_file_in_the_wrong_place_is_not_even_read(tmp_path: Path) -> None:
    (row,) = inspect_photos(
        PhotoTable([photo("absent.png", refused="hidden")]), tmp_path, DecodeCache(), LIMIT, lambda _hash, _image: None
    )
    assert row[:3] == ("", "absent.png", "hidden")


@pytest.mark.parametrize(
    "known",
    [Image("", "old name.png", 30, 20, 1), Quarantined("", "old name.png", "corrupt", "from last time")],
    ids=str,
)
def test_known_bytes_are_not_decoded_again_and_keep_their_new_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: Image | Quarantined
) -> None:
    def fail(*_: object) -> None:
        pytest.fail("decoded again")

    monkeypatch.setattr(inspection, "decode", fail)
    known = known._replace(hash=write_png(tmp_path / "1.png"))
    memory = DecodeCache([known]) if isinstance(known, Image) else DecodeCache(refused=[known])
    row = inspect_file(tmp_path, photo("1.png"), memory, LIMIT)
    assert row == known._replace(file="1.png")


BY_HASH = {
    "h1": [photo("cats/1.jpg", "cats"), photo("dogs/9.jpg", "dogs")],
    "h2": [photo("cats/2.jpg", "cats"), photo("cats/copy of 2.jpg", "cats")],
    "h3": [photo("dogs/3.jpg", "dogs")],
}


def test_the_same_bytes_under_two_labels_stop_and_name_both_files() -> None:
    with pytest.raises(UserError) as caught:
        label_conflicts(BY_HASH.items(), "error")
    message = str(caught.value)
    assert "1 images stand under two labels" in message
    assert "\n  cats/1.jpg (cats) and dogs/9.jpg (dogs)\n" in message
    assert "data.label_conflicts: quarantine" in message
    assert "2.jpg" not in message


def test_under_the_quarantine_policy_neither_label_is_used() -> None:
    assert label_conflicts(BY_HASH.items(), "quarantine") == [
        Quarantined("h1", "cats/1.jpg", "two_labels", "also dogs/9.jpg"),
        Quarantined("h1", "dogs/9.jpg", "two_labels", "also cats/1.jpg"),
    ]


@pytest.mark.parametrize("policy", ["error", "quarantine"])
def test_copies_under_one_label_are_no_conflict(policy: str) -> None:
    assert label_conflicts([(hash_, BY_HASH[hash_]) for hash_ in ("h2", "h3")], policy) == []


def test_read_file_tells_a_missing_file_in_its_own_exception(tmp_path: Path) -> None:
    with pytest.raises(UndecodableError, match=r"^unreadable: "):
        read_file(tmp_path / "absent.jpg")


def test_a_photo_more_takes_sixty_bytes_of_python_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(_: Path, photo: Photo, known: DecodeCache, limit: int, _keep: object) -> Image:
        assert known.row("0" * 64, photo.file) is None
        return Image(hashlib.sha256(photo.file.encode()).hexdigest(), photo.file, limit, limit, 0)

    monkeypatch.setattr(inspection, "inspect_file", unread)
    count = 20_000
    tracemalloc.start()
    try:
        files = (f"photo {number:06}.jpg" for number in range(count))
        photos = PhotoTable(Photo(file, ("cats", "dogs")[number % 2], "", "") for number, file in enumerate(files))
        assert inspect_photos(photos, tmp_path, DecodeCache(), 64, lambda _hash, _image: None) == []
        assert label_conflicts(photos.images(), "error") == []
        write_rows(tmp_path / "images.csv", Image, photos.rows())
        write_rows(tmp_path / "splits.csv", Assignment, assign(photos.images(), photos.given_splits, 0.2, 0.2, 0))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak / count < 60
    assert len((tmp_path / "splits.csv").read_text().splitlines()) == 1 + count
