"""Evaluations: what was answered is taken away from when, and after whom, it was answered."""

from datetime import datetime

from webinar.db import open_db
from webinar.jobs.toolbox import Toolbox
from webinar.services import evaluations


def mix(_tools: Toolbox, now: datetime) -> None:
    """Lay the answers anew that came lately. Nothing is logged: how many would tell when."""
    with open_db.begin() as db:
        evaluations.mix(db, now=now)
