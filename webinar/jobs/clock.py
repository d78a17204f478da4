"""The clock: every few seconds, do what the database says is due. The home of APScheduler.

Nothing is stored in the scheduler: a tick asks the database, so a missed one is caught up, a
second clock does no harm, and moving a session is one UPDATE.
"""

import logging
import signal
import time
from datetime import UTC, datetime
from threading import Event, Thread
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import SQLAlchemyError

from config import Config
from webinar.db import is_read_only, look_again
from webinar.jobs import (
    apart,
    attention,
    backing_up,
    certificates,
    deciding,
    destroying,
    encoding,
    evaluating,
    faculty,
    forgetting,
    freezing,
    living,
    mail,
    proving,
    receiving,
    rehearsing,
    reminding,
    rooms,
    season,
    uploading,
)
from webinar.jobs.engine import Engine, Timings
from webinar.jobs.engine_in_process import InProcessEngine
from webinar.jobs.engine_queue import QueueEngine
from webinar.jobs.tick_locks import locks_for
from webinar.jobs.ticking import Place, Tick, TickRunner, moment
from webinar.jobs.toolbox import Toolbox
from webinar.jobs.workers import own_name
from webinar.services.processes import SAID_EVERY

log = logging.getLogger(__name__)

MEND_SECONDS = 5
WATCH_SECONDS = 1.0
# The system's clock set back by more would hold every tick up for that long.
SET_BACK_SECONDS = 2.0

# What is done, how often (seconds), and by which question to the database: the due query stands
# in the function, above the work. Unless it says otherwise, a tick runs in the clock itself.
TICKS = (
    Tick("send mails that are due", 1, mail.deliver_due, Place.MAIL, alone=False),
    Tick("keep an encoder on every broadcast", 1, encoding.supervise),
    Tick("listen for programs that send", 1, receiving.supervise),
    Tick("keep a picture on every rehearsal", 1, rehearsing.supervise),
    Tick("package videos that were sent", 2, uploading.supervise),
    Tick("decide credit", 5, deciding.decide_due, Place.ENGINE),
    Tick("set certificates", 10, certificates.set_certificates, Place.ENGINE),
    Tick("tend rooms of others", 5, rooms.tend, Place.ENGINE),
    Tick("close recordings whose window is over", 10, season.close_recordings),
    Tick("destroy recordings that have ended", 30, destroying.destroy_ended),
    Tick("end sessions whose hour is over", 30, season.end_past_sessions),
    Tick("warn of recordings that close", 60, reminding.warn_of_closing),
    Tick("fetch recordings from rooms of others", 60, rooms.fetch_recordings, Place.ENGINE),
    Tick("freeze evidence that is complete", 60, freezing.freeze_due, Place.ENGINE),
    Tick("vouch for checks nobody answered", 60, attention.vouch_for_lapsed),
    Tick("remind the faculty of what is missing", 60, faculty.remind_faculty),
    Tick("owe reminders to places without", 3600, reminding.owe_missing_reminders),
    Tick("remind people of credit that waits", 300, reminding.remind_of_credit),
    Tick("write of the week's sessions", 300, reminding.write_of_the_week),
    Tick("ask for reports that are due", 3600, reminding.ask_for_reports),
    Tick("take backups that are due", 60, backing_up.back_up_due),
    Tick("delete backups whose time is over", 300, backing_up.delete_old),
    Tick("mix evaluations", 3600, evaluating.mix),
    Tick("look for remains of destroyed recordings", 3600, destroying.reconcile),
    Tick("forget videos nobody went on sending", 3600, uploading.forget_leftovers),
    Tick("forget files of nobody", 3600, faculty.forget_files),
    Tick("forget pictures of slides", 3600, rehearsing.forget_slide_pages),
    Tick("forget what was kept long enough", 3600, forgetting.forget_due),
    Tick("forget what failed once and is due no more", 3600, apart.forget_stale),
    Tick("prove that recordings have ended", 600, proving.prove_ends),
)


def plan() -> dict[str, float]:
    """Every tick by name, and how often it runs (seconds)."""
    return {tick.name: tick.every_seconds for tick in TICKS}


def run_once(tools: Toolbox, *, now: datetime) -> list[str]:
    """Every tick here and now, one after the other; the names of those that another clock is at.

    A tick that fails does not stop the next.
    """
    locks = locks_for(tools.config)
    runner = TickRunner(tools, locks, owner=own_name())
    try:
        return [
            tick.name for tick in TICKS if not runner.run(tick, now=now, even_if_just_done=True)
        ]
    finally:
        locks.close()


def start_in_background(tools: Toolbox, timings: Timings | None = None) -> "Clock":
    """The clock as threads of this process: the laptop's way. Shut it down when you end."""
    clock = Clock(tools, BackgroundScheduler(**_options()), timings or Timings())
    clock.start()
    return clock


def run_for_ever(tools: Toolbox, timings: Timings | None = None) -> None:
    """The clock as a process of its own; returns when it is interrupted or told to end."""
    clock = Clock(tools, BlockingScheduler(**_options()), timings or Timings())
    signal.signal(signal.SIGTERM, _end)
    try:
        clock.start()
    except (KeyboardInterrupt, SystemExit):
        log.info("clock ends")
    finally:
        clock.shutdown()


class EverySoOften(IntervalTrigger):  # type: ignore[misc] # it has no types
    """An interval that leaps over what was missed.

    The scheduler lists every time between the last one and now, to run once for all of them. After
    the system's clock leapt ahead by months those are millions, and it stands still for minutes.
    """

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """The first one after now; as the scheduler asks for it."""
        following: datetime | None = super().get_next_fire_time(previous_fire_time, now)
        if following is not None and following <= now:
            following += ((now - following) // self.interval + 1) * self.interval
        return following


class Clock:
    """A scheduler with its ticks, its locks, and the engine it hands work to."""

    def __init__(self, tools: Toolbox, scheduler: BaseScheduler, timings: Timings) -> None:
        self.owner = own_name()
        self._started_at = moment()
        self._locks = locks_for(tools.config)
        self._runner = TickRunner(tools, self._locks, owner=self.owner)
        self._engine = self._engine_for(tools, timings)
        self._scheduler = scheduler
        self._end = Event()
        self._watch = Thread(target=self._watch_time, name="watch of the time", daemon=True)

    def start(self) -> None:
        """Begin; a blocking scheduler returns only at its end."""
        # It would warn each second of a tick that takes longer than its pause, which is allowed.
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        own = (
            Tick("say that the clock lives", SAID_EVERY.total_seconds(), self._say, alone=False),
            Tick("mend the workers' queue", MEND_SECONDS, self._mend),
        )
        for tick in (*TICKS, *own):
            self._scheduler.add_job(
                lambda tick=tick: self._tick(tick),
                EverySoOften(seconds=tick.every_seconds, timezone=UTC),
                id=tick.name,
                name=tick.name,
                next_run_time=moment(),
            )
        self._watch.start()
        self._scheduler.start()

    def shutdown(self, wait: bool = True) -> None:
        """Begin no other tick; with `wait`, mails that are being handed over go out first."""
        self._end.set()
        if self._watch.is_alive():
            self._watch.join()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=wait)
        self._engine.stop(wait=wait)
        self._locks.close()
        try:
            living.say_goodbye(self.owner)
        except SQLAlchemyError:
            log.warning("the database does not hear that the clock ends")

    def bring_forward(self) -> None:
        """Every tick is due now; those that were due at times that lie far off, too."""
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=moment())

    def _watch_time(self) -> None:
        """The scheduler takes the system's time, which may be set back; this one looks."""
        before = _ahead()
        while not self._end.wait(WATCH_SECONDS):
            ahead = _ahead()
            if ahead < before - SET_BACK_SECONDS:
                log.warning("the system's clock was set back by %.0f s", before - ahead)
                self.bring_forward()
            before = ahead

    def _tick(self, tick: Tick) -> None:
        if _rests():
            return
        now = moment()
        if tick.place is Place.CLOCK:
            self._runner.run(tick, now=now)
        elif tick.place is Place.MAIL:
            self._runner.run(Tick(tick.name, tick.every_seconds, self._offer, alone=False), now=now)
        else:
            self._hand_out(tick, now)

    def _hand_out(self, tick: Tick, now: datetime) -> None:
        try:
            if self._runner.is_time(tick, now=now):
                self._engine.hand_out(tick, now=now)
        except SQLAlchemyError:
            # Said by the other ticks as well; the next one asks again.
            log.warning("the database does not answer: %s", tick.name)

    def _run_here(self, tick: Tick, now: datetime) -> None:
        self._runner.run(tick, now=now)

    def _offer(self, _tools: Toolbox, now: datetime) -> None:
        self._engine.offer_mails(now=now)

    def _mend(self, _tools: Toolbox, _now: datetime) -> None:
        self._engine.mend()

    def _say(self, _tools: Toolbox, now: datetime) -> None:
        living.say(self.owner, "clock", started_at=self._started_at, now=now)

    def _engine_for(self, tools: Toolbox, timings: Timings) -> Engine:
        if uses_queue(tools.config):
            return QueueEngine(tools.config, timings)
        return InProcessEngine(tools, self._run_here, timings)


def uses_queue(config: Config) -> bool:
    """True if the clock hands work to workers by the queue in PostgreSQL."""
    return config.ENGINE == "procrastinate"


def _ahead() -> float:
    """The system's time, less one that nobody sets (seconds)."""
    return time.time() - time.monotonic()


def _rests() -> bool:
    """True beside a replica, until it is promoted: what is due is done beside the primary."""
    if is_read_only():
        try:
            look_again()
        except SQLAlchemyError:
            return True
    return is_read_only()


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _options() -> dict[str, object]:
    # A pool that was shut down takes no work any more: every clock gets its own.
    return {
        "timezone": UTC,
        "executors": {"default": ThreadPoolExecutor(len(TICKS) + 2)},
        # A run that is over a second late would be dropped; ours are never too late.
        "job_defaults": {"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    }
