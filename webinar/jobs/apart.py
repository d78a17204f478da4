"""One of many things that are due, kept apart from the others."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


@contextmanager
def apart(what: str, number: int) -> Iterator[None]:
    """What goes wrong with this one is written down; it is due again, and the next is done.

    Else the first row that cannot be dealt with would stop all behind it, tick after tick.
    """
    try:
        yield
    except Exception:
        log.exception("%s failed: %s", what, number)
