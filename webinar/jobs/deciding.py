"""Credit decided by the clock: after a session, a watching, a deadline, a change of a grant."""

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from webinar.db import open_db, read_db
from webinar.jobs.apart import apart
from webinar.jobs.toolbox import Toolbox
from webinar.services import credits, parked, redeciding

log = logging.getLogger(__name__)

# On SQLite everybody else waits meanwhile: a transaction stays well below a second.
PEOPLE_AT_ONCE = 25
# And the number of the session; what is kept apart then is a person.
DECIDING = "deciding credit of session "


def decide_due(tools: Toolbox, now: datetime) -> None:
    """Decide what is due, some people of one session in each transaction.

    Nobody waits for one whose case cannot be decided: it is written down, and tried again later.
    """
    with read_db() as db:
        due = set(credits.due(db, now=now))
        changed = redeciding.changed(db)
        again = parked.failed_before(db, DECIDING, now=now)
    due |= {(int(row.what.removeprefix(DECIDING)), row.item_id) for row in again}
    for done in changed:
        # Everybody at once, also those whose case could not be decided before this change.
        _decide(tools, done.session_id, done.user_ids, now)
        # Last, so that a clock that is stopped between begins again.
        with open_db.begin() as db:
            redeciding.settle(db, done)
    for session_id, pairs in groupby(sorted(due), key=lambda pair: pair[0]):
        people = [user_id for _, user_id in pairs]
        with read_db() as db:
            ready = parked.ready(db, f"{DECIDING}{session_id}", people, now=now)
        _decide(tools, session_id, ready, now)


def _decide(tools: Toolbox, session_id: int, people: Sequence[int], now: datetime) -> None:
    for first in range(0, len(people), PEOPLE_AT_ONCE):
        _decide_together(tools, session_id, people[first : first + PEOPLE_AT_ONCE], now)


def _decide_together(tools: Toolbox, session_id: int, people: Sequence[int], now: datetime) -> None:
    try:
        _write_down(tools, session_id, people, now)
    except Exception:
        log.warning("credit is decided one by one: session=%s", session_id)
        for one in people:
            with apart(f"{DECIDING}{session_id}", one, now=now):
                _write_down(tools, session_id, [one], now)
        return
    what = f"{DECIDING}{session_id}"
    with read_db() as db:
        failed_before = parked.known(db, what) & set(people)
    if failed_before:
        with open_db.begin() as db:
            for one in failed_before:
                parked.settled(db, what, one)


def _write_down(tools: Toolbox, session_id: int, people: Sequence[int], now: datetime) -> None:
    with open_db.begin() as db:
        fresh = credits.decide_people(
            db, session_id, people, public_url=tools.config.PUBLIC_URL, now=now
        )
    log.info(
        "credit decided: session=%s people=%s decisions=%s", session_id, len(people), len(fresh)
    )
