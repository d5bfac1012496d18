"""What is behind an address of fsspec: ``s3://bucket/cats/1.jpg``, ``https://example.org/1.jpg``, ``gs://...``.

Fetching is limited in bytes and in time, and tried again with growing pauses, because servers and networks are away now
and then. Credentials come from where the libraries look for them: variables, ~/.aws, the machine's role.
"""

import hashlib
import re
import time
from collections.abc import Callable
from functools import cache, lru_cache
from threading import Lock
from typing import Any, TypeVar

from onepass.core.errors import first_line

ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
FETCHES = 3  # of what has other bytes than it should have
PIECE = 8 << 20  # bytes asked for at once
BLOCK = 1 << 20  # bytes fetched at once where one looks here and there
LONGEST = 120  # seconds for all of it, however slowly it drips
SILENCE = 30  # seconds without a byte
PATIENCE = 60  # seconds in which the same is asked for again and again
PAUSES = (0.5, 8.0)  # seconds, the first and the longest: each is twice the one before
HOSTS = 1024  # of which it is remembered whether they answer
AGAIN_AWAY = 10  # seconds after which a host that has been away is tried again
# Of these, asking again gives the same: an address that is wrong, or nobody's.
PERMANENT = (FileNotFoundError, PermissionError, IsADirectoryError, ValueError, TypeError)
NOBODY = "NoCredentialsError"  # of botocore, which need not be installed
TEMPORARY_ANSWERS = (408, 425, 429)  # of HTTP; others from 400 to 499 say that asking again is in vain
WHOLE_MD5 = re.compile(r'"?([0-9a-f]{32})"?')  # an ETag of S3 that is a digest, of an object sent in one piece
Found = TypeVar("Found")
EXTRAS = {"s3": "`make install EXTRA=s3`", "s3a": "`make install EXTRA=s3`"}


class AddressError(Exception):
    """What is behind an address cannot be had. ``reason``: unreachable or too_large; ``detail``: a line for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def is_address(name: str) -> bool:
    """Whether a name is an address."""
    return ADDRESS.match(name) is not None


def unusable_protocol(address: str) -> str:
    """Why addresses of this protocol cannot be fetched here; empty where they can."""
    return _unusable(_protocol(address))


def fetch(address: str, most: int) -> bytes:
    """The bytes behind an address, at most ``most``. AddressError: unreachable or too_large.

    Where the server gives a digest that they have not, they are fetched again, until they have it or the same came
    twice: of what a server keeps encrypted, the digest is another one.
    """
    content: bytes = b""
    for _ in range(FETCHES):
        before = content
        content, digest = trying_again(address, lambda: _read(address, most))
        if digest in ("", hashlib.md5(content, usedforsecurity=False).hexdigest()) or content == before:
            break
    return content


def trying_again(address: str, read: Callable[[], Found]) -> Found:
    """What ``read`` gives, which is asked again where the host may only be away for a while.

    Raises:
        AddressError: unreachable, with the last answer; or what ``read`` raises of this kind.

    """
    host, begun, pause = _host(_host_of(address)), time.monotonic(), PAUSES[0]
    while True:
        host.check()
        try:
            found = read()
        except AddressError:
            raise
        except Exception as error:
            if not _is_temporary(error):
                host.answered()
                raise AddressError("unreachable", _answer(error)) from error
            host.failed(_answer(error))
            if time.monotonic() - begun + pause > PATIENCE:
                raise AddressError("unreachable", f"{_answer(error)}; tried for {PATIENCE} s") from error
        else:
            host.answered()
            return found
        time.sleep(pause)
        pause = min(2 * pause, PAUSES[1])


def send(address: str, content: bytes) -> None:
    """Puts bytes behind an address. AddressError: unreachable."""
    trying_again(address, lambda: _filesystem(_protocol(address)).pipe_file(address, content))


def names_behind(address: str) -> list[str]:
    """The names of all files below an address, as they go on after it; sorted. AddressError: unreachable."""
    files = _filesystem(_protocol(address))

    def names() -> list[str]:
        files.invalidate_cache()
        start = files._strip_protocol(address)
        return sorted(name.removeprefix(f"{start}/") for name in files.find(address))

    return trying_again(address, names)


def open_address(address: str) -> Any:
    """A file of fsspec in which one can go to any place; each read fetches a little more than it is asked for."""
    return _filesystem(_protocol(address)).open(address, "rb", block_size=BLOCK, cache_type="readahead")


def read_range(address: str, start: int, stop: int) -> bytes:
    """Some bytes of what is behind an address."""
    return bytes(_filesystem(_protocol(address)).cat_file(address, start, stop))


def _read(address: str, most: int) -> tuple[bytes, str]:
    """What is behind it, and its md5 where the server gives one."""
    began, content = time.monotonic(), bytearray()
    files = _filesystem(_protocol(address))
    # By HTTP in one answer, whose size is not asked for before.
    way = {"block_size": 0, "size": 1} if _protocol(address) in ("http", "https") else {"cache_type": "none"}
    with files.open(address, "rb", **way) as file:
        about = getattr(file, "details", None) or {}
        if (about.get("size") or 0) > most:
            raise AddressError("too_large", f"{about['size']:,} bytes; allowed: {most:,}")
        while piece := file.read(PIECE):
            content += piece
            if len(content) > most:
                raise AddressError("too_large", f"more than {most:,} bytes")
            if time.monotonic() - began > LONGEST:
                raise TimeoutError(f"{len(content):,} bytes in {LONGEST} s, and no end")
    digest = WHOLE_MD5.fullmatch(str(about.get("ETag", "")))
    return bytes(content), digest[1] if digest else ""


class _Host:
    """Whether a server answers, as all photos of it have found: not each of a million has to find out by itself."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._away_since: float | None = None
        self._tried = 0.0
        self._said = ""

    def check(self) -> None:
        """AddressError where it has been away for long, and was tried a moment ago."""
        if self._away_since is None:
            return  # as mostly, and without a lock for which many threads would wait
        with self._lock:
            now = time.monotonic()
            if self._away_since is None or now - self._away_since < PATIENCE:
                return
            if now - self._tried < AGAIN_AWAY:
                raise AddressError("unreachable", f"{self._said}; away for more than {PATIENCE} s")
            self._tried = now

    def failed(self, said: str) -> None:
        with self._lock:
            self._tried, self._said = time.monotonic(), said
            self._away_since = self._away_since or self._tried

    def answered(self) -> None:
        if self._away_since is not None:
            with self._lock:
                self._away_since = None


@lru_cache(maxsize=HOSTS)
def _host(_name: str) -> _Host:
    return _Host()


def _host_of(address: str) -> str:
    return "/".join(address.split("/", 3)[:3])


def _protocol(address: str) -> str:
    found = ADDRESS.match(address)
    return found[1].lower() if found else ""


@cache
def _unusable(protocol: str) -> str:
    import fsspec  # noqa: PLC0415 - only who has addresses needs it

    if protocol in ("file", "local"):
        return f"{protocol}:// is for no photo: give its path"
    if protocol not in fsspec.available_protocols():
        return f"{protocol}:// is no protocol that fsspec knows"
    try:
        fsspec.get_filesystem_class(protocol)
    except (ImportError, ValueError) as error:
        how = EXTRAS.get(protocol, "pip installs it")
        return f"{protocol}:// needs a library that is not installed here ({first_line(error)}): {how}"
    return ""


@cache
def _filesystem(protocol: str) -> Any:
    import fsspec  # noqa: PLC0415 - only who has addresses needs it

    if protocol in ("http", "https"):
        import aiohttp  # noqa: PLC0415

        timeout = aiohttp.ClientTimeout(total=LONGEST, sock_connect=SILENCE, sock_read=SILENCE)
        return fsspec.filesystem(protocol, client_kwargs={"timeout": timeout})
    return fsspec.filesystem(protocol)


def _is_temporary(error: Exception) -> bool:
    status = getattr(error, "status", None)
    if isinstance(status, int) and 400 <= status < 500:
        return status in TEMPORARY_ANSWERS
    return not isinstance(error, PERMANENT) and type(error).__name__ != NOBODY


def _answer(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error)}"
