"""Requests for more time with a recording: asked by who could not watch, answered by organisers."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import NotFound
from webinar.domain.letter import MailKind
from webinar.domain.recording import RecordingState
from webinar.models import ExtensionRequest, Recording, User
from webinar.services import audit, deliveries, recordings, windows
from webinar.services.windows import WindowRefused

LONGEST_REASON = 1000
ENDED = "The recording no longer exists."


@dataclass(frozen=True)
class Asked:
    """A request as organisers read it."""

    id: int
    user_id: int
    name: str
    email: str
    reason: str
    asked_at: datetime


def ask(
    db: DbSession, recording: Recording, user_id: int, *, reason: str, now: datetime
) -> ExtensionRequest:
    """Ask for more time; asking again changes what was asked. Raises WindowRefused."""
    recordings.ensure_place(db, recording.session, user_id)
    if recording.state is RecordingState.DESTROYED or recording.closes_at is None:
        raise WindowRefused("This recording no longer exists, so there is no more time to give.")
    reason = reason.strip()
    if not reason:
        raise WindowRefused(
            "Say what kept you from watching, and until when you need.", field="reason"
        )
    if len(reason) > LONGEST_REASON:
        raise WindowRefused(f"Say it in at most {LONGEST_REASON} characters.", field="reason")
    request = open_request(db, recording.id, user_id)
    if request is None:
        request = ExtensionRequest(recording_id=recording.id, user_id=user_id)
        db.add(request)
    request.reason, request.asked_at = reason, now
    db.flush()
    return request


def open_request(db: DbSession, recording_id: int, user_id: int) -> ExtensionRequest | None:
    """What this person asked for, as long as nobody has answered."""
    return db.scalar(
        select(ExtensionRequest).where(
            ExtensionRequest.recording_id == recording_id,
            ExtensionRequest.user_id == user_id,
            ExtensionRequest.answered_at.is_(None),
        )
    )


def waiting(db: DbSession, recording_id: int) -> list[Asked]:
    """The requests nobody has answered, the first asked first."""
    rows = db.execute(
        select(ExtensionRequest, User)
        .join(User, User.id == ExtensionRequest.user_id)
        .where(
            ExtensionRequest.recording_id == recording_id, ExtensionRequest.answered_at.is_(None)
        )
        .order_by(ExtensionRequest.asked_at, ExtensionRequest.id)
    ).all()
    return [
        Asked(row.id, user.id, user.name, user.email, row.reason, row.asked_at)
        for row, user in rows
    ]


def grant(
    db: DbSession,
    request_id: int,
    *,
    recording_id: int,
    closes_at: datetime,
    actor_id: int,
    now: datetime,
) -> None:
    """Give the time that was asked for; the reason is the person's own. Raises WindowRefused."""
    request = _open(db, request_id, recording_id)
    windows.extend(
        db,
        recording_id,
        user_id=request.user_id,
        closes_at=closes_at,
        reason=request.reason,
        actor_id=actor_id,
        now=now,
    )
    request.granted, request.answered_at, request.answered_by_id = True, now, actor_id


def decline(
    db: DbSession,
    request_id: int,
    *,
    recording_id: int,
    answer: str,
    actor_id: int,
    now: datetime,
) -> None:
    """Say no, with words that go to the person; raises WindowRefused."""
    request = _open(db, request_id, recording_id)
    answer = answer.strip()
    if not answer:
        raise WindowRefused("Say why; the person reads it in a mail.", field="answer")
    request.answered_by_id = actor_id
    session_id = db.get_one(Recording, recording_id).session_id
    _decline(db, request, session_id, answer, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="request for more time declined",
        subject=f"session {session_id}",
        after={"user": request.user_id},
        reason=answer,
        now=now,
    )


def end_all(db: DbSession, recording: Recording, *, now: datetime) -> None:
    """The recording is destroyed: nothing that was asked for can be given any more."""
    requests = db.scalars(
        select(ExtensionRequest).where(
            ExtensionRequest.recording_id == recording.id, ExtensionRequest.answered_at.is_(None)
        )
    ).all()
    for request in requests:
        _decline(db, request, recording.session_id, ENDED, now=now)


def _decline(
    db: DbSession, request: ExtensionRequest, session_id: int, answer: str, *, now: datetime
) -> None:
    request.granted, request.answered_at, request.answer = False, now, answer
    kind = MailKind.EXTENSION_DECLINED
    deliveries.queue(
        db,
        kind,
        user_id=request.user_id,
        subject_id=session_id,
        due_at=now,
        revision=deliveries.next_revision(db, kind, user_id=request.user_id, subject_id=session_id),
        details={"answer": answer},
        now=now,
    )


def _open(db: DbSession, request_id: int, recording_id: int) -> ExtensionRequest:
    # Whoever answers first has answered: the recording is locked for both.
    db.get_one(Recording, recording_id, with_for_update=True, populate_existing=True)
    request = db.get(ExtensionRequest, request_id, populate_existing=True)
    if request is None or request.recording_id != recording_id:
        raise NotFound("There is no such request.")
    if request.answered_at is not None:
        raise WindowRefused("Somebody has answered this request meanwhile.")
    return request
