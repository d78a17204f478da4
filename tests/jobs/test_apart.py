"""What goes wrong with one is written down; the others are done, and it is tried again."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from config import Config
from tests.builders import NOW
from tests.evidence import make_ended_session, make_recording
from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.jobs import season
from webinar.jobs.apart import apart
from webinar.jobs.toolbox import Toolbox
from webinar.models import ParkedWork, Recording
from webinar.services import parked, windows

WHAT = "closing a recording"


def fail(number: int, *, now: datetime) -> None:
    with apart(WHAT, number, now=now):
        raise ValueError("no room")


def test_a_failure_is_kept_with_its_error(db: DbSession) -> None:
    fail(7, now=NOW)

    row = db.scalars(select(ParkedWork)).one()
    assert (row.what, row.item_id, row.tries, row.last_error) == (
        WHAT,
        7,
        1,
        "ValueError('no room')",
    )


def test_once_it_goes_well_it_is_forgotten(db: DbSession) -> None:
    fail(7, now=NOW)
    fail(8, now=NOW)

    with apart(WHAT, 7, now=NOW):
        pass

    assert parked.known(db, WHAT) == {8}


def test_a_recording_that_cannot_be_closed_is_parked_and_the_others_close(
    db: DbSession, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = Toolbox.from_config(config)
    poison, *others = (make_recording(db, make_ended_session(db), closes_at=NOW) for _ in range(3))
    db.commit()
    close = windows.close
    tried: list[datetime] = []

    def close_but_one(db: DbSession, recording_id: int, *, now: datetime) -> None:
        if recording_id == poison.id:
            tried.append(now)
            raise RuntimeError("this row is broken")
        close(db, recording_id, now=now)

    monkeypatch.setattr(windows, "close", close_but_one)

    for minute in range(180):
        season.close_recordings(tools, NOW + timedelta(minutes=minute))

    db.expire_all()
    states = {row.id: row.state for row in db.scalars(select(Recording))}
    assert {states[row.id] for row in others} == {RecordingState.CLOSED}
    assert states[poison.id] is RecordingState.PUBLISHED
    assert len(tried) == parked.TRIES
    [row] = parked.parked(db)
    assert (row.what, row.item_id) == (WHAT, poison.id)
    assert row.last_error == "RuntimeError('this row is broken')"
