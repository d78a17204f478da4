"""The tree of topics: added to, renamed, moved, merged, cleared of what nobody uses."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.errors import Conflict, NotFound
from webinar.domain.topic_tree import DoesNotFit, ensure_fits, in_order
from webinar.models import Topic, WebinarSession
from webinar.models.season import session_topic
from webinar.services import audit, topics
from webinar.services.calendar_refresh import refresh_coming
from webinar.services.feeds import CalendarTool
from webinar.services.societies import free_slug, slug_for


class TopicExists(Conflict):
    """Another topic has this name."""


class TopicInUse(Conflict):
    """Sessions or other topics hang on it."""


@dataclass(frozen=True)
class Branch:
    """A topic of the tree: its level from 1, its own sessions, the topics right below it."""

    topic: Topic
    level: int
    sessions: int
    below: int


def branches(db: DbSession) -> list[Branch]:
    """The tree in order, each topic followed by those below it; two queries."""
    found = {topic.id: topic for topic in topics.listed(db)}
    counted = db.execute(
        select(session_topic.c.topic_id, func.count()).group_by(session_topic.c.topic_id)
    )
    sessions = {row[0]: row[1] for row in counted}
    parents = {topic.id: topic.parent_id for topic in found.values()}
    names = {topic.id: topic.name for topic in found.values()}
    return [
        Branch(
            found[topic_id],
            level,
            sessions.get(topic_id, 0),
            sum(above == topic_id for above in parents.values()),
        )
        for topic_id, level in in_order(parents, names)
    ]


def create(
    db: DbSession, *, name: str, parent_id: int | None, actor_id: int | None, now: datetime
) -> Topic:
    """Add a topic; raises UnusableTopic, TopicExists, DoesNotFit."""
    name = _free_name(db, name)
    parents = {**_parents(db), 0: None}
    ensure_fits(parents, 0, _known(db, parent_id))
    topic = Topic(slug=_free_slug(db, name), name=name, parent_id=parent_id)
    db.add(topic)
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="topic created",
        subject=f"topic {topic.id}",
        after=_facts(db, topic),
        now=now,
    )
    return topic


def change(
    db: DbSession,
    topic_id: int,
    *,
    name: str,
    parent_id: int | None,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> bool:
    """Rename or move a topic; its address stays. True if anything was different.

    Raises UnusableTopic, TopicExists, DoesNotFit.
    """
    topic = _standing(db, topic_id)
    before = _facts(db, topic)
    name = _free_name(db, name, besides=topic)
    ensure_fits(_parents(db), topic.id, _known(db, parent_id))
    was_called = topic.name
    topic.name, topic.parent_id = name, parent_id
    db.flush()
    if (after := _facts(db, topic)) == before:
        return False
    if name != was_called:
        _tell_calendars(db, topic, calendar=calendar, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="topic changed",
        subject=f"topic {topic.id}",
        before=before,
        after=after,
        now=now,
    )
    return True


def merge(
    db: DbSession,
    topic_id: int,
    into_id: int,
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> int:
    """Make two topics one: sessions and the topics below follow, the old address leads on.

    Returns how many sessions followed. Raises DoesNotFit.
    """
    topic, into = _standing(db, topic_id), _standing(db, into_id)
    if topic is into:
        raise DoesNotFit("A topic cannot be merged into itself. Choose another one.")
    before = _facts(db, topic)
    parents = _parents(db)
    if into.parent_id == topic.id:
        into.parent_id = parents[into.id] = topic.parent_id
    for child in db.scalars(select(Topic).where(Topic.parent_id == topic.id)).all():
        ensure_fits(parents, child.id, into.id)
        child.parent_id = parents[child.id] = into.id
    followed = db.scalars(
        select(WebinarSession).where(WebinarSession.topics.any(Topic.id == topic.id))
    ).all()
    for session in followed:
        others = [one for one in session.topics if one not in (topic, into)]
        session.topics = [*others, into]
    for alias in db.scalars(select(Topic).where(Topic.merged_into_id == topic.id)).all():
        alias.merged_into_id = into.id
    topic.parent_id, topic.merged_into_id = None, into.id
    db.flush()
    _tell_calendars(db, into, calendar=calendar, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="topic merged",
        subject=f"topic {topic.id}",
        before=before,
        after={"merged into": into.name, "sessions": str(len(followed))},
        now=now,
    )
    return len(followed)


def remove(db: DbSession, topic_id: int, *, actor_id: int | None, now: datetime) -> None:
    """Take a topic away that nothing hangs on, with the addresses that lead to it.

    Raises TopicInUse.
    """
    topic = _standing(db, topic_id)
    used = db.scalar(select(func.count()).where(session_topic.c.topic_id == topic.id))
    if used:
        raise TopicInUse(f"{topic.name} stands on sessions. Merge it into another topic instead.")
    if db.scalar(select(Topic.id).where(Topic.parent_id == topic.id).limit(1)) is not None:
        raise TopicInUse(f"Other topics stand below {topic.name}. Move them first.")
    audit.write(
        db,
        actor_id=actor_id,
        action="topic removed",
        subject=f"topic {topic.id}",
        before=_facts(db, topic),
        now=now,
    )
    for alias in db.scalars(select(Topic).where(Topic.merged_into_id == topic.id)).all():
        db.delete(alias)
    db.flush()
    db.delete(topic)
    db.flush()


def _standing(db: DbSession, topic_id: int) -> Topic:
    topic = db.get(Topic, topic_id)
    if topic is None or topic.merged_into_id is not None:
        raise NotFound("There is no such topic any more. Look at the list again.")
    return topic


def _known(db: DbSession, parent_id: int | None) -> int | None:
    return None if parent_id is None else _standing(db, parent_id).id


def _parents(db: DbSession) -> dict[int, int | None]:
    return {topic.id: topic.parent_id for topic in topics.listed(db)}


def _free_name(db: DbSession, name: str, *, besides: Topic | None = None) -> str:
    name = topics.usable_name(name)
    slug = slug_for(name)
    for other in topics.listed(db):
        if other is not besides and slug_for(other.name) == slug:
            raise TopicExists(
                f"There is a topic called {other.name} already. Merge the two, or choose "
                "another name."
            )
    return name


def _free_slug(db: DbSession, name: str) -> str:
    """Of the name; with a number behind it if a merged topic has that address still."""

    def is_taken(slug: str) -> bool:
        return db.scalar(select(Topic.id).where(Topic.slug == slug)) is not None

    return free_slug(slug_for(name), is_taken)


def _tell_calendars(db: DbSession, topic: Topic, *, calendar: CalendarTool, now: datetime) -> None:
    """Names of topics stand in calendar entries."""
    about = WebinarSession.topics.any(Topic.id == topic.id)
    refresh_coming(db, about, calendar=calendar, now=now)


def _facts(db: DbSession, topic: Topic) -> dict[str, str]:
    above = db.get(Topic, topic.parent_id) if topic.parent_id is not None else None
    return {"name": topic.name, "address": topic.slug, "below": above.name if above else ""}
