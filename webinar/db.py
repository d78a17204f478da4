"""The engine, the session factory and the column types that keep time and states honest."""

import os
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    MetaData,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, sessionmaker
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

__all__ = [
    "Base",
    "DbSession",
    "UTCDateTime",
    "connect",
    "is_read_only",
    "limit_statements",
    "look_again",
    "open_db",
    "reached",
    "read_db",
    "states",
    "undo",
]

State = TypeVar("State", bound=StrEnum)


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. Refuses naive values; comes back aware, in UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time cannot be stored: {value!r}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def states(kind: type[State]) -> Enum:
    """A column type holding one of the states, as text."""
    return Enum(
        kind,
        native_enum=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """All tables. Constraint names follow one convention, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime(), dict[str, Any]: JSON(), list[Any]: JSON()}


# Whoever opens a session commits it. `read_db` only reads: on SQLite it never waits for a writer.
open_db: sessionmaker[DbSession] = sessionmaker(expire_on_commit=False)
read_db: sessionmaker[DbSession] = sessionmaker(expire_on_commit=False)


# How PostgreSQL is reached; what DATABASE_URL says itself goes before. A machine that vanished is
# noticed in half a minute, not after the two hours that the network would take.
REACHED = {
    "application_name": "webinar",
    "connect_timeout": "5",
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",  # milliseconds
}
# The same from the server's side: a node that vanished must not hold its locks.
KEPT_BY_THE_SERVER = (
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)
# For a connection of the pool, when all are taken: then the page says to come back.
POOL_SECONDS = 10
LIMIT = "seconds a statement may take"
# For a writer of SQLite, while others write.
BUSY_SECONDS = 30


@dataclass
class _Mode:
    """What this process knows about writing: told by a setting, or seen in the database."""

    is_told: bool = False
    is_seen: bool = False


_mode = _Mode()
_turn = Lock()
_statement_seconds: ContextVar[int] = ContextVar("statement_seconds", default=0)


def connect(url: str, *, pool: int = 20, read_only: bool = False) -> Engine:
    """Bind `open_db` and `read_db` to the database at the URL and return its engine.

    With `read_only` the database itself refuses whatever would change it.
    """
    _mode.is_told, _mode.is_seen = read_only, False
    if url.startswith("sqlite"):
        # Never fewer than there are threads, twice: a feed that notes a change uses two at once.
        engine = create_engine(
            url, connect_args={"timeout": BUSY_SECONDS}, pool_size=20, max_overflow=60
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    else:
        engine = create_engine(
            url,
            connect_args=reached(url, read_only=read_only),
            pool_size=pool,
            max_overflow=pool // 2,
            pool_timeout=POOL_SECONDS,
            pool_pre_ping=True,
        )
        event.listen(engine, "checkout", _prepare_postgresql)
    open_db.configure(bind=engine)
    read_db.configure(bind=engine.execution_options(read_only=True))
    return engine


def is_read_only() -> bool:
    """True if nothing can be changed: a setting says so, or the database is a replica."""
    return _mode.is_told or _mode.is_seen


def look_again() -> None:
    """Find out whether the replica was promoted meanwhile: every connection that is used tells."""
    if _mode.is_seen and not _mode.is_told:
        with read_db() as db:
            db.execute(text("SELECT 1"))


def undo(db: DbSession) -> None:
    """Roll back, also what a database that went away meanwhile has rolled back by itself."""
    try:
        db.rollback()
    except DBAPIError:
        db.invalidate()


def limit_statements(seconds: int) -> None:
    """From here on, in this thread, PostgreSQL ends a statement that takes longer; 0: none.

    For those who have somebody waiting. Clock, workers, commands and migrations take their time.
    """
    _statement_seconds.set(seconds)


def reached(url: str, *, read_only: bool = False) -> dict[str, str]:
    """What every connection to PostgreSQL is to say, besides its URL; as libpq names it."""
    said = make_url(url).query
    options = f"{said.get('options', '')} {KEPT_BY_THE_SERVER}".strip()
    if read_only:
        options += " -c default_transaction_read_only=on"
    return {name: value for name, value in REACHED.items() if name not in said} | {
        "options": options
    }


def _prepare_postgresql(
    connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: object
) -> None:
    # The server tells by itself, also when it is promoted: nobody has to ask (PostgreSQL 14).
    _mode.is_seen = connection.info.parameter_status("in_hot_standby") == "on"
    wanted = _statement_seconds.get()
    if entry.info.get(LIMIT, 0) == wanted:
        return
    connection.autocommit = True  # what is set in a transaction goes with it
    cursor = connection.cursor()
    cursor.execute(f"SET statement_timeout = '{wanted}s'")
    cursor.close()
    connection.autocommit = False
    entry.info[LIMIT] = wanted


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver must not open transactions by itself: _begin_immediate does.
    connection.isolation_level = None
    cursor = connection.cursor()
    pragmas = ["journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"]
    if _mode.is_told:
        pragmas.append("query_only=ON")
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # A deferred BEGIN lets two writers both read, then one fails or oversells.
    # Readers that say so (execution option) begin deferred and never wait for a writer.
    if _mode.is_told or connection.get_execution_options().get("read_only"):
        connection.exec_driver_sql("BEGIN DEFERRED")
        return
    # SQLite has no line to wait in: who waits looks again after ever longer pauses, and of many at
    # once some never find it free. So only one of this process looks, and soon; the rest queue.
    has_turn = _turn.acquire(timeout=BUSY_SECONDS)
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        if has_turn:
            _turn.release()


def _renew_turn() -> None:
    # Whoever had it is a thread of the parent.
    global _turn
    _turn = Lock()


os.register_at_fork(after_in_child=_renew_turn)
