"""Mails as rows: queued with the change that causes them, claimed, sent, tried again, dropped."""

import json
import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, bindparam, func, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from webinar.db import DbSession, UTCDateTime
from webinar.domain.letter import MailKind
from webinar.models import Delivery

REMINDER_BEFORE = timedelta(hours=1)
# Longer than a mail can take (webinar.mail.smtp), so that nobody else sends it meanwhile; shorter
# than an offer lasts, so that it is free when it is offered again.
LEASE = timedelta(seconds=30)
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
# Why a wanted mail reached nobody; the first with the number of tries behind it.
GIVEN_UP = "not sent after"
REFUSED = "refused by the mail server"
TRIES = 12  # about a day and a half in all


def queue(
    db: DbSession,
    kind: str,
    *,
    user_id: int,
    subject_id: int,
    due_at: datetime,
    now: datetime,
    revision: int = 0,
    details: dict[str, str] | None = None,
) -> Delivery:
    """Owe this person this mail, once; asking again for the same mail gives the same row.

    `kind` is a MailKind, which says what `subject_id` counts. `revision` tells apart what is
    to be said again: a second move, a second registration.
    """
    kind = MailKind(kind).value
    owed = (
        select(Delivery)
        .where(Delivery.kind == kind)
        .where(Delivery.user_id == user_id)
        .where(Delivery.subject_id == subject_id)
        .where(Delivery.revision == revision)
    )
    if (delivery := db.scalar(owed)) is not None:
        return delivery
    delivery = Delivery(
        kind=kind,
        user_id=user_id,
        subject_id=subject_id,
        revision=revision,
        details=dict(details or {}),
        created_at=now,
        due_at=due_at,
        attempts=0,
    )
    try:
        with db.begin_nested():
            db.add(delivery)
    except IntegrityError:
        return db.scalars(owed).one()
    return delivery


def next_revision(db: DbSession, kind: str, *, user_id: int, subject_id: int) -> int:
    """The revision under which the same thing can be said to the same person once more."""
    last = db.scalar(
        select(func.max(Delivery.revision))
        .where(Delivery.kind == MailKind(kind).value)
        .where(Delivery.user_id == user_id)
        .where(Delivery.subject_id == subject_id)
    )
    return 0 if last is None else last + 1


def drop(
    db: DbSession,
    kind: str,
    *,
    subject_id: int,
    because: str,
    user_id: int | None = None,
) -> None:
    """Give up what is not sent yet, to one person or to all. A send under way is not stopped.

    Who holds such a mail keeps the lease, and writes whether it was sent: without an instant at
    which it is due it does not leave any more.
    """
    statement = (
        update(Delivery)
        .where(Delivery.kind == MailKind(kind).value)
        .where(Delivery.subject_id == subject_id)
        .where(Delivery.due_at.is_not(None))
        .values(due_at=None, dropped_because=because, details={})
    )
    if user_id is not None:
        statement = statement.where(Delivery.user_id == user_id)
    db.execute(statement)


def due(db: DbSession, *, now: datetime, limit: int) -> list[int]:
    """Ids of what is to be sent and nobody is sending, the longest owed first."""
    return list(
        db.scalars(
            select(Delivery.id)
            .where(Delivery.due_at <= now)
            .where(or_(Delivery.lease_until.is_(None), Delivery.lease_until <= now))
            .order_by(Delivery.due_at, Delivery.id)
            .limit(limit)
        )
    )


def claim_all(
    db: DbSession, delivery_ids: Collection[int], *, now: datetime
) -> tuple[list[int], datetime]:
    """Take those that are owed and that nobody holds, until the instant; in their order."""
    until = now + LEASE
    claimed = set(
        db.scalars(
            update(Delivery)
            .where(Delivery.id.in_(delivery_ids))
            .where(Delivery.due_at <= now)
            .where(or_(Delivery.lease_until.is_(None), Delivery.lease_until <= now))
            .values(lease_until=until, attempts=Delivery.attempts + 1)
            .returning(Delivery.id)
        )
    )
    return [delivery_id for delivery_id in delivery_ids if delivery_id in claimed], until


def with_readers(db: DbSession, delivery_ids: Collection[int]) -> list[Delivery]:
    """The deliveries and whom they are for, in the order of their ids given."""
    found = {
        delivery.id: delivery
        for delivery in db.scalars(
            select(Delivery)
            .where(Delivery.id.in_(delivery_ids))
            .options(joinedload(Delivery.user, innerjoin=True))
        )
    }
    return [found[delivery_id] for delivery_id in delivery_ids if delivery_id in found]


def hold_rows(db: DbSession, delivery_ids: Collection[int]) -> None:
    """Take them in the order of their ids, as all do who write to several: none waits in a ring."""
    db.execute(
        select(Delivery.id)
        .where(Delivery.id.in_(delivery_ids))
        .order_by(Delivery.id)
        .with_for_update()
    )


def leased_among(db: DbSession, delivery_ids: Collection[int]) -> list[int]:
    """Ids of those that are owed and that somebody holds, or held when they died."""
    return list(
        db.scalars(
            select(Delivery.id)
            .where(Delivery.id.in_(delivery_ids))
            .where(Delivery.due_at.is_not(None))
            .where(Delivery.lease_until.is_not(None))
            .order_by(Delivery.id)
        )
    )


def mark_all_sent(
    connection: Connection, delivery_ids: Collection[int], *, leased_until: datetime, now: datetime
) -> int:
    """The mail server has these, claimed together; how many of them we still held.

    Past the ORM, which knows none of these rows, and in words that need no compiling: this is done
    for every mail, beside the thread that hands the next one over.
    """
    if connection.dialect.name == "sqlite":
        these = json.dumps(list(delivery_ids))
        values = {"these": these, "held_until": leased_until, "at": now}
        return connection.execute(_MARK, values).rowcount
    at, held_until = (one.astimezone(UTC).replace(tzinfo=None) for one in (now, leased_until))
    return connection.exec_driver_sql(
        _MARK_SOON, {"these": list(delivery_ids), "held_until": held_until, "at": at}
    ).rowcount


# What was given up meanwhile was sent before, and so nothing says any more that it was dropped.
SENT = """
UPDATE delivery SET sent_at = :at, due_at = NULL, lease_until = NULL, offered_until = NULL,
    details = '{}', dropped_because = NULL, last_error = NULL
WHERE lease_until = :held_until AND id"""
INSTANTS = (bindparam("at", type_=UTCDateTime), bindparam("held_until", type_=UTCDateTime))
_MARK = text(
    f"{SENT} IN (SELECT value FROM json_each(:these))"  # noqa: S608 - constants
).bindparams(*INSTANTS)
# A process that is killed loses nothing by it, and so the moment in which one that is killed sends
# a mail again is short. The next claim waits for the disk, for these too.
_MARK_SOON = (
    re.sub(r":(\w+)", r"%(\1)s", SENT)
    + " = ANY(%(these)s) AND set_config('synchronous_commit', 'off', true) = 'off'"
)


def mark_dropped(db: DbSession, delivery: Delivery, *, because: str) -> bool:
    """It is not wanted any more; the secrets in it are forgotten."""
    return _release(db, delivery, due_at=None, details={}, dropped_because=because)


def mark_postponed(db: DbSession, delivery: Delivery, *, until: datetime) -> bool:
    """It was too early; this try does not count."""
    return _release(db, delivery, due_at=until, attempts=delivery.attempts - 1)


def put_back(
    db: DbSession, delivery_ids: Collection[int], *, leased_until: datetime, error: str = ""
) -> None:
    """Nothing was tried, or what failed is not about these mails: the try does not count."""
    statement = (
        update(Delivery)
        .where(Delivery.id.in_(delivery_ids))
        .where(Delivery.lease_until == leased_until)
        .values(lease_until=None, offered_until=None, attempts=Delivery.attempts - 1)
        .execution_options(synchronize_session=False)
    )
    db.execute(statement.values(last_error=error) if error else statement)


def offer_again(db: DbSession, delivery_ids: Collection[int], *, at: datetime) -> None:
    """Who was given these cannot send them: somebody may be given them from then on."""
    db.execute(
        update(Delivery)
        .where(Delivery.id.in_(delivery_ids))
        .where(Delivery.due_at.is_not(None))
        .where(Delivery.lease_until.is_(None))
        .where(Delivery.offered_until > at)
        .values(offered_until=at)
        .execution_options(synchronize_session=False)
    )


def note_trouble(db: DbSession, delivery_ids: Collection[int], *, error: str) -> None:
    """Say with these mails why they are still here."""
    db.execute(
        update(Delivery)
        .where(Delivery.id.in_(delivery_ids))
        .where(Delivery.due_at.is_not(None))
        .values(last_error=error)
        .execution_options(synchronize_session=False)
    )


def mark_failed(db: DbSession, delivery: Delivery, *, error: str, now: datetime) -> bool:
    """Try again later, each time after twice as long; give up after the last try."""
    if delivery.attempts >= TRIES:
        return _release(
            db,
            delivery,
            due_at=None,
            details={},
            last_error=error,
            dropped_because=f"{GIVEN_UP} {delivery.attempts} tries",
            offered_until=delivery.lease_until,  # about when: nothing else tells it
        )
    wait = min(FIRST_WAIT * 2 ** (delivery.attempts - 1), LONGEST_WAIT)
    return _release(db, delivery, due_at=now + wait, last_error=error)


def mark_refused(db: DbSession, delivery: Delivery, *, error: str) -> bool:
    """The mail server will never take it: no further try."""
    return _release(
        db,
        delivery,
        due_at=None,
        details={},
        last_error=error,
        dropped_because=REFUSED,
        offered_until=delivery.lease_until,
    )


def _release(db: DbSession, delivery: Delivery, **values: object) -> bool:
    # Only who still holds the lease may write: a slower copy of ourselves must not undo it.
    held = (
        update(Delivery)
        .where(Delivery.id == delivery.id)
        .where(Delivery.lease_until == delivery.lease_until)
        .values(lease_until=None, offered_until=None)
        .returning(Delivery.id)
    )
    # What was decided of a mail that was given up, or made due at another instant, since it was
    # read says nothing of how things are now: it is let go, and decided again if owed.
    written = held.where(Delivery.due_at.is_not_distinct_from(delivery.due_at)).values(**values)
    for statement in (written, held):
        if db.execute(statement).scalar_one_or_none() is not None:
            return True
    return False
