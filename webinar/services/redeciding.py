"""Grants that were changed, or what they are for: for whom the clock decides credit anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.models import AccreditationGrant
from webinar.services.evidence import grounds


@dataclass(frozen=True)
class Changed:
    """A session some grant of which was changed, for the last time at `at`, and its people."""

    session_id: int
    at: datetime
    user_ids: Sequence[int]


def changed(db: DbSession) -> list[Changed]:
    """Sessions with grants changed since credit was last decided for everybody."""
    rows = db.execute(
        select(AccreditationGrant.session_id, func.max(AccreditationGrant.changed_at))
        .where(AccreditationGrant.changed_at.is_not(None))
        .group_by(AccreditationGrant.session_id)
        .order_by(AccreditationGrant.session_id)
    )
    return [
        Changed(session_id, at, sorted(grounds.people(db, session_id)))
        for session_id, at in rows
        if at
    ]


def mark_recorded(db: DbSession, session_id: int, *, now: datetime) -> None:
    """What is shown of the recording changed: whoever watched some of it may have enough now."""
    db.execute(
        update(AccreditationGrant)
        .where(
            AccreditationGrant.session_id == session_id,
            AccreditationGrant.mode == ViewingMode.RECORDED,
        )
        .values(changed_at=now)
    )


def mark_held(db: DbSession, session_id: int, *, now: datetime) -> None:
    """What is known of the session as it was held changed: outages, visits, what was presented."""
    db.execute(
        update(AccreditationGrant)
        .where(
            AccreditationGrant.session_id == session_id,
            AccreditationGrant.mode != ViewingMode.RECORDED,
        )
        .values(changed_at=now)
    )


def settle(db: DbSession, done: Changed) -> None:
    """Everybody was decided for. A change that came meanwhile stays to be done."""
    db.execute(
        update(AccreditationGrant)
        .where(
            AccreditationGrant.session_id == done.session_id,
            AccreditationGrant.changed_at <= done.at,
        )
        .values(changed_at=None)
    )
