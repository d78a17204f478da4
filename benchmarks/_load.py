"""A closed loop of keep-alive connections: each asks again as soon as it is answered."""

import selectors
import socket
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks._servers import Server

CONNECTIONS = 64
SECONDS = 3.0


class Talk(Protocol):
    """What one connection says: the next request, and what it makes of the answer."""

    def request(self) -> bytes: ...

    def answered(self, head: bytes, body: bytes) -> None: ...


@dataclass
class Same:
    """The same request again and again; any other status ends the benchmark."""

    data: bytes
    status: bytes

    def request(self) -> bytes:
        return self.data

    def answered(self, head: bytes, body: bytes) -> None:
        if not head.startswith(b"HTTP/1.1 " + self.status):
            raise RuntimeError(head[:200] + body[:200])


@dataclass
class Measured:
    """Rounds of one path: answers a second, and CPU microseconds of the server an answer."""

    name: str
    per_second: list[float] = field(default_factory=list)
    cpu_microseconds: list[float] = field(default_factory=list)

    def add(self, answers: int, seconds: float, cpu_seconds: float) -> None:
        self.per_second.append(answers / seconds)
        self.cpu_microseconds.append(cpu_seconds / max(answers, 1) * 1e6)

    def line(self, base: "Measured") -> str:
        """A row of the table: ratios are taken within each round, then their median."""
        ratios = [own / hello for own, hello in zip(self.per_second, base.per_second, strict=True)]
        return (
            f"| {self.name} | **{statistics.median(ratios):.2f}** "
            f"({min(ratios):.2f} to {max(ratios):.2f}) | {statistics.median(self.per_second):,.0f} "
            f"| {statistics.median(self.cpu_microseconds):,.0f} |"
        )


HEADING = (
    "| path | over hello-world, median of 3 rounds (lowest to highest) | answers/s "
    "| server CPU, µs an answer |\n| --- | --- | --- | --- |"
)


def ask_until(port: int, talks: list[Talk], seconds: float) -> int:
    """Keep one connection for each talk busy; returns the number of answers."""
    answers = 0
    with selectors.DefaultSelector() as selector:
        for talk in talks:
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(talk.request())
            selector.register(connection, selectors.EVENT_READ, (talk, bytearray()))
        end = time.monotonic() + seconds
        open_connections = len(talks)
        while open_connections:
            for key, _ in selector.select(timeout=30):
                connection = key.fileobj
                talk, buffer = key.data
                assert isinstance(connection, socket.socket)
                received = connection.recv(65536)
                if not received:
                    raise RuntimeError("The server closed a connection.")
                buffer += received
                parts = _whole(buffer)
                if parts is None:
                    continue
                talk.answered(*parts)
                buffer.clear()
                answers += 1
                if time.monotonic() < end:
                    connection.sendall(talk.request())
                else:
                    selector.unregister(connection)
                    connection.close()
                    open_connections -= 1
    return answers


def measure(
    measured: Measured, server: Server, ask: Callable[[int, int, float], int], processes: int = 2
) -> None:
    """One round: `ask(port, part, seconds)` runs in each process and returns its answers."""
    cpu_before, began = server.cpu_seconds(), time.monotonic()
    with ProcessPoolExecutor(processes) as pool:
        parts = [pool.submit(ask, server.port, part, SECONDS) for part in range(processes)]
        answers = sum(part.result() for part in parts)
    measured.add(answers, time.monotonic() - began, server.cpu_seconds() - cpu_before)


def get(path: str, *headers: str) -> bytes:
    """A GET as bytes."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _whole(buffer: bytearray) -> tuple[bytes, bytes] | None:
    """Head and body once all of the answer is there."""
    head_end = buffer.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    head = bytes(buffer[:head_end])
    at = head.lower().find(b"content-length:")
    length = 0 if at < 0 else int(head[at + 15 :].split(b"\r\n", 1)[0])
    body = bytes(buffer[head_end + 4 :])
    return (head, body) if len(body) >= length else None
