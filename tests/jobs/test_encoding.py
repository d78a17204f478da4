"""The media worker of one broadcast."""

import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from config import Config
from tests.builders import make_moderated, make_session, make_user
from tests.media.films import film
from tests.patience import PATIENCE_SECONDS, wait_for
from webinar.db import DbSession, read_db
from webinar.jobs import encoding
from webinar.media.ffmpeg import find_ffmpeg
from webinar.media.storage import STORES, FileStorage, StorageUnreachable
from webinar.models import Broadcast
from webinar.services import broadcasts, recordings
from webinar.tools import media_shelf


class Store(FileStorage):
    """Files that are out of reach before they are stored, once each for the names given."""

    def __init__(self, root: Path, unreachable: list[str]) -> None:
        super().__init__(root)
        self.unreachable = unreachable
        self.refused: list[str] = []

    def put(self, name: str, data: bytes) -> None:
        for part in self.unreachable:
            if part in name:
                self.unreachable.remove(part)
                self.refused.append(part)
                raise StorageUnreachable("The store does not answer.")
        super().put(name, data)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_take_is_not_given_up_while_more_of_it_comes(
    db: DbSession, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An encoder that cannot write, as on a full disk, until the folder is there.
    room = tmp_path / "room"
    encoder = tmp_path / "ffmpeg"
    encoder.write_text(
        f'#!/bin/sh\ncase "$*" in *hls*) [ -d {shlex.quote(str(room))} ] || exit 1;; esac\n'
        f'exec {shlex.quote(find_ffmpeg())} "$@"\n'
    )
    encoder.chmod(0o755)
    video = film(tmp_path / "film.webm", seconds=3)
    monkeypatch.setenv("FFMPEG", str(encoder))
    now = datetime.now(UTC)
    session, user = make_moderated(db, make_session(db, starts_at=now)), make_user(db)
    broadcast = broadcasts.go_live(db, session.id, user_id=user.id, now=now)
    broadcasts.open_take(db, broadcast.id, user_id=user.id, now=now)
    db.commit()
    takes = media_shelf(config).takes
    takes.append(broadcast.public_id, 0, 0, video.read_bytes())

    def problem() -> str | None:
        with read_db() as reader:
            return reader.get_one(Broadcast, broadcast.id).problem

    worker = Thread(target=encoding.work, args=(config, broadcast.id))
    worker.start()
    wait_for(lambda: problem() is not None)
    room.mkdir()
    broadcasts.stop(db, session.id, user_id=user.id, now=now + timedelta(seconds=4))
    db.commit()
    worker.join(PATIENCE_SECONDS)

    assert problem() is None
    recording = recordings.for_session(db, session.id)
    assert recording is not None
    db.refresh(recording)
    assert recording.duration_seconds == pytest.approx(3.0, abs=0.2)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_store_out_of_reach_is_waited_for_and_the_studio_says_so(
    db: DbSession, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store", ["main-000000", "main-000002", "main-000002", "poster.jpg"])
    monkeypatch.setitem(STORES, "far", lambda url: store)
    monkeypatch.setattr(encoding, "FAILED_SECONDS", 0.5)
    config = replace(config, STORAGE_URL="far://store")
    video = film(tmp_path / "film.webm", seconds=5)
    now = datetime.now(UTC)
    session, user = make_moderated(db, make_session(db, starts_at=now)), make_user(db)
    broadcast = broadcasts.go_live(db, session.id, user_id=user.id, now=now)
    broadcasts.open_take(db, broadcast.id, user_id=user.id, now=now)
    broadcasts.stop(db, session.id, user_id=user.id, now=now + timedelta(seconds=5))
    db.commit()
    media_shelf(config).takes.append(broadcast.public_id, 0, 0, video.read_bytes())
    said: set[str | None] = set()

    def has_said() -> bool:
        with read_db() as reader:
            said.add(reader.get_one(Broadcast, broadcast.id).problem)
        return not worker.is_alive()

    worker = Thread(target=encoding.work, args=(config, broadcast.id))
    worker.start()
    wait_for(has_said)

    assert store.refused == ["main-000000", "main-000002", "main-000002", "poster.jpg"]
    assert said == {None, encoding.UNREACHABLE}
    recording = recordings.for_session(db, session.id)
    assert recording is not None
    db.refresh(recording)
    assert (recording.has_poster, recording.ready_at is not None) == (True, True)
    assert recording.duration_seconds == pytest.approx(5.0, abs=0.2)
