"""One token that changes with every transaction that may change what everybody sees.

Whoever keeps a rendered page asks for it first: as long as it is the same, the page is. The mark is
set where statements reach the database, so that no writer can forget it, and written as the last
statement of the same transaction, so that nobody waits for the row and nobody sees the one without
the other. Only what goes past the engine of the program (a hand in the database) is not noticed.
"""

import re
from functools import cache
from uuid import uuid4

from sqlalchemy import Connection, Engine, Select, event, select, text

from webinar.models import FeedState

KEY = "public pages"
MARK = "changes what everybody sees"
UNWATCHED = "unwatched"
"""The execution option of a connection that is to leave the token alone."""

UNSEEN = frozenset(
    {
        "audit_event",
        "broadcast",
        "broadcast_take",
        "certificate",
        "credit_decision",
        "delivery",
        "destruction",
        "evaluation_answers",
        "evaluation_given",
        "extension_request",
        "external_room",
        "faculty_link",
        "feed_state",
        "identifier",
        "media_segment",
        "question",
        "recording_caption",
        "recording_chapter",
        "recording_slide",
        "registration",
        "rehearsal",
        "room_guest",
        "room_notice",
        "room_visit",
        "season_change",
        "series_registration",
        "sign_in_link",
        "stream_key",
        "test_attempt",
        "upload",
        "user",
        "user_role",
        "viewing_pass",
        "watch_place",
        "watch_segment",
        "window_extension",
    }
)
"""Of these a visitor sees nothing, and many are written to all the time. Any other table counts."""

_WRITES = re.compile(r'\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)"?', re.IGNORECASE)
_RENEW = text(
    "INSERT INTO feed_state (key, etag, changed_at) VALUES (:key, :etag, CURRENT_TIMESTAMP) "
    "ON CONFLICT (key) DO UPDATE SET etag = excluded.etag, changed_at = excluded.changed_at"
)


def watch(engine: Engine) -> None:
    """From now on every transaction of this engine renews the token if it has to."""
    event.listen(engine, "begin", _forget)
    event.listen(engine, "before_cursor_execute", _note)
    event.listen(engine, "commit", _renew)


def reader(engine: Engine) -> Engine:
    """The engine to ask `current` of; make it once.

    On PostgreSQL it asks without a transaction: to begin one and to end it would be two of the
    three ways to the server.
    """
    if engine.dialect.name == "sqlite":
        return engine.execution_options(read_only=True)
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def current(reader: Engine) -> str:
    """The token right now; "" while nothing was ever written."""
    with reader.connect() as connection:
        return connection.execute(_current()).scalar() or ""


@cache
def _current() -> Select[str]:
    return select(FeedState.etag).where(FeedState.key == KEY)


def _forget(connection: Connection) -> None:
    connection.info.pop(MARK, None)


def _note(
    connection: Connection,
    _cursor: object,
    statement: str,
    _parameters: object,
    _context: object,
    _executemany: bool,
) -> None:
    written = _WRITES.match(statement)
    if written and written[1] not in UNSEEN:
        connection.info[MARK] = True


def _renew(connection: Connection) -> None:
    # A migration may be about to drop the table itself; the program starts anew after it.
    is_migration = connection.get_execution_options().get(UNWATCHED, False)
    if connection.info.pop(MARK, False) and not is_migration:
        connection.execute(_RENEW, {"key": KEY, "etag": uuid4().hex})
