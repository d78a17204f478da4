"""Who is told of a change, in the one sentence that stands before each of them."""

from dataclasses import dataclass
from datetime import datetime

from flask import g

from webinar.domain.session import SessionStatus
from webinar.domain.wording import grouped, plural
from webinar.models import WebinarSession
from webinar.services import registrations


@dataclass(frozen=True)
class Told:
    """How many people hear of it, and how many of them find another hour on their clock."""

    people: int = 0
    new_hour: int = 0

    @property
    def sentence(self) -> str:
        """`37 people will be told by mail; 12 will see a new hour.`"""
        if not self.people:
            return "Nobody is registered, so nobody is told."
        words = f"{plural(self.people, 'person', 'people')} will be told by mail"
        if self.new_hour:
            words += f"; {grouped(self.new_hour)} will see a new hour"
        return f"{words}."


def moving(session: WebinarSession, starts_at: datetime) -> Told:
    """Who hears that the session begins at this instant."""
    if session.status is not SessionStatus.PUBLISHED or starts_at == session.starts_at:
        return Told()
    return Told(registrations.registered_count(g.db, session.id))


def cancelling(session: WebinarSession) -> Told | None:
    """Who hears that it does not take place; None if it cannot be cancelled."""
    if session.status is not SessionStatus.PUBLISHED:
        return None
    return Told(registrations.registered_count(g.db, session.id))


def restoring(session: WebinarSession) -> Told | None:
    """Who hears that it takes place after all; None if it cannot."""
    if session.status is not SessionStatus.CANCELLED or session.ends_at <= g.now:
        return None
    return Told(registrations.registered_count(g.db, session.id))
