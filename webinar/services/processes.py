"""Which processes of the service live: each says so now and then, and is believed for a while."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from webinar.db import DbSession
from webinar.models import WorkingProcess

SAID_EVERY = timedelta(seconds=15)
BELIEVED_FOR = timedelta(seconds=60)


def seen(
    db: DbSession,
    *,
    owner: str,
    role: str,
    host: str,
    release: str,
    started_at: datetime,
    now: datetime,
) -> None:
    """This process lives. `role` is "web", "clock" or "worker"; `owner` is its name for good."""
    again = update(WorkingProcess).where(WorkingProcess.owner == owner).values(seen_at=now)
    if db.scalar(again.returning(WorkingProcess.owner)) is not None:
        return
    try:
        with db.begin_nested():
            db.add(
                WorkingProcess(
                    owner=owner[:80],
                    role=role,
                    host=host[:80],
                    release=release[:40],
                    started_at=started_at,
                    seen_at=now,
                )
            )
    except IntegrityError:
        db.execute(again)


def gone(db: DbSession, *, owner: str) -> None:
    """This process ends, and says so: nobody need wait until it is not believed any more."""
    if (row := db.get(WorkingProcess, owner)) is not None:
        db.delete(row)


def living(db: DbSession, *, now: datetime) -> list[WorkingProcess]:
    """Those that were seen within the last minute, by role and start."""
    return list(
        db.scalars(
            select(WorkingProcess)
            .where(WorkingProcess.seen_at > now - BELIEVED_FOR)
            .order_by(WorkingProcess.role, WorkingProcess.started_at, WorkingProcess.owner)
        )
    )
