"""A lock for each tick that ends with its process: several clocks, each tick once at a time."""

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock
from typing import Protocol

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from config import Config
from webinar.db import reached

log = logging.getLogger(__name__)


class TickLocks(Protocol):
    """Who may run a tick now; each process has one of these."""

    def held(self, name: str) -> AbstractContextManager[bool]:
        """A context that is True if the tick is ours until its end."""

    def close(self) -> None:
        """Let go of everything."""


def locks_for(config: Config) -> TickLocks:
    """In the database where several computers share it, else in the data folder."""
    if config.DATABASE_URL.startswith("sqlite"):
        return FileLocks(config.DATA_DIR.resolve() / "locks")
    return DatabaseLocks(config.DATABASE_URL)


class FileLocks:
    """One file for each tick; the kernel lets go of it with the process that holds it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """True unless another process or thread holds it."""
        file = os.open(self._folder / name.replace(" ", "-"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(file)

    def close(self) -> None:
        """Nothing is held outside `held`."""


class DatabaseLocks:
    """Session-level advisory locks of PostgreSQL, all on one connection of their own.

    A connection pooler that hands out transactions must not stand between: the lock belongs to
    the connection, and ends with it.
    """

    def __init__(self, url: str) -> None:
        self._engine = create_engine(
            url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args=reached(url) | {"application_name": "webinar: locks of the clock"},
        )
        self._guard = Lock()
        self._connection: Connection | None = None
        # The database would give the same connection the same lock twice.
        self._ours: set[str] = set()

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """True unless another process or thread holds it. Raises DBAPIError without a database."""
        is_ours = self._take(name)
        try:
            yield is_ours
        finally:
            if is_ours:
                self._give_back(name)

    def close(self) -> None:
        """End the connection, and with it every lock."""
        with self._guard:
            self._drop()
        self._engine.dispose()

    def _take(self, name: str) -> bool:
        with self._guard:
            if name in self._ours:
                return False
            is_ours = bool(self._ask("SELECT pg_try_advisory_lock(:key)", name))
            if is_ours:
                self._ours.add(name)
            return is_ours

    def _give_back(self, name: str) -> None:
        with self._guard:
            self._ours.discard(name)
            try:
                self._ask("SELECT pg_advisory_unlock(:key)", name)
            except DBAPIError:
                log.warning("the lock of a tick ended with its connection: %s", name)

    def _ask(self, statement: str, name: str) -> object:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            return self._connection.scalar(text(statement), {"key": _key(name)})
        except DBAPIError:
            self._drop()
            raise

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def _key(name: str) -> int:
    digest = hashlib.sha256(f"webinar tick {name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
