"""Photos, what people say of them and what is in them: one table that takes the same memory however many there are.

It is a temporary database. As columns in memory, a million photos would take 100 MB, as tuples a gigabyte.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from onepass.core import temporary_database
from onepass.photos.reading import is_remote
from onepass.photos.tables import Image

PAGE = 1024  # photos that are asked for at once
COLUMNS = "place INTEGER, file BLOB, said INTEGER, photo_group BLOB, expected BLOB, believed INTEGER"
SAID = "file, said, photo_group, expected"
CONTENT = "hash BLOB, width INTEGER, height INTEGER, grey INTEGER"
TABLES = f"""
CREATE TABLE given ({COLUMNS});
CREATE TABLE photo (number INTEGER PRIMARY KEY, {COLUMNS}, {CONTENT});
CREATE TABLE known ({CONTENT});
"""
# Only of what can be used the content is known, with its hash.
USABLE = "FROM photo WHERE hash NOTNULL"


class Photo(NamedTuple):
    """A file and what the user says of it; an empty string where nothing is said."""

    file: str  # relative to ``base_folder(root)``, with forward slashes; in a CSV also absolute, an address, in a shard
    label: str
    split: str  # train | validation | test | ""
    group: str
    refused: str = ""  # why the place of the file already rules it out
    hash: str = ""  # sha256 of its bytes, hex, where a CSV gives it


class PhotoTable:
    """Photos by number, sorted by file. Those that turn out to be images get their content with ``set_content``."""

    def __init__(self, photos: Iterable[Photo], empty: Sequence[str] = ()) -> None:
        """What is where.

        Args:
            photos: in any order.
            empty: folders that look like those of a class and have no file.

        """
        self.empty_folders = empty
        self.has_remote = False
        self._said: dict[tuple[str, str, str], int] = {}  # label, split and refusal: few, and each has a number
        self._database = temporary_database()
        self._database.executescript(TABLES)
        self._database.execute("BEGIN")  # and no end: nobody else looks into it
        self._database.executemany("INSERT INTO given VALUES (?, ?, ?, ?, ?, ?)", self._given(photos))
        self._of_number = list(self._said)
        self._database.execute(f"INSERT INTO photo (place, {SAID}, believed) SELECT * FROM given ORDER BY file, place")
        self._database.execute("DROP TABLE given")
        self._count = self._number("SELECT count(*) FROM photo")

    def _given(self, photos: Iterable[Photo]) -> Iterator[tuple[int, bytes, int, bytes, bytes, bool]]:
        for place, (file, label, split, group, refused, hash_) in enumerate(photos):
            remote = is_remote(file)
            self.has_remote |= remote
            # What is here is read, whatever is said.
            believed = remote and bool(hash_) and not refused
            said = self._said.setdefault((label, split, refused), len(self._said))
            yield place, _stored(file), said, _stored(group), bytes.fromhex(hash_), believed

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Photo:
        if not 0 <= number < self._count:
            raise IndexError(number)
        (row,) = self._database.execute(f"SELECT {SAID} FROM photo WHERE number = ?", (number + 1,))
        return self._photo(*row)

    def __iter__(self) -> Iterator[Photo]:
        return (photo for _, photo in self._numbered(""))

    def unseen(self) -> Iterator[tuple[int, Photo]]:
        """The photos whose content is not known, with their numbers; content may be set meanwhile."""
        return self._numbered("AND hash IS NULL")

    def _numbered(self, condition: str) -> Iterator[tuple[int, Photo]]:
        for start in range(1, self._count + 1, PAGE):
            page = (start, start + PAGE - 1)
            rows = self._database.execute(
                f"SELECT number, {SAID} FROM photo WHERE number BETWEEN ? AND ? {condition} ORDER BY number", page
            )
            yield from [(number - 1, self._photo(*row)) for number, *row in rows]

    def learn(self, known: Iterable[Image]) -> None:
        """Sets the content of photos that are elsewhere and are said to have these hashes: they need not be fetched.

        Args:
            known: rows of an earlier images.csv; of the same hash, the first counts.

        """
        self._database.executemany("INSERT INTO known VALUES (?, ?, ?, ?)", map(_content, known))
        self._database.execute("CREATE INDEX known_by_hash ON known (hash, width, height, grey)")
        self._database.execute(
            "UPDATE photo SET hash = expected, width = known.width, height = known.height, grey = known.grey "
            "FROM known WHERE believed AND known.hash = expected"
        )

    def known(self, hashes: AbstractSet[str]) -> Iterator[Image]:
        """Those of these hashes that were learnt, without names. Threads may ask, one at a time."""
        marks = ",".join("?" * len(hashes))
        found = self._database.execute(
            f"SELECT * FROM known WHERE hash IN ({marks}) ORDER BY rowid DESC", [bytes.fromhex(h) for h in hashes]
        )
        return (Image(hash_.hex(), "", *content) for hash_, *content in found.fetchall())

    def set_content(self, *numbered: tuple[int, Image]) -> None:
        """What photos turned out to be; until then, they count as unusable."""
        found = ((*_content(image), number + 1) for number, image in numbered)
        self._database.executemany("UPDATE photo SET hash = ?, width = ?, height = ?, grey = ? WHERE number = ?", found)

    def drop(self, hashes: AbstractSet[str]) -> None:
        """Makes the photos of these images unusable."""
        if not hashes:
            return
        dropped = ((bytes.fromhex(hash_),) for hash_ in sorted(hashes))
        self._index_hashes()
        self._database.executemany("UPDATE photo SET hash = NULL WHERE hash = ?", dropped)

    def with_hashes(self, hashes: Iterable[str]) -> Iterator[tuple[str, Photo]]:
        """The usable photos of these images, each with its content hash."""
        for hash_ in sorted(hashes):
            self._index_hashes()
            of_image = f"SELECT {SAID} FROM photo WHERE hash = ? ORDER BY number"
            for row in self._database.execute(of_image, (bytes.fromhex(hash_),)).fetchall():
                yield hash_, self._photo(*row)

    def relabel(self, labels: Mapping[str, str]) -> None:
        """Gives all photos of an image, by content hash, another label."""
        for hash_, label in sorted(labels.items()):
            self._index_hashes()
            image = bytes.fromhex(hash_)
            of_image = self._database.execute("SELECT DISTINCT said FROM photo WHERE hash = ?", (image,))
            for (before,) in of_image.fetchall():
                _, split, refused = self._of_number[before]
                said = self._number_of((label, split, refused))
                self._database.execute("UPDATE photo SET said = ? WHERE hash = ? AND said = ?", (said, image, before))

    def _number_of(self, said: tuple[str, str, str]) -> int:
        if said not in self._said:
            self._said[said] = len(self._said)
            self._of_number.append(said)
        return self._said[said]

    def _index_hashes(self) -> None:
        """A second for a million photos; only who asks for some by their hash waits for it."""
        self._database.execute("CREATE INDEX IF NOT EXISTS by_hash ON photo (hash)")

    def repeated(self) -> Iterator[tuple[int, int, str]]:
        """Of each photo whose file was given before: its place among those given, that of the first, and the file."""
        rows = self._database.execute("SELECT file, place FROM photo ORDER BY number")
        for file, same in groupby(rows, key=itemgetter(0)):
            (_, first), *more = same
            yield from ((place, first, _text(file)) for _, place in more)

    @property
    def file_count(self) -> int:
        """Of usable files."""
        return self._number("SELECT count(hash) FROM photo")

    @property
    def image_count(self) -> int:
        """Of usable images: files with the same bytes are one."""
        return self._number(f"SELECT count(*) FROM (SELECT 1 {USABLE} GROUP BY hash)")

    @property
    def photo_count(self) -> int:
        """Of all files that lie where photos are expected, usable or not."""
        counts = self._database.execute("SELECT said, count(*) FROM photo GROUP BY said")
        return sum(count for said, count in counts if not self._of_number[said][2])

    @property
    def given_labels(self) -> set[str]:
        """Of all files that lie where photos are expected, usable or not."""
        return {label for label, _, refused in self._said if not refused}

    @property
    def labels(self) -> set[str]:
        """Of usable images."""
        return {label for label, _, _ in self._said_of_usable()}

    @property
    def given_splits(self) -> set[str]:
        """Of usable images; "" where some were given none."""
        return {split for _, split, _ in self._said_of_usable()}

    def images(self, least: int = 1) -> Iterator[tuple[str, list[Photo]]]:
        """Each usable image, sorted by hash: its content hash and its photos, all of the same bytes.

        Args:
            least: of the same bytes; 2 gives the images that have copies.

        """
        chosen = f"AND hash IN (SELECT hash {USABLE} GROUP BY hash HAVING count(*) >= {least})" if least > 1 else ""
        rows = self._database.execute(f"SELECT hash, {SAID} {USABLE} {chosen} ORDER BY hash, number")
        for hash_, same in groupby(rows, key=itemgetter(0)):
            yield hash_.hex(), [self._photo(*row[1:]) for row in same]

    def rows(self) -> Iterator[Image]:
        """A row of images.csv for each usable file, in the order of the photos."""
        rows = self._database.execute(f"SELECT hash, width, height, grey, {SAID} {USABLE} ORDER BY number")
        for hash_, width, height, grey, *row in rows:
            photo = self._photo(*row)
            yield Image(hash_.hex(), photo.file, width, height, grey, photo.split, photo.group)

    def _photo(self, file: bytes, said: int, group: bytes, expected: bytes) -> Photo:
        label, split, refused = self._of_number[said]
        return Photo(_text(file), label, split, _text(group), refused, expected.hex())

    def _said_of_usable(self) -> Iterator[tuple[str, str, str]]:
        for (said,) in self._database.execute(f"SELECT DISTINCT said {USABLE}"):
            yield self._of_number[said]

    def _number(self, question: str) -> int:
        ((answer,),) = self._database.execute(question)
        return int(answer)


def _content(image: Image) -> tuple[bytes, int, int, int]:
    return bytes.fromhex(image.hash), image.width, image.height, image.grey


def _stored(name: str) -> bytes:
    return name.encode(errors="surrogateescape")


def _text(name: bytes) -> str:
    return name.decode(errors="surrogateescape")
