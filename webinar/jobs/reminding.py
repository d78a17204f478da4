"""What the clock owes people in mails of its own: all but what a change causes is owed here."""

import logging
from collections.abc import Callable
from datetime import datetime

from webinar.db import DbSession, open_db
from webinar.jobs.toolbox import Toolbox
from webinar.services import (
    closing_warnings,
    credit_reminders,
    digests,
    reminders,
    report_reminders,
)

log = logging.getLogger(__name__)


def owe_missing_reminders(_tools: Toolbox, now: datetime) -> None:
    """Owe reminders to places that have none."""
    # Two kinds of them, each a portion: there may be more until nothing is owed.
    _in_portions("places had no reminder", lambda db: reminders.owe_missing(db, now=now), most=1)


def remind_of_credit(_tools: Toolbox, now: datetime) -> None:
    """Owe reminders of evaluations and tests."""
    _in_portions(
        "credit waits for people",
        lambda db: credit_reminders.remind_due(db, now=now),
        most=credit_reminders.IDS_AT_ONCE,
    )


def warn_of_closing(_tools: Toolbox, now: datetime) -> None:
    """Owe the mails that warn of the end of a recording."""
    _in_portions(
        "recordings close soon",
        lambda db: closing_warnings.warn_due(db, now=now),
        most=closing_warnings.AT_ONCE,
    )


def write_of_the_week(_tools: Toolbox, now: datetime) -> None:
    """Owe the week's digest where it is Monday morning."""
    _in_portions(
        "the sessions of the week",
        lambda db: digests.owe_due(db, now=now),
        most=digests.AT_ONCE,
    )


def ask_for_reports(_tools: Toolbox, now: datetime) -> None:
    """Owe mails about reports whose last day comes near."""
    with open_db.begin() as db:
        owed = report_reminders.owe_due(db, now=now)
    if owed:
        log.info("reports are due: owed=%s", owed)


def _in_portions(why: str, owe: Callable[[DbSession], int], *, most: int) -> None:
    """Each in a transaction of its own, until one has fewer than `most`."""
    owed = most
    while owed >= most:
        with open_db.begin() as db:
            owed = owe(db)
        if owed:
            log.info("%s: owed=%s", why, owed)
