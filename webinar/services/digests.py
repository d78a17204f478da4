"""The digest of the week's sessions: to whom it is owed, and what stands in it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.domain.mail_days import digest_week, week_span
from webinar.domain.mail_wishes import MailTopic
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, MailWish, Registration, Topic, User, WebinarSession
from webinar.models.season import session_topic

AT_ONCE = 500


def owe_due(db: DbSession, *, now: datetime, limit: int = AT_ONCE) -> int:
    """Owe the week's digest to subscribers where it is Monday, 07:00; how many more are owed now.

    Once a week each, whatever zone they move to. What stands in it is read when it is sent.
    """
    subscribers = (
        select(User.id)
        .join(MailWish, MailWish.user_id == User.id)
        .where(MailWish.topic == MailTopic.DIGEST, MailWish.is_wanted)
        .where(User.erased_at.is_(None), User.verified_at.is_not(None))
    )
    owed = 0
    for zone in db.scalars(
        select(User.zone).where(User.id.in_(subscribers)).distinct().order_by(User.zone)
    ).all():
        week = digest_week(now, zone)
        if week is None:
            continue
        told = select(Delivery.user_id).where(
            Delivery.kind == MailKind.WEEKLY_DIGEST.value, Delivery.subject_id == week
        )
        waiting = db.scalars(
            subscribers.where(User.zone == zone, User.id.not_in(told))
            .order_by(User.id)
            .limit(limit - owed)
        ).all()
        db.add_all(
            Delivery(
                kind=MailKind.WEEKLY_DIGEST.value,
                user_id=user_id,
                subject_id=week,
                details={},
                created_at=now,
                due_at=now,
                attempts=0,
            )
            for user_id in waiting
        )
        db.flush()
        owed += len(waiting)
        if owed >= limit:
            break
    return owed


def sessions_of_week(
    db: DbSession, week: int, zone: str, topic_ids: Collection[int], *, now: datetime
) -> list[WebinarSession]:
    """Announced sessions still to begin in this week of the zone, the next one first.

    `topic_ids` let only sessions through that are of one of them, or of a topic below; none means
    all sessions.
    """
    start, end = week_span(week, zone)
    query = (
        select(WebinarSession)
        .where(
            WebinarSession.status == SessionStatus.PUBLISHED,
            WebinarSession.starts_at >= max(start, now),
            WebinarSession.starts_at < end,
        )
        .order_by(WebinarSession.starts_at, WebinarSession.id)
    )
    if topic_ids:
        query = query.where(
            WebinarSession.id.in_(
                select(session_topic.c.session_id).where(
                    session_topic.c.topic_id.in_(_with_those_below(db, topic_ids))
                )
            )
        )
    return list(db.scalars(query))


def taken(db: DbSession, user_id: int, session_ids: Collection[int]) -> set[int]:
    """Those of the sessions in which the person has a place."""
    return set(
        db.scalars(
            select(Registration.session_id).where(
                Registration.user_id == user_id,
                Registration.session_id.in_(list(session_ids)),
                Registration.cancelled_at.is_(None),
            )
        )
    )


def _with_those_below(db: DbSession, topic_ids: Collection[int]) -> set[int]:
    found = set(topic_ids)
    parents = db.execute(select(Topic.id, Topic.parent_id, Topic.merged_into_id)).all()
    while True:
        more = {
            topic_id
            for topic_id, parent_id, merged_into_id in parents
            if topic_id not in found and (parent_id in found or merged_into_id in found)
        }
        # A topic that was merged into another goes on there.
        more |= {
            merged_into_id
            for topic_id, _, merged_into_id in parents
            if topic_id in found and merged_into_id is not None and merged_into_id not in found
        }
        if not more:
            return found
        found |= more
