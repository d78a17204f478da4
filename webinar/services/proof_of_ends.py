"""That recordings have ended: what the rows say is still to do, and what they must not say."""

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, true

from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.models import Destruction, Recording
from webinar.services import destruction

# The clock destroys every half a minute: what is still there an hour later is left over.
GRACE = timedelta(hours=1)


def keys_destroyed_since(db: DbSession, since: datetime | None) -> int:
    """How many keys were destroyed since then."""
    newer = true() if since is None else Destruction.keys_destroyed_at > since
    return db.scalar(select(func.coalesce(func.sum(Destruction.keys), 0)).where(newer)) or 0


def media_deleted_since(db: DbSession, since: datetime | None) -> int:
    """Of how many recordings the files were deleted since then."""
    newer = true() if since is None else Destruction.media_deleted_at > since
    deleted = Destruction.media_deleted_at.is_not(None)
    return db.scalar(select(func.count(Destruction.id)).where(deleted, newer)) or 0


def overdue(db: DbSession, *, now: datetime) -> int:
    """Recordings whose last window is over and that nobody began to destroy, or did not end."""
    begun = db.scalars(
        select(Recording.id)
        .join(Destruction, Destruction.recording_id == Recording.id)
        .where(
            Destruction.keys_destroyed_at <= now - GRACE,
            or_(Recording.destroyed_at.is_(None), Destruction.checked_at.is_(None)),
        )
    ).all()
    return len(set(begun) | set(destruction.due(db, now=now - GRACE)))


def said_to_be_there(db: DbSession) -> list[str]:
    """Public ids of recordings that were destroyed and that a row calls anything else."""
    return list(
        db.scalars(
            select(Recording.public_id)
            .join(Destruction, Destruction.recording_id == Recording.id)
            .where(Recording.state != RecordingState.DESTROYED)
        )
    )


def destroyed_ids(db: DbSession) -> set[str]:
    """Public ids of every recording whose keys are gone."""
    return set(db.scalars(select(Recording.public_id).where(Recording.destroyed_at.is_not(None))))


def emptied_ids(db: DbSession, *, since: datetime) -> list[str]:
    """Public ids of recordings whose files were deleted since then."""
    return list(
        db.scalars(
            select(Recording.public_id)
            .where(Recording.media_deleted_at >= since)
            .order_by(Recording.id)
        )
    )


def open_ids(db: DbSession) -> set[str]:
    """Public ids of recordings that a row says can be watched, or could be."""
    return set(
        db.scalars(select(Recording.public_id).where(Recording.state.in_(destruction.HAS_WINDOW)))
    )
