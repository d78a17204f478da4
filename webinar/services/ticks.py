"""What the clock did: when each tick ran last, whether it went well, and how late it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from webinar.db import DbSession
from webinar.models import TickRun

# A tick of every second is not written down every second.
WRITTEN_EVERY = timedelta(seconds=10)
LONGEST_ERROR = 2000

_plan: dict[str, float] = {}


@dataclass(frozen=True)
class Lateness:
    """How far one tick is behind; `seconds` is None if it never went well."""

    name: str
    every_seconds: float
    succeeded_at: datetime | None
    seconds: float | None
    failures: int


def bind(plan: Mapping[str, float]) -> None:
    """Say which ticks there are, and how often each is to run (seconds)."""
    _plan.clear()
    _plan.update(plan)


def plan() -> dict[str, float]:
    """The ticks there are, and how often each is to run (seconds)."""
    return dict(_plan)


def began(db: DbSession, name: str, *, owner: str, now: datetime) -> None:
    """It is at work; kept of ticks that may take long."""
    row = _row(db, name, owner=owner, now=now)
    row.owner = owner
    row.began_at = now
    row.ended_at = None


def ended(
    db: DbSession,
    name: str,
    *,
    owner: str,
    began_at: datetime,
    error: str | None = None,
    now: datetime,
) -> None:
    """It is done, well or with an error."""
    row = _row(db, name, owner=owner, now=began_at)
    row.owner = owner
    row.began_at = began_at
    row.ended_at = now
    row.milliseconds = max(0, round((now - began_at).total_seconds() * 1000))
    if error is None:
        row.succeeded_at = now
        row.failures = 0
        row.last_error = None
    else:
        row.failures += 1
        row.last_error = error[:LONGEST_ERROR]


def last(db: DbSession, name: str) -> TickRun | None:
    """The last run of one tick, by whichever clock."""
    return db.get(TickRun, name)


def runs(db: DbSession) -> list[TickRun]:
    """The last run of every tick that ever ran, by name."""
    return list(db.scalars(select(TickRun).order_by(TickRun.name)))


def lateness(db: DbSession, *, now: datetime) -> list[Lateness]:
    """How far each planned tick is behind, in the order of the plan; 0 for those in time.

    A tick is late if its last success is longer ago than its pause, with the time it may take
    until a success is written down. One in the future is as far off: the time was set back, and
    a clock that lives writes down a new one.
    """
    known = {run.name: run for run in runs(db)}
    return [_late(name, every, known.get(name), now) for name, every in _plan.items()]


def _late(name: str, every_seconds: float, run: TickRun | None, now: datetime) -> Lateness:
    if run is None or run.succeeded_at is None:
        return Lateness(name, every_seconds, None, None, run.failures if run else 0)
    allowed = every_seconds + 2 * WRITTEN_EVERY.total_seconds()
    behind = abs(now - run.succeeded_at).total_seconds() - allowed
    return Lateness(name, every_seconds, run.succeeded_at, max(0.0, behind), run.failures)


def _row(db: DbSession, name: str, *, owner: str, now: datetime) -> TickRun:
    row = db.get(TickRun, name, with_for_update=True)
    if row is not None:
        return row
    try:
        with db.begin_nested():
            row = TickRun(name=name, owner=owner, began_at=now, failures=0, milliseconds=0)
            db.add(row)
    except IntegrityError:  # another clock wrote its first run in the same moment
        row = db.get_one(TickRun, name, with_for_update=True)
    return row
