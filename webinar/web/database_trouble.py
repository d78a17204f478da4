"""When the database is away, too busy or only to be read: a page that says so and when to come.

Nothing is half done then: whatever was not committed is not there, and the answer says that.
"""

import logging

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from webinar.db import is_read_only, look_again, undo
from webinar.domain.errors import DomainError
from webinar.web.direct_query import DatabaseAway

log = logging.getLogger(__name__)

TROUBLES = (OperationalError, InterfaceError, InternalError, PoolExhausted, DatabaseAway)
"""What a driver says when the database cannot do it just now, and sometimes when it never can."""

# They read the database at most; what they change is in the cookie.
CHANGE_NOTHING = frozenset({"auth.sign_in_by_password", "auth.sign_out", "zone.remember"})
READS = ("GET", "HEAD", "OPTIONS")

CAME_TOO_LATE = "57014"  # query_canceled (PostgreSQL, appendix A)
READ_ONLY = "25006"  # read_only_sql_transaction
# Of SQLite: a program newer than its schema, and a file that only may be read.
NEVER = ("no such table", "no such column", "has no column")
SQLITE_READ_ONLY = "readonly database"


class ReadOnlyNow(DomainError):
    """The database takes no changes at this moment."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            "The service can only be read just now, so nothing was changed. "
            "Everything that is here can be looked at; try your change again in a few minutes."
        )


class TooLong(DomainError):
    """A statement was ended because somebody waited."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            "This took the database too long, so it was stopped and nothing was changed. "
            "Try again in a minute."
        )


class Away(DomainError):
    """The database does not answer."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            "The database does not answer just now; nothing you sent was half-stored. "
            "Wait a few seconds, then try again."
        )


def refusal_for(error: Exception) -> DomainError | None:
    """The sentence for it; None if waiting would not help."""
    if not isinstance(error, TROUBLES):
        return None
    words = str(error.orig) if isinstance(error, DBAPIError) else ""
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    if state == READ_ONLY or SQLITE_READ_ONLY in words:
        return ReadOnlyNow()
    if state == CAME_TOO_LATE:
        return TooLong()
    if isinstance(error, InternalError) or any(sign in words for sign in NEVER):
        return None
    return Away()


def init_app(app: Flask) -> None:
    """Refuse changes where none can be made, before anything else is done for them."""
    app.before_request(_refuse_changes)


def show_to_anybody() -> None:
    """From here on this request is nobody's: who it is stands in the database."""
    g._login_user = current_app.login_manager.anonymous_user()  # type: ignore[attr-defined]
    if (db := g.get("db")) is not None:
        undo(db)


def _refuse_changes() -> ResponseReturnValue | None:
    if request.method in READS or request.endpoint in CHANGE_NOTHING or not is_read_only():
        return None
    look_again()
    if is_read_only():
        raise ReadOnlyNow
    return None
