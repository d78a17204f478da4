"""Backups taken by the clock when they are due, and deleted when their time is over."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config import Config
from webinar.backup.taking import Places, Taken, take_data, take_keys
from webinar.db import open_db, read_db
from webinar.domain.backup import (
    STALE_AFTER,
    UNFINISHED,
    BackupKind,
    last_appointed,
    name_read,
    over,
)
from webinar.domain.errors import DomainError
from webinar.jobs.toolbox import Toolbox
from webinar.services import backups
from webinar.tools import media_shelf

log = logging.getLogger(__name__)


class KeysApart(DomainError):
    """Keys would lie beside what they open."""


def back_up_due(tools: Toolbox, now: datetime) -> None:
    """Take what is due of each kind that has a folder; raises what the last failure was."""
    config = tools.config
    appointed = last_appointed(config.BACKUP_AT, config.HOME_ZONE, now=now)
    failure: Exception | None = None
    for kind, folder in folders(config).items():
        with read_db() as db:
            is_due = backups.is_due(db, kind, appointed=appointed, now=now)
        if is_due:
            try:
                taken = back_up(config, kind, folder, now=now)
            except Exception as failed:
                failure = failed  # the other kind does not wait for this one
            else:
                log.info("backup taken: kind=%s bytes=%s sha256=%s", kind, taken.size, taken.digest)
    if failure is not None:
        raise failure


def back_up(
    config: Config, kind: BackupKind, folder: Path, *, with_media: bool = False, now: datetime
) -> Taken:
    """Take one now; it, or why it failed, is written down. Raises what take_data raises."""
    with open_db.begin() as db:
        run_id = backups.begin(db, kind, now=now).id
    try:
        taken = _take(config, kind, folder.resolve(), with_media=with_media, now=now)
    except Exception as failure:
        said = str(failure) if isinstance(failure, DomainError) else repr(failure)
        with open_db.begin() as db:
            backups.failed(db, run_id, error=said, now=datetime.now(UTC))
        raise
    with open_db.begin() as db:
        backups.succeeded(
            db,
            run_id,
            file=str(taken.path),
            size=taken.size,
            digest=taken.digest,
            now=datetime.now(UTC),
        )
    return taken


def delete_old(tools: Toolbox, now: datetime) -> None:
    """Delete those whose time is over: of the data all but the newest, of keys every one."""
    config = tools.config
    keep = {
        BackupKind.DATA: config.BACKUP_KEEP_DAYS,
        BackupKind.KEYS: config.KEYS_BACKUP_KEEP_DAYS,
    }
    for folder in set(folders(config).values()):
        for kind in BackupKind:
            _delete_in(folder, kind, keep_days=keep[kind], now=now)
    for kind, days in keep.items():
        with read_db() as db:
            runs = backups.lying_about(db, kind, before=now - timedelta(days=days))
        for run in runs:
            path = Path(run.file)
            # Wherever it was written: nobody may have one longer than is promised.
            if kind is BackupKind.KEYS and name_read(path.name) is not None:
                path.unlink(missing_ok=True)
            if not path.exists():
                with open_db.begin() as db:
                    backups.deleted(db, run.id, now=now)


def folders(config: Config) -> dict[BackupKind, Path]:
    """Where the clock writes each kind; a kind without folder is not taken."""
    said = {BackupKind.DATA: config.BACKUP_DIR, BackupKind.KEYS: config.KEYS_BACKUP_DIR}
    return {kind: Path(folder).resolve() for kind, folder in said.items() if folder}


def lie_together(one: Path, other: Path) -> bool:
    """True if whoever copies one of these folders copies the other: the same, or one within it."""
    first, second = one.resolve(), other.resolve()
    return first.is_relative_to(second) or second.is_relative_to(first)


def places_of(config: Config) -> Places:
    """Where this installation keeps what a backup is taken of."""
    return Places(config.DATA_DIR.resolve(), media_shelf(config), config.SECRET_KEY)


def _take(
    config: Config, kind: BackupKind, folder: Path, *, with_media: bool, now: datetime
) -> Taken:
    if kind is BackupKind.KEYS:
        beside = folders(config).get(BackupKind.DATA)
        if beside is not None and lie_together(folder, beside):
            raise KeysApart(
                "Keys are backed up apart from the rest, in a folder of their own, neither within "
                "the other: whoever has both can read every recording. Set "
                "WEBINAR_KEYS_BACKUP_DIR to another one."
            )
        return take_keys(places_of(config), folder, recipient=config.BACKUP_RECIPIENT, now=now)
    with read_db() as db:
        engine = db.connection().engine
    return take_data(
        engine,
        places_of(config),
        folder,
        recipient=config.BACKUP_RECIPIENT,
        with_media=with_media,
        now=now,
    )


def _delete_in(folder: Path, kind: BackupKind, *, keep_days: int, now: datetime) -> None:
    if not folder.is_dir():
        return
    found = {path: name_read(path.name) for path in folder.iterdir() if path.is_file()}
    ours = {path: name for path, name in found.items() if name is not None and name.kind is kind}
    whole = {path: name for path, name in ours.items() if not path.name.endswith(UNFINISHED)}
    ended = over(list(whole.values()), keep_days=keep_days, now=now)
    for path, name in ours.items():
        was_killed = path not in whole and name.taken_at <= now - STALE_AFTER - timedelta(days=1)
        if was_killed or (path in whole and name in ended):
            path.unlink(missing_ok=True)
            log.info("backup deleted, its time is over: %s", path.name)
