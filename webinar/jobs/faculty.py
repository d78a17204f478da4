"""What the clock does for the faculty: reminders of what is missing, and files of nobody."""

import logging
from datetime import datetime, timedelta

from webinar.db import open_db, read_db
from webinar.jobs.apart import apart
from webinar.jobs.toolbox import Toolbox
from webinar.media.faculty_files import faculty_files
from webinar.services import faculty, faculty_links, parked, season_changes

log = logging.getLogger(__name__)

REMINDING = "reminding of what is missing"
# A file is stored before its row: a young one may be on its way.
ORPHANED_AFTER = timedelta(days=1)


def remind_faculty(_tools: Toolbox, now: datetime) -> None:
    """Owe reminders 21, 10 and 3 days before the session; one transaction each."""
    with read_db() as db:
        due = faculty_links.reminders_due(db, now=now)
        not_now = parked.waiting(db, REMINDING, now=now) if due else set()
    for reminder in due:
        if reminder.member_id in not_now:
            continue
        with apart(REMINDING, reminder.member_id, now=now), open_db.begin() as db:
            faculty_links.remind_by_clock(db, reminder, now=now)
            log.info("faculty reminded: member=%s days=%s", reminder.member_id, reminder.days)


def forget_files(tools: Toolbox, now: datetime) -> None:
    """Delete files whose member, session or newer version left them behind."""
    files = faculty_files(tools.config.DATA_DIR)
    left_behind = files.older_than(now - ORPHANED_AFTER)
    if not left_behind:
        return
    with read_db() as db:
        known = faculty.stored_keys(db) | season_changes.file_keys(db, now=now)
    for name in left_behind - known:
        files.delete(name)
        log.info("faculty file deleted: %s", name)
