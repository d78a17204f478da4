"""The end of a server that takes beats, by kill -9 or SIGTERM: what it called durable is stored."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import SystemRandom
from threading import Event, Thread

import pytest
from sqlalchemy import select

from config import Config
from tests.builders import make_registration, make_user
from tests.components.servers import free_port
from tests.conftest import SECRET
from tests.evidence import make_ended_session, make_recording
from webinar.app import create_app
from webinar.db import DbSession, open_db
from webinar.domain.attendance import ViewingMode
from webinar.models import ViewingPass, WatchSegment
from webinar.services import attendance

ROOT = Path(__file__).resolve().parents[2]
VIEWERS = 8
BEATS_BEFORE_THE_END = 150


@dataclass
class Viewer:
    """Sends beats one after the other, and remembers what it was promised."""

    token: str
    pass_id: str
    port: int
    durable: int = -1
    answered: int = 0
    sent: dict[int, tuple[int, int]] = field(default_factory=dict)

    def watch(self, stop: Event) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with closing(connection):
            self._send(connection, stop)

    def _send(self, connection: http.client.HTTPConnection, stop: Event) -> None:
        seq = 0
        while not stop.is_set() and seq < 5_000:
            # A segment for each beat, so that each beat must be found again.
            self.sent[seq] = (seq, seq + 1)
            beat = {"pass": self.token, "seq": seq, "segments": [[seq, seq, seq + 1]]}
            try:
                connection.request("POST", "/beats", json.dumps(beat))
                answer = connection.getresponse()
                content = json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError):
                return  # killed in the middle of an answer
            assert answer.status == 200, content
            self.durable = max(self.durable, content["durable"])
            self.answered += 1
            seq += 1


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    return Config(SECRET_KEY=SECRET, DATABASE_URL=database_url, DATA_DIR=tmp_path / "data")


@pytest.fixture
def tokens(config: Config) -> Iterator[list[tuple[str, str]]]:
    app = create_app(config)
    with open_db() as db:
        yield _passes(db)
    app.extensions["engine"].dispose()


def _passes(db: DbSession) -> list[tuple[str, str]]:
    now = datetime.now(UTC)
    session = make_ended_session(db)
    make_recording(db, session, seconds=100_000, closes_at=now + timedelta(days=1)).opens_at = now
    found = []
    for _ in range(VIEWERS):
        user = make_user(db)
        make_registration(db, session, user)
        issued = attendance.issue_pass(
            db,
            session,
            user.id,
            mode=ViewingMode.RECORDED,
            secret=SECRET.encode(),
            now=now,
        )
        found.append((issued.token, issued.pass_id))
    db.commit()
    return found


COMMANDS = {
    "the program": (
        *("-m", "gunicorn", "wsgi:app", "--worker-class", "gthread", "--threads", "8"),
        *("--no-control-socket", "--log-level", "error"),
    ),
    "beats alone": ("-m", "deploy.beats_server"),
}


def _start(kind: str, config: Config, port: int) -> "subprocess.Popen[bytes]":
    address = f"127.0.0.1:{port}"
    where = {"GUNICORN_CMD_ARGS": f"--bind {address}", "BEATS_BIND": address}
    server = subprocess.Popen(
        [sys.executable, *COMMANDS[kind]],
        cwd=ROOT,
        env=os.environ | config.to_env() | where | {"WEB_CONCURRENCY": "2"},
        start_new_session=True,
    )
    for _ in range(3_000):
        assert server.poll() is None
        if _answers(port):
            return server
        Event().wait(0.02)
    raise AssertionError("the server did not start")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(connection):
        try:
            connection.request("GET", "/beats")
            return connection.getresponse().status == 405
        except OSError:
            return False


def _end_under_load(
    kind: str,
    config: Config,
    tokens: list[tuple[str, str]],
    end: Callable[["subprocess.Popen[bytes]"], None],
    *,
    after_seconds: float,
) -> list[Viewer]:
    port = free_port()
    server = _start(kind, config, port)
    viewers = [Viewer(token, pass_id, port) for token, pass_id in tokens]
    stop = Event()
    threads = [Thread(target=viewer.watch, args=(stop,)) for viewer in viewers]
    try:
        for thread in threads:
            thread.start()
        for _ in range(6_000):
            enough = sum(viewer.answered for viewer in viewers) >= BEATS_BEFORE_THE_END
            if enough and all(viewer.durable >= 0 for viewer in viewers):
                break
            Event().wait(0.01)
        Event().wait(after_seconds)
        end(server)
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        stop.set()
        for thread in threads:
            thread.join()
    return viewers


def _kill_9(server: "subprocess.Popen[bytes]") -> None:
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _ask_to_end(server: "subprocess.Popen[bytes]") -> None:
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=60) == 0


def _stored() -> set[tuple[str, int, int]]:
    with open_db() as db:
        rows = db.execute(
            select(WatchSegment.pass_id, WatchSegment.number, WatchSegment.to_ms).join(
                ViewingPass, ViewingPass.id == WatchSegment.pass_id
            )
        ).all()
    return {(pass_id, number, to_ms) for pass_id, number, to_ms in rows}


@pytest.mark.parametrize(
    ("kind", "moment"),
    [("the program", 0), ("the program", 1), *(("beats alone", moment) for moment in range(3))],
)
def test_what_was_called_durable_survives_kill_9_at_any_moment(
    config: Config, tokens: list[tuple[str, str]], kind: str, moment: int
) -> None:
    # Before, in and after a write: one comes about every second while beats go on coming in.
    lets_run = SystemRandom().uniform(moment * 0.5, moment * 0.5 + 0.5)

    viewers = _end_under_load(kind, config, tokens, _kill_9, after_seconds=lets_run)

    promised = {
        (viewer.pass_id, seq, viewer.sent[seq][1])
        for viewer in viewers
        for seq in range(viewer.durable + 1)
    }
    assert len(promised) >= VIEWERS
    assert promised - _stored() == set()


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_server_that_is_asked_to_end_stores_all_that_it_answered(
    config: Config, tokens: list[tuple[str, str]], kind: str
) -> None:
    lets_run = SystemRandom().uniform(0, 1)

    viewers = _end_under_load(kind, config, tokens, _ask_to_end, after_seconds=lets_run)

    answered = {
        (viewer.pass_id, seq, viewer.sent[seq][1])
        for viewer in viewers
        for seq in range(viewer.answered)
    }
    assert len(answered) >= BEATS_BEFORE_THE_END
    assert answered - _stored() == set()
