"""Attention checks nobody answered: that, too, is kept so that it cannot be changed."""

import logging
from datetime import datetime

from webinar.db import open_db
from webinar.jobs.toolbox import Toolbox
from webinar.services.evidence import checks

log = logging.getLogger(__name__)


def vouch_for_lapsed(_tools: Toolbox, now: datetime) -> None:
    """Chain what lapsed since the last look."""
    with open_db.begin() as db:
        lapsed = checks.vouch_for_lapsed(db, now=now)
    if lapsed:
        log.info("attention checks went unanswered: checks=%s", lapsed)
