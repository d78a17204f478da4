"""The list of all sessions as organisers ask for it: filtered, sorted and cut by the database."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, defer, joinedload, selectinload

from webinar.db import DbSession
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.models import FacultyMember, Registration, Topic, WebinarSession
from webinar.services import search


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which sessions; None and "" are no wish. `society_ids` are those the reader works for."""

    society_ids: frozenset[int] | None = None
    society_id: int | None = None
    series_id: int | None = None
    topic_ids: frozenset[int] | None = None
    status: SessionStatus | None = None
    starting: datetime | None = None  # over after this
    until: datetime | None = None  # begun before this
    words: str = ""


EVERYTHING = Wanted()


def found(
    db: DbSession,
    wanted: Wanted = EVERYTHING,
    *,
    sort: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> list[WebinarSession]:
    """Sessions with series, society and faculty: earliest first, or sorted by a column.

    `sort` is title, state, presenter or registered, and "-title" from the end; "" is by time.
    """
    name, from_the_end = sort.removeprefix("-"), sort.startswith("-")
    by_time: tuple[ColumnElement[object] | InstrumentedAttribute[object], ...]
    by_time = (WebinarSession.starts_at, WebinarSession.id)
    order = (_columns()[name], *by_time) if name in _columns() else by_time
    statement = (
        select(WebinarSession)
        .where(*_conditions(db, wanted))
        .options(
            joinedload(WebinarSession.series),
            joinedload(WebinarSession.society),
            selectinload(WebinarSession.faculty),
            # Read into feeds only, and far longer than all the rest.
            defer(WebinarSession.ical_public),
            defer(WebinarSession.ical_personal),
        )
        .order_by(*(column.desc() if from_the_end else column.asc() for column in order))
        .limit(limit)
        .offset(offset)
    )
    return list(db.scalars(statement))


def number_of(db: DbSession, wanted: Wanted = EVERYTHING) -> int:
    """How many sessions there are of the kind."""
    return db.scalar(select(func.count(WebinarSession.id)).where(*_conditions(db, wanted))) or 0


def others_to_come(db: DbSession, session: WebinarSession, *, now: datetime) -> list[datetime]:
    """When the other sessions of its series start that may be edited together with it."""
    if session.series_id is None:
        return []
    return list(
        db.scalars(
            select(WebinarSession.starts_at)
            .where(
                WebinarSession.series_id == session.series_id,
                WebinarSession.id != session.id,
                WebinarSession.status.in_((SessionStatus.DRAFT, SessionStatus.PUBLISHED)),
                WebinarSession.ends_at > now,
            )
            .order_by(WebinarSession.starts_at, WebinarSession.id)
        )
    )


def with_those_below(topics: list[Topic], topic_id: int) -> frozenset[int]:
    """The topic and everything below it in the tree."""
    found, grown = frozenset({topic_id}), frozenset[int]()
    while found != grown:
        grown = found
        found |= {topic.id for topic in topics if topic.parent_id in grown}
    return found


def _conditions(db: DbSession, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.society_ids is not None:
        conditions.append(WebinarSession.society_id.in_(wanted.society_ids))
    if wanted.society_id is not None:
        conditions.append(WebinarSession.society_id == wanted.society_id)
    if wanted.series_id is not None:
        conditions.append(WebinarSession.series_id == wanted.series_id)
    if wanted.topic_ids is not None:
        conditions.append(WebinarSession.topics.any(Topic.id.in_(wanted.topic_ids)))
    if wanted.status is not None:
        conditions.append(WebinarSession.status == wanted.status)
    if wanted.starting is not None:
        conditions.append(WebinarSession.ends_at > wanted.starting)
    if wanted.until is not None:
        conditions.append(WebinarSession.starts_at < wanted.until)
    if wanted.words:
        conditions.append(WebinarSession.id.in_(search.matching(db, wanted.words)))
    return conditions


def _columns() -> dict[str, ColumnElement[object]]:
    presenter = (
        select(func.lower(func.min(FacultyMember.name)))
        .where(
            FacultyMember.session_id == WebinarSession.id,
            FacultyMember.part == FacultyPart.PRESENTER,
        )
        .correlate(WebinarSession)
        .scalar_subquery()
    )
    registered = (
        select(func.count(Registration.id))
        .where(
            and_(
                Registration.session_id == WebinarSession.id,
                Registration.cancelled_at.is_(None),
            )
        )
        .correlate(WebinarSession)
        .scalar_subquery()
    )
    return {
        "title": func.lower(WebinarSession.title),
        "state": WebinarSession.status,  # type: ignore[dict-item]
        "presenter": func.coalesce(presenter, ""),
        "registered": registered,
    }
