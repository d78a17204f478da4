"""What calendars are told: each session's entry, rendered once a change and kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from webinar import letterbox
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.calendar_entry import Audience, SessionEntry, wall_text
from webinar.domain.credit import GrantStatus
from webinar.domain.figures import plain_credit
from webinar.domain.session import SessionStatus
from webinar.models import AccreditationGrant, Recording, WebinarSession


@dataclass(frozen=True)
class CalendarTool:
    """The calendar edge, as services need it."""

    public_url: str
    calendar_domain: str
    digest: Callable[[SessionEntry], str]
    render: Callable[[SessionEntry, Audience], bytes]


def entry_for(db: DbSession, session: WebinarSession, *, calendar: CalendarTool) -> SessionEntry:
    """What calendar programs are told of the session as it is now."""
    page = f"{calendar.public_url}/sessions/{session.public_id}"
    societies = [session.society, *(auspices.society for auspices in session.auspices)]
    return SessionEntry(
        uid=session.ical_uid,
        sequence=session.ical_sequence,
        created_at=session.created_at,
        changed_at=session.ical_changed_at,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        zone=session.zone,
        title=session.title,
        session_url=page,
        join_url=f"{page}/live",
        cancelled=session.status is SessionStatus.CANCELLED,
        moved_from=wall_text(session.moved_from, session.zone) if session.moved_from else None,
        series=session.series.name if session.series else "",
        faculty=tuple(member.name for member in session.faculty),
        categories=(
            *(topic.name for topic in session.topics),
            *dict.fromkeys(society.name for society in societies),
        ),
        credits=_credits(db, session),
        recording_until=db.scalar(
            select(Recording.closes_at).where(
                Recording.session_id == session.id, Recording.published_at.is_not(None)
            )
        ),
    )


def refresh(
    db: DbSession, session: WebinarSession, *, calendar: CalendarTool, now: datetime
) -> bool:
    """Render the entry anew if anything in it changed; True if so.

    SEQUENCE and LAST-MODIFIED rise together and only then: programs that poll trust them. A draft
    is in nobody's calendar and is left alone.
    """
    if session.status is SessionStatus.DRAFT:
        return False
    # Faculty and topics are stored before they are read back in their order.
    db.flush()
    db.expire(session, ["faculty", "topics", "auspices"])
    digest = calendar.digest(entry_for(db, session, calendar=calendar))
    if digest == session.ical_digest:
        return False
    # A mail that tells of the session as it was leaves before this is committed, or not at all.
    letterbox.shut(db)
    if session.ical_digest:
        session.ical_sequence += 1
        # Strictly later than before, in the whole seconds that calendars know.
        now = max(now, session.ical_changed_at + timedelta(seconds=1))
    session.ical_changed_at = now
    session.ical_digest = digest
    entry = entry_for(db, session, calendar=calendar)
    session.ical_public = calendar.render(entry, Audience.PUBLIC).decode()
    session.ical_personal = calendar.render(entry, Audience.PERSONAL).decode()
    db.flush()
    return True


def _credits(db: DbSession, session: WebinarSession) -> str:
    """ "Credit: CME 0.5, ESMO-MORA 1" for the grants of the live session, or ""."""
    grants = db.scalars(
        select(AccreditationGrant)
        .where(
            AccreditationGrant.session_id == session.id,
            AccreditationGrant.mode == ViewingMode.LIVE,
            AccreditationGrant.status == GrantStatus.GRANTED,
        )
        .order_by(AccreditationGrant.id)
    )
    amounts = [
        f"{grant.accreditor.short_name} {plain_credit(grant.credits_granted)}" for grant in grants
    ]
    return f"Credit: {', '.join(amounts)}" if amounts else ""
