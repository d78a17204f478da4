"""Sessions: found, edited, moved, announced, cancelled, ended. Registrants are told once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from webinar.db import DbSession
from webinar.domain.errors import Conflict, NotFound
from webinar.domain.gate import ensure_may_publish, missing_before_publishing
from webinar.domain.session import (
    NotADraft,
    PeopleAreComing,
    ReasonMissing,
    SessionStatus,
    StepName,
    ensure_begins,
)
from webinar.domain.session_details import (
    SessionDetails,
    ensure_ends_after_start,
    ensure_sensible,
    instants_of,
)
from webinar.domain.span import Span
from webinar.domain.timezone import to_utc
from webinar.domain.wording import local_moment, plural
from webinar.models import SeasonChange, SeriesException, Society, WebinarSession
from webinar.services import announcements, audit, gate, registrations, season_changes
from webinar.services.accreditation_statements import follow_session
from webinar.services.feeds import CalendarTool, refresh
from webinar.services.session_facts import facts_of
from webinar.services.session_guard import ensure_still_shown, ensure_to_come, shown_by
from webinar.services.session_rows import locked, new_draft, place, put_words
from webinar.services.session_snapshots import Before, snapshot_of, what_changed
from webinar.services.session_steps import note, take

# A session nobody broadcasts is over this long after its hour: speakers do come late.
UNAIRED_GRACE_MINUTES = 30


@dataclass(frozen=True)
class Change:
    """What a change did: the names of the fields that differ, and how many people are told.

    `undo` is what can be taken back, as long as its mails have not left; None if nothing can.
    """

    session: WebinarSession
    fields: tuple[str, ...]
    told: int
    undo: SeasonChange | None = None


def by_public_id(db: DbSession, public_id: str) -> WebinarSession:
    """The session of this address; raises NotFound."""
    session = db.scalar(select(WebinarSession).where(WebinarSession.public_id == public_id))
    if session is None:
        raise NotFound("There is no such session, or it is not announced yet.")
    return session


def visible_to_public(session: WebinarSession) -> bool:
    """True once announced; a cancelled session stays visible as cancelled."""
    return session.status is not SessionStatus.DRAFT


def overlapping(db: DbSession, session: WebinarSession) -> list[WebinarSession]:
    """Other sessions at the same time: worth a note, never a refusal."""
    found = select(WebinarSession).where(
        WebinarSession.id != session.id,
        WebinarSession.status != SessionStatus.CANCELLED,
        WebinarSession.starts_at < session.ends_at,
        WebinarSession.ends_at > session.starts_at,
    )
    return list(db.scalars(found.order_by(WebinarSession.starts_at, WebinarSession.id)))


def create(
    db: DbSession,
    details: SessionDetails,
    *,
    society_id: int,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> WebinarSession:
    """Add a draft outside any series; the refusals are those of an edit."""
    ensure_sensible(details)
    span = instants_of(details.starts, details.ends, details.zone)
    society = db.get_one(Society, society_id)
    session = new_draft(society, span, details.zone, calendar=calendar, now=now)
    put_words(db, session, details, now=now)
    db.add(session)
    db.flush()
    note(db, session, "session created", actor_id=actor_id, now=now)
    return session


def edit(
    db: DbSession,
    session_id: int,
    details: SessionDetails,
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
    seen_revision: int | None = None,
    change: SeasonChange | None = None,
) -> Change:
    """Make the session say this. The status stays; what is equal already changes nothing.

    `seen_revision` is the revision that the person saw who says this; without it nobody's change
    is noticed. Raises ChangedMeanwhile, EndBeforeStart, TooLong, NotReady (also if an announced
    session would lose what it was announced with), FacultyNameMissing, UnknownLevel, UnknownZone,
    NonexistentWallTime, AmbiguousWallTime, TimeIsFixed, InThePast, UnusableTopic,
    UnknownAudience, FormRefused for an e-mail that is none.
    """
    session = locked(db, session_id, seen_revision=seen_revision)
    ensure_sensible(details)
    span = instants_of(details.starts, details.ends, details.zone, present=session.span)
    before, shown = Before.of(session), shown_by(db, session)
    place(db, session, span, details.zone, now=now)
    put_words(db, session, details, now=now)
    ensure_still_shown(db, session, shown)
    return _written(
        db, session, before, change=change, actor_id=actor_id, calendar=calendar, now=now
    )


def move(
    db: DbSession,
    session_id: int,
    starts: datetime,
    *,
    minutes: int | None = None,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
    change: SeasonChange | None = None,
) -> Change:
    """Let it start at another wall time of its zone, as long as before or for so many minutes.

    Raises EndBeforeStart, TooLong, NonexistentWallTime, AmbiguousWallTime, TimeIsFixed, InThePast.
    """
    session = locked(db, session_id)
    length = session.ends_at - session.starts_at
    if minutes is not None:
        length = timedelta(minutes=minutes)
    starts_at = to_utc(starts, session.zone)
    ensure_ends_after_start(starts_at, starts_at + length)
    before = Before.of(session)
    place(db, session, Span(starts_at, starts_at + length), session.zone, now=now)
    return _written(
        db, session, before, change=change, actor_id=actor_id, calendar=calendar, now=now
    )


def publish(
    db: DbSession,
    session_id: int,
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
    override_reason: str = "",
) -> WebinarSession:
    """Announce a draft, and give a place to everybody who registered for its series.

    What is missing can be overridden with a reason, which is kept and written down: so is a
    placeholder announced. Raises IllegalStep, NotReady, InThePast.
    """
    session = locked(db, session_id)
    if session.status is SessionStatus.CANCELLED:
        raise Conflict("This session is cancelled. Restore it instead of publishing it.")
    ensure_begins(session.status, StepName.PUBLISH)
    facts = gate.facts_of(db, session)
    ensure_may_publish(facts, override_reason)
    ensure_to_come(session, now=now)
    overridden = bool(missing_before_publishing(facts))
    session.override_reason = override_reason.strip() if overridden else ""
    session.revision += 1
    take(db, session, StepName.PUBLISH, calendar=calendar, now=now)
    action = "session published with an override" if overridden else "session published"
    note(db, session, action, actor_id=actor_id, reason=session.override_reason, now=now)
    return session


def unpublish(
    db: DbSession, session_id: int, *, actor_id: int | None, now: datetime
) -> WebinarSession:
    """Make it a draft again, while nobody is registered; raises IllegalStep, PeopleAreComing."""
    session = locked(db, session_id)
    ensure_begins(session.status, StepName.UNPUBLISH)
    people = registrations.registered_count(db, session.id)
    if people:
        raise PeopleAreComing(
            f"{plural(people, 'person has', 'people have')} registered already. "
            "Cancel the session instead, so that they are told."
        )
    session.revision += 1
    take(db, session, StepName.UNPUBLISH, now=now)
    note(db, session, "session unpublished", actor_id=actor_id, now=now)
    return session


def cancel(
    db: DbSession,
    session_id: int,
    *,
    reason: str,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
    change: SeasonChange | None = None,
) -> Change:
    """Cancel an announced session and tell everybody with a place why.

    Raises IllegalStep, ReasonMissing, and Conflict for a draft: nobody knows of it.
    """
    session = locked(db, session_id)
    if session.status is SessionStatus.DRAFT:
        raise Conflict("Nobody has been told of this session yet. Discard it instead.")
    ensure_begins(session.status, StepName.CANCEL)
    reason = reason.strip()
    if not reason:
        raise ReasonMissing("Say why the session is cancelled; the people registered are told.")
    before = Before.of(session)
    change = change or _begin(db, "Cancelled", session, actor_id=actor_id, now=now)
    session.cancelled_at, session.cancellation_reason = now, reason
    told = _step(db, session, StepName.CANCEL, before, change, calendar=calendar, now=now)
    note(db, session, "session cancelled", actor_id=actor_id, reason=reason, now=now)
    return Change(session, ("status",), told, change)


def restore(
    db: DbSession,
    session_id: int,
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
    change: SeasonChange | None = None,
) -> Change:
    """Let a cancelled session take place after all; raises IllegalStep, InThePast."""
    session = locked(db, session_id)
    if session.status is not SessionStatus.CANCELLED:
        raise Conflict("This session is not cancelled.")
    ensure_to_come(session, now=now)
    before = Before.of(session)
    change = change or _begin(db, "Restored", session, actor_id=actor_id, now=now)
    session.cancelled_at, session.cancellation_reason = None, ""
    told = _step(db, session, StepName.RESTORE, before, change, calendar=calendar, now=now)
    note(db, session, "session restored", actor_id=actor_id, now=now)
    return Change(session, ("status",), told, change)


def discard(
    db: DbSession,
    session_id: int,
    *,
    reason: str,
    actor_id: int | None,
    now: datetime,
    change: SeasonChange | None = None,
) -> SeasonChange:
    """Take a draft out of the season; its day becomes an exception of the series.

    Returns what can be taken back. Raises NotADraft, ReasonMissing, Conflict if registrations or
    accreditation hang on it.
    """
    session = locked(db, session_id)
    if session.status is not SessionStatus.DRAFT:
        raise NotADraft("Only a draft can be discarded. Cancel the session, so that people know.")
    reason = reason.strip()
    if not reason:
        raise ReasonMissing("Say why the series does not meet on that day.")
    change = change or _begin(db, "Discarded", session, actor_id=actor_id, now=now)
    note(db, session, "session discarded", actor_id=actor_id, reason=reason, now=now)
    before, day = snapshot_of(session), session.planned_day
    if day is not None and db.get(SeriesException, (session.series_id, day)) is not None:
        day = None
    take(db, session, StepName.DISCARD, reason=reason, now=now)
    try:
        with db.begin_nested():
            db.delete(session)
    except IntegrityError as error:
        raise Conflict(
            "Accreditation, test questions or earlier registrations hang on this session. "
            "Leave it as a draft."
        ) from error
    season_changes.note_gone(change, session_id, before, excepted=day)
    return change


def past_and_not_ended(db: DbSession, *, now: datetime) -> list[int]:
    """Ids of announced sessions whose hour is long over and that never went live."""
    return list(
        db.scalars(
            select(WebinarSession.id).where(
                WebinarSession.status == SessionStatus.PUBLISHED,
                WebinarSession.ends_at < now - timedelta(minutes=UNAIRED_GRACE_MINUTES),
            )
        )
    )


def end_unaired(db: DbSession, session_id: int, *, calendar: CalendarTool, now: datetime) -> None:
    """End a session that nobody broadcast; its announced times stand for the actual ones."""
    session = locked(db, session_id)
    if session.status is not SessionStatus.PUBLISHED or session.ends_at > now:
        return  # published or moved anew since it was found
    take(db, session, StepName.END_UNAIRED, calendar=calendar, now=now)
    note(db, session, "session ended without a broadcast", actor_id=None, now=now)


def _begin(
    db: DbSession, did: str, session: WebinarSession, *, actor_id: int | None, now: datetime
) -> SeasonChange:
    when = local_moment(session.starts_at, session.zone)
    summary = f"{did}: {session.title}, {when}"
    return season_changes.begin(db, actor_id=actor_id, summary=summary, now=now)


def _step(
    db: DbSession,
    session: WebinarSession,
    name: StepName,
    before: Before,
    change: SeasonChange,
    *,
    calendar: CalendarTool,
    now: datetime,
) -> int:
    """Take a step that can be taken back; how many people are told."""
    leave_at = season_changes.mails_leave_at(change, session, before.standing, now=now)
    session.revision += 1
    told = take(db, session, name, calendar=calendar, mails_leave_at=leave_at, now=now)
    season_changes.note(change, session, what_changed(before.snapshot, snapshot_of(session)))
    return told


def _written(
    db: DbSession,
    session: WebinarSession,
    before: Before,
    *,
    change: SeasonChange | None,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> Change:
    """Bring calendars up to date, tell of a new time, and write down what changed."""
    after = facts_of(session)
    fields = tuple(name for name in after if after[name] != before.facts[name])
    if not fields:
        return Change(session, (), 0)
    moved = before.standing != announcements.standing_of(session)
    session.revision += 1
    db.flush()
    refresh(db, session, calendar=calendar, now=now)
    change = change or _begin(
        db, "Moved" if moved else "Edited", session, actor_id=actor_id, now=now
    )
    told = 0
    if moved and session.status is SessionStatus.PUBLISHED:
        leave_at = season_changes.mails_leave_at(change, session, before.standing, now=now)
        told = announcements.tell(db, session, before.standing, due_at=leave_at, now=now)
    season_changes.note(change, session, what_changed(before.snapshot, snapshot_of(session)))
    audit.write(
        db,
        actor_id=actor_id,
        action="session moved" if moved else "session edited",
        subject=f"session {session.id}",
        before={name: before.facts[name] for name in fields},
        after={name: after[name] for name in fields},
        now=now,
    )
    follow_session(db, session, before.facts, actor_id=actor_id, now=now)
    return Change(session, fields, told, change)
