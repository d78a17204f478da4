"""What was due and could not be done: tried again after growing waits, then parked and shown.

What is parked is tried once a day all the same: a bug that was mended, a disk that was emptied
need nobody who presses a button. Nothing else waits for it meanwhile.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from webinar.db import DbSession
from webinar.models import ParkedWork

FIRST_WAIT = timedelta(seconds=30)
TRIES = 8  # about an hour in all; then it is parked
PARKED_WAIT = timedelta(days=1)
STALE_AFTER = timedelta(days=2)
LONGEST_ERROR = 2000


def waiting(db: DbSession, what: str, *, now: datetime) -> set[int]:
    """The numbers that are not to be tried now: they failed lately, or are parked."""
    return set(
        db.scalars(
            select(ParkedWork.item_id).where(
                ParkedWork.what == what[:80], ParkedWork.next_try_at > now
            )
        )
    )


def ready(db: DbSession, what: str, numbers: Iterable[int], *, now: datetime) -> list[int]:
    """Those of the numbers that may be tried now, in their order."""
    wanted = list(numbers)
    if not wanted:
        return []
    not_now = waiting(db, what, now=now)
    return [number for number in wanted if number not in not_now]


def failed(db: DbSession, what: str, item_id: int, *, error: str, now: datetime) -> ParkedWork:
    """It went wrong once more: say when it is tried again, and park it after the last try."""
    known = (
        select(ParkedWork)
        .where(ParkedWork.what == what[:80], ParkedWork.item_id == item_id)
        .with_for_update()
    )
    row = db.scalar(known)
    if row is None:
        try:
            with db.begin_nested():
                row = ParkedWork(
                    what=what[:80],
                    item_id=item_id,
                    tries=0,
                    last_error="",
                    first_failed_at=now,
                    last_failed_at=now,
                    next_try_at=now,
                )
                db.add(row)
        except IntegrityError:  # another process failed at it in the same moment
            row = db.scalars(known).one()
    row.tries += 1
    row.last_error = error[:LONGEST_ERROR]
    row.last_failed_at = now
    row.next_try_at = now + FIRST_WAIT * 2 ** (row.tries - 1)
    if row.tries >= TRIES:
        row.parked_at = row.parked_at or now
        row.next_try_at = now + PARKED_WAIT
    return row


def known(db: DbSession, what: str) -> set[int]:
    """The numbers that failed before and have not been done since."""
    return set(db.scalars(select(ParkedWork.item_id).where(ParkedWork.what == what[:80])))


def is_known(db: DbSession, what: str, item_id: int) -> bool:
    """True if this one failed before and has not been done since."""
    return (
        db.scalar(
            select(ParkedWork.id).where(ParkedWork.what == what[:80], ParkedWork.item_id == item_id)
        )
        is not None
    )


def settled(db: DbSession, what: str, item_id: int) -> None:
    """It is done after all, or there is nothing left to do."""
    db.execute(
        delete(ParkedWork).where(ParkedWork.what == what[:80], ParkedWork.item_id == item_id)
    )


def parked(db: DbSession) -> list[ParkedWork]:
    """What a person has to look at, the latest first."""
    return list(
        db.scalars(
            select(ParkedWork)
            .where(ParkedWork.parked_at.is_not(None))
            .order_by(ParkedWork.parked_at.desc(), ParkedWork.id.desc())
        )
    )


def failing(db: DbSession) -> list[ParkedWork]:
    """What failed and is still tried again by itself, the next try first."""
    return list(
        db.scalars(
            select(ParkedWork)
            .where(ParkedWork.parked_at.is_(None))
            .order_by(ParkedWork.next_try_at, ParkedWork.id)
        )
    )


def failed_before(db: DbSession, beginning: str, *, now: datetime) -> list[ParkedWork]:
    """What may be tried now of all whose name begins so."""
    return list(
        db.scalars(
            select(ParkedWork)
            .where(
                ParkedWork.what.startswith(beginning, autoescape=True),
                ParkedWork.next_try_at <= now,
            )
            .order_by(ParkedWork.next_try_at, ParkedWork.id)
        )
    )


def forget_stale(db: DbSession, *, now: datetime) -> int:
    """Forget what nobody tried though it was time: there is nothing left to do. How many."""
    stale = ParkedWork.next_try_at < now - STALE_AFTER
    return len(db.scalars(delete(ParkedWork).where(stale).returning(ParkedWork.id)).all())


def try_again(db: DbSession, parked_id: int, *, now: datetime) -> ParkedWork:
    """A person says that it may work now: begin anew with the tries. Raises NoResultFound."""
    row = db.get_one(ParkedWork, parked_id, with_for_update=True)
    row.tries = 0
    row.parked_at = None
    row.next_try_at = now
    return row
