"""The engine, the session factory and the column types that keep time and states honest."""

from datetime import UTC, datetime
from enum import StrEnum
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
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, sessionmaker
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

__all__ = ["Base", "DbSession", "UTCDateTime", "connect", "open_db", "read_db", "states"]

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


def connect(url: str) -> Engine:
    """Bind `open_db` and `read_db` to the database at the URL and return its engine."""
    if url.startswith("sqlite"):
        # Never fewer than there are threads, twice: a feed that notes a change uses two at once.
        engine = create_engine(url, connect_args={"timeout": 30}, pool_size=20, max_overflow=60)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    else:
        engine = create_engine(url, pool_size=20, max_overflow=10, pool_pre_ping=True)
    open_db.configure(bind=engine)
    read_db.configure(bind=engine.execution_options(read_only=True))
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver must not open transactions by itself: _begin_immediate does.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # A deferred BEGIN lets two writers both read, then one fails or oversells.
    # Readers that say so (execution option) begin deferred and never wait for a writer.
    mode = "DEFERRED" if connection.get_execution_options().get("read_only") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")
