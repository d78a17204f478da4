"""Topics: what sessions are about."""

from collections.abc import Iterable

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.models import Topic
from webinar.services.societies import slug_for


class UnusableTopic(DomainError):
    """No address can be made of this topic's name."""


def listed(db: DbSession) -> list[Topic]:
    """Every topic, by name."""
    return list(db.scalars(select(Topic).order_by(Topic.name, Topic.id)))


def named(db: DbSession, names: Iterable[str]) -> list[Topic]:
    """The topics of these names, made where they are new; raises UnusableTopic.

    Names that differ only in case or punctuation are one topic, so that a slip of the keyboard
    does not split a subject in two.
    """
    found: dict[str, Topic] = {}
    for name in (" ".join(name.split()) for name in names):
        slug = slug_for(name)
        if not slug or len(name) > 120:
            raise UnusableTopic(
                f"{name!r} cannot be a topic. Use up to 120 characters with letters in them."
            )
        if slug in found:
            continue
        topic = db.scalar(select(Topic).where(Topic.slug == slug))
        if topic is None:
            topic = Topic(slug=slug, name=name)
            db.add(topic)
            db.flush()
        found[slug] = topic
    return list(found.values())
