"""What organisers see of the season: every session, drafts too."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import defer, joinedload, selectinload

from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import (
    Recording,
    Registration,
    WebinarSession,
)


def listed(
    db: DbSession,
    *,
    series_id: int | None = None,
    status: SessionStatus | None = None,
    starting: datetime | None = None,
    until: datetime | None = None,
    society_ids: frozenset[int] | None = None,
) -> list[WebinarSession]:
    """Sessions with series and faculty, earliest first.

    `society_ids`: only sessions of these societies; None means all.
    """
    found = (
        select(WebinarSession)
        .options(
            joinedload(WebinarSession.series),
            selectinload(WebinarSession.faculty),
            # Read into feeds only, and far longer than all the rest.
            defer(WebinarSession.ical_public),
            defer(WebinarSession.ical_personal),
        )
        .order_by(WebinarSession.starts_at, WebinarSession.id)
    )
    if series_id is not None:
        found = found.where(WebinarSession.series_id == series_id)
    if status is not None:
        found = found.where(WebinarSession.status == status)
    if society_ids is not None:
        found = found.where(WebinarSession.society_id.in_(society_ids))
    if starting is not None:
        found = found.where(WebinarSession.ends_at > starting)
    if until is not None:
        found = found.where(WebinarSession.starts_at < until)
    return list(db.scalars(found))


def recordings(db: DbSession) -> list[Recording]:
    """Every recording with its session; what closes first comes first, the closed last."""
    found = (
        select(Recording)
        .join(WebinarSession)
        .options(joinedload(Recording.session).joinedload(WebinarSession.series))
        .order_by(
            Recording.state.in_((RecordingState.CLOSED, RecordingState.DESTROYED)),
            Recording.closes_at.is_(None),
            Recording.closes_at,
            WebinarSession.starts_at,
        )
    )
    return list(db.scalars(found))


def registered_counts(db: DbSession, session_ids: list[int]) -> dict[int, int]:
    """How many people have a place, by session; who is missing has none."""
    counted = db.execute(
        select(Registration.session_id, func.count())
        .where(Registration.session_id.in_(session_ids), Registration.cancelled_at.is_(None))
        .group_by(Registration.session_id)
    )
    return {row[0]: row[1] for row in counted}
