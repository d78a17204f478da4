"""What the season does by itself."""

import logging

import pytest

from config import Config
from tests.builders import STARTS_AT, make_session
from tests.evidence import AFTER
from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.jobs import season
from webinar.jobs.toolbox import Toolbox
from webinar.models import Broadcast, Recording
from webinar.services import sessions

LONG_AFTER = AFTER.replace(hour=AFTER.hour + 2)


def test_a_broadcast_that_cannot_be_stopped_does_not_keep_others_from_ending(
    db: DbSession, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    broken = make_session(db, status=SessionStatus.LIVE)
    # Half of a broadcast: it has no recording.
    db.add(Broadcast(public_id="half", session_id=broken.id, started_at=STARTS_AT, takes=[]))
    never_live = make_session(db)
    db.commit()

    with caplog.at_level(logging.CRITICAL):
        season.end_past_sessions(Toolbox.from_config(config), LONG_AFTER)

    db.expire_all()
    assert sessions.by_public_id(db, never_live.public_id).status is SessionStatus.ENDED
    assert sessions.by_public_id(db, broken.public_id).status is SessionStatus.LIVE


def test_recordings_close_when_their_window_is_over(db: DbSession, config: Config) -> None:
    session = make_session(db, status=SessionStatus.ENDED)
    recording = Recording(
        public_id="over",
        session=session,
        state=RecordingState.PUBLISHED,
        created_at=STARTS_AT,
        opens_at=STARTS_AT,
        closes_at=AFTER,
    )
    db.add(recording)
    db.commit()

    season.close_recordings(Toolbox.from_config(config), AFTER)

    db.refresh(recording)
    assert recording.state is RecordingState.CLOSED
