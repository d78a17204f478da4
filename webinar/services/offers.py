"""Mails that are due, handed out to whoever sends: each to one at a time, and again if unsent."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, or_, select, update

from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.models import Delivery

OFFERED_FOR = timedelta(seconds=60)
# Somebody sits before the screen and waits for these; a thousand reminders can wait a moment.
URGENT = (MailKind.VERIFY_EMAIL, MailKind.ALREADY_REGISTERED, MailKind.SIGN_IN_LINK)


def any_due(db: DbSession, *, now: datetime) -> bool:
    """True if some mail is owed that nobody was given, or who was given it did not send it."""
    return db.scalar(select(Delivery.id).where(_open(now)).limit(1)) is not None


def offer(db: DbSession, *, limit: int, lasts: timedelta = OFFERED_FOR, now: datetime) -> list[int]:
    """Mark the longest owed as handed out, and return their ids; urgent ones first.

    Two clocks at once get different ones: on PostgreSQL rows that another one is marking are
    passed over, on SQLite there is one writer at a time.
    """
    found = list(
        db.scalars(
            select(Delivery.id)
            .where(_open(now))
            .order_by(
                case((Delivery.kind.in_([kind.value for kind in URGENT]), 0), else_=1),
                Delivery.due_at,
                Delivery.kind,
                Delivery.subject_id,
                Delivery.id,
            )
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )
    if found:
        db.execute(update(Delivery).where(Delivery.id.in_(found)).values(offered_until=now + lasts))
    return found


def has_urgent(db: DbSession, delivery_ids: list[int]) -> bool:
    """True if somebody waits for one of these mails before the screen."""
    urgent = select(Delivery.id).where(
        Delivery.id.in_(delivery_ids), Delivery.kind.in_([kind.value for kind in URGENT])
    )
    return db.scalar(urgent.limit(1)) is not None


def forget(db: DbSession) -> None:
    """Take every offer back: whoever was given them is known to be gone. Leases stay."""
    db.execute(
        update(Delivery)
        .where(Delivery.due_at.is_not(None), Delivery.offered_until.is_not(None))
        .values(offered_until=None)
    )


def _open(now: datetime) -> ColumnElement[bool]:
    return and_(
        Delivery.due_at <= now,
        or_(Delivery.lease_until.is_(None), Delivery.lease_until <= now),
        or_(Delivery.offered_until.is_(None), Delivery.offered_until <= now),
    )
