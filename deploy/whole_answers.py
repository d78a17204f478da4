"""Head and body of a small answer leave in one piece: all of it has gone, or none.

gunicorn sends them one after the other. A process that is killed between the two leaves nginx with
half an answer, which it can neither pass on nor fetch from another node. With none it can.
"""

import socket
from typing import BinaryIO

from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

# What nginx reads at once, and the socket takes at once; more is in pieces anyway.
SMALL_BYTES = 16 * 1024


class WholeAnswers(ThreadWorker):
    """gunicorn's threads, each writing to a line that keeps the head for a moment."""

    def handle_request(self, req: Request, conn: TConn) -> bool:
        """As gunicorn does it; True if the connection stays open for another request."""
        line = conn.sock
        conn.sock = kept = HeadKept(line)
        try:
            stays_open: bool = super().handle_request(req, conn)
            kept.let_go()
        finally:
            conn.sock = line
        return stays_open


class HeadKept:
    """A socket for one answer: what is sent first waits for what is sent next."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._head = b""
        self._is_under_way = False

    def sendall(self, data: bytes) -> None:
        """Send, or keep it if it is the head."""
        if not self._is_under_way and not self._head:
            self._head = data
        elif len(self._head) + len(data) <= SMALL_BYTES:
            self.let_go(data)
        else:
            self.let_go()
            self._line.sendall(data)

    def sendfile(self, file: BinaryIO, offset: int = 0, count: int | None = None) -> int:
        """As that of a socket."""
        self.let_go()
        return self._line.sendfile(file, offset, count)

    def let_go(self, more: bytes = b"") -> None:
        """Send the head, if it still waits, and what comes behind it."""
        data, self._head, self._is_under_way = self._head + more, b"", True
        if data:
            self._line.sendall(data)

    def __getattr__(self, name: str) -> object:
        # Whatever else is asked of a socket: its number, its end.
        return getattr(self._line, name)
