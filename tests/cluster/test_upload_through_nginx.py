"""A video in pieces through nginx: what came before the line broke is kept; it may be large."""

import hashlib
import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from werkzeug.serving import make_server

from config import Config
from tests.builders import make_session, make_user
from tests.components.front import front
from tests.components.servers import free_port
from tests.journeys.conftest import sign_in_cookie
from tests.patience import wait_for
from tests.web.test_uploads_survive import Line
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.session import SessionStatus
from webinar.media.uploads import UploadStore
from webinar.services import uploads

MEGABYTE = 1024 * 1024
SIZE = 12 * MEGABYTE + 17


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_line_that_breaks_before_nginx_loses_nothing_that_came_through(
    app: Flask, db: DbSession, config: Config, tmp_path: Path
) -> None:
    app.extensions["config"] = replace(app.extensions["config"], LOW_DISK_MEGABYTES=0)
    now = datetime.now(UTC)
    session = make_session(db, starts_at=now - timedelta(days=2), status=SessionStatus.ENDED)
    user = make_user(db, roles=(Role.ADMINISTRATOR,))
    db.commit()
    video = secrets.token_bytes(SIZE)
    server = make_server("127.0.0.1", free_port(), app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    with front(free_port(), program_port=server.port, media=tmp_path / "media") as nginx:
        line = Line(nginx.port, f"webinar={sign_in_cookie(app, user)}")
        address = f"/manage/sessions/{session.public_id}/recording/uploads"
        path = line.ask("POST", address, **{"Upload-Length": str(SIZE)})["Location"]

        def arrived() -> int:
            return int(line.ask("HEAD", path).get("Upload-Offset", "-1"))

        line.send(path, 0, video, break_after=5 * MEGABYTE)
        wait_for(lambda: arrived() > MEGABYTE)
        offsets = []

        def arrives_whole() -> bool:
            offsets.append(arrived())
            # The end of what was sent first may still come in: what begins too early is refused.
            with suppress(OSError):
                line.send(path, offsets[-1], video[offsets[-1] :], break_after=SIZE)
            return arrived() == SIZE

        wait_for(arrives_whole)
    server.shutdown()
    thread.join()
    server.server_close()

    db.expire_all()
    upload = uploads.latest(db, session.id)
    assert upload is not None
    whole = UploadStore(config.DATA_DIR.resolve()).path(upload.public_id).read_bytes()
    assert MEGABYTE < offsets[0] <= 5 * MEGABYTE
    assert offsets == sorted(offsets)
    assert hashlib.sha256(whole).digest() == hashlib.sha256(video).digest()
