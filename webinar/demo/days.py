"""On which days the demonstration season happens: so many evenings back, so many ahead."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from webinar.domain.series import PlannedSession, SeriesRule, plan
from webinar.domain.timezone import to_local

ZONE = "Europe/Zurich"
MINUTES = 45
# An evening is past once its recording could be ready.
SETTLED = timedelta(hours=1)
# Further ahead than this nothing is announced yet.
DRAFT_DAYS_AHEAD = 130

WEEKLY = SeriesRule("FREQ=WEEKLY;BYDAY=TH", time(18, 15), MINUTES, ZONE)
MONTHLY = SeriesRule("FREQ=MONTHLY;BYDAY=1TU", time(18, 15), MINUTES, ZONE)


@dataclass(frozen=True)
class Break:
    """A day on which a series does not meet, and why."""

    day: date
    reason: str


@dataclass(frozen=True)
class Days:
    """The dates of a series, earliest first."""

    first_day: date
    last_day: date
    breaks: tuple[Break, ...]
    past: tuple[PlannedSession, ...]
    ahead: tuple[PlannedSession, ...]


def days_around(now: datetime, rule: SeriesRule, *, past: int, days_ahead: int) -> Days:
    """The last `past` evenings of the rule before now, and all within `days_ahead`."""
    today = to_local(now, rule.zone).date()
    # A month holds one review: so far back that breaks cannot make the evenings too few.
    earliest = today - timedelta(days=31 * (past + 3))
    last_day = today + timedelta(days=days_ahead)
    every = plan(rule, first_day=earliest, last_day=last_day)
    meeting = [date_ for date_ in every if break_reason(date_.local_start.date()) is None]
    over = [date_ for date_ in meeting if date_.ends_at + SETTLED <= now]
    first_day = over[-past].local_start.date()
    return Days(
        first_day=first_day,
        last_day=last_day,
        breaks=tuple(
            Break(day, reason)
            for day in (date_.local_start.date() for date_ in every)
            if day > first_day and (reason := break_reason(day)) is not None
        ),
        past=tuple(over[-past:]),
        ahead=tuple(date_ for date_ in meeting if date_.ends_at + SETTLED > now),
    )


def break_reason(day: date) -> str | None:
    """Why nobody meets on the day; None if they do."""
    if day.month == 8 and day.day <= 21:
        return "Summer break"
    if (day.month, day.day) in ((12, 24), (12, 25), (12, 26)):
        return "Christmas"
    if (day.month, day.day) in ((12, 31), (1, 1), (1, 2)):
        return "New Year"
    return None
