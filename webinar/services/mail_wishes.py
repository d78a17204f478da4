"""Which mails a person wants: what they said, and the default of what they said nothing about."""

from collections.abc import Collection
from datetime import datetime
from typing import cast

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.domain.mail_wishes import TOPICS, MailTopic, WishSource, is_wanted, topic_of
from webinar.models import DigestTopic, MailWish, Topic


def wants(db: DbSession, user_id: int, kind: MailKind) -> bool:
    """True if the person wants mails of this kind, or cannot refuse them."""
    return user_id not in unwanted(db, kind, [user_id])


def unwanted(db: DbSession, kind: MailKind, user_ids: Collection[int]) -> set[int]:
    """Those of them who do not want mails of this kind; one query for all."""
    topic = topic_of(kind)
    if topic is None:
        return set()
    said = dict(
        db.execute(
            select(MailWish.user_id, MailWish.is_wanted).where(
                MailWish.topic == topic, MailWish.user_id.in_(list(user_ids))
            )
        ).all()
    )
    return {user_id for user_id in user_ids if not is_wanted(topic, said.get(user_id))}


def wishes_of(db: DbSession, user_id: int) -> dict[MailTopic, bool]:
    """Every topic, and whether the person wants it."""
    rows = db.execute(select(MailWish.topic, MailWish.is_wanted).where(MailWish.user_id == user_id))
    said = dict(rows.all())
    return {topic: is_wanted(topic, said.get(topic)) for topic in TOPICS}


def set_wish(
    db: DbSession,
    user_id: int,
    topic: MailTopic,
    is_wanted: bool,
    *,
    source: WishSource,
    now: datetime,
) -> None:
    """Keep what the person says; the latest word holds, also of two said at once."""
    table = cast(Table, MailWish.__table__)
    values = {
        "user_id": user_id,
        "topic": topic,
        "is_wanted": is_wanted,
        "changed_at": now,
        "source": source.value,
    }
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(table).values(values)
    db.execute(
        fresh.on_conflict_do_update(
            index_elements=["user_id", "topic"],
            set_={
                "is_wanted": fresh.excluded.is_wanted,
                "changed_at": fresh.excluded.changed_at,
                "source": fresh.excluded.source,
            },
        )
    )


def refuse_all(db: DbSession, user_id: int, *, source: WishSource, now: datetime) -> None:
    """Every mail that can be refused is: what a complaint says."""
    for topic in TOPICS:
        set_wish(db, user_id, topic, False, source=source, now=now)


def digest_topics(db: DbSession, user_id: int) -> set[int]:
    """The topics the person's digest is of; none named means all."""
    return set(db.scalars(select(DigestTopic.topic_id).where(DigestTopic.user_id == user_id)))


def set_digest_topics(db: DbSession, user_id: int, topic_ids: Collection[int]) -> None:
    """Let the digest be of these topics only; what is no topic is left out."""
    known = set(db.scalars(select(Topic.id).where(Topic.id.in_(list(topic_ids)))))
    db.execute(delete(DigestTopic).where(DigestTopic.user_id == user_id))
    db.add_all(DigestTopic(user_id=user_id, topic_id=topic_id) for topic_id in sorted(known))
    db.flush()
