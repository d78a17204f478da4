"""Which sessions stand in which feed, and when a feed last changed.

A feed is the stored bytes of its sessions, joined. Its version names them without reading them:
id and sequence of each, in order, in one row. A sequence grows whenever the bytes change.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from webinar.db import DbSession
from webinar.domain.errors import NotFound
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import add_months, to_local, to_utc
from webinar.models import FeedState, Registration, Series, Society, Topic, User, WebinarSession
from webinar.models.season import session_topic

PUBLIC_MONTHS = 6
PERSONAL_MONTHS = 24
CANCELLED_KEPT = timedelta(days=7)  # after its date, so that everybody hears of it


@dataclass(frozen=True)
class Feed:
    """One feed: its name for people, its key, and which sessions stand in it."""

    key: str
    name: str
    belongs: ColumnElement[bool]
    months: int = PUBLIC_MONTHS
    personal: bool = False


@dataclass(frozen=True)
class Event:
    """The stored bytes of a session, and its zone."""

    zone: str
    vevent: bytes


def everything(site_name: str) -> Feed:
    """All that is announced."""
    return Feed("all", site_name, WebinarSession.id.is_not(None))


def of_series(db: DbSession, slug: str) -> Feed:
    """The sessions of a series; raises NotFound."""
    found = db.execute(select(Series.id, Series.name).where(Series.slug == slug)).one_or_none()
    if found is None:
        raise NotFound("There is no such series, so there is no feed of it.")
    return Feed(f"series/{slug}", found.name, WebinarSession.series_id == found.id)


def of_topic(db: DbSession, slug: str) -> Feed:
    """The sessions about a topic; raises NotFound."""
    found = db.execute(select(Topic.id, Topic.name).where(Topic.slug == slug)).one_or_none()
    if found is None:
        raise NotFound("There is no such topic, so there is no feed of it.")
    about = select(session_topic.c.session_id).where(session_topic.c.topic_id == found.id)
    return Feed(f"topics/{slug}", found.name, WebinarSession.id.in_(about))


def of_society(db: DbSession, slug: str) -> Feed:
    """The sessions a society offers; raises NotFound."""
    found = db.execute(select(Society.id, Society.name).where(Society.slug == slug)).one_or_none()
    if found is None:
        raise NotFound("There is no such society, so there is no feed of it.")
    return Feed(f"societies/{slug}", found.name, WebinarSession.society_id == found.id)


def of_person(db: DbSession, token_hash: str, site_name: str) -> Feed:
    """The sessions a person registered for, by the hash of their secret; raises NotFound."""
    user_id = db.scalar(
        select(User.id).where(User.feed_token_hash == token_hash, User.erased_at.is_(None))
    )
    if user_id is None:
        raise NotFound("There is no such calendar. Copy its address from your page again.")
    mine = select(Registration.session_id).where(
        Registration.user_id == user_id, Registration.cancelled_at.is_(None)
    )
    return Feed(
        f"personal/{user_id}",
        f"My sessions, {site_name}",
        WebinarSession.id.in_(mine),
        months=PERSONAL_MONTHS,
        personal=True,
    )


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


def version(db: DbSession, feed: Feed, *, now: datetime, home_zone: str) -> str:
    """What the feed is made of, short: equal versions are equal bytes. One row is read."""
    part = cast(WebinarSession.id, String) + "." + cast(WebinarSession.ical_sequence, String)
    parts = (
        select(part.label("part"))
        .where(_stands_in(feed, now, home_zone))
        .order_by(WebinarSession.starts_at, WebinarSession.id)
        .subquery()
    )
    return db.scalar(select(func.aggregate_strings(parts.c.part, ","))) or ""


def events(db: DbSession, feed: Feed, *, now: datetime, home_zone: str) -> list[Event]:
    """The stored bytes of the feed's sessions, by start, then by id."""
    stored = WebinarSession.ical_personal if feed.personal else WebinarSession.ical_public
    found = db.execute(
        select(WebinarSession.zone, stored)
        .where(_stands_in(feed, now, home_zone))
        .order_by(WebinarSession.starts_at, WebinarSession.id)
    )
    return [Event(zone, vevent.encode()) for zone, vevent in found]


def state_of(db: DbSession, key: str) -> FeedState | None:
    """What the feed last was, if it was ever asked for."""
    return db.get(FeedState, key)


def remember(db: DbSession, key: str, etag: str, *, now: datetime) -> datetime:
    """Keep that the feed is this now; return when it became so, in whole seconds.

    The instant rises with every change by a second at least, also when a session leaves the feed
    or the window moves on: whoever asks by date alone (If-Modified-Since) is never told that
    nothing changed when something did. Two processes may notice the same change at once; the
    first to write says when.
    """
    whole = now.replace(microsecond=0)
    state = db.get(FeedState, key, with_for_update=True)
    if state is None:
        insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
        db.execute(
            insert(FeedState)
            .values(key=key, etag=etag, changed_at=whole)
            .on_conflict_do_nothing(index_elements=[FeedState.key])
        )
        state = db.get_one(FeedState, key, with_for_update=True)
    if state.etag != etag:
        state.etag = etag
        state.changed_at = max(whole, state.changed_at + timedelta(seconds=1))
        db.flush()
    return state.changed_at


def zones_of(found: Iterable[Event]) -> set[str]:
    """The zones in which the sessions are planned."""
    return {event.zone for event in found}


def _stands_in(feed: Feed, now: datetime, home_zone: str) -> ColumnElement[bool]:
    today = to_local(now, home_zone).date()
    oldest = add_months(datetime.combine(today, time()), -feed.months).date()
    return and_(
        feed.belongs,
        WebinarSession.ical_public != "",
        WebinarSession.starts_at >= _midnight(oldest, home_zone),
        or_(
            WebinarSession.status.in_(
                (SessionStatus.PUBLISHED, SessionStatus.LIVE, SessionStatus.ENDED)
            ),
            and_(
                WebinarSession.status == SessionStatus.CANCELLED,
                WebinarSession.starts_at >= _midnight(today - CANCELLED_KEPT, home_zone),
            ),
        ),
    )


def _midnight(day: date, zone: str) -> datetime:
    """The first instant of a day: the edge of a window moves once a day."""
    return to_utc(datetime.combine(day, time()), zone, on_gap="forward", on_fold="first")
