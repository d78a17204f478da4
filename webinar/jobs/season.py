"""What the season does by itself: sessions end, recordings close."""

import logging
from datetime import datetime

from webinar.db import open_db, read_db
from webinar.jobs.apart import apart
from webinar.jobs.toolbox import Toolbox
from webinar.services import broadcasts, parked, sessions, windows
from webinar.services.feeds import refresh

log = logging.getLogger(__name__)

STOPPING = "stopping a broadcast"
ENDING = "ending a session"
CLOSING = "closing a recording"


def end_past_sessions(tools: Toolbox, now: datetime) -> None:
    """End sessions that never went live, and broadcasts nobody stopped; one transaction each."""
    with read_db() as db:
        forgotten = parked.ready(db, STOPPING, broadcasts.forgotten(db, now=now), now=now)
        never_live = parked.ready(db, ENDING, sessions.past_and_not_ended(db, now=now), now=now)
    for session_id in forgotten:
        with apart(STOPPING, session_id, now=now), open_db.begin() as db:
            session = broadcasts.stop(db, session_id, user_id=None, now=now)
            refresh(db, session, calendar=tools.calendar, now=now)
            log.info("forgotten broadcast is stopped: session=%s", session_id)
    for session_id in never_live:
        with apart(ENDING, session_id, now=now), open_db.begin() as db:
            sessions.end_unaired(db, session_id, calendar=tools.calendar, now=now)
            log.info("session ends without a broadcast: session=%s", session_id)


def close_recordings(_tools: Toolbox, now: datetime) -> None:
    """Mark recordings closed whose window is over; the window itself holds at every request."""
    with read_db() as db:
        due = parked.ready(db, CLOSING, windows.due_to_close(db, now=now), now=now)
    for recording_id in due:
        with apart(CLOSING, recording_id, now=now), open_db.begin() as db:
            windows.close(db, recording_id, now=now)
            log.info("recording closes: recording=%s", recording_id)
