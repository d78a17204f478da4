"""Other societies lend a session their name, by a decision with a date and a reference."""

from datetime import date, datetime

from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.domain.timezone import to_local
from webinar.models import Auspices, Society, WebinarSession
from webinar.services import audit, feeds
from webinar.services.feeds import CalendarTool

LONGEST_REFERENCE = 120


class OwnSociety(DomainError):
    """A session is not under the auspices of the society that offers it."""


class NotDecidedYet(DomainError):
    """The decision lies in the future."""


class ReferenceTooLong(DomainError):
    """No letter has such a number."""


def put(
    db: DbSession,
    session: WebinarSession,
    society: Society,
    *,
    decided_on: date,
    reference: str,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> bool:
    """Add a society's auspices, or correct their date and reference. True if it was different.

    Raises OwnSociety, NotDecidedYet, ReferenceTooLong.
    """
    reference = " ".join(reference.split())
    if society.id == session.society_id:
        raise OwnSociety(f"{society.name} offers the session itself. Choose another society.")
    if decided_on > to_local(now, session.zone).date():
        raise NotDecidedYet("Give the day of the decision: it cannot lie in the future.")
    if len(reference) > LONGEST_REFERENCE:
        raise ReferenceTooLong(f"Give a reference of at most {LONGEST_REFERENCE} characters.")
    found = next((one for one in session.auspices if one.society_id == society.id), None)
    before = _facts(found) if found else None
    if found is None:
        found = Auspices(society=society, decided_on=decided_on, reference=reference)
        session.auspices.append(found)
    found.decided_on, found.reference = decided_on, reference
    db.flush()
    if (after := _facts(found)) == before:
        return False
    _follow(
        db,
        session,
        "auspices changed" if before else "auspices added",
        before=before,
        after=after,
        actor_id=actor_id,
        calendar=calendar,
        now=now,
    )
    return True


def take_away(
    db: DbSession,
    session: WebinarSession,
    society: Society,
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> bool:
    """The society lends its name no more. True if it did."""
    found = next((one for one in session.auspices if one.society_id == society.id), None)
    if found is None:
        return False
    before = _facts(found)
    session.auspices.remove(found)
    db.flush()
    _follow(
        db,
        session,
        "auspices removed",
        before=before,
        after=None,
        actor_id=actor_id,
        calendar=calendar,
        now=now,
    )
    return True


def _follow(
    db: DbSession,
    session: WebinarSession,
    action: str,
    *,
    before: dict[str, str] | None,
    after: dict[str, str] | None,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> None:
    """Once for each change: the calendar entry names the societies; the trail keeps it."""
    feeds.refresh(db, session, calendar=calendar, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"session {session.id}",
        before=before,
        after=after,
        now=now,
    )


def _facts(auspices: Auspices) -> dict[str, str]:
    return {
        "society": auspices.society.name,
        "decided on": auspices.decided_on.isoformat(),
        "reference": auspices.reference,
    }
