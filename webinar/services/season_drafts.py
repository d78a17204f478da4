"""Drafts of a season that are said in full at once: by a table, or by the season before."""

from datetime import datetime

from webinar.db import DbSession
from webinar.domain.session_details import SessionDetails
from webinar.models import SeasonChange, Series, WebinarSession
from webinar.services import season_changes, sessions
from webinar.services.feeds import CalendarTool


def add(
    db: DbSession,
    details: SessionDetails,
    *,
    series: Series | None,
    society_id: int,
    change: SeasonChange,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> WebinarSession:
    """Add a draft, as the session of its day if it is of a series; the refusals of a new one.

    Whoever asks has seen that the series has no session for that day.
    """
    session = sessions.create(
        db, details, society_id=society_id, actor_id=actor_id, calendar=calendar, now=now
    )
    if series is not None:
        session.series = series
        session.planned_day = details.starts.date()
        session.recording_months = series.recording_months
        db.flush()
    season_changes.note_made(change, session)
    return session
