"""A rehearsal from its first piece to the broom: a picture comes, nothing stays."""

import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from config import Config
from tests.builders import make_session, make_user
from tests.media.films import film, pieces
from webinar.db import DbSession, open_db
from webinar.jobs import rehearsing
from webinar.jobs.toolbox import Toolbox
from webinar.media.rehearsal import RehearsalRooms
from webinar.models import Broadcast, Recording, Rehearsal
from webinar.services import rehearsals

PATIENCE_SECONDS = 120


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_rehearsal_shows_its_picture_and_leaves_nothing(
    db: DbSession, config: Config, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    session, user = make_session(db), make_user(db)
    rehearsal = rehearsals.start(db, session, user_id=user.id, now=now)
    db.commit()
    rooms = RehearsalRooms(config.DATA_DIR.resolve())
    media = film(tmp_path / "seen.webm", seconds=3).read_bytes()
    for seq, piece in enumerate(pieces(media, count=6)):
        rooms.takes.append(rehearsal.public_id, 0, seq, piece)

    worker = Thread(target=rehearsing.work, args=(config, rehearsal.id))
    worker.start()
    end = time.monotonic() + PATIENCE_SECONDS
    while not rooms.has_picture(rehearsal.public_id) and time.monotonic() < end:
        time.sleep(0.1)
    was_seen = rooms.has_picture(rehearsal.public_id)
    with open_db.begin() as other:
        rehearsals.stop(other, session.id, now=datetime.now(UTC))
    worker.join(PATIENCE_SECONDS)
    rehearsing.supervise(Toolbox.from_config(config), datetime.now(UTC))

    db.expire_all()
    assert was_seen is True
    assert worker.is_alive() is False
    assert db.get_one(Rehearsal, rehearsal.id).swept_at is not None
    assert [path for path in rooms.root.rglob("*") if path.is_file()] == []
    assert (db.query(Broadcast).count(), db.query(Recording).count()) == (0, 0)
