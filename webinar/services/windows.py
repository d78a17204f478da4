"""The recording window after it has opened: longer for one person or for all, then closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from webinar.db import DbSession
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.letter import MailKind
from webinar.domain.recording import LONGEST_EXTENSION, RecordingState
from webinar.domain.wording import deadline
from webinar.models import (
    Delivery,
    FacultyMember,
    Recording,
    Registration,
    User,
    WebinarSession,
    WindowExtension,
)
from webinar.services import audit, deliveries, recordings

PEOPLE_FOUND = 20


class WindowRefused(DomainError):
    """The window cannot be changed like this; `field` is where the form says so."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Extension:
    """A later end as organisers see it."""

    id: int
    user_id: int
    name: str
    email: str
    closes_at: datetime
    reason: str
    granted_by: str
    granted_at: datetime


def extend(
    db: DbSession,
    recording_id: int,
    *,
    user_id: int,
    closes_at: datetime,
    reason: str,
    actor_id: int,
    now: datetime,
) -> WindowExtension:
    """Give one person a later end, with a reason, and tell them; raises WindowRefused."""
    recording = _locked(db, recording_id)
    reason = _reason(reason, "Say why this person gets more time; the reason is kept.")
    _ensure_has_window(recording)
    user = db.get_one(User, user_id)
    if not _belongs(db, recording.session, user.id):
        raise WindowRefused("This person is not registered for the session.", field="person")
    _ensure_later(
        closes_at, recordings.closes_at_of(db, recording, user.id), recording.session, now
    )
    extension = WindowExtension(
        recording_id=recording.id,
        user_id=user.id,
        closes_at=closes_at,
        reason=reason,
        granted_by_id=actor_id,
        granted_at=now,
    )
    db.add(extension)
    db.flush()
    _tell(db, MailKind.EXTENSION_GRANTED, recording, [user.id], now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="window extended",
        subject=f"session {recording.session_id}",
        after={"user": user.id, "closes_at": closes_at.isoformat()},
        reason=reason,
        now=now,
    )
    return extension


def extend_for_all(
    db: DbSession,
    recording_id: int,
    *,
    closes_at: datetime,
    reason: str,
    actor_id: int | None,
    now: datetime,
) -> int:
    """Move the end of the window, also of one that has closed; how many are told.

    Told is who had the warning of an earlier end. Raises WindowRefused.
    """
    recording = _locked(db, recording_id)
    reason = _reason(reason, "Say why everybody gets more time; the reason is kept.")
    before = _ensure_has_window(recording)
    _ensure_later(closes_at, before, recording.session, now)
    recording.closes_at = closes_at
    recording.state = RecordingState.PUBLISHED
    db.flush()
    warned = db.scalars(
        select(Delivery.user_id)
        .join(
            Registration,
            (Registration.user_id == Delivery.user_id)
            & (Registration.session_id == recording.session_id)
            & Registration.cancelled_at.is_(None),
        )
        .where(
            Delivery.kind == MailKind.RECORDING_CLOSING.value,
            Delivery.subject_id == recording.session_id,
            Delivery.sent_at.is_not(None),
        )
        .distinct()
        .order_by(Delivery.user_id)
    ).all()
    _tell(db, MailKind.EXTENSION_GRANTED, recording, warned, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="window extended for all",
        subject=f"session {recording.session_id}",
        before={"closes_at": before.isoformat()},
        after={"closes_at": closes_at.isoformat()},
        reason=reason,
        now=now,
    )
    return len(warned)


def withdraw(
    db: DbSession,
    extension_id: int,
    *,
    recording_id: int,
    reason: str,
    actor_id: int,
    now: datetime,
) -> Extension:
    """Take a later end back and tell the person; raises NotFound, WindowRefused.

    One that is in use ends now and stays: what was watched in it goes on to count.
    """
    recording = _locked(db, recording_id)
    extension = db.get(WindowExtension, extension_id)
    if extension is None or extension.recording_id != recording.id:
        raise NotFound("There is no such extension.")
    reason = _reason(reason, "Say why it is taken back; the reason is kept.")
    if extension.closes_at <= now or recording.closes_at is None:
        raise WindowRefused("This extension is over already.")
    person = db.get_one(User, extension.user_id)
    granter = db.get_one(User, extension.granted_by_id)
    taken = _as_extension(extension, person, granter)
    if now < recording.closes_at:
        db.delete(extension)
    else:
        extension.closes_at = max(now.replace(microsecond=0), recording.closes_at)
    db.flush()
    _tell(db, MailKind.EXTENSION_WITHDRAWN, recording, [person.id], now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="extension withdrawn",
        subject=f"session {recording.session_id}",
        before={
            "user": taken.user_id,
            "closes_at": taken.closes_at.isoformat(),
            "granted": taken.reason,
        },
        reason=reason,
        now=now,
    )
    return taken


def extensions_of(db: DbSession, recording_id: int) -> list[Extension]:
    """Everybody's later ends, those that end last first."""
    granter = aliased(User)
    rows = db.execute(
        select(WindowExtension, User, granter)
        .join(User, User.id == WindowExtension.user_id)
        .join(granter, granter.id == WindowExtension.granted_by_id)
        .where(WindowExtension.recording_id == recording_id)
        .order_by(WindowExtension.closes_at.desc(), WindowExtension.id.desc())
    ).all()
    return [_as_extension(row, person, by) for row, person, by in rows]


def last_end(db: DbSession, recording: Recording) -> datetime | None:
    """When nobody may watch any more, extensions and all; None if it was never published."""
    latest = db.scalar(
        select(func.max(WindowExtension.closes_at)).where(
            WindowExtension.recording_id == recording.id
        )
    )
    if recording.closes_at is None:
        return None
    return max(recording.closes_at, latest or recording.closes_at)


def registered_like(db: DbSession, session_id: int, words: str) -> list[User]:
    """The first people registered for the session whose name or e-mail holds these words."""
    wanted = words.strip().lower()
    if not wanted:
        return []
    return list(
        db.scalars(
            select(User)
            .join(Registration, Registration.user_id == User.id)
            .where(
                Registration.session_id == session_id,
                Registration.cancelled_at.is_(None),
                or_(
                    func.lower(User.name).contains(wanted, autoescape=True),
                    func.lower(User.email).contains(wanted, autoescape=True),
                ),
            )
            .order_by(User.name, User.id)
            .limit(PEOPLE_FOUND)
        )
    )


def due_to_close(db: DbSession, *, now: datetime) -> list[int]:
    """Ids of published recordings whose window is over."""
    return list(
        db.scalars(
            select(Recording.id).where(
                Recording.state == RecordingState.PUBLISHED, Recording.closes_at <= now
            )
        )
    )


def close(db: DbSession, recording_id: int, *, now: datetime) -> None:
    """Mark as closed. The window itself is enforced at every request, whatever the state says."""
    recording = _locked(db, recording_id)
    is_over = recording.closes_at is not None and recording.closes_at <= now
    if recording.state is RecordingState.PUBLISHED and is_over:
        recording.state = RecordingState.CLOSED
        audit.write(
            db,
            actor_id=None,
            action="recording closed",
            subject=f"session {recording.session_id}",
            now=now,
        )


def close_now(
    db: DbSession, session_id: int, *, actor_id: int | None, reason: str, now: datetime
) -> Recording:
    """End the window of a published recording at this second, with a reason.

    Who has an extension keeps it.
    """
    recording = _locked(
        db, db.scalars(select(Recording.id).where(Recording.session_id == session_id)).one()
    )
    if recording.state is not RecordingState.PUBLISHED or recording.closes_at is None:
        raise WindowRefused(f"A recording that is {recording.state} has no open window.")
    reason = _reason(reason, "Say why the recording closes early; the reason is kept.")
    before = recording.closes_at
    recording.closes_at = min(before, max(now.replace(microsecond=0), recording.opens_at or before))
    recording.state = RecordingState.CLOSED
    audit.write(
        db,
        actor_id=actor_id,
        action="recording closed early",
        subject=f"session {session_id}",
        before={"closes_at": before.isoformat()},
        after={"closes_at": recording.closes_at.isoformat()},
        reason=reason,
        now=now,
    )
    return recording


def _locked(db: DbSession, recording_id: int) -> Recording:
    return db.get_one(Recording, recording_id, with_for_update=True, populate_existing=True)


def _reason(typed: str, otherwise: str) -> str:
    if not typed.strip():
        raise WindowRefused(otherwise, field="reason")
    return typed.strip()


def _ensure_has_window(recording: Recording) -> datetime:
    """The end of the window; raises WindowRefused if there is none, or nothing behind it."""
    if recording.state is RecordingState.DESTROYED:
        raise WindowRefused("This recording is destroyed. Nobody can be given more time for it.")
    if recording.closes_at is None:
        raise WindowRefused("This recording is not published, so it has no end to move.")
    return recording.closes_at


def _ensure_later(
    closes_at: datetime, before: datetime, session: WebinarSession, now: datetime
) -> None:
    if closes_at <= before:
        raise WindowRefused(
            f"Choose a later end: the present one is {deadline(before, session.zone)}.",
            field="day",
        )
    if closes_at <= now:
        raise WindowRefused("Choose an end that is still to come.", field="day")
    if closes_at > now + LONGEST_EXTENSION:
        raise WindowRefused("Choose an end within the next two years.", field="day")


def _belongs(db: DbSession, session: WebinarSession, user_id: int) -> bool:
    place = select(Registration.id).where(
        Registration.session_id == session.id,
        Registration.user_id == user_id,
        Registration.cancelled_at.is_(None),
    )
    part = select(FacultyMember.id).where(
        FacultyMember.session_id == session.id, FacultyMember.user_id == user_id
    )
    return bool(db.scalar(select(or_(place.exists(), part.exists()))))


def _tell(
    db: DbSession, kind: MailKind, recording: Recording, user_ids: Sequence[int], *, now: datetime
) -> None:
    """Owe each a mail of this kind, unless one is owed that will say the same."""
    pending = set(
        db.scalars(
            select(Delivery.user_id).where(
                Delivery.kind == kind.value,
                Delivery.subject_id == recording.session_id,
                Delivery.due_at.is_not(None),
            )
        )
    )
    for user_id in user_ids:
        if user_id in pending:
            continue
        deliveries.queue(
            db,
            kind,
            user_id=user_id,
            subject_id=recording.session_id,
            due_at=now,
            revision=deliveries.next_revision(
                db, kind, user_id=user_id, subject_id=recording.session_id
            ),
            now=now,
        )


def _as_extension(row: WindowExtension, person: User, granter: User) -> Extension:
    return Extension(
        row.id,
        person.id,
        person.name,
        person.email,
        row.closes_at,
        row.reason,
        granter.name,
        row.granted_at,
    )
