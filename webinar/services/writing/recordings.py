"""Mails about a recording and until when the reader may watch it."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.letter import Dropped
from webinar.domain.recording import WARNED_BEFORE, RecordingState
from webinar.models import Delivery, Recording, WebinarSession
from webinar.services import closing_warnings, recordings, registrations
from webinar.services.writing.facts import Outcome, letter_to, session_facts

HAS_WINDOW = (RecordingState.PUBLISHED, RecordingState.CLOSED)


def recording_published(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """The recording is there, until when."""
    session = db.get_one(WebinarSession, delivery.subject_id)
    recording = db.scalar(select(Recording).where(Recording.session_id == session.id))
    if not registrations.is_registered(db, session.id, delivery.user_id):
        return Dropped("unregistered")
    if (
        recording is None
        or recording.closes_at is None
        or recording.state is not RecordingState.PUBLISHED
    ):
        return Dropped("the recording is not published")
    watch_until = recordings.closes_at_of(db, recording, delivery.user_id)
    if watch_until <= now:
        return Dropped("the recording is closed")
    facts = replace(session_facts(session), watch_until=watch_until)
    return letter_to(delivery, session=facts)


def recording_closing(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """A week is left to watch it."""
    session = db.get_one(WebinarSession, delivery.subject_id)
    outcome = _window(db, delivery, session, now)
    if isinstance(outcome, Dropped):
        return outcome
    if not registrations.is_registered(db, session.id, delivery.user_id):
        return Dropped("unregistered")
    if outcome - WARNED_BEFORE > now:
        # The clock owes another mail a week before the new end.
        return Dropped("there is more time now")
    if closing_warnings.has_finished(db, session, delivery.user_id):
        return Dropped("they have watched it")
    return letter_to(delivery, session=replace(session_facts(session), watch_until=outcome))


def extension_granted(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """You have more time."""
    session = db.get_one(WebinarSession, delivery.subject_id)
    outcome = _window(db, delivery, session, now)
    if isinstance(outcome, Dropped):
        return outcome
    return letter_to(delivery, session=replace(session_facts(session), watch_until=outcome))


def extension_withdrawn(db: DbSession, delivery: Delivery, _now: datetime) -> Outcome:
    """You have less time again."""
    session = db.get_one(WebinarSession, delivery.subject_id)
    recording = recordings.for_session(db, session.id)
    if recording is None or recording.closes_at is None:
        return Dropped("there is no recording")
    until = recordings.closes_at_of(db, recording, delivery.user_id)
    return letter_to(delivery, session=replace(session_facts(session), watch_until=until))


def extension_declined(db: DbSession, delivery: Delivery, _now: datetime) -> Outcome:
    """You get no more time, and why."""
    session = db.get_one(WebinarSession, delivery.subject_id)
    answer = str(delivery.details.get("answer", ""))
    return letter_to(delivery, session=session_facts(session), answer=answer)


def _window(
    db: DbSession, delivery: Delivery, session: WebinarSession, now: datetime
) -> datetime | Dropped:
    """Until when the person may watch, with their extension, or why nothing is said of it."""
    recording = recordings.for_session(db, session.id)
    if recording is None or recording.closes_at is None or recording.state not in HAS_WINDOW:
        return Dropped("the recording is not published")
    until = recordings.closes_at_of(db, recording, delivery.user_id)
    if until <= now:
        return Dropped("the recording is closed")
    return until
