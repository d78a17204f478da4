"""One worker at a time for a row: claimed for seconds, renewed while it works, given back."""

from datetime import datetime, timedelta

from sqlalchemy import update

from webinar.db import DbSession
from webinar.models.leased import Leased

LEASE_SECONDS = 15


class LeaseLost(Exception):
    """Another worker took over; this one must stop at once and write nothing."""


def claim(
    db: DbSession, kind: type[Leased], row_id: int, *, owner: str, now: datetime
) -> int | None:
    """Take the lease and return its fencing number, or None if another worker holds it."""
    claimed = db.execute(
        update(kind)
        .where(kind.id == row_id, kind.lease_until.is_(None) | (kind.lease_until < now))
        .values(
            lease_owner=owner,
            lease_until=now + timedelta(seconds=LEASE_SECONDS),
            lease_fence=kind.lease_fence + 1,
        )
        .returning(kind.lease_fence)
    )
    return claimed.scalar_one_or_none()


def renew(db: DbSession, kind: type[Leased], row_id: int, *, fence: int, now: datetime) -> None:
    """Keep the lease; raises LeaseLost if another worker has taken it meanwhile."""
    renewed = db.execute(
        update(kind)
        .where(kind.id == row_id, kind.lease_fence == fence)
        .values(lease_until=now + timedelta(seconds=LEASE_SECONDS))
        .returning(kind.id)
    )
    if renewed.scalar_one_or_none() is None:
        raise LeaseLost(f"{kind.__tablename__} {row_id}, fence {fence}")


def release(db: DbSession, kind: type[Leased], row_id: int, *, fence: int) -> None:
    """Give the lease back, so that the next worker need not wait for its end."""
    db.execute(
        update(kind)
        .where(kind.id == row_id, kind.lease_fence == fence)
        .values(lease_until=None, lease_owner=None)
    )
