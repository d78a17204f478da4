"""A video sent over a line that breaks: through a real server, by real sockets."""

import hashlib
import secrets
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from threading import Thread

import pytest
from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from config import Config
from tests.builders import make_session, make_user
from tests.journeys.conftest import sign_in_cookie
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.session import SessionStatus
from webinar.domain.upload import UploadState
from webinar.media.uploads import UploadStore
from webinar.services import uploads

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MEGABYTE = 1024 * 1024
SIZE = 30 * MEGABYTE + 17
BREAKS = 5


@pytest.fixture
def server(app: Flask) -> Iterator[BaseWSGIServer]:
    app.extensions["config"] = replace(app.extensions["config"], LOW_DISK_MEGABYTES=0)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Line:
    """A client of the protocol that hangs up where it is told to."""

    def __init__(self, port: int, cookie: str) -> None:
        self.port = port
        self.headers = {
            "Cookie": cookie,
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
        }

    def ask(self, method: str, path: str, **headers: str) -> dict[str, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers=self.headers | headers)
            answer = connection.getresponse()
            answer.read()
            return dict(answer.headers)
        finally:
            connection.close()

    def send(self, path: str, offset: int, data: bytes, *, break_after: int) -> None:
        """Announce all of it, hang up after so many bytes; no answer is waited for."""
        lines = [f"PATCH {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        stated = {"Upload-Offset": str(offset), "Content-Length": str(len(data))}
        lines += [f"{name}: {value}" for name, value in (self.headers | stated).items()]
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as line:
            line.sendall("\r\n".join([*lines, "", ""]).encode())
            line.sendall(data[:break_after])
            line.shutdown(socket.SHUT_WR)
            line.recv(4096)  # until the server has noticed


def test_a_video_that_breaks_off_five_times_arrives_whole(
    app: Flask, server: BaseWSGIServer, db: DbSession, config: Config
) -> None:
    ended = datetime.now(UTC) - timedelta(days=1)
    session = make_session(db, starts_at=ended, status=SessionStatus.ENDED)
    organiser = make_user(db, roles=(Role.ORGANISER,))
    db.commit()
    video = secrets.token_bytes(SIZE)
    line = Line(server.server_port, f"webinar={sign_in_cookie(app, organiser)}")
    address = f"/manage/sessions/{session.public_id}/recording/uploads"
    path = line.ask("POST", address, **{"Upload-Length": str(SIZE)})["Location"]

    reached = []
    for _ in range(BREAKS):
        offset = int(line.ask("HEAD", path)["Upload-Offset"])
        line.send(path, offset, video[offset:], break_after=SIZE // (BREAKS + 1))
        reached.append(int(line.ask("HEAD", path)["Upload-Offset"]))
    offset = reached[-1]
    line.send(path, offset, video[offset:], break_after=SIZE)

    upload = uploads.latest(db, session.id)
    assert upload is not None
    arrived = UploadStore(config.DATA_DIR.resolve()).path(upload.public_id).read_bytes()
    assert reached == [SIZE // (BREAKS + 1) * (number + 1) for number in range(BREAKS)]
    assert upload.state is UploadState.WAITING
    assert hashlib.sha256(arrived).digest() == hashlib.sha256(video).digest()
