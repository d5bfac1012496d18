"""A photo is the same in a file, in a tar shard and behind an address; and damage on the way is noticed."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as Pillow

from onepass.core import UserError, addresses
from onepass.photos import (
    DecodeCache,
    Image,
    LocatedView,
    Photo,
    PixelReader,
    Quarantined,
    UndecodableError,
    View,
    find_photos,
    inspect_file,
    known_unread,
    readings,
)
from onepass.photos.reading import missing, tar_shard
from tests.web import Web, cut_off, status, web, whole

LIMIT = 1_000_000  # pixels


def png(colour: str) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", (30, 20), colour).save(file, "PNG")
    return file.getvalue()


RED, BLUE = png("red"), png("blue")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_shard(path: Path, members: dict[str, bytes]) -> bytes:
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return path.read_bytes()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(addresses, "PAUSES", (0.01, 0.05))
    monkeypatch.setattr(addresses, "PATIENCE", 1.0)
    tar_shard._listing.cache_clear()
    with web() as served:
        yield served


def inspected(root: Path, file: str, hash_: str = "", known: DecodeCache | None = None) -> Image | Quarantined:
    return inspect_file(root, Photo(file, "cats", "", "", hash=hash_), known or DecodeCache(), LIMIT)


def test_a_photo_is_the_same_in_a_file_in_a_shard_and_behind_addresses(tmp_path: Path, server: Web) -> None:
    (tmp_path / "1.png").write_bytes(RED)
    shard = write_shard(tmp_path / "photos-0.tar", {"other.png": BLUE, "a b/1.png": RED})
    server.answers |= {"/1.png": [whole(RED)], "/photos-0.tar": [whole(shard)]}
    names = ["1.png", "photos-0.tar::a b/1.png"]
    names += [f"{server.address}/1.png", f"{server.address}/photos-0.tar::a b/1.png"]
    rows = [inspected(tmp_path, name) for name in names]
    assert rows == [Image(digest(RED), name, 30, 20, 0) for name in names]
    reader = PixelReader(tmp_path, (8, 8, 3), "scaled")
    pixels = [reader.pixels(LocatedView(name, View(digest(RED), 0))).tobytes() for name in names]
    assert len(set(pixels)) == 1


def test_what_a_transfer_damaged_is_fetched_again(tmp_path: Path, server: Web) -> None:
    address = f"{server.address}/1.png"
    flipped = bytearray(RED)
    flipped[50] ^= 1
    server.answers["/1.png"] = [whole(bytes(flipped)), cut_off(RED), whole(RED)]
    assert inspected(tmp_path, address) == Image(digest(RED), address, 30, 20, 0)


def test_what_is_damaged_at_its_place_is_quarantined_after_two_looks(tmp_path: Path, server: Web) -> None:
    address = f"{server.address}/1.png"
    server.answers["/1.png"] = [whole(RED[:-20])]
    row = inspected(tmp_path, address)
    assert isinstance(row, Quarantined)
    assert (row.file, row.reason) == (address, "truncated")
    assert server.asked["/1.png"] == 2


def test_what_has_another_hash_than_the_csv_gives_is_not_believed(tmp_path: Path, server: Web) -> None:
    address = f"{server.address}/1.png"
    server.answers["/1.png"] = [whole(BLUE)]
    (tmp_path / "1.png").write_bytes(BLUE)
    for name in (address, "1.png"):
        detail = f"the CSV gives the hash {digest(RED)}"
        assert inspected(tmp_path, name, digest(RED)) == Quarantined(digest(BLUE), name, "other_bytes", detail)


def test_what_is_known_by_its_hash_is_not_fetched(server: Web) -> None:
    known = DecodeCache([Image(digest(RED), "old name.png", 30, 20, 0)])
    address = f"{server.address}/1.png"
    given = Photo(address, "cats", "", "", hash=digest(RED))
    assert [*known_unread([given], known)] == [Image(digest(RED), address, 30, 20, 0)]
    assert [*known_unread([given], DecodeCache())] == [None]
    here = given._replace(file="1.png")  # is read, though the same is known of what is elsewhere
    assert [*known_unread([here, given], known)] == [None, Image(digest(RED), address, 30, 20, 0)]
    assert not server.asked


def test_what_cannot_be_had_is_quarantined_by_its_address_with_the_reason(tmp_path: Path, server: Web) -> None:
    address = f"{server.address}/absent.png"
    row = inspected(tmp_path, address)
    assert isinstance(row, Quarantined)
    assert (row.hash, row.file, row.reason) == ("", address, "unreachable")
    assert "absent.png" in row.detail


def test_extraction_believes_only_the_bytes_that_prepare_saw(tmp_path: Path, server: Web) -> None:
    address = f"{server.address}/1.png"
    reader, located = PixelReader(tmp_path, (8, 8, 3), "scaled"), LocatedView(address, View(digest(RED), 0))
    server.answers["/1.png"] = [whole(BLUE), whole(RED)]
    assert (reader.pixels(located) == [254, 0, 0]).all() or (reader.pixels(located) == [255, 0, 0]).all()
    server.answers["/1.png"] = [whole(BLUE)]
    with pytest.raises(UserError, match=f"^{address} has changed since prepare hashed it"):
        reader.pixels(located)
    server.answers["/1.png"] = [status(404)]
    with pytest.raises(UserError, match=f"^{address} cannot be read any more: FileNotFoundError"):
        reader.pixels(located)


def read(root: Path, file: str) -> bytes:
    return next(readings(root, file))


def test_a_shard_that_was_cut_off_gives_what_is_whole_and_tells_of_the_rest(tmp_path: Path) -> None:
    content = write_shard(tmp_path / "0.tar", {f"{number}.png": RED * 9 for number in range(9)})
    (tmp_path / "0.tar").write_bytes(content[: len(content) // 2 + 100])
    assert read(tmp_path, "0.tar::0.png") == RED * 9
    with pytest.raises(UndecodableError, match=r"no such file in 0\.tar, which has \d members before damage"):
        read(tmp_path, "0.tar::8.png")


def test_a_shard_with_a_damaged_header_does_not_seem_to_end_there(tmp_path: Path) -> None:
    content = bytearray(write_shard(tmp_path / "0.tar", {f"{number}.png": RED for number in range(9)}))
    place = content.index(b"5.png")
    content[place + 150] ^= 255  # of the checksum
    (tmp_path / "0.tar").write_bytes(content)
    assert read(tmp_path, "0.tar::4.png") == RED
    with pytest.raises(UndecodableError, match=f"5 members before damage at byte {place:,}"):
        read(tmp_path, "0.tar::8.png")


@pytest.mark.parametrize("content", [b"", b"no archive" * 100, bytes(512)])
def test_what_is_no_tar_file_gives_no_photo_and_no_traceback(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "0.tar").write_bytes(content)
    with pytest.raises(UndecodableError, match=r"^unreadable: no such file in 0\.tar, which has 0 members"):
        read(tmp_path, "0.tar::1.png")


def test_a_member_that_is_a_link_is_no_photo(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "0.tar", "w") as archive:
        about = tarfile.TarInfo("1.png")
        about.type, about.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(about)
    with pytest.raises(UndecodableError, match="no such file"):
        read(tmp_path, "0.tar::1.png")


def test_a_shard_that_is_written_anew_is_listed_anew(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.tar", {"1.png": RED})
    assert read(tmp_path, "0.tar::1.png") == RED
    write_shard(tmp_path / "0.tar", {"0.png": RED * 100, "1.png": BLUE})
    assert read(tmp_path, "0.tar::1.png") == BLUE


def test_a_csv_names_photos_of_all_kinds_and_their_hashes(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(RED)
    write_shard(tmp_path / "0.tar", {"1.png": RED})
    csv = tmp_path / "photos.csv"
    csv.write_text(
        f"file,label,hash\n1.png,cat,{digest(RED)}\n0.tar::1.png,cat,\nhttps://example.org/1.png,dog,{digest(BLUE)}\n"
    )
    photos = find_photos(str(csv))
    assert [(photo.file, photo.hash) for photo in photos] == [
        ("0.tar::1.png", ""),
        ("1.png", digest(RED)),
        ("https://example.org/1.png", digest(BLUE)),
    ]
    assert photos.has_remote


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("absent.tar::1.png,cat,", "absent.tar does not exist"),
        ("absent.png,cat,", "absent.png does not exist"),
        ("0.tar::,cat,", "0.tar is a shard; name a photo in it: 0.tar::NAME"),
        ("file:///1.png,cat,", "file:// is for no photo: give its path"),
        ("nowhere://1.png,cat,", "nowhere:// is no protocol that fsspec knows"),
        ("1.png,cat,ABC", "hash 'ABC'; allowed: the 64 hex digits of a sha256 in small letters, or empty"),
    ],
)
def test_a_row_that_can_name_no_photo_is_told_by_its_line(row: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(RED)
    write_shard(tmp_path / "0.tar", {"1.png": RED})
    (tmp_path / "photos.csv").write_text(f"file,label,hash\n{row}\n")
    with pytest.raises(UserError, match=f"line 2: {complaint}"):
        find_photos(str(tmp_path / "photos.csv"))


def test_nothing_is_fetched_to_see_whether_a_row_can_be_right(server: Web, tmp_path: Path) -> None:
    assert missing(tmp_path, f"{server.address}/absent.png") == ""
    assert not server.asked
