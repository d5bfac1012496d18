"""What is behind an address is fetched within limits, asked for again while that may help, or told of in words."""

import threading
import time
from collections.abc import Iterator

import pytest

from onepass.core import AddressError, addresses, fetch, is_address, names_behind, send, unusable_protocol
from tests.web import Web, cut_off, endless, status, web, whole

LIMIT = 1 << 20
CONTENT = b"a photo" * 100


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A server, and a patience that a test has, too."""
    monkeypatch.setattr(addresses, "PAUSES", (0.01, 0.05))
    monkeypatch.setattr(addresses, "PATIENCE", 1.0)
    with web() as served:
        yield served


def told(address: str) -> AddressError:
    with pytest.raises(AddressError) as caught:
        fetch(address, LIMIT)
    return caught.value


@pytest.mark.parametrize("bad", [status(500), status(503), status(429), cut_off(CONTENT)])
def test_what_may_be_mended_by_asking_again_is_asked_for_again(server: Web, bad: object) -> None:
    server.answers["/1.jpg"] = [bad, bad, whole(CONTENT)]  # type: ignore[list-item]
    assert fetch(f"{server.address}/1.jpg", LIMIT) == CONTENT
    assert server.asked["/1.jpg"] == 3


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
def test_what_stays_refused_is_asked_for_once(server: Web, code: int) -> None:
    server.answers["/1.jpg"] = [status(code)]
    error = told(f"{server.address}/1.jpg")
    assert error.reason == "unreachable"
    assert str(code) in error.detail or "FileNotFoundError" in error.detail
    assert server.asked["/1.jpg"] == 1


def test_what_has_no_end_is_not_read_to_its_end(server: Web) -> None:
    server.answers["/1.jpg"] = [endless]
    error = told(f"{server.address}/1.jpg")
    assert (error.reason, error.detail) == ("too_large", "more than 1,048,576 bytes")


def test_what_is_as_large_as_allowed_is_read(server: Web) -> None:
    server.answers["/1.jpg"] = [whole(bytes(LIMIT))]
    server.answers["/2.jpg"] = [whole(bytes(LIMIT + 1))]
    assert len(fetch(f"{server.address}/1.jpg", LIMIT)) == LIMIT
    assert told(f"{server.address}/2.jpg").reason == "too_large"


def test_what_drips_is_given_up(server: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "LONGEST", 0.2)

    def drip(request: object) -> None:
        request.send_response(200)  # type: ignore[attr-defined]
        request.end_headers()  # type: ignore[attr-defined]
        try:
            while True:
                request.wfile.write(b".")  # type: ignore[attr-defined]
                time.sleep(0.02)
        except OSError:
            return

    server.answers["/1.jpg"] = [drip]
    error = told(f"{server.address}/1.jpg")
    assert error.reason == "unreachable"
    assert "TimeoutError" in error.detail


def test_a_host_that_stays_away_is_not_waited_for_by_each_of_its_photos() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(addresses, "PAUSES", (0.01, 0.05))
        patch.setattr(addresses, "PATIENCE", 0.5)
        with web() as served:
            address = served.address
        begun = time.monotonic()
        errors = [told(f"{address}/{number}.jpg") for number in range(200)]
        assert time.monotonic() - begun < 10
    assert {error.reason for error in errors} == {"unreachable"}
    assert "away for more than 0.5 s" in errors[-1].detail


def test_a_host_that_comes_back_is_believed(server: Web) -> None:
    down = threading.Event()
    down.set()

    def moody(request: object) -> None:
        (status(503) if down.is_set() else whole(CONTENT))(request)  # type: ignore[arg-type]

    server.answers["/1.jpg"] = [moody]
    threading.Timer(0.4, down.clear).start()
    assert fetch(f"{server.address}/1.jpg", LIMIT) == CONTENT


def test_files_are_sent_listed_and_fetched() -> None:
    send("memory://pool/a/1.npy", b"one")
    send("memory://pool/b/2.npy", b"two")
    assert names_behind("memory://pool") == ["a/1.npy", "b/2.npy"]
    assert names_behind("memory://pool/nothing") == []
    assert fetch("memory://pool/b/2.npy", LIMIT) == b"two"


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("https://example.org/1.jpg", ""),
        ("memory://1.jpg", ""),
        ("file:///etc/passwd", "file:// is for no photo: give its path"),
        ("nowhere://1.jpg", "nowhere:// is no protocol that fsspec knows"),
        ("abfs://1.jpg", "abfs:// needs a library that is not installed here"),
    ],
)
def test_a_protocol_that_cannot_be_used_is_told_before_anything_is_fetched(address: str, problem: str) -> None:
    assert is_address(address)
    assert unusable_protocol(address).startswith(problem)
    assert bool(unusable_protocol(address)) == bool(problem)


@pytest.mark.parametrize("name", ["cats/1.jpg", "/photos/1.jpg", "shard.tar::1.jpg", "a:b.jpg", "://1.jpg"])
def test_a_path_is_no_address(name: str) -> None:
    assert not is_address(name)
