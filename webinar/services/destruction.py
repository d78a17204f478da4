"""The end of a recording for good, as rows: when it is due, how far it is, what is certified.

The files are deleted by webinar.jobs.destroying, between one row and the next. Whatever is
interrupted goes on from what the rows say.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select

from webinar.db import DbSession
from webinar.domain.destruction import (
    REQUESTS_HOLD,
    DestructionFacts,
    DestructionRecord,
    Held,
    new_destruction_number,
)
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.recording import RecordingState
from webinar.models import (
    Destruction,
    ExtensionRequest,
    MediaSegment,
    Recording,
    RecordingCaption,
    RecordingChapter,
    RecordingSlide,
    User,
    WindowExtension,
)
from webinar.services import audit, more_time, uploads, windows

HAS_WINDOW = (RecordingState.PUBLISHED, RecordingState.CLOSED)
# An import or a packaging that has not moved for so long is not going to.
ABANDONED_AFTER = timedelta(days=1)
# As long as a backup of the key store may bring one back, it is looked for every hour.
WATCHED_CLOSELY = timedelta(days=60)
LOOK_EVERY = timedelta(minutes=55)
LOOK_DAILY = timedelta(hours=23)
LOOKS_AT_ONCE = 200


class DestructionRefused(DomainError):
    """It cannot be destroyed now; `field` is where the form says so."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Trace:
    """What a look found of a destroyed recording, and took away."""

    keys: int
    takes: int
    files: int

    def __bool__(self) -> bool:
        return bool(self.keys or self.takes or self.files)


def due(db: DbSession, *, now: datetime) -> list[int]:
    """Recordings whose window is over, and that of the last extension. Never published: never.

    A request for more time that waits for its answer holds them, for a week at most.
    """
    longer = exists().where(
        WindowExtension.recording_id == Recording.id, WindowExtension.closes_at > now
    )
    return list(
        db.scalars(
            select(Recording.id)
            .where(
                Recording.state.in_(HAS_WINDOW),
                Recording.closes_at <= now,
                ~longer,
                or_(Recording.closes_at <= now - REQUESTS_HOLD, ~_asked()),
            )
            .order_by(Recording.closes_at, Recording.id)
        )
    )


def begun(db: DbSession) -> list[int]:
    """Recordings that are being destroyed: something of them may still lie there."""
    return list(
        db.scalars(
            select(Recording.id)
            .outerjoin(Destruction, Destruction.recording_id == Recording.id)
            .where(
                Recording.state == RecordingState.DESTROYED,
                or_(Recording.destroyed_at.is_(None), Destruction.checked_at.is_(None)),
                Destruction.id.is_not(None),
            )
            .order_by(Recording.id)
        )
    )


def begin(db: DbSession, recording_id: int, *, held: Held, now: datetime) -> bool:
    """From here on nobody may watch or be given time; False if it is not due any more."""
    recording = _locked(db, recording_id)
    last_end = windows.last_end(db, recording)
    if recording.state not in HAS_WINDOW or last_end is None or last_end > now:
        return False
    if last_end > now - REQUESTS_HOLD and more_time.waiting(db, recording.id):
        return False
    _begin(db, recording, held=held, actor_id=None, reason="", now=now)
    return True


def begin_by_hand(
    db: DbSession,
    recording_id: int,
    *,
    held: Held,
    reason: str,
    actor_id: int | None,
    now: datetime,
) -> Recording:
    """Before its time, or what was never published; raises DestructionRefused."""
    recording = _locked(db, recording_id)
    if not reason.strip():
        raise DestructionRefused(
            "Say why the recording is destroyed; the reason is kept.", field="reason"
        )
    if (why_not := refusal(recording, now=now)) is not None:
        raise DestructionRefused(why_not)
    _begin(db, recording, held=held, actor_id=actor_id, reason=reason.strip(), now=now)
    return recording


def refusal(recording: Recording, *, now: datetime) -> str | None:
    """Why a person cannot destroy it now; None if they can."""
    if recording.state is RecordingState.DESTROYED:
        return "This recording is destroyed already."
    if recording.state is RecordingState.PUBLISHED:
        return "This recording is open. Close it first; then it can be destroyed."
    if recording.state is RecordingState.RECORDING:
        return "This session is on air. End it first."
    if recording.state is RecordingState.PROCESSING and now < (
        recording.created_at + ABANDONED_AFTER
    ):
        return "This recording is being prepared. If that does not end, destroy it tomorrow."
    return None


def keys_gone(db: DbSession, recording_id: int, *, now: datetime) -> None:
    """The key store holds no key of it any more."""
    recording = _locked(db, recording_id)
    if recording.destroyed_at is None:
        recording.destroyed_at = now
        of_recording(db, recording.id).keys_destroyed_at = now


def finish(db: DbSession, recording_id: int, *, now: datetime) -> None:
    """Nothing of it can be read any more: what was plain is gone as well."""
    recording = _locked(db, recording_id)
    row = of_recording(db, recording.id)
    if recording.destroyed_at is None or row.checked_at is not None:
        return
    row.checked_at = now
    recording.has_poster = False
    for table in (RecordingCaption, RecordingChapter, RecordingSlide):
        db.execute(delete(table).where(table.recording_id == recording.id))
    audit.write(
        db,
        actor_id=None,
        action="recording destroyed",
        subject=f"session {recording.session_id}",
        after={"certificate": row.number, "keys": row.keys, "takes": row.takes},
        reason=str(row.facts["reason"]),
        now=now,
    )


def media_due(db: DbSession, *, after_days: int, now: datetime) -> list[int]:
    """Destroyed recordings whose ciphertext has lain there long enough."""
    return list(
        db.scalars(
            select(Recording.id)
            .join(Destruction, Destruction.recording_id == Recording.id)
            .where(
                Recording.state == RecordingState.DESTROYED,
                Recording.destroyed_at <= now - timedelta(days=after_days),
                Destruction.checked_at.is_not(None),
                Recording.media_deleted_at.is_(None),
            )
            .order_by(Recording.id)
        )
    )


def media_deleted(db: DbSession, recording_id: int, *, now: datetime) -> None:
    """The ciphertext is gone as well."""
    recording = _locked(db, recording_id)
    if recording.media_deleted_at is not None:
        return
    recording.media_deleted_at = now
    of_recording(db, recording.id).media_deleted_at = now
    audit.write(
        db,
        actor_id=None,
        action="recording's media deleted",
        subject=f"session {recording.session_id}",
        now=now,
    )


def to_look_at(db: DbSession, *, now: datetime, limit: int = LOOKS_AT_ONCE) -> list[int]:
    """Destroyed recordings nobody has looked for of late: young ones hourly, old ones daily."""
    return list(
        db.scalars(
            select(Destruction.recording_id)
            .where(
                or_(
                    Destruction.checked_at <= now - LOOK_DAILY,
                    and_(
                        Destruction.checked_at <= now - LOOK_EVERY,
                        Destruction.keys_destroyed_at > now - WATCHED_CLOSELY,
                    ),
                )
            )
            .order_by(Destruction.checked_at)
            .limit(limit)
        )
    )


def looked(db: DbSession, recording_id: int, trace: Trace, *, now: datetime) -> None:
    """A look found this of it, and took it away."""
    row = of_recording(db, recording_id)
    row.checked_at = now
    if trace:
        recording = db.get_one(Recording, recording_id)
        audit.write(
            db,
            actor_id=None,
            action="remains of a destroyed recording deleted",
            subject=f"session {recording.session_id}",
            after={"keys": trace.keys, "takes": trace.takes, "files": trace.files},
            now=now,
        )


def record_of(
    db: DbSession, recording: Recording, *, provider: str, after_days: int
) -> DestructionRecord:
    """What the certificate says; raises NotFound while there is nothing to certify."""
    row = db.scalar(select(Destruction).where(Destruction.recording_id == recording.id))
    if row is None or recording.destroyed_at is None:
        raise NotFound("This recording is not destroyed.")
    return DestructionRecord(
        number=row.number,
        facts=DestructionFacts.from_data(row.facts),
        keys=row.keys,
        segments=row.segments,
        bytes=row.bytes,
        takes=row.takes,
        keys_destroyed_at=row.keys_destroyed_at,
        media_deleted_at=row.media_deleted_at,
        media_due_at=row.keys_destroyed_at + timedelta(days=after_days),
        checked_at=row.checked_at,
        provider=provider,
    )


def listed(db: DbSession) -> list[Destruction]:
    """Every destruction that is done, the latest first."""
    return list(
        db.scalars(
            select(Destruction)
            .where(Destruction.checked_at.is_not(None))
            .order_by(Destruction.keys_destroyed_at.desc(), Destruction.id.desc())
        )
    )


def by_number(db: DbSession, number: str) -> Destruction:
    """The destruction of this number; NoResultFound if there is none."""
    return db.scalars(select(Destruction).where(Destruction.number == number.strip().upper())).one()


def _begin(
    db: DbSession,
    recording: Recording,
    *,
    held: Held,
    actor_id: int | None,
    reason: str,
    now: datetime,
) -> None:
    session = recording.session
    segments, size = db.execute(
        select(func.count(), func.coalesce(func.sum(MediaSegment.size), 0)).where(
            MediaSegment.recording_id == recording.id
        )
    ).one()
    extensions = db.scalar(
        select(func.count(WindowExtension.id)).where(WindowExtension.recording_id == recording.id)
    )
    actor = db.get_one(User, actor_id).name if actor_id is not None else ""
    facts = DestructionFacts(
        session=session.title,
        public_id=session.public_id,
        society=session.society.name,
        series=session.series.name if session.series else "",
        zone=session.zone,
        starts_at=session.actual_started_at or session.starts_at,
        ended_at=session.actual_ended_at or session.ends_at,
        recording=recording.public_id,
        opened_at=recording.opens_at,
        closed_at=recording.closes_at,
        last_end=windows.last_end(db, recording),
        extensions=extensions or 0,
        decided_by=actor,
        reason=reason,
    )
    db.add(
        Destruction(
            recording_id=recording.id,
            number=new_destruction_number(secrets.token_bytes(8)),
            keys=held.keys,
            segments=int(segments),
            bytes=int(size),
            takes=held.takes,
            # Until the keys are gone this is when it was decided.
            keys_destroyed_at=now,
            facts=facts.to_data(),
        )
    )
    more_time.end_all(db, recording, now=now)
    coming = uploads.active(db, recording.session_id)
    if coming is not None:
        uploads.withdraw(db, coming.id, actor_id=actor_id, now=now)
    recording.state = RecordingState.DESTROYED
    if recording.closes_at is None:
        # Never published. Who asks for it is told that it closed.
        recording.opens_at = recording.closes_at = now
    recording.closes_at = min(recording.closes_at, now)
    if actor_id is not None or reason:
        audit.write(
            db,
            actor_id=actor_id,
            action="recording's destruction decided",
            subject=f"session {recording.session_id}",
            reason=reason,
            now=now,
        )


def _asked() -> ColumnElement[bool]:
    """Somebody waits for the answer whether there is more time."""
    return exists().where(
        ExtensionRequest.recording_id == Recording.id, ExtensionRequest.answered_at.is_(None)
    )


def _locked(db: DbSession, recording_id: int) -> Recording:
    return db.get_one(Recording, recording_id, with_for_update=True, populate_existing=True)


def of_recording(db: DbSession, recording_id: int) -> Destruction:
    """Its row; NoResultFound while nobody has decided to destroy it."""
    return db.scalars(select(Destruction).where(Destruction.recording_id == recording_id)).one()
