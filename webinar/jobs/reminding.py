"""What the clock owes people in mails of its own: credit that waits, the week, reports due."""

import logging
from datetime import datetime

from webinar.db import open_db
from webinar.jobs.toolbox import Toolbox
from webinar.services import credit_reminders, digests, reminders, report_reminders

log = logging.getLogger(__name__)


def owe_missing_reminders(_tools: Toolbox, now: datetime) -> None:
    """Owe reminders to places that have none; a few hundred in each transaction."""
    owed = 1
    while owed:
        with open_db.begin() as db:
            owed = reminders.owe_missing(db, now=now)
        if owed:
            log.info("places had no reminder: places=%s", owed)


def remind_of_credit(_tools: Toolbox, now: datetime) -> None:
    """Owe reminders of evaluations and tests; a few hundred in each transaction."""
    owed = credit_reminders.IDS_AT_ONCE
    while owed == credit_reminders.IDS_AT_ONCE:
        with open_db.begin() as db:
            owed = credit_reminders.remind_due(db, now=now)
        if owed:
            log.info("credit waits for people: reminders=%s", owed)


def write_of_the_week(_tools: Toolbox, now: datetime) -> None:
    """Owe the week's digest where it is Monday morning; a few hundred in each transaction."""
    owed = digests.AT_ONCE
    while owed == digests.AT_ONCE:
        with open_db.begin() as db:
            owed = digests.owe_due(db, now=now)
        if owed:
            log.info("the sessions of the week: mails=%s", owed)


def ask_for_reports(_tools: Toolbox, now: datetime) -> None:
    """Owe mails about reports whose last day comes near."""
    with open_db.begin() as db:
        owed = report_reminders.owe_due(db, now=now)
    if owed:
        log.info("reports are due: mails=%s", owed)
