"""The database as it was at one instant, read while everybody goes on writing."""

import fcntl
import shutil
import sqlite3
import subprocess
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import Engine, NullPool, create_engine, text

from webinar.backup.postgres_tools import failure_of, tool_for
from webinar.db import DbSession

PIECE = 4 * 1024 * 1024
PREFIX = "backup-"
LEFT_AFTER_SECONDS = 3600
COMPRESSION = 3  # most of what 9 saves, in a fifth of the time
GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class Snapshot:
    """One instant of the database: `db` reads it, `pieces` are a copy of it, to be read once.

    `tool` is the major version of pg_dump, 0 where the copy is an SQLite file (gzipped).
    """

    kind: str
    server: str
    tool: int
    schema: str
    db: DbSession
    pieces: Iterator[bytes]


@contextmanager
def snapshot_of(engine: Engine, work: Path) -> Iterator[Snapshot]:
    """Look at the database as it is now; nobody waits for that. Raises ToolMissing, ToolFailed.

    SQLite is copied whole into the folder `work` first, and takes that much room there.
    """
    if engine.dialect.name == "sqlite":
        with _room_in(work) as folder:
            yield from _of_sqlite(engine, folder)
    else:
        yield from _of_postgresql(engine)


def _of_sqlite(engine: Engine, folder: Path) -> Iterator[Snapshot]:
    path = folder / "copy.sqlite3"
    source = sqlite3.connect(str(engine.url.database), timeout=60)
    target = sqlite3.connect(path)
    try:
        # All pages in one step: a reader among readers. In several steps, a writer in between
        # would make it begin anew, again and again.
        source.backup(target, pages=-1)
        target.execute("PRAGMA journal_mode=DELETE")
    finally:
        target.close()
        source.close()
    copy = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with DbSession(copy) as db:
        yield Snapshot("sqlite", sqlite3.sqlite_version, 0, _schema(db), db, _gzipped(path))
    copy.dispose()


def _of_postgresql(engine: Engine) -> Iterator[Snapshot]:
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        # It waits for pg_dump most of the time, however long that takes.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        version = connection.execute(text("SHOW server_version_num")).scalar_one()
        exported = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())
        major = int(version) // 10_000
        tool = tool_for("pg_dump", at_least=major)

        def pieces() -> Iterator[bytes]:
            process = tool.start(
                engine.url,
                [
                    *("--format=custom", f"--compress={COMPRESSION}", f"--snapshot={exported}"),
                    *("--no-owner", "--no-privileges", "--no-password"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
            )
            with process:
                try:
                    if process.stdout is not None:
                        yield from iter(lambda: process.stdout.read(PIECE), b"")  # type: ignore[union-attr]
                    if process.wait() != 0:
                        raise failure_of(process, "pg_dump")
                finally:
                    process.kill()

        with DbSession(connection) as db:
            yield Snapshot("postgresql", str(major), tool.major, _schema(db), db, pieces())


def _schema(db: DbSession) -> str:
    return str(db.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def _gzipped(path: Path) -> Iterator[bytes]:
    packing = zlib.compressobj(COMPRESSION, wbits=GZIP)
    waiting = bytearray()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            waiting += packing.compress(piece)
            if len(waiting) >= PIECE:
                yield bytes(waiting)
                waiting.clear()
    yield bytes(waiting) + packing.flush()


@contextmanager
def _room_in(work: Path) -> Iterator[Path]:
    """A folder for us alone, gone at the end; those of killed backups go as well."""
    work.mkdir(parents=True, exist_ok=True)
    for left in work.glob(f"{PREFIX}*"):
        if left.stat().st_mtime < time.time() - LEFT_AFTER_SECONDS:
            with _held(left) as is_ours:
                if is_ours:
                    shutil.rmtree(left)
    folder = Path(mkdtemp(prefix=PREFIX, dir=work))  # for this user alone
    try:
        with _held(folder):
            yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Hold the folder as long as this process lives; False if another does."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
