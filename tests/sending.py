"""What a sender does with one mail: for tests that need somebody who holds it, or who sent it."""

from datetime import datetime

from webinar.db import DbSession
from webinar.models import Delivery
from webinar.services import deliveries, letters
from webinar.services.writing.facts import Outcome


def claim(db: DbSession, delivery_id: int, *, now: datetime) -> Delivery | None:
    """Take the delivery for as long as the lease lasts, or None if another got it first."""
    claimed, _until = deliveries.claim_all(db, [delivery_id], now=now)
    return db.get_one(Delivery, delivery_id, populate_existing=True) if claimed else None


def letter_for(db: DbSession, delivery: Delivery, *, now: datetime) -> Outcome:
    """What to send now, or why not, or when to ask again."""
    no = letters.unwanted(db, [delivery]).get(delivery.id)
    return no or letters.written(db, delivery, now=now)


def mark_sent(db: DbSession, delivery: Delivery, *, now: datetime) -> bool:
    """The mail server has it. False if the lease was lost meanwhile."""
    assert delivery.lease_until is not None
    db.flush()
    marked = deliveries.mark_all_sent(
        db.connection(), [delivery.id], leased_until=delivery.lease_until, now=now
    )
    if delivery in db:
        db.expire(delivery)
    return marked == 1
