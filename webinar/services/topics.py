"""Topics: what sessions are about, found by their names."""

from collections.abc import Iterable

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.models import Topic
from webinar.services.societies import slug_for

LONGEST_NAME = 120


class UnusableTopic(DomainError):
    """No address can be made of this topic's name."""


def listed(db: DbSession) -> list[Topic]:
    """Every topic that was not merged into another, by name."""
    found = select(Topic).where(Topic.merged_into_id.is_(None))
    return list(db.scalars(found.order_by(Topic.name, Topic.id)))


def around(db: DbSession, topic: Topic) -> tuple[list[Topic], list[Topic]]:
    """The topics above this one, the uppermost first, and those right below it by name."""
    every = {one.id: one for one in listed(db)}
    above: list[Topic] = []
    parent = every.get(topic.parent_id or 0)
    while parent is not None and parent not in above:
        above.insert(0, parent)
        parent = every.get(parent.parent_id or 0)
    return above, [one for one in every.values() if one.parent_id == topic.id]


def named(db: DbSession, names: Iterable[str]) -> list[Topic]:
    """The topics of these names, made where they are new; raises UnusableTopic.

    Names that differ only in case or punctuation are one topic, so that a slip of the keyboard
    does not split a subject in two. The name of a merged topic is the one it was merged into.
    """
    wanted = [(usable_name(name), slug_for(name)) for name in names]
    if not wanted:
        return []
    known = _by_name(db)
    found: dict[int, Topic] = {}
    for name, slug in wanted:
        topic = known.get(slug)
        if topic is None:
            topic = Topic(slug=slug, name=name)
            db.add(topic)
            db.flush()
            known[slug] = topic
        found[topic.id] = topic
    return list(found.values())


def usable_name(name: str) -> str:
    """The name with single blanks; raises UnusableTopic."""
    name = " ".join(name.split())
    if not slug_for(name) or len(name) > LONGEST_NAME:
        raise UnusableTopic(
            f"{name!r} cannot be a topic. Use up to {LONGEST_NAME} characters with letters in them."
        )
    return name


def _by_name(db: DbSession) -> dict[str, Topic]:
    """Every topic by the slug of its name now, then by the one it was made with."""
    every = {topic.id: topic for topic in db.scalars(select(Topic).order_by(Topic.id))}
    known: dict[str, Topic] = {}
    for topic in every.values():
        known.setdefault(topic.slug, every[topic.merged_into_id or topic.id])
    for topic in every.values():
        if topic.merged_into_id is None:
            known[slug_for(topic.name)] = topic
    return known
