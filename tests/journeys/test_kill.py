"""kill -9 of everything while broadcasting: what was acknowledged is in the recording."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from sqlalchemy import select

from config import Config
from tests.builders import make_faculty, make_moderated, make_session, make_user
from tests.components.servers import free_port
from tests.conftest import SECRET
from tests.journeys.conftest import sign_in_cookie
from tests.media.films import film, pieces
from webinar.app import create_app
from webinar.db import open_db, read_db
from webinar.domain.recording import RecordingState
from webinar.media.ffmpeg import find_ffmpeg
from webinar.models import Recording

ROOT = Path(__file__).resolve().parents[2]
FILM_SECONDS = 16
PIECES = 16


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
        for _ in range(150):
            try:
                if self.request("GET", "/healthz")[0] == 200:
                    return
            except (OSError, HTTPException):
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


def test_killed_while_broadcasting_nothing_acknowledged_is_lost(
    server: LaptopServer, tmp_path: Path
) -> None:
    app = create_app(server.config)
    with open_db.begin() as db:
        session = make_session(db, starts_at=datetime.now(UTC) + timedelta(minutes=5))
        speaker = make_user(db)
        make_faculty(db, session, user=speaker)
        make_moderated(db, session)
    cookie = sign_in_cookie(app, speaker)
    studio = f"/studio/{session.public_id}"
    source = tmp_path / "source.webm"
    film(source, seconds=FILM_SECONDS)
    chunks = pieces(source.read_bytes(), count=PIECES)
    headers = {"Cookie": f"webinar={cookie}", "Accept": "application/json"}
    server.start()
    token = _csrf_token(server, studio, headers)
    changing = {**headers, **token}
    as_json = {**changing, "Content-Type": "application/json"}
    assert server.request("POST", f"{studio}/live", b"{}", as_json)[0] == 200
    assert server.request("POST", f"{studio}/takes", b'{"seconds_ago": 0}', as_json)[0] == 201

    acknowledged = 0
    for seq, chunk in enumerate(chunks[: PIECES // 2]):
        status, _ = server.request("PUT", f"{studio}/takes/0/chunks/{seq}", chunk, changing)
        acknowledged += status == 200
        time.sleep(0.4)
    _wait_for_picture(session.id)
    server.kill_everything()
    server.start()
    for seq, chunk in enumerate(chunks[PIECES // 2 :], start=PIECES // 2):
        status, _ = server.request("PUT", f"{studio}/takes/0/chunks/{seq}", chunk, changing)
        acknowledged += status == 200
    assert server.request("POST", f"{studio}/stop", b"{}", as_json)[0] == 200
    recording = _wait_until_published(session.id, server)

    assert acknowledged == PIECES
    assert abs(recording.duration_seconds - FILM_SECONDS) < 0.5
    playlist = f"{server.config.PUBLIC_URL}/recordings/{recording.public_id}/recording.m3u8"
    assert _frames(playlist, headers) >= 25 * FILM_SECONDS - 3
    app.extensions["engine"].dispose()


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


def _wait_for_picture(session_id: int) -> None:
    """Until some of the broadcast is packaged, so that the kill hits in the middle."""
    for _ in range(150):
        with read_db() as db:
            recording = db.scalars(
                select(Recording).where(Recording.session_id == session_id)
            ).one()
        if recording.duration_seconds > 0:
            return
        time.sleep(0.2)
    raise AssertionError("nothing was packaged")


def _wait_until_published(session_id: int, server: LaptopServer) -> Recording:
    for _ in range(300):
        with read_db() as db:
            recording = db.scalars(
                select(Recording).where(Recording.session_id == session_id)
            ).one()
        if recording.state is RecordingState.PUBLISHED:
            return recording
        time.sleep(0.2)
    raise AssertionError(f"the recording was not published:\n{server.log.read_text()}")


def _frames(playlist: str, headers: dict[str, str]) -> int:
    """How many pictures a player with the person's cookie decodes, through keys and segments."""
    played = subprocess.run(
        [
            *(find_ffmpeg(), "-v", "error", "-headers", f"Cookie: {headers['Cookie']}\r\n"),
            *("-allowed_extensions", "ALL", "-extension_picky", "0", "-i", playlist),
            *("-map", "0:v", "-f", "null", "-", "-progress", "pipe:1"),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return max(int(line[6:]) for line in played.stdout.splitlines() if line.startswith("frame="))
