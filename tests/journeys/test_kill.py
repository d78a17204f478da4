"""kill -9 of everything while broadcasting: what was acknowledged is in the recording."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from config import Config
from tests.builders import make_faculty, make_moderated, make_session, make_user
from tests.components.servers import free_port
from tests.conftest import SECRET
from tests.journeys.conftest import sign_in_cookie
from tests.media.counted import counted_film, numbers_shown
from tests.media.films import Cinema, pieces
from webinar.app import create_app
from webinar.db import open_db, read_db
from webinar.domain.recording import RecordingState
from webinar.domain.rendition import Rendition
from webinar.models import Recording
from webinar.services import recordings
from webinar.tools import media_shelf

ROOT = Path(__file__).resolve().parents[2]
# In the suite a few; the full run is KILLS=50.
KILLS = int(os.environ.get("KILLS", "6"))
SEED = 20261126
PATIENCE_SECONDS = 120


@dataclass
class LaptopServer:
    """What ./run starts: one gunicorn with its clock, in a process group of its own."""

    config: Config
    port: int
    log: Path
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    def start(self) -> None:
        command = [
            *(sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn_laptop.py"),
            *("--no-control-socket", "--bind", f"127.0.0.1:{self.port}", "wsgi:app"),
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | self.config.to_env(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                if self.request("GET", "/healthz")[0] == 200:
                    return
            except (OSError, HTTPException):
                pass  # not yet
            time.sleep(0.2)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    def kill_everything(self) -> None:
        """-9 to the server and to the media workers it started: the power fails."""
        assert self.process is not None
        for pid in [*_media_workers(self.config), self.process.pid]:
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()

    def kill(self) -> None:
        """-9 to the server alone: its media workers go on."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_an_encoder(self, chance: random.Random) -> None:
        """-9 to a media worker with its ffmpeg, or to one of them alone; waits for a victim."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            for worker in _media_workers(self.config):
                children = Path(f"/proc/{worker}/task/{worker}/children")
                try:
                    encoders = [int(child) for child in children.read_text().split()]
                    if not encoders:
                        continue  # it only begins
                    for victim in chance.choice([[worker], encoders, [worker, *encoders]]):
                        os.kill(victim, signal.SIGKILL)
                except (FileNotFoundError, ProcessLookupError):
                    continue
                return
            time.sleep(0.1)
        raise AssertionError("there was no encoder to kill")

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _media_workers(config: Config) -> list[int]:
    """Process groups of `flask media work` on this data folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            surroundings = (folder / "environ").read_bytes()
        except OSError:
            continue
        if b"media\0work" in command and str(config.DATA_DIR).encode() in surroundings:
            found.append(int(folder.name))
    return found


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[LaptopServer]:
    port = free_port()
    config = Config(
        SECRET_KEY=SECRET,
        DATABASE_URL=database_url,
        DATA_DIR=tmp_path / "data",
        PUBLIC_URL=f"http://localhost:{port}",
        EMBEDDED_CLOCK=True,
    )
    server = LaptopServer(config, port, tmp_path / "server.log")
    yield server
    if server.process is not None and server.process.poll() is None:
        server.kill_everything()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_killed_again_and_again_nothing_acknowledged_is_lost(
    server: LaptopServer, tmp_path: Path
) -> None:
    app = create_app(server.config)
    with open_db.begin() as db:
        session = make_session(db, starts_at=datetime.now(UTC) + timedelta(minutes=5))
        speaker = make_user(db)
        make_faculty(db, session, user=speaker)
        make_moderated(db, session)
    studio = f"/studio/{session.public_id}"
    headers = {
        "Cookie": f"webinar={sign_in_cookie(app, speaker)}",
        "Accept": "application/json",
    }
    film_seconds = 2 * KILLS
    source = counted_film(tmp_path / "source.webm", seconds=film_seconds)
    server.start()
    as_json = {
        **headers,
        **_csrf_token(server, studio, headers),
        "Content-Type": "application/json",
    }
    assert server.request("POST", f"{studio}/live", b"{}", as_json)[0] == 200
    assert server.request("POST", f"{studio}/takes", b'{"seconds_ago": 0}', as_json)[0] == 201
    sender = Sender(server, studio, as_json, pieces(source.read_bytes(), count=4 * film_seconds))
    chance = random.Random(SEED)  # noqa: S311 -- which process dies is no secret

    sender.start()
    for number in range(KILLS):
        time.sleep(chance.uniform(0.5, 2.0))
        if number % 4 == 3:
            server.kill_everything() if chance.random() < 0.5 else server.kill()
            server.start()
        else:
            server.kill_an_encoder(chance)
    sender.join(PATIENCE_SECONDS)
    assert sender.acknowledged == len(sender.chunks)
    assert server.request("POST", f"{studio}/stop", b"{}", as_json)[0] == 200
    recording = _wait_until_published(session.id, server)

    shelf = media_shelf(server.config)
    cinema = Cinema(shelf.storage, shelf.keys, tmp_path / "cinema")
    for rendition in (Rendition.MAIN, Rendition.LOW):
        with read_db() as db:
            rows = recordings.segments(db, recording.id, rendition=rendition)
        shown = numbers_shown(cinema, recording.public_id, rows)
        assert shown == list(range(25 * film_seconds))
    app.extensions["engine"].dispose()


class Sender(Thread):
    """The studio: piece after piece, each again and again until it is acknowledged."""

    def __init__(
        self, server: LaptopServer, studio: str, headers: dict[str, str], chunks: list[bytes]
    ) -> None:
        super().__init__(name="studio", daemon=True)
        self.server, self.studio, self.headers = server, studio, headers
        self.chunks = chunks
        self.acknowledged = 0

    def run(self) -> None:
        for seq, chunk in enumerate(self.chunks):
            path = f"{self.studio}/takes/0/chunks/{seq}"
            end = time.monotonic() + PATIENCE_SECONDS
            while time.monotonic() < end:
                try:
                    status, _ = self.server.request("PUT", path, chunk, self.headers)
                except (OSError, HTTPException):
                    status = 0
                if status == 200:
                    self.acknowledged += 1
                    break
                time.sleep(0.3)
            time.sleep(0.2)


def _csrf_token(server: LaptopServer, studio: str, headers: dict[str, str]) -> dict[str, str]:
    """The token of the page, with the cookie it belongs to."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", studio, headers=headers)
    answer = connection.getresponse()
    page = answer.read().decode()
    assert answer.status == 200, page
    fresh = answer.headers["Set-Cookie"].split(";")[0]
    connection.close()
    token = page.split('name="csrf-token" content="')[1].split('"')[0]
    return {"X-CSRFToken": token, "Cookie": fresh}


def _wait_until_published(session_id: int, server: LaptopServer) -> Recording:
    for _ in range(5 * PATIENCE_SECONDS):
        with read_db() as db:
            recording = db.scalars(
                select(Recording).where(Recording.session_id == session_id)
            ).one()
        if recording.state is RecordingState.PUBLISHED:
            return recording
        time.sleep(0.2)
    raise AssertionError(f"the recording was not published:\n{server.log.read_text()}")
