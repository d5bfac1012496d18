"""What an earlier prepare found out by decoding is known to this one, whichever version wrote it."""

from io import BytesIO
from pathlib import Path

import pytest

from onepass.photos import Image, previous_decoding

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
    known = previous_decoding(lambda path: BytesIO(outputs[path]), Path("prepared"), DECODING)
    assert known.row(HASH, "new name.jpg") == Image(HASH, "new name.jpg", 3, 2, 1)
