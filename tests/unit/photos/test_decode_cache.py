"""What an earlier prepare found out by decoding is known to this one, whichever version wrote it."""

from io import BytesIO
from pathlib import Path

import pytest

from onepass.photos import DecodeCache, Image, Photo, PhotoTable, previous_decoding

HASH = "ab" * 32
DECODING = {"max_pixels": 9}


@pytest.mark.parametrize(
    "table",
    [
        f"hash,file,width,height,grey\n{HASH},old name.jpg,3,2,1\n",
        f"hash,file,width,height,grey,given_split,group\n{HASH},old name.jpg,3,2,1,test,shoot 7\n",
        f"hash,file,width,height,grey,given_split,group,camera\n{HASH},old name.jpg,3,2,1,test,shoot 7,X100\n",
    ],
    ids=["0.2", "now", "some day"],
)
def test_a_table_of_another_version_is_reused(table: str) -> None:
    outputs = {
        "prepared/images.csv": table.encode(),
        "prepared/quarantine.csv": b"hash,file,reason,detail\n",
        "prepared/decoding.json": b'{"max_pixels": 9}',
    }
    known = previous_decoding(lambda path: BytesIO(outputs[path]), Path("prepared"), DECODING, PhotoTable([]))
    assert known.row(HASH, "new name.jpg") == Image(HASH, "new name.jpg", 3, 2, 1)


def test_photos_elsewhere_with_a_known_hash_are_recognised_and_no_others() -> None:
    moved, refused, copied, new = (Photo(f"memory://{name}", "cats", "", "", hash=HASH) for name in "abcd")
    photos = PhotoTable(
        [
            moved,
            refused._replace(refused="hidden"),
            copied,
            new._replace(hash="cd" * 32),
            Photo("here.jpg", "cats", "", "", hash=HASH),
            Photo("memory://unsaid", "cats", "", ""),
        ]
    )
    other = Image("ef" * 32, "gone.jpg", 5, 4, 0)
    known = DecodeCache([Image(HASH, "old name.jpg", 3, 2, 1), other], photos=photos)
    assert [*photos.rows()] == [Image(HASH, photo.file, 3, 2, 1) for photo in (moved, copied)]
    assert [photo.file for _, photo in photos.unseen()] == ["here.jpg", "memory://b", "memory://d", "memory://unsaid"]
    assert known.row("ef" * 32, "back again.jpg") == other._replace(file="back again.jpg")
