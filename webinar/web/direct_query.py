"""One statement asked many times a second: straight through the driver, on connections kept open.

The ORM's way takes several times as long as the database itself for one row by its key.
"""

import logging
import os
from collections import deque
from collections.abc import Mapping, Sequence
from enum import StrEnum

from sqlalchemy import Engine, SelectBase, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)

MOST_IDLE = 8
# Not for ever behind a migration's lock; twice this is the longest that a question takes.
STATEMENT_SECONDS = 5


class DatabaseAway(Exception):
    """The database cannot be asked at this moment."""


class DirectQuery:
    """Asks the statement outside of any transaction: each answer is as of now. Threads share it.

    Its parameters have a value of their type to begin with; every call gives others.
    """

    def __init__(self, engine: Engine, statement: SelectBase) -> None:
        compiled = statement.compile(
            dialect=engine.dialect, compile_kwargs={"render_postcompile": True}
        )
        self._sql = compiled.string
        # Drivers have ideas of their own about what an enumeration's member is called.
        self._constants: dict[str, object] = {
            name: value.value if isinstance(value, StrEnum) else value
            for name, value in compiled.params.items()
        }
        self._order: Sequence[str] | None = compiled.positiontup
        self._error: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._idle: deque[DBAPIConnection] = deque()
        self._process = os.getpid()
        event.listen(engine, "engine_disposed", self._close)

    def one(self, values: Mapping[str, object]) -> Sequence[object] | None:
        """The first row, or None. Raises DatabaseAway."""
        rows = self.rows(values)
        return rows[0] if rows else None

    def rows(self, values: Mapping[str, object]) -> Sequence[Sequence[object]]:
        """All rows. Raises DatabaseAway."""
        try:
            return self._ask(values)
        except (self._error, SQLAlchemyError):
            # The database was restarted, or the schema changed: old connections are of no use.
            self._close(self._engine)
        try:
            return self._ask(values)
        except (self._error, SQLAlchemyError) as problem:
            log.exception("the database cannot be asked")
            raise DatabaseAway from problem

    def _ask(self, values: Mapping[str, object]) -> Sequence[Sequence[object]]:
        if self._process != os.getpid():
            # A fork must not speak over its parent's connections, nor close them.
            self._idle, self._process = deque(), os.getpid()
        connection = self._take()
        parameters = {**self._constants, **values}
        cursor = connection.cursor()
        try:
            if self._order is None:
                cursor.execute(self._sql, parameters)
            else:
                cursor.execute(self._sql, [parameters[name] for name in self._order])
            rows: Sequence[Sequence[object]] = cursor.fetchall()
            cursor.close()
        except self._error:
            connection.close()
            raise
        self._put_back(connection)
        return rows

    def _take(self) -> DBAPIConnection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _connect(self) -> DBAPIConnection:
        proxy = self._engine.raw_connection()
        connection: DBAPIConnection = proxy.driver_connection  # type: ignore[assignment]
        proxy.detach()
        if not self._is_sqlite:  # webinar.db has put SQLite's in this mode already
            self._engine.dialect.set_isolation_level(connection, "AUTOCOMMIT")
            cursor = connection.cursor()
            cursor.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
            # Planned once: for arrays it would plan each time, which takes longer than to answer.
            cursor.execute("SET plan_cache_mode = force_generic_plan")
            cursor.close()
        return connection

    def _put_back(self, connection: DBAPIConnection) -> None:
        if len(self._idle) < MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    def _close(self, _engine: Engine) -> None:
        while self._idle:
            self._idle.pop().close()
