"""Backups as rows: which were taken or tried, which is due. The files are webinar.backup's."""

from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.backup import RETRY_AFTER, STALE_AFTER, BackupKind
from webinar.models import BackupRun

KILLED = "It was stopped before its end."


def begin(db: DbSession, kind: BackupKind, *, now: datetime) -> BackupRun:
    """One begins; those that were killed before are said to be so."""
    for dead in db.scalars(
        select(BackupRun).where(
            BackupRun.kind == kind,
            BackupRun.ended_at.is_(None),
            BackupRun.began_at <= now - STALE_AFTER,
        )
    ):
        dead.ended_at, dead.error = now, KILLED
    run = BackupRun(kind=kind, began_at=now)
    db.add(run)
    db.flush()
    return run


def succeeded(
    db: DbSession, run_id: int, *, file: str, size: int, digest: str, now: datetime
) -> None:
    """It lies in this file, `size` bytes of this SHA-256."""
    run = db.get_one(BackupRun, run_id)
    run.file, run.bytes, run.digest, run.ended_at = file, size, digest, now
    run.error = None  # held to be killed, and only slow


def restored(
    db: DbSession, *, taken_at: datetime, file: str, size: int, digest: str, now: datetime
) -> None:
    """This database comes from that backup, and says there that it is still being taken."""
    run = db.scalar(
        select(BackupRun).where(
            BackupRun.kind == BackupKind.DATA,
            BackupRun.began_at == taken_at,
            BackupRun.ended_at.is_(None),
        )
    )
    if run is not None:
        succeeded(db, run.id, file=file, size=size, digest=digest, now=now)


def failed(db: DbSession, run_id: int, *, error: str, now: datetime) -> None:
    """Nothing came of it, and why."""
    run = db.get_one(BackupRun, run_id)
    run.error, run.ended_at = error, now


def last(db: DbSession, kind: BackupKind | str) -> BackupRun | None:
    """The newest that succeeded, whether or not its file's time is over; None: never."""
    return db.scalar(
        select(BackupRun)
        .where(BackupRun.kind == kind, BackupRun.digest != "")
        .order_by(BackupRun.began_at.desc(), BackupRun.id.desc())
        .limit(1)
    )


def last_tried(db: DbSession, kind: BackupKind | str) -> BackupRun | None:
    """The newest, whatever came of it."""
    return db.scalar(
        select(BackupRun)
        .where(BackupRun.kind == kind)
        .order_by(BackupRun.began_at.desc(), BackupRun.id.desc())
        .limit(1)
    )


def is_due(db: DbSession, kind: BackupKind, *, appointed: datetime, now: datetime) -> bool:
    """True if none was taken since it was `appointed`, and none is at work or failed just now."""
    good = last(db, kind)
    if good is not None and good.began_at >= appointed:
        return False
    tried = last_tried(db, kind)
    if tried is None:
        return True
    if tried.ended_at is None:
        return tried.began_at <= now - STALE_AFTER
    return tried.error is None or tried.ended_at <= now - RETRY_AFTER


def taken(db: DbSession, *, most: int) -> list[BackupRun]:
    """The newest of both kinds, the newest first."""
    return list(
        db.scalars(
            select(BackupRun).order_by(BackupRun.began_at.desc(), BackupRun.id.desc()).limit(most)
        )
    )


def lying_about(db: DbSession, kind: BackupKind, *, before: datetime) -> list[BackupRun]:
    """Taken before that instant, and not known to be deleted."""
    return list(
        db.scalars(
            select(BackupRun)
            .where(
                BackupRun.kind == kind,
                BackupRun.digest != "",
                BackupRun.deleted_at.is_(None),
                BackupRun.began_at <= before,
            )
            .order_by(BackupRun.began_at, BackupRun.id)
        )
    )


def by_digest(db: DbSession, digest: str) -> BackupRun | None:
    """The one whose file has this SHA-256."""
    return db.scalar(select(BackupRun).where(BackupRun.digest == digest).limit(1))


def deleted(db: DbSession, run_id: int, *, now: datetime) -> None:
    """Its file is gone."""
    db.get_one(BackupRun, run_id).deleted_at = now
