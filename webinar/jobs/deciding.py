"""Credit decided by the clock: after a session, a watching, a deadline, a change of a grant."""

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from webinar.db import open_db, read_db
from webinar.jobs.toolbox import Toolbox
from webinar.services import credits, redeciding

log = logging.getLogger(__name__)

# On SQLite everybody else waits meanwhile: a transaction stays well below a second.
PEOPLE_AT_ONCE = 25


def decide_due(tools: Toolbox, now: datetime) -> None:
    """Decide what is due, some people of one session in each transaction."""
    with read_db() as db:
        due = credits.due(db, now=now)
        changed = redeciding.changed(db)
    for done in changed:
        if _decide(tools, done.session_id, done.user_ids, now):
            # Last, so that a clock that is stopped between begins again.
            with open_db.begin() as db:
                redeciding.settle(db, done)
    for session_id, pairs in groupby(due, key=lambda pair: pair[0]):
        _decide(tools, session_id, [user_id for _, user_id in pairs], now)


def _decide(tools: Toolbox, session_id: int, people: Sequence[int], now: datetime) -> bool:
    """True if it went well for everybody; nobody waits for one whose case cannot be decided."""
    firsts = range(0, len(people), PEOPLE_AT_ONCE)
    parts = [people[first : first + PEOPLE_AT_ONCE] for first in firsts]
    went_well = [_decide_together(tools, session_id, part, now) for part in parts]
    return all(went_well)


def _decide_together(tools: Toolbox, session_id: int, people: Sequence[int], now: datetime) -> bool:
    try:
        with open_db.begin() as db:
            fresh = credits.decide_people(
                db, session_id, people, public_url=tools.config.PUBLIC_URL, now=now
            )
    except Exception:
        if len(people) > 1:
            went_well = [_decide_together(tools, session_id, [one], now) for one in people]
            return all(went_well)
        log.exception("credit not decided: session=%s person=%s", session_id, people[0])
        return False
    log.info(
        "credit decided: session=%s people=%s decisions=%s", session_id, len(people), len(fresh)
    )
    return True
