"""Which sessions of the schedule are wanted, and what there is to choose from.

Every offer is one query, whatever the number of sessions; none shows a draft.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from webinar.db import DbSession
from webinar.domain.credit import GrantStatus
from webinar.domain.session import SessionStatus
from webinar.models import (
    AccreditationGrant,
    AudienceGroup,
    Series,
    Society,
    Topic,
    WebinarSession,
)
from webinar.models.season import session_audience, session_topic
from webinar.services.search import matching

CREDIT_TO_COME = (GrantStatus.APPLIED, GrantStatus.GRANTED)


@dataclass(frozen=True, kw_only=True)
class Of:
    """Only sessions of these; "" means all. Slugs, as they stand in addresses."""

    society: str = ""
    series: str = ""
    topic: str = ""
    """Topics below it count as well."""
    audience: str = ""
    language: str = ""
    level: str = ""
    has_credit: bool = False
    words: str = ""


@dataclass(frozen=True)
class Offered:
    """What one can choose, and how many sessions it has ahead."""

    slug: str
    name: str
    ahead: int


EVERYTHING = Of()


def narrowed(db: DbSession, query: Select[WebinarSession], of: Of) -> Select[WebinarSession]:
    """Those of the query's sessions that are wanted; what does not exist finds none."""
    if of.society:
        query = query.where(WebinarSession.society.has(Society.slug == of.society))
    if of.series:
        query = query.where(WebinarSession.series.has(Series.slug == of.series))
    if of.topic:
        query = query.where(WebinarSession.id.in_(_about(of.topic)))
    if of.audience:
        query = query.where(WebinarSession.audience.any(AudienceGroup.slug == of.audience))
    if of.language:
        query = query.where(WebinarSession.language == of.language)
    if of.level:
        query = query.where(WebinarSession.level == of.level)
    if of.has_credit:
        query = query.where(WebinarSession.id.in_(_with_credit()))
    if of.words.strip():
        query = query.where(WebinarSession.id.in_(matching(db, of.words)))
    return query


def topics_offered(db: DbSession, *, now: datetime) -> list[Offered]:
    """Topics with a session that is not a draft, by name; one above others counts theirs too."""
    return _offered(db, _topics_statement(), now)


def series_offered(db: DbSession, *, now: datetime) -> list[Offered]:
    """Series with a session that is not a draft, by name, with what they have ahead."""
    return _offered(db, _series_statement(), now)


def societies_offered(db: DbSession, *, now: datetime) -> list[Offered]:
    """Societies with a session that is not a draft, by name, with what they have ahead."""
    return _offered(db, _societies_statement(), now)


def audiences_offered(db: DbSession, *, now: datetime) -> list[Offered]:
    """Groups that a session is made for, by name, with what they have ahead."""
    return _offered(db, _audiences_statement(), now)


def languages_and_levels(db: DbSession, *, now: datetime) -> tuple[dict[str, int], dict[str, int]]:
    """How many sessions each language and each level has ahead; "" is a level not said."""
    languages: dict[str, int] = {}
    levels: dict[str, int] = {}
    found = db.connection().execute(_languages_statement(), {"now": now})
    for language, level, number in found:
        languages[language] = languages.get(language, 0) + number
        levels[level] = levels.get(level, 0) + number
    return languages, levels


def is_ahead(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """On air, running or to come; the cancelled ones among them."""
    return or_(
        WebinarSession.status == SessionStatus.LIVE,
        and_(
            WebinarSession.status.in_((SessionStatus.PUBLISHED, SessionStatus.CANCELLED)),
            WebinarSession.ends_at > now,
        ),
    )


def _about(slug: str) -> Select[int]:
    """Ids of the sessions about a topic or one below it."""
    below = select(Topic.id).where(Topic.slug == slug).cte("below", recursive=True)
    below = below.union(select(Topic.id).join(below, Topic.parent_id == below.c.id))
    return select(session_topic.c.session_id).join(below, session_topic.c.topic_id == below.c.id)


def _with_credit() -> Select[int]:
    return select(AccreditationGrant.session_id).where(
        AccreditationGrant.status.in_(CREDIT_TO_COME)
    )


def _offered(db: DbSession, query: Select[str, str, int], now: datetime) -> list[Offered]:
    found: Sequence[tuple[str, str, int]] = db.connection().execute(query, {"now": now}).all()
    return [Offered(slug, name, number) for slug, name, number in found]


# Built once: building one costs more than the database takes to answer it.


@cache
def _topics_statement() -> Select[str, str, int]:
    reach = _reach()
    # A session with two topics below the same one is one session.
    number = func.count(WebinarSession.id.distinct()).filter(_takes_place())
    query = (
        select(Topic.slug, Topic.name, number)
        .join(reach, reach.c.above == Topic.id)
        .join(session_topic, session_topic.c.topic_id == reach.c.topic_id)
        .join(WebinarSession, WebinarSession.id == session_topic.c.session_id)
    )
    return _grouped(query, Topic)


@cache
def _series_statement() -> Select[str, str, int]:
    query = select(Series.slug, Series.name, _number_ahead())
    return _grouped(query.join(WebinarSession, WebinarSession.series_id == Series.id), Series)


@cache
def _societies_statement() -> Select[str, str, int]:
    query = select(Society.slug, Society.short_name, _number_ahead())
    return _grouped(query.join(WebinarSession, WebinarSession.society_id == Society.id), Society)


@cache
def _audiences_statement() -> Select[str, str, int]:
    query = (
        select(AudienceGroup.slug, AudienceGroup.name, _number_ahead())
        .join(session_audience, session_audience.c.group_id == AudienceGroup.id)
        .join(WebinarSession, WebinarSession.id == session_audience.c.session_id)
    )
    return _grouped(query, AudienceGroup)


@cache
def _languages_statement() -> Select[str, str, int]:
    return (
        select(WebinarSession.language, WebinarSession.level, _number_ahead())
        .where(WebinarSession.status != SessionStatus.DRAFT)
        .group_by(WebinarSession.language, WebinarSession.level)
        .order_by(WebinarSession.language, WebinarSession.level)
    )


def _reach() -> CTE:
    """Every topic with itself and with each one above it."""
    reach = select(Topic.id.label("topic_id"), Topic.id.label("above")).cte("reach", recursive=True)
    step = select(reach.c.topic_id, Topic.parent_id).join(Topic, Topic.id == reach.c.above)
    return reach.union(step.where(Topic.parent_id.is_not(None)))


def _grouped(
    query: Select[str, str, int],
    kind: type[Topic] | type[Series] | type[Society] | type[AudienceGroup],
) -> Select[str, str, int]:
    query = query.where(WebinarSession.status != SessionStatus.DRAFT)
    return query.group_by(kind.id).order_by(kind.name, kind.id)


def _number_ahead() -> ColumnElement[int]:
    return func.count().filter(_takes_place())


def _takes_place() -> ColumnElement[bool]:
    now: BindParameter[datetime] = bindparam("now")
    return and_(is_ahead(now), WebinarSession.status != SessionStatus.CANCELLED)
