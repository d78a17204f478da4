"""What many sessions' calendar entries say at once: a renamed topic, a renamed society."""

from datetime import datetime

from sqlalchemy import ColumnElement, select

from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.models import WebinarSession
from webinar.services import feeds
from webinar.services.feeds import CalendarTool


def refresh_coming(
    db: DbSession, which: ColumnElement[bool], *, calendar: CalendarTool, now: datetime
) -> int:
    """Render anew what changed of the sessions to come among these; how many there were.

    What is over stays as it was told: no calendar needs to hear of it again.
    """
    found = db.scalars(
        select(WebinarSession)
        .where(which)
        .where(WebinarSession.status != SessionStatus.DRAFT)
        .where(WebinarSession.ends_at > now)
        .order_by(WebinarSession.id)
    )
    return sum(feeds.refresh(db, session, calendar=calendar, now=now) for session in found.all())
