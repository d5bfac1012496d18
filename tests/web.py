"""A web server on loopback whose answers a test writes, good and bad ones."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


def whole(content: bytes) -> Answer:
    """A good answer, in part where a part is asked for."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range", "").removeprefix("bytes=")
        start, _, stop = asked.partition("-")
        part = content[int(start) : int(stop) + 1] if asked else content
        request.send_response(206 if asked else 200)
        if asked:
            request.send_header("Content-Range", f"bytes {start}-{int(start) + len(part) - 1}/{len(content)}")
        request.send_header("Accept-Ranges", "bytes")
        request.send_header("Content-Length", str(len(part)))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(part)

    return answer


def cut_off(content: bytes) -> Answer:
    """Half of it, and the end."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content[: len(content) // 2])
        request.close_connection = True

    return answer


def status(code: int) -> Answer:
    """No content, but this status."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def endless(request: BaseHTTPRequestHandler) -> None:
    """Zeros until the other side has had enough."""
    request.send_response(200)
    request.end_headers()
    try:
        while True:
            request.wfile.write(bytes(1 << 16))
    except OSError:
        request.close_connection = True


class Web:
    """What is served: for each path its answers in turn, of which the last one is given for ever."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.answers: dict[str, list[Answer]] = {}
        self.asked: Counter[str] = Counter()
        self.address = ""


@contextmanager
def web() -> Iterator[Web]:
    """A server until the end of the block."""
    served = Web()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with lock:
                answers = served.answers.get(self.path, [status(404)])
                served.asked[self.path] += 1
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
            answer(self)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
