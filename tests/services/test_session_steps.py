"""What each step sets off is what its row in the table of a session's life says."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from config import Config
from tests.builders import (
    NOW,
    STARTS_AT,
    make_faculty,
    make_ready,
    make_registration,
    make_series,
    make_session,
    make_user,
)
from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.domain.session import LIFE, Effect, FacultyPart, SessionStatus, StepName
from webinar.models import (
    Delivery,
    Recording,
    Registration,
    SeriesException,
    SeriesRegistration,
    WebinarSession,
)
from webinar.services import announcements, broadcasts, sessions
from webinar.services.feeds import refresh
from webinar.tools import calendar_tool

OVER = STARTS_AT + timedelta(hours=2)
Stage = tuple[DbSession, Config, WebinarSession, int]


@pytest.fixture
def stage(config: Config, db: DbSession) -> Stage:
    """A draft of a series that somebody registered for, with somebody who may broadcast."""
    user = make_user(db)
    session = make_session(db, status=SessionStatus.DRAFT, series=make_series(db))
    session.planned_day = session.starts_at.date()
    make_ready(db, session)
    make_faculty(db, session, FacultyPart.MODERATOR, user=user, name="Dr Jan Novak")
    return db, config, session, user.id


def publish(stage: Stage) -> None:
    db, config, session, _ = stage
    sessions.publish(db, session.id, actor_id=None, calendar=calendar_tool(config), now=NOW)


def unpublish(stage: Stage) -> None:
    db, _, session, _ = stage
    sessions.unpublish(db, session.id, actor_id=None, now=NOW)


def go_live(stage: Stage) -> None:
    db, _, session, user_id = stage
    broadcasts.go_live(db, session.id, user_id=user_id, now=STARTS_AT)


def stop(stage: Stage) -> None:
    db, config, session, user_id = stage
    broadcasts.stop(db, session.id, user_id=user_id, now=OVER)
    refresh(db, session, calendar=calendar_tool(config), now=OVER)


def end_forgotten(stage: Stage) -> None:
    db, config, session, _ = stage
    broadcasts.stop(db, session.id, user_id=None, now=OVER)
    refresh(db, session, calendar=calendar_tool(config), now=OVER)


def end_unaired(stage: Stage) -> None:
    db, config, session, _ = stage
    calendar = calendar_tool(config)
    sessions.end_unaired(db, session.id, calendar=calendar, now=OVER)


def cancel(stage: Stage) -> None:
    db, config, session, _ = stage
    calendar = calendar_tool(config)
    sessions.cancel(db, session.id, reason="Ill.", actor_id=None, calendar=calendar, now=NOW)
    # The mails of the cancellation leave, so that there is something to tell after it.
    for delivery in db.scalars(select(Delivery).where(Delivery.kind == "session_cancelled")):
        delivery.sent_at, delivery.due_at = NOW, None
    db.flush()


def restore(stage: Stage) -> None:
    db, config, session, _ = stage
    calendar = calendar_tool(config)
    sessions.restore(db, session.id, actor_id=None, calendar=calendar, now=NOW)


def discard(stage: Stage) -> None:
    db, _, session, _ = stage
    sessions.discard(db, session.id, reason="Congress", actor_id=None, now=NOW)


VERBS: dict[StepName, tuple[list[Callable[[Stage], None]], Callable[[Stage], None]]] = {
    StepName.PUBLISH: ([], publish),
    StepName.UNPUBLISH: ([publish], unpublish),
    StepName.GO_LIVE: ([publish], go_live),
    StepName.STOP: ([publish, go_live], stop),
    StepName.END_FORGOTTEN: ([publish, go_live], end_forgotten),
    StepName.END_UNAIRED: ([publish], end_unaired),
    StepName.CANCEL: ([publish], cancel),
    StepName.RESTORE: ([publish, cancel], restore),
    StepName.DISCARD: ([], discard),
}


@pytest.mark.parametrize("name", StepName)
def test_a_step_sets_off_what_its_row_says(stage: Stage, name: StepName) -> None:
    db, _, session, _ = stage
    session_id, series_id = session.id, session.series_id
    path, verb = VERBS[name]
    for earlier in path:
        earlier(stage)
    if name in (StepName.CANCEL, StepName.RESTORE):
        make_registration(db, session, make_user(db))
    # Somebody who wants every session of the series, and has no place in this one yet.
    waiting = make_user(db)
    db.add(SeriesRegistration(series_id=series_id, user_id=waiting.id, created_at=NOW))
    # So that it is seen to be rendered anew.
    session.ical_public = session.ical_digest = ""
    db.flush()
    assert session.status is LIFE[name].frm
    told_before = told(db)
    recording_before = recording_state(db, session_id)

    verb(stage)

    found = db.get(WebinarSession, session_id)
    assert (found.status if found else None) is LIFE[name].to
    recording = recording_state(db, session_id)
    placed = select(Registration.id).where(Registration.user_id == waiting.id)
    happened = {
        Effect.CALENDAR_REFRESHED: found is not None and found.ical_public != "",
        Effect.REGISTRANTS_TOLD: told(db) != told_before,
        Effect.SERIES_REGISTRANTS_PLACED: db.scalar(placed) is not None,
        Effect.RECORDING_STARTED: recording_before is None and recording is not None,
        Effect.RECORDING_PROCESSED: recording is RecordingState.PROCESSING,
        Effect.DAY_EXCEPTED: db.scalar(select(SeriesException.day)) is not None,
    }
    assert {effect for effect, did in happened.items() if did} == set(LIFE[name].sets_off)


def told(db: DbSession) -> int:
    notices = [kind.value for kind in announcements.NOTICES]
    found = select(func.count()).select_from(Delivery).where(Delivery.kind.in_(notices))
    return db.scalar(found) or 0


def recording_state(db: DbSession, session_id: int) -> RecordingState | None:
    return db.scalar(select(Recording.state).where(Recording.session_id == session_id))
