"""Recordings: made, ready, published behind their window, watched."""

import secrets
from datetime import datetime

from sqlalchemy import Select, delete, func, or_, select

from webinar.db import DbSession
from webinar.domain.access import ALLOWED, Action
from webinar.domain.errors import DomainError
from webinar.domain.media_gate import PREVIEW_LASTS, NotRegistered
from webinar.domain.recording import RecordingState, Watch, closes_at_for, watchable
from webinar.domain.rendition import Rendition
from webinar.models import (
    FacultyMember,
    MediaSegment,
    Recording,
    Registration,
    UserRole,
    WebinarSession,
    WindowExtension,
)
from webinar.services import audit, deliveries


def for_session(db: DbSession, session_id: int) -> Recording | None:
    """The session's recording, also the one being made while it is live."""
    return db.scalar(select(Recording).where(Recording.session_id == session_id))


def by_public_id(db: DbSession, public_id: str) -> Recording:
    """The recording of this name; NoResultFound if there is none."""
    return db.scalars(select(Recording).where(Recording.public_id == public_id)).one()


def segments(
    db: DbSession, recording_id: int, *, rendition: Rendition = Rendition.MAIN
) -> list[MediaSegment]:
    """Everything that is packaged of one rendition, in order."""
    return list(db.scalars(_served(recording_id, rendition).order_by(MediaSegment.sequence)))


def last_segments(
    db: DbSession, recording_id: int, *, count: int, rendition: Rendition = Rendition.MAIN
) -> list[MediaSegment]:
    """The newest segments of one rendition, in order: what a live playlist needs."""
    newest = _served(recording_id, rendition).order_by(MediaSegment.sequence.desc()).limit(count)
    return list(db.scalars(newest))[::-1]


def discontinuities_before(
    db: DbSession, recording_id: int, sequence: int, *, rendition: Rendition = Rendition.MAIN
) -> int:
    """How many discontinuities have slid out of the live playlist (RFC 8216, 4.3.3.3)."""
    passed = _served(recording_id, rendition).where(
        MediaSegment.sequence < sequence, MediaSegment.discontinuity
    )
    return db.scalar(select(func.count()).select_from(passed.subquery())) or 0


def _served(recording_id: int, rendition: Rendition) -> Select[MediaSegment]:
    """The segments that viewers get: a better file replaces them all at once."""
    generation = select(Recording.generation).where(Recording.id == recording_id)
    return select(MediaSegment).where(
        MediaSegment.recording_id == recording_id,
        MediaSegment.rendition == rendition,
        MediaSegment.generation == generation.scalar_subquery(),
    )


def access(db: DbSession, recording: Recording, user_id: int, *, now: datetime) -> Watch:
    """Until when this person may watch; raises NotRegistered, RecordingNotOpen, RecordingClosed.

    Asked at every page, playlist, key and segment. Who may publish it looks at it before that.
    """
    if may_preview(db, recording, user_id):
        return Watch(until=now + PREVIEW_LASTS, extended=False)
    return viewer_access(db, recording, user_id, now=now)


def viewer_access(db: DbSession, recording: Recording, user_id: int, *, now: datetime) -> Watch:
    """The same without previews: what is watched before publication counts for nobody."""
    session = recording.session
    watch = watchable(
        recording.state,
        recording.window,
        extension=_extension(db, recording, user_id),
        now=now,
        zone=session.zone,
    )
    ensure_place(db, session, user_id)
    return watch


def may_preview(db: DbSession, recording: Recording, user_id: int) -> bool:
    """True for who may publish the recording, while it waits for that."""
    if recording.state is not RecordingState.READY:
        return False
    return bool(db.scalar(select(_duty(recording.session, user_id).exists())))


def closes_at_of(db: DbSession, recording: Recording, user_id: int) -> datetime:
    """When a published recording closes for this person, with their extension if they have one."""
    if recording.closes_at is None:
        raise ValueError(f"recording {recording.id} was never published")
    return max(recording.closes_at, _extension(db, recording, user_id) or recording.closes_at)


def ensure_place(db: DbSession, session: WebinarSession, user_id: int) -> None:
    """Raise NotRegistered unless the person is registered, in the faculty, or organises here."""
    place = select(Registration.id).where(
        Registration.session_id == session.id,
        Registration.user_id == user_id,
        Registration.cancelled_at.is_(None),
    )
    part = select(FacultyMember.id).where(
        FacultyMember.session_id == session.id, FacultyMember.user_id == user_id
    )
    duty = _duty(session, user_id)
    if not db.scalar(select(or_(place.exists(), part.exists(), duty.exists()))):
        raise NotRegistered("Register for this session first; it is free and takes one press.")


def begin_import(
    db: DbSession, session_id: int, *, now: datetime, again: bool = False
) -> Recording:
    """A recording that is being made from a file; refused if the session has one or is to come.

    `again` throws away what an import left behind that was broken off, by a power failure say.
    """
    session = db.get_one(WebinarSession, session_id, with_for_update=True, populate_existing=True)
    if (before := for_session(db, session.id)) is not None:
        # Nothing but an import makes a recording of what was never on air.
        is_half = before.state is RecordingState.PROCESSING and session.actual_started_at is None
        if not is_half:
            raise DomainError("This session has a recording already.")
        if not again:
            raise DomainError(
                "A recording of this session is being imported. If that was broken off, import "
                "it with --again."
            )
        abandon_import(db, before.public_id)
    if session.ends_at > now:
        raise DomainError("This session has not ended yet; it can be given a recording afterwards.")
    recording = Recording(
        public_id=secrets.token_hex(8),
        session_id=session.id,
        state=RecordingState.PROCESSING,
        created_at=now,
    )
    db.add(recording)
    db.flush()
    return recording


def abandon_import(db: DbSession, public_id: str) -> None:
    """Forget a recording whose import failed, as if it had never begun; not there is fine.

    By its public id: SQLite gives the number of a row that was deleted to the next one.
    """
    half = select(Recording.id).where(
        Recording.public_id == public_id, Recording.state == RecordingState.PROCESSING
    )
    db.execute(delete(MediaSegment).where(MediaSegment.recording_id.in_(half)))
    db.execute(delete(Recording).where(Recording.id.in_(half)))


def add_segment(db: DbSession, segment: MediaSegment) -> None:
    """Store a packaged segment; one that is served, of the main rendition, is the length."""
    db.add(segment)
    db.flush()  # its defaults are set
    recording = db.get_one(Recording, segment.recording_id)
    if segment.rendition is Rendition.MAIN and segment.generation == recording.generation:
        recording.duration_seconds += segment.duration_seconds


def ready(db: DbSession, recording_id: int, *, has_poster: bool, now: datetime) -> Recording:
    """Every acknowledged chunk is packaged: publish by itself, unless there is nothing to see.

    Nor if somebody of the faculty did not agree to be recorded, or the organiser wants to look
    before: then the organiser decides.
    """
    recording = db.get_one(Recording, recording_id, with_for_update=True, populate_existing=True)
    recording.has_poster = has_poster
    recording.ready_at = now
    recording.state = RecordingState.READY
    if recording.duration_seconds == 0:
        return recording
    why = why_waiting(db, recording)
    if not why:
        return publish(db, recording.id, actor_id=None, now=now)
    audit.write(
        db,
        actor_id=None,
        action="recording withheld",
        subject=f"session {recording.session_id}",
        reason=why,
        now=now,
    )
    return recording


def why_waiting(db: DbSession, recording: Recording) -> str:
    """Why it does not publish itself, as a sentence; nothing if it does."""
    if withheld(db, recording.session_id):
        return "Somebody of the faculty did not agree to be recorded."
    if recording.session.reviews_recording:
        return "The organiser looks at the recording before it is published."
    return ""


def set_review(
    db: DbSession, session_id: int, *, reviews: bool, actor_id: int, now: datetime
) -> None:
    """Whether somebody looks at the recording before it is published, or it publishes itself."""
    session = db.get_one(WebinarSession, session_id, with_for_update=True, populate_existing=True)
    if session.reviews_recording == reviews:
        return
    session.reviews_recording = reviews
    audit.write(
        db,
        actor_id=actor_id,
        action="look before publishing switched",
        subject=f"session {session_id}",
        before={"reviews_recording": not reviews},
        after={"reviews_recording": reviews},
        now=now,
    )


def withheld(db: DbSession, session_id: int) -> bool:
    """True if somebody of the faculty refused to be recorded, or took their yes back."""
    refused = select(FacultyMember.id).where(
        FacultyMember.session_id == session_id, FacultyMember.consent_withdrawn_at.is_not(None)
    )
    return bool(db.scalar(select(refused.exists())))


def publish(db: DbSession, recording_id: int, *, actor_id: int | None, now: datetime) -> Recording:
    """Open the recording window: six calendar months (or the session's own number)."""
    recording = db.get_one(Recording, recording_id, with_for_update=True, populate_existing=True)
    if recording.state is not RecordingState.READY:
        raise DomainError(f"A recording that is {recording.state} cannot be published.")
    session = recording.session
    ended_at = session.actual_ended_at or session.ends_at
    recording.opens_at = now
    recording.closes_at = closes_at_for(ended_at, session.zone, months=session.recording_months)
    recording.published_at = now
    recording.state = RecordingState.PUBLISHED
    if recording.closes_at <= now:
        # Imported long after the evening: the window was over before it could open.
        recording.opens_at = recording.closes_at
    for user_id in db.scalars(
        select(Registration.user_id).where(
            Registration.session_id == session.id, Registration.cancelled_at.is_(None)
        )
    ):
        deliveries.queue(
            db,
            "recording_published",
            user_id=user_id,
            subject_id=session.id,
            due_at=now,
            now=now,
        )
    audit.write(
        db,
        actor_id=actor_id,
        action="recording published",
        subject=f"session {session.id}",
        after={"closes_at": recording.closes_at.isoformat()},
        now=now,
    )
    return recording


def publish_withheld(
    db: DbSession, session_id: int, *, actor_id: int, reason: str, now: datetime
) -> Recording:
    """Publish a recording although somebody did not agree to be recorded, with a reason."""
    if not reason.strip():
        raise DomainError("Say why the recording is published all the same; the reason is kept.")
    recording = db.scalars(select(Recording).where(Recording.session_id == session_id)).one()
    audit.write(
        db,
        actor_id=actor_id,
        action="recording published without everybody's consent",
        subject=f"session {session_id}",
        reason=reason.strip(),
        now=now,
    )
    return publish(db, recording.id, actor_id=actor_id, now=now)


def _duty(session: WebinarSession, user_id: int) -> Select[int]:
    """A role for the session's society, or for all, that publishes recordings."""
    return select(UserRole.user_id).where(
        UserRole.user_id == user_id,
        UserRole.role.in_(ALLOWED[Action.PUBLISH_RECORDINGS]),
        or_(UserRole.society_id.is_(None), UserRole.society_id == session.society_id),
    )


def _extension(db: DbSession, recording: Recording, user_id: int) -> datetime | None:
    return db.scalar(
        select(func.max(WindowExtension.closes_at)).where(
            WindowExtension.recording_id == recording.id, WindowExtension.user_id == user_id
        )
    )
