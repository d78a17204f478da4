"""Run the migrations on the engine the application is bound to."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from webinar import models  # noqa: F401 -- fills the metadata
from webinar.db import Base, UTCDateTime


def render_item(kind: str, item: object, _context: Any) -> str | bool:
    # An old migration must never import today's program.
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime()"
    return False


def include_name(name: str | None, _kind: str, _parents: Any) -> bool:
    # What no model describes: the full-text index (tables on SQLite, an index on PostgreSQL), and
    # the tables of the workers' queue.
    return not (name or "").startswith(("session_search", "procrastinate_"))


# Who waits for a table keeps all others waiting behind: then rather later (webinar.cli.migrating).
# Three such waits are shorter than the second after which PostgreSQL looks for a deadlock: else it
# could be the program's own transaction that it ends.
LOCK_MILLISECONDS = 300


def run(connection: Connection) -> None:
    is_postgresql = connection.dialect.name == "postgresql"
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render_item,
        include_name=include_name,
        compare_type=True,
        # Locks are held for one migration, and an index may be built outside of any transaction.
        transaction_per_migration=is_postgresql,
    )
    if not is_postgresql:
        with connection.begin():
            context.run_migrations()
        return
    connection.execute(text(f"SET lock_timeout = {LOCK_MILLISECONDS}"))
    connection.commit()
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("RESET lock_timeout"))
        connection.commit()


def foreign_keys(connection: Connection, *, on: bool) -> None:
    """SQLite makes a table anew to change it, and dropping the old one must not touch others.

    Has to be said outside a transaction, else it does nothing.
    """
    if connection.dialect.name == "sqlite":
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")
        cursor.close()


with context.config.attributes["engine"].connect() as opened:
    connection = opened.execution_options(unwatched=True)
    foreign_keys(connection, on=False)
    try:
        run(connection)
    finally:
        foreign_keys(connection, on=True)
