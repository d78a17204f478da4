"""Players of a live broadcast, each as a browser would be: does any segment come too late?

Every second a segment is published. A player asks for the live list every second, for the key once
and for each new segment, over one connection; it begins two segments behind the newest and plays
without a break. A segment is late if it has not arrived when its turn to be shown has come.
"""

import heapq
import secrets
import selectors
import socket
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

from benchmarks._evening import SECRET, Evening, prepare, segment_row
from benchmarks._load import get
from benchmarks._servers import migrated, serving
from config import Config
from tests.components.front import front
from tests.components.servers import free_port
from webinar.app import create_app
from webinar.db import open_db
from webinar.domain.recording import RecordingState
from webinar.models import Broadcast, Recording
from webinar.services import recordings
from webinar.tools import media_shelf

SECONDS = 20.0
SEGMENT_SECONDS = 1.0
SEGMENT_BYTES = 190_000
BEHIND = 2
PROCESSES = 2
DISCARD = socket.MSG_TRUNC  # counted and thrown away by the kernel, tcp(7)
HEADING = (
    "| players | segments | late | list, ms (median, 99 %) | segment, ms (median, 99 %) |\n"
    "| --- | --- | --- | --- | --- |"
)


@dataclass
class Player:
    """One viewer: what it asked for last, what it still wants, and when it must show what."""

    cookie: str
    list_path: str
    asks_at: float
    waits_for: str = ""
    asked_at: float = 0.0
    left: int = 0
    has_key: bool = False
    wanted: list[tuple[int, str]] = field(default_factory=list)
    newest: int = -1
    first: int = -1
    began_at: float = 0.0
    late: int = 0
    list_ms: list[float] = field(default_factory=list)
    segment_ms: list[float] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    key_path: str = ""

    def request(self, now: float) -> bytes:
        """What it asks next."""
        self.asked_at = now
        if not self.waits_for:
            self.waits_for = self.list_path
        return get(self.waits_for, self.cookie)

    def answered(self, now: float) -> bool:
        """Take the answer; True if there is something to ask for at once."""
        took = (now - self.asked_at) * 1000
        if self.waits_for == self.list_path:
            self.list_ms.append(took)
            self._read_list(self.body.decode())
        elif self.waits_for == self.key_path:
            self.has_key = True
        else:
            self.segment_ms.append(took)
            self._show(self.wanted.pop(0)[0], now)
        self.waits_for = ""
        if self.wanted:
            self.waits_for = self.wanted[0][1] if self.has_key else self.key_path
        return bool(self.waits_for)

    def _read_list(self, text: str) -> None:
        lines = text.splitlines()
        first = int(text.partition("#EXT-X-MEDIA-SEQUENCE:")[2].split("\n", 1)[0])
        paths = [line for line in lines if not line.startswith("#")]
        self.key_path = text.rpartition('URI="')[2].partition('"')[0]
        if self.newest < 0:
            self.newest = first + len(paths) - 2 - BEHIND
        for number, path in enumerate(paths, start=first):
            if number > self.newest:
                self.wanted.append((number, path))
                self.newest = number

    def _show(self, number: int, now: float) -> None:
        if self.first < 0:
            self.first, self.began_at = number, now
        if now > self.began_at + (number - self.first) * SEGMENT_SECONDS:
            self.late += 1


def watch(port: int, evening: Evening, cookies: list[str], seconds: float) -> list[Player]:
    """Let these people watch for so long."""
    began = time.monotonic()
    path = f"/recordings/{evening.public_id}/main/live.m3u8"
    players = [
        Player(cookie, path, began + number / len(cookies) * SEGMENT_SECONDS)
        for number, cookie in enumerate(cookies)
    ]
    connections = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in players]
    due = [(player.asks_at, number) for number, player in enumerate(players)]
    heapq.heapify(due)
    scratch = bytearray(1 << 20)
    with selectors.DefaultSelector() as selector:
        for number, connection in enumerate(connections):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ, number)
        while (now := time.monotonic()) < began + seconds:
            while due and due[0][0] <= now:
                _, number = heapq.heappop(due)
                connections[number].sendall(players[number].request(now))
            for key, _ in selector.select(timeout=max(due[0][0] - now, 0) if due else 0.05):
                number = key.data
                player, connection = players[number], connections[number]
                if not _received(player, connection, scratch):
                    continue
                now = time.monotonic()
                if player.answered(now):
                    connection.sendall(player.request(now))
                else:
                    player.asks_at = max(player.asks_at + SEGMENT_SECONDS, now)
                    heapq.heappush(due, (player.asks_at, number))
    for connection in connections:
        connection.close()
    return players


def _received(player: Player, connection: socket.socket, scratch: bytearray) -> bool:
    """Read what is there; True once the answer is whole."""
    if player.left == 0:
        head, _, body = connection.recv(16_384).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{player.waits_for}: {head[:200]!r}")
        at = head.lower().index(b"content-length:")
        player.left = int(head[at + 15 :].split(b"\r\n", 1)[0]) - len(body)
        player.body = bytearray(body)
    elif player.waits_for == player.list_path:
        more = connection.recv(player.left)
        player.body += more
        player.left -= len(more)
    else:
        player.left -= connection.recv_into(scratch, player.left, DISCARD)
    return player.left == 0


def go_on_air(config: Config, evening: Evening, stopped: Event) -> None:
    """Publish a segment every second until stopped, as the media worker does."""
    app = create_app(config)
    shelf = media_shelf(config)
    with open_db.begin() as db:
        recording = recordings.by_public_id(db, evening.public_id)
        recording.state = RecordingState.RECORDING
        started_at = datetime.now(UTC)
        db.add(Broadcast(public_id="bench", session_id=evening.session_id, started_at=started_at))
        recording_id = recording.id
    number, due = len(evening.segments), time.monotonic()
    while not stopped.wait(max(due - time.monotonic(), 0)):
        with open_db.begin() as db:
            recording = db.get_one(Recording, recording_id)
            row = segment_row(recording, number, filmed_at=datetime.now(UTC), size=SEGMENT_BYTES)
            shelf.storage.put(row.name, secrets.token_bytes(SEGMENT_BYTES))
            recordings.add_segment(db, row)
        number, due = number + 1, due + SEGMENT_SECONDS
    app.extensions["engine"].dispose()


def audience(port: int, evening: Evening, count: int) -> list[Player]:
    """So many viewers at once, from processes of their own."""
    people = evening.cookies[:count]
    with ProcessPoolExecutor(PROCESSES) as pool:
        parts = [
            pool.submit(watch, port, evening, list(people[part::PROCESSES]), SECONDS)
            for part in range(PROCESSES)
        ]
        return [player for part in parts for player in part.result()]


def line(name: str, players: list[Player]) -> str:
    """A row of the table."""
    lists = sorted(ms for player in players for ms in player.list_ms)
    segments = sorted(ms for player in players for ms in player.segment_ms)
    late = sum(player.late for player in players)
    return (
        f"| {len(players)}, {name} | {len(segments):,} | **{late:,}** "
        f"| {_at(lists, 0.5):.0f}, {_at(lists, 0.99):.0f} "
        f"| {_at(segments, 0.5):.0f}, {_at(segments, 0.99):.0f} |"
    )


def _at(values: list[float], share: float) -> float:
    return values[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def main() -> int:
    rows = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        config = Config(
            SECRET_KEY=SECRET,
            DATABASE_URL=f"sqlite:///{folder / 'bench.sqlite3'}",
            DATA_DIR=folder / "data",
            RENDITIONS="main",
            NGINX=True,
        )
        migrated(config)
        evening = prepare(config, viewers=400, segments=8, segment_bytes=SEGMENT_BYTES)
        program = stack.enter_context(serving("wsgi:app", config.to_env()))
        media = config.DATA_DIR / "media"
        nginx = stack.enter_context(
            front(free_port(), program_port=program.port, media=media, workers=2)
        )
        stopped = Event()
        speaker = Thread(target=go_on_air, args=(config, evening, stopped))
        speaker.start()
        time.sleep(2 * SEGMENT_SECONDS)
        for name, port, count in (
            ("gunicorn alone", program.port, 200),
            ("deploy/nginx.conf", nginx.port, 400),
        ):
            rows.append((name, audience(port, evening, count)))
        stopped.set()
        speaker.join()
    sys.stdout.write("\n".join([HEADING, *(line(name, players) for name, players in rows)]))
    sys.stdout.write(
        f"\n\n{SEGMENT_BYTES:,} bytes a segment of {SEGMENT_SECONDS:.0f} s, {SECONDS:.0f} s each; "
        "players, speaker and servers share this machine.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
