"""What the public sees of the season: read queries, a fixed number each, whatever the size.

Nothing here shows a draft. Lists come with all that a line of the list says: series, society,
topics, faculty, recording and grants.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import defer, joinedload, selectinload

from webinar.db import DbSession
from webinar.domain.errors import NotFound
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import (
    Auspices,
    Recording,
    Series,
    Society,
    Topic,
    WebinarSession,
)
from webinar.services.listings import Listed, listed, lists
from webinar.services.schedule_filters import EVERYTHING, Of, is_ahead, narrowed

Found = TypeVar("Found", Series, Topic, Society)

CLOSING_SOON = timedelta(days=30)


def ahead(
    db: DbSession, *, now: datetime, of: Of = EVERYTHING, limit: int = 0, offset: int = 0
) -> list[Listed]:
    """On air, running or to come, earliest first; the cancelled ones among them too."""
    return listed(db, _cut(_ahead(db, now, of), limit, offset))


def past(
    db: DbSession, *, now: datetime, of: Of = EVERYTHING, limit: int = 0, offset: int = 0
) -> list[Listed]:
    """Over, latest first; what was cancelled is left out."""
    return listed(db, _cut(_past(db, now, of), limit, offset))


def ahead_and_past(
    db: DbSession, *, now: datetime, of: Of, limits: tuple[int, int]
) -> tuple[list[Listed], list[Listed]]:
    """Both for a page of what is offered by somebody or about something: six queries."""
    coming = _cut(_ahead(db, now, of), limits[0], 0)
    over = _cut(_past(db, now, of), limits[1], 0)
    found = lists(db, coming, over)
    return found[0], found[1]


def ahead_and_closing(
    db: DbSession, *, now: datetime, limits: tuple[int, int]
) -> tuple[list[Listed], list[Listed]]:
    """What comes, and the recordings that close within thirty days, the most urgent first."""
    found = lists(
        db, _cut(_ahead(db, now, EVERYTHING), limits[0], 0), _cut(_closing(db, now), limits[1], 0)
    )
    return found[0], found[1]


def between(db: DbSession, start: datetime, end: datetime, *, of: Of = EVERYTHING) -> list[Listed]:
    """Everything that starts in [start, end), earliest first."""
    query = _visible(db, of).where(
        WebinarSession.starts_at >= start, WebinarSession.starts_at < end
    )
    return listed(db, query.order_by(WebinarSession.starts_at, WebinarSession.id))


def of_ids(db: DbSession, ids: Sequence[int]) -> list[Listed]:
    """These sessions, earliest first; drafts are left out."""
    query = _visible(db).where(WebinarSession.id.in_(ids))
    return listed(db, query.order_by(WebinarSession.starts_at, WebinarSession.id))


def shown(db: DbSession, public_id: str) -> Listed:
    """One session with everything its own page says. A draft is NotFound like a wrong address."""
    query = (
        _visible(db)
        .where(WebinarSession.public_id == public_id)
        .options(
            selectinload(WebinarSession.topics),
            selectinload(WebinarSession.faculty),
            selectinload(WebinarSession.auspices).joinedload(Auspices.society),
        )
    )
    found = listed(db, query)
    if not found:
        raise NotFound("There is no such session, or it is not announced yet.")
    return found[0]


def series_named(db: DbSession, slug: str) -> Series:
    """The series with its society; NotFound if there is none."""
    query = select(Series).where(Series.slug == slug).options(joinedload(Series.society))
    return _or_not_found(db.scalar(query), "series")


def topic_named(db: DbSession, slug: str) -> Topic:
    """The topic; NotFound if there is none."""
    return _or_not_found(db.scalar(select(Topic).where(Topic.slug == slug)), "topic")


def society_named(db: DbSession, slug: str) -> Society:
    """The society; NotFound if there is none."""
    return _or_not_found(db.scalar(select(Society).where(Society.slug == slug)), "society")


def series_of(db: DbSession, society_id: int) -> list[Series]:
    """The recurring programmes of a society, by name."""
    return list(
        db.scalars(
            select(Series).where(Series.society_id == society_id).order_by(Series.name, Series.id)
        )
    )


def _ahead(db: DbSession, now: datetime, of: Of) -> Select[WebinarSession]:
    query = _visible(db, of).where(is_ahead(now))
    return query.order_by(WebinarSession.starts_at, WebinarSession.id)


def _past(db: DbSession, now: datetime, of: Of) -> Select[WebinarSession]:
    query = _visible(db, of).where(_is_past(now))
    return query.order_by(WebinarSession.starts_at.desc(), WebinarSession.id.desc())


def _closing(db: DbSession, now: datetime) -> Select[WebinarSession]:
    return (
        _visible(db)
        .join(Recording, Recording.session_id == WebinarSession.id)
        .where(
            Recording.state == RecordingState.PUBLISHED,
            Recording.opens_at <= now,
            Recording.closes_at > now,
            Recording.closes_at <= now + CLOSING_SOON,
        )
        .order_by(Recording.closes_at, WebinarSession.id)
    )


def _visible(db: DbSession, of: Of = EVERYTHING) -> Select[WebinarSession]:
    query = (
        select(WebinarSession)
        .where(WebinarSession.status != SessionStatus.DRAFT)
        .options(
            # Far longer than all the rest, and never in a list.
            defer(WebinarSession.ical_public),
            defer(WebinarSession.ical_personal),
            joinedload(WebinarSession.series),
            joinedload(WebinarSession.society),
        )
    )
    return query if of == EVERYTHING else narrowed(db, query, of)


def _is_past(now: datetime) -> ColumnElement[bool]:
    # A session nobody has pressed stop for is over for the public, unless it is on air.
    return or_(
        WebinarSession.status == SessionStatus.ENDED,
        and_(WebinarSession.status == SessionStatus.PUBLISHED, WebinarSession.ends_at <= now),
    )


def _cut(query: Select[WebinarSession], limit: int, offset: int) -> Select[WebinarSession]:
    return query.limit(limit).offset(offset) if limit else query


def _or_not_found(found: Found | None, noun: str) -> Found:
    if found is None:
        raise NotFound(f"There is no such {noun}. Look in the schedule instead.")
    return found
