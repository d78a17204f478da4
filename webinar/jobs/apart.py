"""One of many things that are due, kept apart from the others."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from webinar.db import open_db, read_db
from webinar.jobs.toolbox import Toolbox
from webinar.services import parked

log = logging.getLogger(__name__)


@contextmanager
def apart(what: str, number: int, *, now: datetime | None = None) -> Iterator[None]:
    """What goes wrong with this one is written down, to be tried later; the next is done.

    Else the first row that cannot be dealt with would stop all behind it, tick after tick. Leave
    out of a tick's work what `parked.ready` leaves out. `now` is the tick's instant.
    """
    try:
        yield
    except Exception as error:
        log.exception("%s failed: %s", what, number)
        _note_failed(what, number, error, now or datetime.now(UTC))
    else:
        _note_done(what, number)


def _note_failed(what: str, number: int, error: Exception, now: datetime) -> None:
    try:
        with open_db.begin() as db:
            row = parked.failed(db, what, number, error=repr(error), now=now)
            is_parked = row.parked_at == now
    except SQLAlchemyError:
        # The database itself is away: then this was no fault of the row's.
        log.warning("could not write down that it failed: %s %s", what, number)
        return
    if is_parked:
        log.error("parked, a person has to look at it: %s %s", what, number)


def _note_done(what: str, number: int) -> None:
    with read_db() as db:
        failed_before = parked.is_known(db, what, number)
    if failed_before:
        with open_db.begin() as db:
            parked.settled(db, what, number)
        log.info("done after all: %s %s", what, number)


def forget_stale(_tools: Toolbox, now: datetime) -> None:
    """The clock's tick: forget what failed once and is due no more."""
    with open_db.begin() as db:
        forgotten = parked.forget_stale(db, now=now)
    if forgotten:
        log.info("failed once, due no more: %s", forgotten)
