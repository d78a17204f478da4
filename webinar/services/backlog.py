"""What is due and not done yet, counted by kind: what the clock and its workers have before them.

Every count runs over an index, or asks what a tick asks every few seconds anyway.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.domain.upload import UploadState
from webinar.models import Delivery, ParkedWork, Recording, Upload, ViewingPass, WebinarSession
from webinar.services import broadcasts, certificate_papers, credits, destruction
from webinar.services.attendance import FREEZE_AFTER
from webinar.services.sessions import UNAIRED_GRACE_MINUTES

COUNTED_UP_TO = 1000  # certificates: nobody needs to know how many more


@dataclass(frozen=True)
class Backlog:
    """One kind of work: how much is due, and since when the oldest is (None: not known)."""

    name: str
    due: int
    oldest_due_at: datetime | None = None


def backlog(db: DbSession, *, now: datetime) -> list[Backlog]:
    """Every kind of work that can wait, in a fixed order; those with nothing due as well."""
    return [
        mails(db, now=now),
        Backlog("decisions", len(credits.due(db, now=now))),
        Backlog("certificates", len(certificate_papers.to_set(db, limit=COUNTED_UP_TO, now=now))),
        _sessions_to_end(db, now=now),
        _recordings_to_close(db, now=now),
        Backlog("recordings to destroy", len(destruction.due(db, now=now))),
        _evidence_to_freeze(db, now=now),
        Backlog("broadcasts to package", len(broadcasts.without_worker(db, now=now))),
        _videos(db),
        _parked(db),
    ]


def mails(db: DbSession, *, now: datetime) -> Backlog:
    """Mails that are owed by now and did not go out yet."""
    return _counted(db, "mails", Delivery.id, Delivery.due_at, Delivery.due_at <= now)


def _sessions_to_end(db: DbSession, *, now: datetime) -> Backlog:
    return _counted(
        db,
        "sessions to end",
        WebinarSession.id,
        WebinarSession.ends_at,
        WebinarSession.status == SessionStatus.PUBLISHED,
        WebinarSession.ends_at < now - timedelta(minutes=UNAIRED_GRACE_MINUTES),
    )


def _recordings_to_close(db: DbSession, *, now: datetime) -> Backlog:
    return _counted(
        db,
        "recordings to close",
        Recording.id,
        Recording.closes_at,
        Recording.state == RecordingState.PUBLISHED,
        Recording.closes_at <= now,
    )


def _evidence_to_freeze(db: DbSession, *, now: datetime) -> Backlog:
    return _counted(
        db,
        "evidence to freeze",
        ViewingPass.id,
        ViewingPass.expires_at,
        ViewingPass.frozen_at.is_(None),
        ViewingPass.expires_at <= now - FREEZE_AFTER,
    )


def _videos(db: DbSession) -> Backlog:
    return _counted(
        db, "videos to package", Upload.id, Upload.updated_at, Upload.state == UploadState.WAITING
    )


def _parked(db: DbSession) -> Backlog:
    return _counted(
        db, "parked", ParkedWork.id, ParkedWork.parked_at, ParkedWork.parked_at.is_not(None)
    )


def _counted(
    db: DbSession,
    name: str,
    row: InstrumentedAttribute[int] | InstrumentedAttribute[str],
    since: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    *conditions: ColumnElement[bool],
) -> Backlog:
    due, oldest = db.execute(select(func.count(row), func.min(since)).where(*conditions)).one()
    return Backlog(name, due, oldest)
