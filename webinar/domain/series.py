"""A rule -> planned dates, expanded over naive wall times and then placed in the series' zone.

Only in this order does 18:15 stay 18:15 over a clock change; an aware start would keep the offset
of its first date.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import dropwhile, islice, pairwise, takewhile
from typing import Literal

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday

from webinar.domain.errors import DomainError
from webinar.domain.recurrence import Frequency, RuleDay, RuleParts, parse
from webinar.domain.recurrence_words import in_words
from webinar.domain.timezone import (
    offset_changes,
    to_local,
    to_utc,
    utc_offset_minutes,
    zone_named,
)
from webinar.domain.wording import city_of_zone

LONGEST_MINUTES = 12 * 60
LONGEST_SPAN_DAYS = 3 * 366
LONGEST_HISTORY_DAYS = 20 * 366
MOST_DATES = 500
# Two zones that change their clocks on different Sundays are off for one to three weeks, twice a
# year; zones of which only one changes have two differences of months each, both of them usual.
FEWEST_USUAL_DAYS = 60

FREQUENCIES: dict[Frequency, Literal[0, 1, 2, 3]] = {
    Frequency.DAILY: DAILY,
    Frequency.WEEKLY: WEEKLY,
    Frequency.MONTHLY: MONTHLY,
    Frequency.YEARLY: YEARLY,
}


class NoDates(DomainError):
    """The rule names no date in the span."""


class ImpossibleDuration(DomainError):
    """A session cannot last that long, or that short."""


class ImpossibleSpan(DomainError):
    """The days between which to plan do not make a span that can be planned."""


class TooManyDates(DomainError):
    """More dates than anybody plans on purpose."""


@dataclass(frozen=True)
class SeriesRule:
    """When the sessions of a series happen, in the wall time of its zone.

    `rule` is RRULE text (RFC 5545, 3.3.10). `starts_on` is the day from which "every 2 weeks" and
    COUNT are counted; without it they are counted from the first day planned, so a series that is
    planned in pieces needs it. `ends_on` is the last day on which it holds.
    """

    rule: str
    local_start: time
    duration_minutes: int
    zone: str
    exceptions: frozenset[date] = field(default_factory=frozenset)
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True)
class PlannedSession:
    """One date of a plan: instants in UTC, and the naive wall time they were made from."""

    starts_at: datetime
    ends_at: datetime
    local_start: datetime
    zone: str


class NoteKind(StrEnum):
    """What a note is about."""

    CLOCKS_CHANGED = "clocks_changed"
    UNUSUAL_DIFFERENCE = "unusual_difference"


@dataclass(frozen=True)
class PlanNote:
    """A mark on one planned date; `zone` is the series' zone or the reader's it speaks of."""

    starts_at: datetime
    kind: NoteKind
    zone: str
    text: str


def plan(rule: SeriesRule, *, first_day: date, last_day: date) -> list[PlannedSession]:
    """The sessions from first_day to last_day, both included, in order.

    Raises NoDates, ImpossibleDuration, ImpossibleSpan, TooManyDates, UnknownRule, UnknownZone,
    NonexistentWallTime, AmbiguousWallTime.
    """
    parts = parse(rule.rule)
    zone_named(rule.zone)
    _ensure_duration(rule.duration_minutes)
    _ensure_span(rule, first_day, last_day)
    length = timedelta(minutes=rule.duration_minutes)
    planned = []
    for wall in _walls(rule, parts, first_day, last_day):
        starts_at = to_utc(wall, rule.zone)
        planned.append(PlannedSession(starts_at, starts_at + length, wall, rule.zone))
    if not planned:
        raise NoDates(
            f"The rule names no date from {_spoken(first_day)} to {_spoken(last_day)}. "
            "Choose other days or another rule."
        )
    return planned


def plan_together(
    rules: Sequence[SeriesRule], *, first_day: date, last_day: date
) -> list[PlannedSession]:
    """The sessions of a series that meets by several rules: once a day, by the first that names it.

    A rule that names no date in the span is no refusal while another does; raises as `plan`.
    """
    by_day: dict[date, PlannedSession] = {}
    refusal = NoDates("The series has no rule yet. Say when it meets.")
    for rule in rules:
        try:
            planned = plan(rule, first_day=first_day, last_day=last_day)
        except NoDates as none:
            refusal = none
            continue
        for session in planned:
            by_day.setdefault(session.local_start.date(), session)
    if not by_day:
        raise refusal
    return [by_day[day] for day in sorted(by_day)]


def describe(rule: SeriesRule) -> str:
    """The rule in plain words: "every Thursday"; raises UnknownRule."""
    parts = parse(rule.rule)
    weekly_without_day = parts.frequency is Frequency.WEEKLY and not parts.days
    if weekly_without_day and rule.starts_on:
        parts = replace(parts, days=(RuleDay(rule.starts_on.weekday()),))
    return in_words(parts)


def rhythm(rule: SeriesRule) -> str:
    """When it meets, as people say it: "every Thursday, 18:15 Zurich time, 45 minutes"."""
    words = (
        f"{describe(rule)}, {rule.local_start:%H:%M} {city_of_zone(rule.zone)} time, "
        f"{rule.duration_minutes} minutes"
    )
    return f"{words}, until {_spoken(rule.ends_on)}" if rule.ends_on else words


def preview_notes(
    planned: Sequence[PlannedSession], reader_zones: Iterable[str] = ("America/New_York",)
) -> list[PlanNote]:
    """Marks in the order of the plan, for each date the series' own clocks first."""
    readers = list(reader_zones)
    changed = dict(_clock_changes(planned))
    notes = []
    for session in planned:
        if session.starts_at in changed:
            notes.append(changed[session.starts_at])
        for zone in readers:
            shift = _minutes_off_usual(session, zone)
            if shift:
                notes.append(_unusual(session, zone, shift))
    return notes


def _walls(rule: SeriesRule, parts: RuleParts, first_day: date, last_day: date) -> list[datetime]:
    anchor = rule.starts_on or first_day
    last_day = min(last_day, rule.ends_on or last_day)
    dates = takewhile(lambda wall: wall.date() <= last_day, _expanded(rule, parts, anchor))
    wanted = dropwhile(lambda wall: wall.date() < first_day, dates)
    walls = list(islice(wanted, MOST_DATES + 1))
    if len(walls) > MOST_DATES:
        raise TooManyDates(
            f"The rule names more than {MOST_DATES} dates. Plan a shorter time or fewer days."
        )
    return [wall for wall in walls if wall.date() not in rule.exceptions]


def _expanded(rule: SeriesRule, parts: RuleParts, anchor: date) -> Iterator[datetime]:
    """Wall times without end; `parse` lets no rule through that would search for ever."""
    return iter(
        rrule(
            FREQUENCIES[parts.frequency],
            dtstart=datetime.combine(anchor, rule.local_start),
            interval=parts.interval,
            wkst=parts.week_start,
            count=parts.count,
            until=parts.until and datetime.combine(parts.until, time.max),
            byweekday=[weekday(day.weekday, day.ordinal) for day in parts.days] or None,
            bymonth=parts.months or None,
            bymonthday=parts.month_days or None,
            bysetpos=parts.positions or None,
        )
    )


def _ensure_duration(minutes: int) -> None:
    if minutes <= 0:
        raise ImpossibleDuration(
            "A session has to end after it starts. Give it at least one minute."
        )
    if minutes > LONGEST_MINUTES:
        raise ImpossibleDuration("A session lasts 12 hours at most. Choose an earlier end.")


def _ensure_span(rule: SeriesRule, first_day: date, last_day: date) -> None:
    if rule.local_start.tzinfo is not None:
        raise ValueError(f"a series starts at a wall time, without a zone: {rule.local_start!r}")
    if last_day < first_day:
        raise ImpossibleSpan(
            f"The last day, {_spoken(last_day)}, is before the first, {_spoken(first_day)}. "
            "Exchange them."
        )
    if (last_day - first_day).days > LONGEST_SPAN_DAYS:
        raise ImpossibleSpan("You can plan 3 years at a time. Choose an earlier last day.")
    if rule.starts_on and (first_day - rule.starts_on).days > LONGEST_HISTORY_DAYS:
        raise ImpossibleSpan(
            f"The series starts on {_spoken(rule.starts_on)}, more than 20 years before the first "
            "day to plan. Choose a later start."
        )


def _clock_changes(planned: Sequence[PlannedSession]) -> Iterable[tuple[datetime, PlanNote]]:
    for previous, session in pairwise(planned):
        before = utc_offset_minutes(previous.starts_at, session.zone)
        after = utc_offset_minutes(session.starts_at, session.zone)
        if before == after:
            continue
        last = offset_changes(session.zone, previous.starts_at, session.starts_at)[-1]
        day = to_local(last.at, session.zone)
        way = "forward" if after > before else "back"
        text = (
            f"The clocks in {city_of_zone(session.zone)} went {way} on {day.day} {day:%B}: "
            f"{session.local_start:%H:%M} is now {session.starts_at:%H:%M} UTC."
        )
        note = PlanNote(session.starts_at, NoteKind.CLOCKS_CHANGED, session.zone, text)
        yield session.starts_at, note


def _unusual(session: PlannedSession, zone: str, shift: int) -> PlanNote:
    local = to_local(session.starts_at, zone)
    size = "an hour" if abs(shift) == 60 else f"{abs(shift)} minutes"
    text = (
        f"In {city_of_zone(zone)} it starts at {local:%H:%M}, "
        f"{size} {'later' if shift > 0 else 'earlier'} than usual."
    )
    return PlanNote(session.starts_at, NoteKind.UNUSUAL_DIFFERENCE, zone, text)


def _minutes_off_usual(session: PlannedSession, zone: str) -> int:
    difference = _difference_minutes(session.starts_at, session.zone, zone)
    days = _days_per_difference(session.zone, zone, session.local_start.year)
    if days[difference] >= FEWEST_USUAL_DAYS:
        return 0
    return difference - days.most_common(1)[0][0]


@lru_cache(maxsize=256)
def _days_per_difference(series_zone: str, zone: str, year: int) -> Counter[int]:
    noons = (datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=day) for day in range(365))
    return Counter(_difference_minutes(noon, series_zone, zone) for noon in noons)


def _difference_minutes(instant: datetime, series_zone: str, zone: str) -> int:
    """How far the reader's clocks are ahead of the series'; negative west of it."""
    return utc_offset_minutes(instant, zone) - utc_offset_minutes(instant, series_zone)


def _spoken(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
