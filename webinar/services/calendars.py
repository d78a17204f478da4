"""Which sessions stand in which feed, and when a feed last changed.

A feed is the stored bytes of its sessions, joined. Its version names them without reading them:
id and sequence of each, in order, in one row. A sequence grows whenever the bytes change.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    cast,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from webinar.db import DbSession
from webinar.domain.errors import NotFound
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import add_months, to_local, to_utc
from webinar.models import FeedState, Registration, Series, Society, Topic, User, WebinarSession
from webinar.models.season import session_topic

PUBLIC_MONTHS = 6
PERSONAL_MONTHS = 24
CANCELLED_KEPT = timedelta(days=7)  # after its date, so that everybody hears of it


class Kind(StrEnum):
    """Whose sessions a feed shows; the word stands in its address."""

    ALL = "all"
    SERIES = "series"
    TOPIC = "topics"
    SOCIETY = "societies"
    PERSONAL = "personal"


@dataclass(frozen=True)
class Feed:
    """One feed: `of` is the id of its series, topic, society or person."""

    kind: Kind
    name: str
    key: str
    of: int = 0

    @property
    def is_personal(self) -> bool:
        return self.kind is Kind.PERSONAL


@dataclass(frozen=True)
class State:
    """`version`: equal ones are equal bytes. `etag`, `changed_at`: as noted last, if ever."""

    version: str
    etag: str
    changed_at: datetime | None


@dataclass(frozen=True)
class Event:
    """The stored bytes of a session, and its zone."""

    zone: str
    vevent: bytes


def everything(site_name: str) -> Feed:
    """All that is announced."""
    return Feed(Kind.ALL, site_name, "all")


def of_series(db: DbSession, slug: str) -> Feed:
    """The sessions of a series; raises NotFound."""
    return _named(db, Kind.SERIES, Series, slug, "series")


def of_topic(db: DbSession, slug: str) -> Feed:
    """The sessions about a topic or one below it; raises NotFound.

    The address of a merged topic gives the feed of the one it was merged into: programs that
    poll do not follow well.
    """
    into = aliased(Topic)
    found = db.execute(
        select(func.coalesce(into.id, Topic.id), func.coalesce(into.name, Topic.name))
        .select_from(Topic)
        .outerjoin(into, into.id == Topic.merged_into_id)
        .where(Topic.slug == slug)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such topic, so there is no feed of it.")
    return Feed(Kind.TOPIC, found[1], f"{Kind.TOPIC}/{slug}", found[0])


def of_society(db: DbSession, slug: str) -> Feed:
    """The sessions a society offers; raises NotFound."""
    return _named(db, Kind.SOCIETY, Society, slug, "society")


def of_person(db: DbSession, token_hash: str, site_name: str) -> Feed:
    """The sessions a person registered for, by the hash of their secret; raises NotFound."""
    user_id = db.scalar(
        select(User.id).where(User.feed_token_hash == token_hash, User.erased_at.is_(None))
    )
    if user_id is None:
        raise NotFound("There is no such calendar. Copy its address from your page again.")
    return Feed(Kind.PERSONAL, f"My sessions, {site_name}", f"personal/{user_id}", user_id)


def single(db: DbSession, public_id: str) -> tuple[Event, datetime, int]:
    """One session's event, when it last changed and its sequence; NotFound for a draft."""
    found = db.execute(
        select(
            WebinarSession.zone,
            WebinarSession.ical_public,
            WebinarSession.ical_changed_at,
            WebinarSession.ical_sequence,
        ).where(
            WebinarSession.public_id == public_id,
            WebinarSession.status != SessionStatus.DRAFT,
            WebinarSession.ical_public != "",
        )
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such session, or it is not announced yet.")
    return Event(found.zone, found.ical_public.encode()), found.ical_changed_at, found.ical_sequence


def state(db: DbSession, feed: Feed, *, now: datetime, home_zone: str) -> State:
    """What the feed is made of now, and what it was noted to be. One row is read."""
    found = db.connection().execute(
        _state_of(feed.kind), _window(feed, now, home_zone) | {"key": feed.key}
    )
    version, etag, changed_at = found.one()
    return State(version or "", etag or "", changed_at)


def events(db: DbSession, feed: Feed, *, now: datetime, home_zone: str) -> list[Event]:
    """The stored bytes of the feed's sessions, by start, then by id."""
    found = db.connection().execute(_events_of(feed.kind), _window(feed, now, home_zone))
    return [Event(zone, vevent.encode()) for zone, vevent in found]


def remember(db: DbSession, key: str, etag: str, *, now: datetime) -> datetime:
    """Keep that the feed is this now; return when it became so, in whole seconds.

    The instant rises with every change by a second at least, also when a session leaves the feed
    or the window moves on: whoever asks by date alone (If-Modified-Since) is never told that
    nothing changed when something did. Two processes may notice the same change at once; the
    first to write says when.
    """
    whole = now.replace(microsecond=0)
    noted = db.get(FeedState, key, with_for_update=True)
    if noted is None:
        insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
        db.execute(
            insert(FeedState)
            .values(key=key, etag=etag, changed_at=whole)
            .on_conflict_do_nothing(index_elements=[FeedState.key])
        )
        noted = db.get_one(FeedState, key, with_for_update=True)
    if noted.etag != etag:
        noted.etag = etag
        noted.changed_at = max(whole, noted.changed_at + timedelta(seconds=1))
        db.flush()
    return noted.changed_at


def zones_of(found: Iterable[Event]) -> set[str]:
    """The zones in which the sessions are planned."""
    return {event.zone for event in found}


def _named(
    db: DbSession,
    kind: Kind,
    table: type[Series] | type[Society],
    slug: str,
    noun: str,
) -> Feed:
    found = db.execute(select(table.id, table.name).where(table.slug == slug)).one_or_none()
    if found is None:
        raise NotFound(f"There is no such {noun}, so there is no feed of it.")
    return Feed(kind, found.name, f"{kind}/{slug}", found.id)


def _window(feed: Feed, now: datetime, home_zone: str) -> dict[str, int | datetime]:
    """Since when sessions stand in the feed, and since when cancelled ones do."""
    today = to_local(now, home_zone).date()
    months = PERSONAL_MONTHS if feed.is_personal else PUBLIC_MONTHS
    oldest = add_months(datetime.combine(today, time()), -months).date()
    return {
        "of": feed.of,
        "oldest": _midnight(oldest, home_zone),
        "oldest_cancelled": _midnight(today - CANCELLED_KEPT, home_zone),
    }


# Statements are built once: building one costs more than the database takes to answer it.


@cache
def _state_of(kind: Kind) -> Select[str, str, datetime]:
    part = cast(WebinarSession.id, String) + "." + cast(WebinarSession.ical_sequence, String)
    parts = (
        select(part.label("part"))
        .where(_stands_in(kind))
        .order_by(WebinarSession.starts_at, WebinarSession.id)
        .subquery()
    )
    noted = FeedState.key == bindparam("key")
    return select(
        select(func.aggregate_strings(parts.c.part, ",")).scalar_subquery(),
        select(FeedState.etag).where(noted).scalar_subquery(),
        select(FeedState.changed_at).where(noted).scalar_subquery(),
    )


@cache
def _events_of(kind: Kind) -> Select[str, str]:
    personal = kind is Kind.PERSONAL
    stored = WebinarSession.ical_personal if personal else WebinarSession.ical_public
    return (
        select(WebinarSession.zone, stored)
        .where(_stands_in(kind))
        .order_by(WebinarSession.starts_at, WebinarSession.id)
    )


def _stands_in(kind: Kind) -> ColumnElement[bool]:
    announced = (SessionStatus.PUBLISHED, SessionStatus.LIVE, SessionStatus.ENDED)
    return and_(
        _belongs(kind),
        WebinarSession.ical_public != "",
        WebinarSession.starts_at >= bindparam("oldest"),
        or_(
            WebinarSession.status.in_(announced),
            and_(
                WebinarSession.status == SessionStatus.CANCELLED,
                WebinarSession.starts_at >= bindparam("oldest_cancelled"),
            ),
        ),
    )


def _belongs(kind: Kind) -> ColumnElement[bool]:
    of: BindParameter[int] = bindparam("of")
    if kind is Kind.SERIES:
        return WebinarSession.series_id == of
    if kind is Kind.SOCIETY:
        return WebinarSession.society_id == of
    if kind is Kind.TOPIC:
        below = select(Topic.id).where(Topic.id == of).cte("below", recursive=True)
        below = below.union(select(Topic.id).join(below, Topic.parent_id == below.c.id))
        about = select(session_topic.c.session_id).where(
            session_topic.c.topic_id.in_(select(below.c.id))
        )
        return WebinarSession.id.in_(about)
    if kind is Kind.PERSONAL:
        mine = select(Registration.session_id).where(
            Registration.user_id == of, Registration.cancelled_at.is_(None)
        )
        return WebinarSession.id.in_(mine)
    return true()


def _midnight(day: date, zone: str) -> datetime:
    """The first instant of a day: the edge of a window moves once a day."""
    return to_utc(datetime.combine(day, time()), zone, on_gap="forward", on_fold="first")
