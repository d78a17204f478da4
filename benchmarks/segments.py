"""Segments through deploy/nginx.conf, each person asked about, over the same files unasked."""

import selectors
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks._evening import SECRET, Evening, prepare
from benchmarks._load import HEADING, Measured, get
from benchmarks._servers import Server, migrated, serving
from config import Config
from tests.components.front import front
from tests.components.nginx import NginxServer
from tests.components.servers import free_port

ROUNDS = 5
SECONDS = 3.0
CONNECTIONS = 32
SEGMENTS = 60
# One second of 1.5 Mbit/s: what a live viewer fetches every second.
SEGMENT_BYTES = 190_000
TARGET = 0.9
# Bytes that arrive are counted and thrown away by the kernel (tcp(7)): the asker costs little.
DISCARD = socket.MSG_TRUNC


@dataclass
class Download:
    """One connection: which request comes next, and how much of the answer is still to come."""

    requests: list[bytes]
    turn: int = 0
    left: int = 0

    def next(self) -> bytes:
        self.turn = (self.turn + 1) % len(self.requests)
        return self.requests[self.turn]


def ask(requests: list[list[bytes]], port: int, seconds: float) -> int:
    """Keep one connection for each list of requests busy; returns the number of whole answers."""
    answers, end = 0, time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for wanted in requests:
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            download = Download(wanted)
            connection.sendall(download.next())
            selector.register(connection, selectors.EVENT_READ, download)
        scratch = bytearray(1 << 20)
        while selector.get_map():
            for key, _ in selector.select(timeout=30):
                connection, download = key.fileobj, key.data
                assert isinstance(connection, socket.socket)
                if download.left == 0:
                    head, _, body = connection.recv(4096).partition(b"\r\n\r\n")
                    if not head:
                        # nginx ends a connection after a thousand answers.
                        selector.unregister(connection)
                        connection.close()
                        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
                        selector.register(connection, selectors.EVENT_READ, download)
                        connection.sendall(download.requests[download.turn])
                        continue
                    if not head.startswith(b"HTTP/1.1 200"):
                        raise RuntimeError(head)
                    at = head.lower().index(b"content-length:")
                    download.left = int(head[at + 15 :].split(b"\r\n", 1)[0]) - len(body)
                else:
                    download.left -= connection.recv_into(scratch, download.left, DISCARD)
                if download.left > 0:
                    continue
                answers += 1
                if time.monotonic() < end:
                    connection.sendall(download.next())
                else:
                    selector.unregister(connection)
                    connection.close()
    return answers


def requests_for(evening: Evening, prefix: str, part: int) -> list[list[bytes]]:
    """For each connection of this part: another person, every segment in turn."""
    people = evening.cookies[part::2][: CONNECTIONS // 2]
    return [[get(f"{prefix}/{name}", cookie) for name in evening.segments] for cookie in people]


def measure(measured: Measured, servers: Sequence[Server], evening: Evening, prefix: str) -> None:
    """One round, of the first of the servers; the CPU is that of them all."""
    port = servers[0].port
    before, began = sum(each.cpu_seconds() for each in servers), time.monotonic()
    with ProcessPoolExecutor(2) as pool:
        parts = [
            pool.submit(ask, requests_for(evening, prefix, part), port, SECONDS)
            for part in range(2)
        ]
        answers = sum(part.result() for part in parts)
    used = sum(each.cpu_seconds() for each in servers) - before
    measured.add(answers, time.monotonic() - began, used)


def static(port: int, media: Path) -> NginxServer:
    """The least nginx can do: a file for an address."""
    server = f"""
        access_log off;
        server {{
            listen 127.0.0.1:{port};
            sendfile on;
            tcp_nopush on;
            keepalive_requests 10000;
            root {media};
            types {{ video/mp2t ts; }}
            open_file_cache max=2000 inactive=30s;
        }}"""
    return NginxServer(port, http=server, workers=2)


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        config = Config(
            SECRET_KEY=SECRET,
            DATABASE_URL=f"sqlite:///{folder / 'bench.sqlite3'}",
            DATA_DIR=folder / "data",
            NGINX=True,
        )
        migrated(config)
        evening = prepare(
            config, viewers=CONNECTIONS, segments=SEGMENTS, segment_bytes=SEGMENT_BYTES
        )
        program = stack.enter_context(serving("wsgi:app", config.to_env()))
        media = config.DATA_DIR / "media"
        bare = stack.enter_context(static(free_port(), media))
        ours = stack.enter_context(
            front(free_port(), program_port=program.port, media=media, workers=2)
        )
        unasked = f"/recordings/{evening.public_id}"
        gated = f"{unasked}/segments"
        runs = [
            (Measured("nginx, static files"), unasked, [Server(bare.port, bare.pid)]),
            (
                Measured("nginx, deploy/nginx.conf"),
                gated,
                [Server(ours.port, ours.pid), program],
            ),
            (Measured("gunicorn alone"), gated, [program]),
        ]
        for _ in range(ROUNDS):
            for measured, prefix, servers in runs:
                measure(measured, servers, evening, prefix)
    base = runs[0][0]
    sys.stdout.write(HEADING.replace("hello-world", "static files").replace("3", str(ROUNDS)))
    sys.stdout.write("\n" + "\n".join(measured.line(base) for measured, *_ in runs) + "\n\n")
    sys.stdout.write(
        f"{SEGMENT_BYTES:,} bytes a segment, {CONNECTIONS} connections, each another person. "
        f"Target through nginx: {TARGET} of static files.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
