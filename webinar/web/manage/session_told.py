"""Who is told of a change, in the one sentence that stands before each of them."""

from datetime import datetime

from flask import g

from webinar.domain.session import SessionStatus
from webinar.domain.wording import grouped, plural
from webinar.models import WebinarSession
from webinar.services import registrations, session_audience
from webinar.services.session_audience import Audience

NOBODY = Audience(0, 0)


def sentence(audience: Audience) -> str:
    """`37 people will be told by mail; 12 will see a new hour.`"""
    if not audience.told:
        return "Nobody is registered, so nobody is told."
    words = f"{plural(audience.told, 'person', 'people')} will be told by mail"
    if audience.new_hour:
        words += f"; {grouped(audience.new_hour)} will see a new hour"
    return f"{words}."


def moving(session: WebinarSession, starts_at: datetime) -> Audience:
    """Who hears that the session begins at this instant."""
    if starts_at == session.starts_at:
        return NOBODY
    return session_audience.of_moves(g.db, [(session, starts_at)])


def cancelling(session: WebinarSession) -> Audience | None:
    """Who hears that it does not take place; None if it cannot be cancelled."""
    if session.status is not SessionStatus.PUBLISHED:
        return None
    return session_audience.of_cancellation(g.db, session)


def restoring(session: WebinarSession) -> Audience | None:
    """Who hears that it takes place after all; None if it cannot."""
    if session.status is not SessionStatus.CANCELLED or session.ends_at <= g.now:
        return None
    return Audience(registrations.registered_count(g.db, session.id), 0)
