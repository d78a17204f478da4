"""A backup put back into an empty place, after every byte of it was checked."""

import os
import shutil
import sqlite3
import subprocess
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath

from sqlalchemy import URL, NullPool, create_engine, make_url, text

from webinar.backup.archive import Member
from webinar.backup.manifest import secret_mark
from webinar.backup.media_index import files_below
from webinar.backup.opening import Opened, read_through
from webinar.backup.postgres_tools import PostgresTool, failure_of, tool_for
from webinar.backup.sealed import Identities
from webinar.backup.snapshot import GZIP
from webinar.backup.taking import DATABASE, MEDIA_INDEX, SMALL_FOLDERS, Places
from webinar.domain.backup import BackupKind
from webinar.domain.errors import Conflict, DomainError
from webinar.media.durable import make_folder, sync_folder, write_all
from webinar.media.keys import TOMBSTONE

HEADROOM = 50 * 1024 * 1024


class NotEmpty(Conflict):
    """Something lies where the backup would be written."""


class CannotRestore(DomainError):
    """This backup cannot be put back here."""


@dataclass
class Restored:
    """What was written."""

    opened: Opened
    files: int = 0
    media: int = 0
    media_there: int = 0  # lay there already, and were left as they are
    keys: int = 0
    keys_withheld: int = 0  # of recordings that were destroyed since
    other_secret: bool = False


@dataclass
class _Written:
    """Files that go away again if it does not come to an end."""

    paths: list[Path] = field(default_factory=list)

    def put(self, path: Path, pieces: Iterator[bytes], *, mode: int) -> None:
        """One file, whole and on the disk."""
        make_folder(path.parent, mode=0o700 if mode == 0o600 else 0o755)
        self.paths.append(path)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            for piece in pieces:
                write_all(descriptor, piece)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(path.parent)

    def take_back(self) -> None:
        """Remove everything."""
        for path in self.paths:
            path.unlink(missing_ok=True)


def restore_data(
    path: Path,
    identities: Identities,
    places: Places,
    database_url: str,
    *,
    is_known_schema: Callable[[str], bool],
) -> Restored:
    """Check all of it, then write database and files. Media that lies there already stays.

    Raises NotEmpty, CannotRestore, DamagedBackup, WrongIdentity, ToolMissing, ToolFailed, and
    OSError (no room); nothing is left behind then.
    """
    checked = read_through(path, identities)
    about = checked.about
    if about.kind is not BackupKind.DATA:
        raise CannotRestore(f"{path.name} holds keys. Give it after --keys.")
    url = make_url(database_url)
    if about.database != url.get_backend_name():
        raise CannotRestore(
            f"The backup is of {about.database}, and DATABASE_URL names {url.get_backend_name()}. "
            "Give it a database of the same kind."
        )
    if not is_known_schema(about.schema):
        raise CannotRestore("The backup was made by a newer version. Update this one first.")
    _refuse_unless_empty(url, places)
    make_folder(places.data_dir)
    _refuse_without_room(places.data_dir, checked.manifest.size)
    restored = Restored(checked, other_secret=about.secret_mark != secret_mark(places.secret))
    written = _Written()
    database = (
        _SqliteTarget(url) if about.database == "sqlite" else _PostgresTarget(url, about.tool)
    )

    def put(member: Member) -> None:
        top, _, rest = member.name.partition("/")
        if top == DATABASE:
            for piece in member.pieces():
                database.write(piece)
        elif top == "media":
            if places.shelf.storage.exists(rest):
                restored.media_there += 1
            else:
                places.shelf.storage.put(rest, b"".join(member.pieces()))
                restored.media += 1
        elif top == "takes":
            target = places.data_dir / PurePosixPath(member.name)
            if target.exists():
                restored.media_there += 1
            else:
                written.put(target, member.pieces(), mode=0o600)
                restored.media += 1
        elif top in SMALL_FOLDERS:
            mode = 0o600 if top == "signing" else 0o644
            written.put(places.data_dir / PurePosixPath(member.name), member.pieces(), mode=mode)
            restored.files += 1
        elif top != MEDIA_INDEX:
            raise CannotRestore(f"The backup holds {member.name}, which nobody knows here.")

    try:
        read_through(path, identities, put)
        database.finish()
    except BaseException:
        written.take_back()
        database.give_up()
        raise
    return restored


def restore_keys(
    path: Path,
    identities: Identities,
    places: Places,
    *,
    destroyed: set[str],
    keep_days: int,
    now: datetime,
) -> Restored:
    """Check all of it, then write the key store; of recordings in `destroyed` comes nothing back.

    Raises NotEmpty, CannotRestore (kept longer than `keep_days`), DamagedBackup, WrongIdentity.
    """
    checked = read_through(path, identities)
    about = checked.about
    if about.kind is not BackupKind.KEYS:
        raise CannotRestore(f"{path.name} holds no keys. Give it without --keys.")
    if about.taken_at <= now - timedelta(days=keep_days):
        raise CannotRestore(
            f"{path.name} was taken on {about.taken_at:%d %B %Y}, more than {keep_days} days ago, "
            "and should not exist any more: it is promised that a destroyed key cannot come back "
            "after that time. Delete it, and use a newer one."
        )
    root = places.shelf.keys.root
    if files_below(root):
        raise NotEmpty(f"There are keys in {root}. They are restored into an empty folder only.")
    restored = Restored(checked, other_secret=about.secret_mark != secret_mark(places.secret))
    written = _Written()

    def put(member: Member) -> None:
        recording = PurePosixPath(member.name).parts[1]
        is_key = not member.name.endswith(f"/{TOMBSTONE}")
        if is_key and recording in destroyed:
            restored.keys_withheld += 1
            return
        target = root.joinpath(*PurePosixPath(member.name).parts[1:])
        written.put(target, member.pieces(), mode=0o600)
        restored.keys += is_key

    try:
        read_through(path, identities, put)
        for recording in destroyed:
            if not (tombstone := root / recording / TOMBSTONE).exists():
                written.put(tombstone, iter(()), mode=0o600)
    except BaseException:
        written.take_back()
        raise
    return restored


def _refuse_unless_empty(url: URL, places: Places) -> None:
    if _tables_in(url):
        raise NotEmpty(
            "The database at DATABASE_URL is not empty. "
            "A backup is restored into an empty one only."
        )
    for name in SMALL_FOLDERS:
        if files_below(places.data_dir / name):
            raise NotEmpty(
                f"There are files in {places.data_dir / name}. "
                "A backup is restored into an empty data folder only."
            )


def _tables_in(url: URL) -> int:
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        if not path.exists():
            return 0
        query = "SELECT count(*) FROM sqlite_master"
    else:
        query = (
            "SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE nspname NOT IN ('pg_catalog', 'information_schema')"
            " AND nspname NOT LIKE 'pg_toast%' AND nspname NOT LIKE 'pg_temp%'"
        )
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def _refuse_without_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + HEADROOM:
        raise CannotRestore(
            f"The backup takes {size // 1_000_000} MB and more, and {free // 1_000_000} MB are "
            f"free in {folder}."
        )


class _SqliteTarget:
    """The database file, written beside its place and moved there at the end."""

    def __init__(self, url: URL) -> None:
        self._path = Path(str(url.database))
        self._draft = self._path.with_name(f".{self._path.name}.restoring")
        make_folder(self._path.parent)
        self._draft.unlink(missing_ok=True)
        self._descriptor = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._unpacking = zlib.decompressobj(wbits=GZIP)

    def write(self, piece: bytes) -> None:
        write_all(self._descriptor, self._unpacking.decompress(piece))

    def finish(self) -> None:
        write_all(self._descriptor, self._unpacking.flush())
        os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1
        connection = sqlite3.connect(self._draft)
        try:
            said = connection.execute("PRAGMA quick_check").fetchone()[0]
        finally:
            connection.close()
        if not self._unpacking.eof or said != "ok":
            raise CannotRestore(f"The database in the backup is damaged: {said}.")
        for leftover in ("-wal", "-shm"):
            self._path.with_name(self._path.name + leftover).unlink(missing_ok=True)
        self._draft.replace(self._path)
        sync_folder(self._path.parent)

    def give_up(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._draft.unlink(missing_ok=True)


class _PostgresTarget:
    """The database, by pg_restore in one transaction, which gets the last piece at the end only:
    so it cannot commit before everything else is there."""

    def __init__(self, url: URL, written_by: int) -> None:
        tool = tool_for("pg_restore", at_least=max(written_by, _major_of(url)))
        self._process = _started(tool, url)
        self._last = b""

    def write(self, piece: bytes) -> None:
        self._send(self._last)
        self._last = piece

    def finish(self) -> None:
        self._send(self._last)
        with suppress(BrokenPipeError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        if self._process.wait() != 0:
            raise failure_of(self._process, "pg_restore")
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _send(self, piece: bytes) -> None:
        try:
            if self._process.stdin is not None:
                self._process.stdin.write(piece)
        except BrokenPipeError:
            self._process.wait()
            raise failure_of(self._process, "pg_restore") from None

    def give_up(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def _started(tool: PostgresTool, url: URL) -> subprocess.Popen[bytes]:
    return tool.start(
        url,
        [
            "--no-owner",
            "--no-privileges",
            "--no-password",
            "--exit-on-error",
            "--single-transaction",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )


def _major_of(url: URL) -> int:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
