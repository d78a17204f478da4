"""The clock: every few seconds, do what the database says is due. The home of APScheduler.

Nothing is stored in the scheduler: a tick asks the database, so a missed one is caught up, a
second clock does no harm, and moving a session is one UPDATE.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler

from webinar.jobs import (
    attention,
    certificates,
    deciding,
    destroying,
    encoding,
    evaluating,
    faculty,
    freezing,
    mail,
    receiving,
    rehearsing,
    rooms,
    season,
    uploading,
)
from webinar.jobs.toolbox import Toolbox

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tick:
    """What is done, and how often (seconds). `run` gets the tools and the instant."""

    name: str
    every_seconds: float
    run: Callable[[Toolbox, datetime], None]


TICKS = (
    Tick("send mails that are due", 1, mail.deliver_due),
    Tick("keep an encoder on every broadcast", 1, encoding.supervise),
    Tick("listen for programs that send", 1, receiving.supervise),
    Tick("keep a picture on every rehearsal", 1, rehearsing.supervise),
    Tick("package videos that were sent", 2, uploading.supervise),
    Tick("decide credit", 5, deciding.decide_due),
    Tick("set certificates", 10, certificates.set_certificates),
    Tick("tend rooms of others", 5, rooms.tend),
    Tick("close recordings whose window is over", 10, season.close_recordings),
    Tick("destroy recordings that have ended", 30, destroying.destroy_ended),
    Tick("end sessions whose hour is over", 30, season.end_past_sessions),
    Tick("warn of recordings that close", 60, season.warn_of_closing),
    Tick("fetch recordings from rooms of others", 60, rooms.fetch_recordings),
    Tick("freeze evidence that is complete", 60, freezing.freeze_due),
    Tick("vouch for checks nobody answered", 60, attention.vouch_for_lapsed),
    Tick("remind the faculty of what is missing", 60, faculty.remind_faculty),
    Tick("mix evaluations", 3600, evaluating.mix),
    Tick("look for remains of destroyed recordings", 3600, destroying.reconcile),
    Tick("forget videos nobody went on sending", 3600, uploading.forget_leftovers),
    Tick("forget files of nobody", 3600, faculty.forget_files),
    Tick("forget pictures of slides", 3600, rehearsing.forget_slide_pages),
)


def run_once(tools: Toolbox, *, now: datetime) -> None:
    """Every tick, one after the other; a tick that fails does not stop the next."""
    for tick in TICKS:
        _run(tick, tools, now)


def start_in_background(tools: Toolbox) -> BaseScheduler:
    """The clock as threads of this process: the laptop's way. Shut it down when you end."""
    scheduler = _with_ticks(BackgroundScheduler(**_options()), tools)
    scheduler.start()
    return scheduler


def run_for_ever(tools: Toolbox) -> None:
    """The clock as a process of its own; returns when it is interrupted."""
    scheduler = _with_ticks(BlockingScheduler(**_options()), tools)
    try:
        scheduler.start()
    except (KeyboardInterrupt, SystemExit):
        log.info("clock stopped")


def _options() -> dict[str, object]:
    # A pool that was shut down takes no work any more: every clock gets its own.
    return {
        "timezone": UTC,
        "executors": {"default": ThreadPoolExecutor(len(TICKS))},
        # A run that is over a second late would be dropped; ours are never too late.
        "job_defaults": {"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    }


def _with_ticks(scheduler: BaseScheduler, tools: Toolbox) -> BaseScheduler:
    for tick in TICKS:
        scheduler.add_job(
            lambda tick=tick: _run(tick, tools, datetime.now(UTC)),
            "interval",
            seconds=tick.every_seconds,
            id=tick.name,
            next_run_time=datetime.now(UTC),
        )
    return scheduler


def _run(tick: Tick, tools: Toolbox, now: datetime) -> None:
    try:
        tick.run(tools, now)
    except Exception:
        # The one place that must go on: tomorrow's reminders do not wait for today's bug.
        log.exception("tick failed: %s", tick.name)
