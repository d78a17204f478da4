"""A worker for each rehearsal, and the broom behind it: at its end all of it is deleted."""

import logging
import time
from datetime import UTC, datetime, timedelta

from config import Config
from webinar.db import open_db, read_db
from webinar.jobs import workers
from webinar.jobs.apart import apart
from webinar.jobs.toolbox import Toolbox
from webinar.media.rehearsal import RehearsalRooms, show
from webinar.media.slide_pages import SlidePages
from webinar.services import parked, rehearsals

log = logging.getLogger(__name__)

RENEW_SECONDS = 1.0
SLIDE_PAGES_KEPT = timedelta(days=1)
SWEEPING = "sweeping a rehearsal"

_workers = workers.Workers("rehearse", start_seconds=20.0)


def supervise(tools: Toolbox, now: datetime) -> None:
    """End rehearsals that are due to, keep a worker on the others, sweep what is over."""
    with read_db() as db:
        waiting = rehearsals.without_worker(db, now=now)
        over = rehearsals.to_sweep(db, now=now)
        not_now = parked.waiting(db, SWEEPING, now=now) if over else set()
    if waiting or over:
        with open_db.begin() as db:
            rehearsals.stop_due(db, now=now)
    rooms = RehearsalRooms(tools.config.DATA_DIR.resolve())
    for rehearsal in over:
        if rehearsal.id in not_now:
            continue
        with apart(SWEEPING, rehearsal.id, now=now), open_db.begin() as db:
            rooms.delete(rehearsal.public_id)
            db.merge(rehearsal).swept_at = now
            log.info("rehearsal swept: rehearsal=%s", rehearsal.id)
    _workers.start(tools.config, waiting)


def work(config: Config, rehearsal_id: int) -> bool:
    """Make a rehearsal's picture until it is over; False if another does or it is over."""
    owner = workers.own_name()
    with open_db.begin() as db:
        public_id = rehearsals.claim(db, rehearsal_id, owner=owner, now=datetime.now(UTC))
    if public_id is None:
        return False
    rooms = RehearsalRooms(config.DATA_DIR.resolve())
    lease = _Lease(rehearsal_id, owner)
    try:
        show(rooms, public_id, is_over=lease.is_over)
    finally:
        with open_db.begin() as db:
            rehearsals.release(db, rehearsal_id, owner=owner)
    return True


def forget_slide_pages(tools: Toolbox, now: datetime) -> None:
    """Delete pictures of slides that nobody has asked for since yesterday."""
    SlidePages(tools.config.DATA_DIR.resolve()).forget(older_than=now - SLIDE_PAGES_KEPT)


class _Lease:
    """Kept while the rehearsal is on."""

    def __init__(self, rehearsal_id: int, owner: str) -> None:
        self.rehearsal_id = rehearsal_id
        self.owner = owner
        self.renewed_at = time.monotonic()
        self.was_lost = False

    def is_over(self) -> bool:
        if not self.was_lost and time.monotonic() - self.renewed_at >= RENEW_SECONDS:
            now = datetime.now(UTC)
            with open_db.begin() as db:
                # A clock that stands still must not let a rehearsal go on for ever.
                rehearsals.stop_due(db, now=now)
                kept = rehearsals.renew(db, self.rehearsal_id, owner=self.owner, now=now)
            self.was_lost = not kept
            self.renewed_at = time.monotonic()
        return self.was_lost
