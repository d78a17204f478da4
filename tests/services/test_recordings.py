"""The recording window: who may watch, until when, and what follows."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import (
    STARTS_AT,
    make_faculty,
    make_registration,
    make_session,
    make_user,
)
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.errors import DomainError
from webinar.domain.media_gate import NotRegistered
from webinar.domain.recording import RecordingClosed, RecordingNotOpen, RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import Recording, WebinarSession
from webinar.services import deliveries, recordings

ENDED_AT = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)  # 19:00 in Zurich
CLOSES_AT = datetime(2027, 5, 26, 17, 0, tzinfo=UTC)  # 19:00 in Zurich, in summer


def published(db: DbSession) -> tuple[WebinarSession, Recording]:
    session = make_session(db, status=SessionStatus.ENDED)
    session.actual_ended_at = ENDED_AT
    recording = Recording(
        public_id=f"r{session.id}",
        session=session,
        state=RecordingState.PROCESSING,
        duration_seconds=2700.0,
        created_at=STARTS_AT,
    )
    db.add(recording)
    db.flush()
    recordings.ready(db, recording.id, has_poster=False, now=ENDED_AT + timedelta(minutes=1))
    return session, recording


def test_a_recording_publishes_itself_for_six_calendar_months(db: DbSession) -> None:
    _, recording = published(db)

    assert recording.state is RecordingState.PUBLISHED
    assert recording.opens_at == ENDED_AT + timedelta(minutes=1)
    assert recording.closes_at == CLOSES_AT


def test_without_everybodys_consent_the_organiser_decides(db: DbSession) -> None:
    session, recording = published(db)
    recording.state, recording.closes_at = RecordingState.PROCESSING, None
    make_faculty(db, session).consent_withdrawn_at = ENDED_AT
    organiser = make_user(db)

    held = recordings.ready(db, recording.id, has_poster=False, now=ENDED_AT).state
    recordings.publish(db, recording.id, actor_id=organiser.id, now=ENDED_AT)

    assert held is RecordingState.READY
    assert recording.state is RecordingState.PUBLISHED


def test_a_broadcast_without_picture_is_not_published(db: DbSession) -> None:
    session = make_session(db, status=SessionStatus.ENDED)
    recording = Recording(
        public_id="empty", session=session, state=RecordingState.PROCESSING, created_at=STARTS_AT
    )
    db.add(recording)
    db.flush()

    recordings.ready(db, recording.id, has_poster=False, now=ENDED_AT)

    assert recording.state is RecordingState.READY
    assert recording.closes_at is None


def test_a_registered_person_watches_until_the_second_it_closes(db: DbSession) -> None:
    session, recording = published(db)
    person = make_user(db)
    make_registration(db, session, person)
    last = CLOSES_AT - timedelta(microseconds=1)

    watch = recordings.access(db, recording, person.id, now=last)

    assert watch.until == CLOSES_AT
    with pytest.raises(RecordingClosed):
        recordings.access(db, recording, person.id, now=CLOSES_AT)


def test_who_has_no_place_is_refused_and_faculty_and_organisers_have_one(db: DbSession) -> None:
    session, recording = published(db)
    stranger, speaker = make_user(db), make_user(db)
    organiser = make_user(db, roles=(Role.ORGANISER,))
    make_faculty(db, session, user=speaker)
    now = ENDED_AT + timedelta(days=1)

    with pytest.raises(NotRegistered):
        recordings.access(db, recording, stranger.id, now=now)
    assert recordings.access(db, recording, speaker.id, now=now).until == CLOSES_AT
    assert recordings.access(db, recording, organiser.id, now=now).until == CLOSES_AT


def test_an_unregistered_place_no_longer_counts(db: DbSession) -> None:
    session, recording = published(db)
    person = make_user(db)
    make_registration(db, session, person).cancelled_at = ENDED_AT
    db.flush()

    with pytest.raises(NotRegistered):
        recordings.access(db, recording, person.id, now=ENDED_AT + timedelta(days=1))


def test_publishing_owes_each_registered_person_one_mail(db: DbSession) -> None:
    session = make_session(db, status=SessionStatus.ENDED)
    session.actual_ended_at = ENDED_AT
    person, gone = make_user(db), make_user(db)
    make_registration(db, session, person)
    make_registration(db, session, gone).cancelled_at = STARTS_AT
    recording = Recording(
        public_id="mail",
        session=session,
        state=RecordingState.PROCESSING,
        duration_seconds=60.0,
        created_at=STARTS_AT,
    )
    db.add(recording)
    db.flush()

    recordings.ready(db, recording.id, has_poster=False, now=ENDED_AT)

    assert len(deliveries.due(db, now=ENDED_AT, limit=10)) == 1


def test_an_import_that_was_broken_off_can_be_begun_again(db: DbSession) -> None:
    session = make_session(db, status=SessionStatus.ENDED)
    broken = recordings.begin_import(db, session.id, now=CLOSES_AT)

    with pytest.raises(DomainError):
        recordings.begin_import(db, session.id, now=CLOSES_AT)
    again = recordings.begin_import(db, session.id, now=CLOSES_AT, again=True)

    assert again.public_id != broken.public_id
    assert recordings.for_session(db, session.id) == again


def test_a_recording_in_the_making_cannot_be_watched_as_one(db: DbSession) -> None:
    session = make_session(db, status=SessionStatus.ENDED)
    person = make_user(db)
    make_registration(db, session, person)
    recording = Recording(
        public_id="making", session=session, state=RecordingState.PROCESSING, created_at=STARTS_AT
    )
    db.add(recording)
    db.flush()

    with pytest.raises(RecordingNotOpen):
        recordings.access(db, recording, person.id, now=ENDED_AT)
