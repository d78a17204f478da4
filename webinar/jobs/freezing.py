"""Evidence frozen by the clock, once no beat can change it any more."""

import logging
from datetime import datetime

from webinar.db import open_db, read_db
from webinar.jobs.apart import apart
from webinar.jobs.toolbox import Toolbox
from webinar.services import parked
from webinar.services.evidence import freezing

log = logging.getLogger(__name__)

# On SQLite everybody else waits meanwhile: a transaction stays well below a second.
PASSES_AT_ONCE = 500
ROUNDS = 200
FREEZING = "freezing evidence of a session"
CLOSING = "closing evidence of a session"


def freeze_due(_tools: Toolbox, now: datetime) -> None:
    """Freeze passes that have ended, and close the evidence of sessions when it is whole."""
    for _ in range(ROUNDS):
        with read_db() as db:
            not_now = parked.waiting(db, FREEZING, now=now)
            due = freezing.due(db, now=now, most=PASSES_AT_ONCE, but=not_now)
        if not due:
            break
        for session_id, pass_ids in due:
            with apart(FREEZING, session_id, now=now):
                with open_db.begin() as db:
                    frozen = freezing.freeze(db, session_id, pass_ids, now=now)
                log.info("evidence frozen: session=%s passes=%s", session_id, frozen)
    with read_db() as db:
        ready = parked.ready(db, CLOSING, freezing.ready_to_close(db, now=now), now=now)
    for session_id in ready:
        with apart(CLOSING, session_id, now=now), open_db.begin() as db:
            freezing.close(db, session_id, now=now)
            log.info("evidence closed: session=%s", session_id)
