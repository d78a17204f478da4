"""How a backup is taken: whole or not at all, whatever else goes on."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from config import Config
from tests.backup.conftest import BackupKey
from tests.backup.recordings import published
from tests.builders import make_user
from tests.components.bucket import BucketServer
from webinar.backup.archive import Member
from webinar.backup.opening import read_through
from webinar.backup.postgres_tools import ToolFailed
from webinar.backup.restoring import CannotRestore, restore_data
from webinar.db import DbSession, connect
from webinar.domain.backup import BackupKind
from webinar.jobs.backing_up import back_up, folders, places_of
from webinar.media.faculty_files import faculty_files
from webinar.media.takes import TakeStore

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
LARGE = 400_000_000
PROGRAM = """
import os
from datetime import UTC, datetime
from config import Config
from webinar.db import connect
from webinar.jobs.backing_up import BackupKind, back_up, folders
config = Config.from_env(os.environ)
connect(config.DATABASE_URL)
back_up(config, BackupKind.DATA, folders(config)[BackupKind.DATA], now=datetime.now(UTC))
"""
LONGEST_WAIT = 60


def folder_of(config: Config) -> Path:
    return folders(config)[BackupKind.DATA]


def take(config: Config, *, with_media: bool = False) -> Path:
    taken = back_up(config, BackupKind.DATA, folder_of(config), with_media=with_media, now=NOW)
    return taken.path


def contents(path: Path, key: BackupKey) -> dict[str, bytes]:
    found: dict[str, bytes] = {}

    def keep(member: Member) -> None:
        found[member.name] = b"".join(member.pieces())

    read_through(path, key.opening, keep)
    return found


def test_one_that_is_killed_leaves_nothing_that_looks_like_a_backup(
    db: DbSession, config: Config
) -> None:
    make_user(db)
    db.commit()
    faculty_files(config.DATA_DIR).put("small.pdf", b"")
    with (config.DATA_DIR / "faculty" / "large.pdf").open("wb") as file:
        file.truncate(LARGE)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=config.to_env() | {"PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    began = time.monotonic()
    while not any(path.stat().st_size > 1_000_000 for path in folder_of(config).glob("*")):
        assert process.poll() is None, "it was over before it could be killed"
        assert time.monotonic() - began < LONGEST_WAIT
        time.sleep(0.01)

    process.kill()
    process.wait()

    (left,) = folder_of(config).glob("*")
    assert left.name.endswith(".age.unfinished")
    (config.DATA_DIR / "faculty" / "large.pdf").unlink()
    assert take(config).exists()


def test_what_cannot_be_dumped_leaves_no_file(db: DbSession, config: Config) -> None:
    make_user(db)
    db.commit()
    engine = connect(config.DATABASE_URL)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE alembic_version RENAME TO mislaid"))
    try:
        with pytest.raises(DBAPIError):
            take(config)
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE mislaid RENAME TO alembic_version"))
        engine.dispose()

    assert list(folder_of(config).glob("*")) == []
    assert list((config.DATA_DIR / "work").glob("*")) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_dump_that_stops_is_no_backup(db: DbSession, config: Config) -> None:
    make_user(db)
    db.commit()
    address = config.DATABASE_URL.replace("postgresql+psycopg", "postgresql")
    ended: list[int] = []

    def end_it() -> None:
        # It waits for a table that somebody else holds, and then its connection breaks.
        with (
            psycopg.connect(address) as holding,
            psycopg.connect(address, autocommit=True) as other,
        ):
            holding.execute("LOCK TABLE tick_run IN ACCESS EXCLUSIVE MODE")
            held.set()
            began = time.monotonic()
            while not ended and time.monotonic() - began < LONGEST_WAIT:
                rows = other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'"
                ).fetchall()
                ended.extend(range(len(rows)))
                time.sleep(0.01)

    held = threading.Event()
    thread = threading.Thread(target=end_it)
    thread.start()
    assert held.wait(LONGEST_WAIT)
    with pytest.raises(ToolFailed, match="pg_dump stopped: "):
        take(config)
    thread.join()

    assert len(ended) == 1
    assert list(folder_of(config).glob("*")) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_takes_that_grow_meanwhile_are_whole_as_far_as_their_index_says(
    db: DbSession, config: Config, key: BackupKey, tmp_path: Path
) -> None:
    make_user(db)
    db.commit()
    store, stop = TakeStore(config.DATA_DIR.resolve()), threading.Event()

    def send() -> None:
        for seq in range(100_000):
            if stop.is_set():
                return
            store.append("air", 0, seq, (b"\x1a\x45\xdf\xa3" if seq == 0 else b"") + b"x" * 5_000)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        while not store.takes("air"):
            time.sleep(0.001)
        found = contents(take(config, with_media=True), key)
    finally:
        stop.set()
        thread.join()

    copy = TakeStore(tmp_path / "copy")
    for name in ("takes/air/0000.index", "takes/air/0000.webm"):
        (copy.root / name).parent.mkdir(parents=True, exist_ok=True)
        (copy.root / name).write_bytes(found[name])
    size = copy.length("air", 0)
    assert size > 0
    assert len(copy.read("air", 0, 0, size)) == size


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_bucket_is_listed_and_outlives_the_machine(
    db: DbSession, config: Config, key: BackupKey, tmp_path: Path
) -> None:
    with BucketServer() as server:
        in_bucket = replace(config, STORAGE_URL=server.url)
        recording = published(db, in_bucket)
        backup = take(in_bucket)
        new = replace(
            in_bucket, DATABASE_URL=f"sqlite:///{tmp_path}/new/db", DATA_DIR=tmp_path / "new"
        )
        (tmp_path / "new").mkdir()

        restored = restore_data(
            backup,
            key.opening,
            places_of(new),
            new.DATABASE_URL,
            is_known_schema=lambda _: True,
        )

        assert restored.opened.manifest.media_files == 2
        assert restored.opened.manifest.media_missing == 0
        assert (restored.media, restored.media_there) == (0, 2)
        assert f"media/recordings/{recording}/poster.jpg" in contents(backup, key)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_listed_and_not_there_is_told(db: DbSession, config: Config) -> None:
    recording = published(db, config)
    (config.DATA_DIR / "media" / "recordings" / recording / "main-000001-aa.ts").unlink()

    taken = back_up(config, BackupKind.DATA, folder_of(config), now=NOW)

    assert (taken.manifest.media_files, taken.manifest.media_missing) == (2, 1)


def test_one_of_a_newer_version_is_refused(
    db: DbSession, config: Config, key: BackupKey, tmp_path: Path
) -> None:
    make_user(db)
    db.commit()
    backup = take(config)

    with pytest.raises(CannotRestore, match="made by a newer version"):
        restore_data(
            backup,
            key.opening,
            places_of(replace(config, DATA_DIR=tmp_path / "new")),
            config.DATABASE_URL,
            is_known_schema=lambda schema: schema != "0011",
        )
