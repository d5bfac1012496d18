"""What lies between a client and a server: it passes bytes on, or damages some answers, or is down for a while."""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator

HOST = "127.0.0.1"
PIECE = 1 << 16  # bytes read at once
LONGEST_HEAD = 600  # bytes of an answer that are never damaged: those of its head
BODY = 1000  # bytes from which an answer is one with a photo in it


class Crossing:
    """A port that leads to another one. Only what comes back is ever damaged."""

    def __init__(self, server: int, damaged: float, seed: int) -> None:
        self._server = server
        self._damaged = damaged
        self._dice = random.Random(seed)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._down_until = 0.0
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self.answers = 0  # with a body
        self.harmed = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def stop_for(self, seconds: float) -> None:
        """All connections break, and whoever asks is turned away until then."""
        with self._lock:
            self._down_until = time.monotonic() + seconds
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """For good."""
        self.stop_for(1e9)
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if time.monotonic() < self._down_until:
                client.close()
                continue
            server = socket.create_connection((HOST, self._server))
            with self._lock:
                self._open |= {client, server}
            threading.Thread(target=self._pass_on, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, client, True), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                sink.sendall(self._harmed(piece) if answers and len(piece) > BODY else piece)
        with self._lock:
            self._open -= {source, sink}
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _harmed(self, piece: bytes) -> bytes:
        """Half of the damage cuts an answer off, the other half changes a byte of it."""
        with self._lock:
            self.answers += 1
            if self._dice.random() >= self._damaged:
                return piece
            self.harmed += 1
            place = self._dice.randrange(LONGEST_HEAD, len(piece))
            if self._dice.random() < 0.5:
                raise ConnectionResetError  # which ends both ways
            return piece[:place] + bytes([piece[place] ^ 0xFF]) + piece[place + 1 :]


@contextlib.contextmanager
def crossing(server: int, damaged: float = 0.0, seed: int = 1) -> Iterator[Crossing]:
    """Ends with the block.

    Args:
        server: port of loopback.
        damaged: share of the answers with a body that do not arrive as they were.

    """
    between = Crossing(server, damaged, seed)
    try:
        yield between
    finally:
        between.close()
