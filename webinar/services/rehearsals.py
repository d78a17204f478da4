"""Rehearsals: the faculty try the whole way among themselves, and nothing of it is kept."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update

from webinar.db import DbSession
from webinar.domain.errors import Conflict, NotFound
from webinar.domain.session import SessionStatus
from webinar.models import Rehearsal, User, WebinarSession
from webinar.services.leases import LEASE_SECONDS

LONGEST_MINUTES = 60
IDLE_SECONDS = 120
SENDING_SECONDS = 5


class NotRehearsing(Conflict):
    """No rehearsal is on, or it is somebody else's."""


def current(db: DbSession, session_id: int) -> Rehearsal | None:
    """The rehearsal that is on, if there is one."""
    return db.scalar(
        select(Rehearsal)
        .where(Rehearsal.session_id == session_id, Rehearsal.stopped_at.is_(None))
        .order_by(Rehearsal.id.desc())
        .limit(1)
    )


def start(db: DbSession, session: WebinarSession, *, user_id: int, now: datetime) -> Rehearsal:
    """Begin a rehearsal; one's own, or one that fell silent, ends by it.

    Raises Conflict once the session is on air or over, and while somebody else rehearses.
    """
    if session.status is not SessionStatus.PUBLISHED:
        raise Conflict("A rehearsal is possible until the session goes live.")
    going = current(db, session.id)
    if going is not None:
        silent = going.last_chunk_at < now - timedelta(seconds=SENDING_SECONDS)
        if going.opened_by_id != user_id and not silent:
            who = db.get_one(User, going.opened_by_id).name
            raise Conflict(f"{who} rehearses right now. Wait until that is over, or agree on it.")
        going.stopped_at = now
    rehearsal = Rehearsal(
        public_id=secrets.token_hex(8),
        session_id=session.id,
        opened_by_id=user_id,
        started_at=now,
        last_chunk_at=now,
    )
    db.add(rehearsal)
    db.flush()
    return rehearsal


def sending(db: DbSession, session_id: int, *, user_id: int) -> Rehearsal:
    """The rehearsal this person may send to; raises NotRehearsing."""
    rehearsal = current(db, session_id)
    if rehearsal is None or rehearsal.opened_by_id != user_id:
        raise NotRehearsing("This rehearsal is over. Begin another one.")
    return rehearsal


def stop(db: DbSession, session_id: int, *, now: datetime) -> None:
    """End the session's rehearsal; none is fine."""
    db.execute(
        update(Rehearsal)
        .where(Rehearsal.session_id == session_id, Rehearsal.stopped_at.is_(None))
        .values(stopped_at=now)
    )


def stop_due(db: DbSession, *, now: datetime) -> int:
    """End what is too long, idle, or overtaken by its session; returns how many."""
    published = select(WebinarSession.id).where(WebinarSession.status == SessionStatus.PUBLISHED)
    ended = db.execute(
        update(Rehearsal)
        .where(
            Rehearsal.stopped_at.is_(None),
            (Rehearsal.started_at <= now - timedelta(minutes=LONGEST_MINUTES))
            | (Rehearsal.last_chunk_at <= now - timedelta(seconds=IDLE_SECONDS))
            | Rehearsal.session_id.not_in(published),
        )
        .values(stopped_at=now)
        .returning(Rehearsal.id)
    )
    return len(ended.all())


def without_worker(db: DbSession, *, now: datetime) -> list[int]:
    """Ids of rehearsals that are on and that nobody makes a picture of."""
    return list(
        db.scalars(select(Rehearsal.id).where(Rehearsal.stopped_at.is_(None), _is_free(now)))
    )


def to_sweep(db: DbSession, *, now: datetime) -> list[Rehearsal]:
    """Rehearsals that are over, whose worker is gone and whose bytes may still be there."""
    return list(
        db.scalars(
            select(Rehearsal).where(
                Rehearsal.stopped_at.is_not(None), Rehearsal.swept_at.is_(None), _is_free(now)
            )
        )
    )


def claim(db: DbSession, rehearsal_id: int, *, owner: str, now: datetime) -> str | None:
    """Take the lease; returns the rehearsal's public id, or None if another holds it."""
    return db.execute(
        update(Rehearsal)
        .where(Rehearsal.id == rehearsal_id, Rehearsal.stopped_at.is_(None), _is_free(now))
        .values(lease_owner=owner, lease_until=now + timedelta(seconds=LEASE_SECONDS))
        .returning(Rehearsal.public_id)
    ).scalar_one_or_none()


def renew(db: DbSession, rehearsal_id: int, *, owner: str, now: datetime) -> bool:
    """Keep the lease; False once it is over or another worker has it."""
    renewed = db.execute(
        update(Rehearsal)
        .where(
            Rehearsal.id == rehearsal_id,
            Rehearsal.lease_owner == owner,
            Rehearsal.stopped_at.is_(None),
        )
        .values(lease_until=now + timedelta(seconds=LEASE_SECONDS))
        .returning(Rehearsal.id)
    )
    return renewed.scalar_one_or_none() is not None


def release(db: DbSession, rehearsal_id: int, *, owner: str) -> None:
    """Give the lease back, so that what is left is swept at once."""
    db.execute(
        update(Rehearsal)
        .where(Rehearsal.id == rehearsal_id, Rehearsal.lease_owner == owner)
        .values(lease_owner=None, lease_until=None)
    )


def with_public_id(db: DbSession, session_id: int, public_id: str) -> Rehearsal:
    """The rehearsal that is on under this name; raises NotFound."""
    rehearsal = current(db, session_id)
    if rehearsal is None or rehearsal.public_id != public_id:
        raise NotFound("This rehearsal is over. Nothing of it was kept.")
    return rehearsal


def _is_free(now: datetime) -> ColumnElement[bool]:
    return Rehearsal.lease_until.is_(None) | (Rehearsal.lease_until < now)
