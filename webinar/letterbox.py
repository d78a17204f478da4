"""The letterbox: mails that speak of sessions go through it, and it is shut while one changes.

Who hands mails over holds it open: what they read of sessions stays true until they let go. Who
changes a session shuts it until their transaction ends, and waits for the few mails on their way.
So no mail leaves after a change is committed that was written before.

PostgreSQL: two modes of locking a table that are each shared among their own and conflict with
each other, so changes do not wait for changes; who waits comes before who asks later. SQLite, which
has one writer at a time: a lock on a file beside the database. Whoever holds the letterbox open
must not wait for a row that a change may hold: on SQLite that is any write at all.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import SessionTransaction

from webinar.db import DbSession, read_db

__all__ = ["StaysShut", "held_open", "shut"]

# Any table that is there and that nobody writes to while the program runs.
HOLD_OPEN = text("LOCK TABLE alembic_version IN SHARE MODE")
# No longer than the first mail may be begun under its lease.
PATIENCE = text("SET LOCAL lock_timeout = '10s'")
LOCK_NOT_AVAILABLE = "55P03"
SHUT = text("LOCK TABLE alembic_version IN ROW EXCLUSIVE MODE")
FILE = "the lock on the letterbox"


class StaysShut(Exception):
    """Somebody takes long over a change; nothing can be handed over now."""


@contextmanager
def held_open() -> Iterator[DbSession]:
    """A session to read from: nothing of a webinar changes until the end. Hold it briefly.

    Raises StaysShut on PostgreSQL; on SQLite it may return when any lease is long over.
    """
    with read_db() as db:
        if db.get_bind().dialect.name == "postgresql":
            _wait_for_changes(db)
            yield db
            return
        file = _opened(db)
        try:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield db
        finally:
            os.close(file)


def shut(db: DbSession) -> None:
    """Until this transaction has ended nothing goes through; waits for what is on its way."""
    if FILE in db.info:
        return
    if db.get_bind().dialect.name == "postgresql":
        db.execute(SHUT)
        return
    # The one who writes to SQLite, before the file: nobody may get the two the other way round.
    db.connection()
    file = db.info[FILE] = _opened(db)
    fcntl.flock(file, fcntl.LOCK_EX)


def _wait_for_changes(db: DbSession) -> None:
    db.execute(PATIENCE)
    try:
        # In a statement of its own: what is read next must be what is true by then.
        db.execute(HOLD_OPEN)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        raise StaysShut("a change takes long") from error


@event.listens_for(DbSession, "after_transaction_end")
def _let_go(db: DbSession, transaction: SessionTransaction) -> None:
    if transaction.parent is None and FILE in db.info:
        os.close(db.info.pop(FILE))


def _opened(db: DbSession) -> int:
    url = make_url(str(db.get_bind().engine.url))
    # Each opens it for itself: then threads of one process wait for each other as well.
    return os.open(f"{url.database}-letterbox", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
