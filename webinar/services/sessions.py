"""Sessions: found, edited, moved, announced, cancelled, ended. Registrants are told once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from webinar.db import DbSession
from webinar.domain.errors import Conflict, NotFound
from webinar.domain.session import (
    InThePast,
    NotADraft,
    PeopleAreComing,
    ReasonMissing,
    SessionStatus,
    TimeIsFixed,
    step,
)
from webinar.domain.session_details import (
    SessionDetails,
    ensure_ends_after_start,
    ensure_ready,
    ensure_sensible,
    instants_of,
)
from webinar.domain.span import Span
from webinar.domain.timezone import to_utc
from webinar.domain.wording import local_moment, plural
from webinar.models import SeriesException, Society, WebinarSession
from webinar.services import announcements, audit, registrations
from webinar.services.accreditation_statements import follow_session
from webinar.services.feeds import CalendarTool, refresh
from webinar.services.session_facts import facts_of
from webinar.services.session_rows import locked, new_public_id, put_words

TIME_MAY_CHANGE = frozenset({SessionStatus.DRAFT, SessionStatus.PUBLISHED})
# A session nobody broadcasts is over this long after its hour: speakers do come late.
UNAIRED_GRACE_MINUTES = 30


@dataclass(frozen=True)
class Change:
    """What a change did: the names of the fields that differ, and how many people are told."""

    session: WebinarSession
    fields: tuple[str, ...]
    told: int


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
    public_id = new_public_id()
    session = WebinarSession(
        public_id=public_id,
        society_id=db.get_one(Society, society_id).id,
        starts_at=span.start,
        ends_at=span.end,
        zone=details.zone,
        status=SessionStatus.DRAFT,
        revision=0,
        ical_uid=f"session-{public_id}@{calendar.calendar_domain}",
        ical_changed_at=now,
        created_at=now,
        topics=[],
        audience=[],
        faculty=[],
    )
    put_words(db, session, details, now=now)
    db.add(session)
    db.flush()
    _note(db, session, "session created", actor_id=actor_id, now=now)
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
    if session.status is not SessionStatus.DRAFT:
        parts = frozenset(member.part for member in details.faculty)
        ensure_ready(details.title, details.abstract, parts)
    before = facts_of(session)
    span = instants_of(details.starts, details.ends, details.zone, present=session.span)
    _place(session, span, details.zone, now=now)
    put_words(db, session, details, now=now)
    return _finish(db, session, before, actor_id=actor_id, calendar=calendar, now=now)


def move(
    db: DbSession,
    session_id: int,
    starts: datetime,
    *,
    minutes: int | None = None,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
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
    before = facts_of(session)
    _place(session, Span(starts_at, starts_at + length), session.zone, now=now)
    return _finish(db, session, before, actor_id=actor_id, calendar=calendar, now=now)


def publish(
    db: DbSession, session_id: int, *, actor_id: int | None, calendar: CalendarTool, now: datetime
) -> WebinarSession:
    """Announce a draft, and give a place to everybody who registered for its series.

    Raises IllegalStep, NotReady, InThePast.
    """
    session = locked(db, session_id)
    status = session.status
    if status is SessionStatus.CANCELLED:
        raise Conflict("This session is cancelled. Restore it instead of publishing it.")
    session.status = step(status, to=SessionStatus.PUBLISHED)
    _ensure_can_be_announced(session, now=now)
    refresh(db, session, calendar=calendar, now=now)
    registrations.carry_series_registrations(db, session, now=now)
    _note(db, session, "session published", actor_id=actor_id, now=now)
    return session


def unpublish(
    db: DbSession, session_id: int, *, actor_id: int | None, now: datetime
) -> WebinarSession:
    """Make it a draft again, while nobody is registered; raises IllegalStep, PeopleAreComing."""
    session = locked(db, session_id)
    status = step(session.status, to=SessionStatus.DRAFT)
    people = registrations.registered_count(db, session.id)
    if people:
        raise PeopleAreComing(
            f"{plural(people, 'person has', 'people have')} registered already. "
            "Cancel the session instead, so that they are told."
        )
    session.status = status
    _note(db, session, "session unpublished", actor_id=actor_id, now=now)
    return session


def cancel(
    db: DbSession,
    session_id: int,
    *,
    reason: str,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> Change:
    """Cancel an announced session and tell everybody with a place why.

    Raises IllegalStep, ReasonMissing, and Conflict for a draft: nobody knows of it.
    """
    session = locked(db, session_id)
    if session.status is SessionStatus.DRAFT:
        raise Conflict("Nobody has been told of this session yet. Discard it instead.")
    status = step(session.status, to=SessionStatus.CANCELLED)
    if not reason.strip():
        raise ReasonMissing("Say why the session is cancelled; the people registered are told.")
    session.status = status
    session.cancelled_at = now
    session.cancellation_reason = reason.strip()
    refresh(db, session, calendar=calendar, now=now)
    told = announcements.tell_of_cancellation(db, session, now=now)
    _note(db, session, "session cancelled", actor_id=actor_id, reason=reason.strip(), now=now)
    return Change(session, ("status",), told)


def restore(
    db: DbSession, session_id: int, *, actor_id: int | None, calendar: CalendarTool, now: datetime
) -> Change:
    """Let a cancelled session take place after all; raises IllegalStep, NotReady, InThePast."""
    session = locked(db, session_id)
    if session.status is not SessionStatus.CANCELLED:
        raise Conflict("This session is not cancelled.")
    session.status = step(session.status, to=SessionStatus.PUBLISHED)
    _ensure_can_be_announced(session, now=now)
    session.cancelled_at = None
    session.cancellation_reason = ""
    refresh(db, session, calendar=calendar, now=now)
    told = announcements.tell_of_restoration(db, session, now=now)
    registrations.carry_series_registrations(db, session, now=now)
    _note(db, session, "session restored", actor_id=actor_id, now=now)
    return Change(session, ("status",), told)


def discard(
    db: DbSession, session_id: int, *, reason: str, actor_id: int | None, now: datetime
) -> None:
    """Take a draft out of the season; its day becomes an exception of the series.

    Raises NotADraft, ReasonMissing, Conflict if registrations or accreditation hang on it.
    """
    session = locked(db, session_id)
    if session.status is not SessionStatus.DRAFT:
        raise NotADraft("Only a draft can be discarded. Cancel the session, so that people know.")
    reason = reason.strip()
    if not reason:
        raise ReasonMissing("Say why the series does not meet on that day.")
    _note(db, session, "session discarded", actor_id=actor_id, reason=reason, now=now)
    if session.series_id is not None and session.planned_day is not None:
        # Else the next planning would bring it back.
        db.merge(
            SeriesException(
                series_id=session.series_id, day=session.planned_day, reason=reason[:200]
            )
        )
    try:
        with db.begin_nested():
            db.delete(session)
    except IntegrityError as error:
        raise Conflict(
            "Accreditation, test questions or earlier registrations hang on this session. "
            "Leave it as a draft."
        ) from error


def ended(db: DbSession, session: WebinarSession, *, calendar: CalendarTool, now: datetime) -> None:
    """It is over: calendars are brought up to date. Twice is once."""
    if session.status is not SessionStatus.ENDED:
        session.status = step(session.status, to=SessionStatus.ENDED)
        session.actual_ended_at = now
        _note(db, session, "session ended", actor_id=None, now=now)
    refresh(db, session, calendar=calendar, now=now)


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
    session.status = step(session.status, to=SessionStatus.ENDED)
    _note(db, session, "session ended without a broadcast", actor_id=None, now=now)
    refresh(db, session, calendar=calendar, now=now)


def _place(session: WebinarSession, span: Span[datetime], zone: str, *, now: datetime) -> None:
    """Put the session there, if it is not there and may still be moved."""
    if (span, zone) == (session.span, session.zone):
        return
    if session.status not in TIME_MAY_CHANGE:
        raise TimeIsFixed(f"The time of a session that is {session.status} can no longer change.")
    if session.status is SessionStatus.PUBLISHED:
        if span.start <= now:
            raise InThePast(f"{local_moment(span.start, zone)} is over. Choose a time to come.")
        if span.start != session.starts_at:
            session.moved_from = session.starts_at
    session.starts_at, session.ends_at, session.zone = span.start, span.end, zone


def _finish(
    db: DbSession,
    session: WebinarSession,
    before: dict[str, str],
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> Change:
    """Bring calendars up to date, tell of a new time, and write down what changed."""
    after = facts_of(session)
    fields = tuple(name for name in after if after[name] != before[name])
    if not fields:
        return Change(session, (), 0)
    session.revision += 1
    db.flush()
    refresh(db, session, calendar=calendar, now=now)
    told = 0
    moved = {"starts_at", "ends_at"} & set(fields)
    if moved and session.status is SessionStatus.PUBLISHED:
        told = announcements.tell_of_move(db, session, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="session moved" if moved else "session edited",
        subject=f"session {session.id}",
        before={name: before[name] for name in fields},
        after={name: after[name] for name in fields},
        now=now,
    )
    follow_session(db, session, before, actor_id=actor_id, now=now)
    return Change(session, fields, told)


def _ensure_can_be_announced(session: WebinarSession, *, now: datetime) -> None:
    ensure_ready(
        session.title, session.abstract, frozenset(member.part for member in session.faculty)
    )
    if session.ends_at <= now:
        raise InThePast(
            f"The session was planned for {local_moment(session.starts_at, session.zone)}, "
            "which is over. Give it a time to come first."
        )


def _note(
    db: DbSession,
    session: WebinarSession,
    action: str,
    *,
    actor_id: int | None,
    now: datetime,
    reason: str = "",
) -> None:
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"session {session.id}",
        after={"status": session.status.value, "starts_at": session.starts_at.isoformat()},
        reason=reason,
        now=now,
    )
