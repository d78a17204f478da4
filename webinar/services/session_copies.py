"""A session once more, at another time: its words, and none of what hangs on it."""

from datetime import datetime

from webinar.db import DbSession
from webinar.domain.session_details import ensure_ends_after_start
from webinar.domain.span import Span
from webinar.domain.timezone import to_utc
from webinar.models import FacultyMember, WebinarSession
from webinar.services.feeds import CalendarTool
from webinar.services.session_rows import new_draft
from webinar.services.session_steps import note


def duplicate(
    db: DbSession,
    session_id: int,
    *,
    starts: datetime,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> WebinarSession:
    """A draft that says the same and starts at this wall time of the same zone.

    Of the series it was, but of no planned day. Registrations, disclosures, files, auspices and
    accreditation stay with the first. Raises NonexistentWallTime, AmbiguousWallTime.
    """
    first = db.get_one(WebinarSession, session_id)
    starts_at = to_utc(starts, first.zone)
    span = Span(starts_at, starts_at + (first.ends_at - first.starts_at))
    ensure_ends_after_start(span.start, span.end)
    copy = new_draft(first.society, span, first.zone, calendar=calendar, now=now)
    copy.series_id = first.series_id
    copy.title = first.title
    copy.abstract = first.abstract
    copy.objectives = first.objectives
    copy.language = first.language
    copy.level = first.level
    copy.recording_months = first.recording_months
    copy.reviews_recording = first.reviews_recording
    copy.topics = list(first.topics)
    copy.audience = list(first.audience)
    copy.faculty = [
        FacultyMember(
            part=member.part,
            name=member.name,
            affiliation=member.affiliation,
            user_id=member.user_id,
            position=member.position,
        )
        for member in first.faculty
    ]
    db.add(copy)
    db.flush()
    note(db, copy, f"session copied from session {first.id}", actor_id=actor_id, now=now)
    return copy
