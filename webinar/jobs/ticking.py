"""One tick, run: under its lock, in its time, and written down."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError

from webinar.db import open_db, read_db
from webinar.jobs.tick_locks import TickLocks
from webinar.jobs.toolbox import Toolbox
from webinar.services import ticks

log = logging.getLogger(__name__)

# From here on a tick says so when it begins, and is left out if another clock just did it.
SELDOM_SECONDS = 30.0


class Place(StrEnum):
    """Where a tick runs: in the clock itself, handed to the engine, or mail by mail."""

    CLOCK = "clock"
    ENGINE = "engine"
    MAIL = "mail"


@dataclass(frozen=True)
class Tick:
    """What is done, and how often (seconds). `run` gets the tools and the instant.

    It asks the database what is due, and may run twice without harm. `alone`: one at a time among
    all clocks. Work that takes more than moments goes to the engine.
    """

    name: str
    every_seconds: float
    run: Callable[[Toolbox, datetime], None]
    place: Place = Place.CLOCK
    alone: bool = True


class TickRunner:
    """Runs ticks for one process."""

    def __init__(self, tools: Toolbox, locks: TickLocks, *, owner: str) -> None:
        self.tools = tools
        self.owner = owner
        self._locks = locks
        # Of each tick, when it was written down last (monotonic seconds), and how it went.
        self._written: dict[str, tuple[float, str | None]] = {}
        self._failures: dict[str, int] = {}

    def run(self, tick: Tick, *, now: datetime, even_if_just_done: bool = False) -> bool:
        """True if it ran here; what goes wrong is written down and stops nobody else."""
        try:
            if not tick.alone:
                self._run(tick, now)
                return True
            with self._locks.held(tick.name) as is_ours:
                if not is_ours or not (even_if_just_done or self.is_time(tick, now=now)):
                    return False
                self._run(tick, now)
                return True
        except SQLAlchemyError as error:
            # No lock, or no row: the database is away, and the next tick asks again.
            self._tell(tick, error)
            return False

    def is_time(self, tick: Tick, *, now: datetime) -> bool:
        """False if another process did it within the last half of its pause."""
        if tick.place is Place.CLOCK and tick.every_seconds < SELDOM_SECONDS:
            return True
        with read_db() as db:
            last = ticks.last(db, tick.name)
        if last is None or last.owner == self.owner or last.ended_at is None or last.failures:
            return True
        # What began later than now began before the system's clock was set back.
        return not now - timedelta(seconds=tick.every_seconds / 2) < last.began_at <= now

    def _run(self, tick: Tick, now: datetime) -> None:
        if tick.every_seconds >= SELDOM_SECONDS or tick.place is Place.ENGINE:
            with open_db.begin() as db:
                ticks.began(db, tick.name, owner=self.owner, now=now)
        began = time.monotonic()
        problem: str | None = None
        try:
            tick.run(self.tools, now)
        except Exception as error:
            # The one place that must go on: tomorrow's reminders do not wait for today's bug.
            problem = repr(error)
            self._tell(tick, error)
        else:
            self._failures.pop(tick.name, None)
        took = timedelta(seconds=time.monotonic() - began)
        self._write(tick, problem, began_at=now, ended_at=now + took)

    def _write(
        self, tick: Tick, problem: str | None, *, began_at: datetime, ended_at: datetime
    ) -> None:
        at, before = self._written.get(tick.name, (-1e9, None))
        is_often = tick.every_seconds < ticks.WRITTEN_EVERY.total_seconds()
        is_fresh = time.monotonic() - at < ticks.WRITTEN_EVERY.total_seconds()
        if is_often and is_fresh and before == problem and tick.place is not Place.ENGINE:
            return
        with open_db.begin() as db:
            ticks.ended(
                db, tick.name, owner=self.owner, began_at=began_at, error=problem, now=ended_at
            )
        self._written[tick.name] = (time.monotonic(), problem)

    def _tell(self, tick: Tick, error: Exception) -> None:
        """The whole story at first, then a line the 2nd, 4th, 8th time, so that the log is read."""
        count = self._failures[tick.name] = self._failures.get(tick.name, 0) + 1
        if count == 1:
            log.error("tick failed: %s", tick.name, exc_info=error)
        elif count & (count - 1) == 0:
            log.error("tick failed for the %sth time: %s: %r", count, tick.name, error)


def moment() -> datetime:
    """What the clock shows."""
    return datetime.now(UTC)
