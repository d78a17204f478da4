"""A rule -> planned dates, expanded over naive wall times and then placed in the series' zone.

Only in this order does 18:15 stay 18:15 over a clock change; an aware start would keep the offset
of its first date.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import dropwhile, islice, takewhile
from typing import Literal

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday

from webinar.domain.errors import DomainError
from webinar.domain.recurrence import Frequency, RuleDay, RuleParts, parse
from webinar.domain.recurrence_words import days_in_words, in_words
from webinar.domain.timezone import to_utc, zone_named
from webinar.domain.wording import city_of_zone

LONGEST_MINUTES = 12 * 60
LONGEST_SPAN_DAYS = 3 * 366
LONGEST_HISTORY_DAYS = 20 * 366
MOST_DATES = 500
COUNT = re.compile(r"COUNT=\d+", re.IGNORECASE | re.ASCII)

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
class RuleRow:
    """One rule of a series as it is kept: what a SeriesRule says, but for the series' own facts.

    "Every 2 weeks" and COUNT are counted from `first_day`; `last_day` is included.
    """

    rule: str
    local_start: time
    duration_minutes: int
    first_day: date
    last_day: date | None = None

    def of_series(self, zone: str, exceptions: frozenset[date] = frozenset()) -> SeriesRule:
        """The rule with the zone and the breaks of its series."""
        return SeriesRule(
            rule=self.rule,
            local_start=self.local_start,
            duration_minutes=self.duration_minutes,
            zone=zone,
            exceptions=exceptions,
            starts_on=self.first_day,
            ends_on=self.last_day,
        )


@dataclass(frozen=True)
class PlannedSession:
    """One date of a plan: instants in UTC, and the naive wall time they were made from."""

    starts_at: datetime
    ends_at: datetime
    local_start: datetime
    zone: str


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
    if not rules:
        raise NoDates("The series has no rule yet. Say when it meets.")
    by_day: dict[date, PlannedSession] = {}
    # A rule that ended long ago must not refuse a span which lies too far from its start.
    holding = [rule for rule in rules if rule.ends_on is None or rule.ends_on >= first_day]
    refusal: NoDates | None = None
    for rule in holding or rules[-1:]:
        try:
            planned = plan(rule, first_day=first_day, last_day=last_day)
        except NoDates as none:
            refusal = none
            continue
        for session in planned:
            by_day.setdefault(session.local_start.date(), session)
    if not by_day and refusal is not None:
        raise refusal
    if len(by_day) > MOST_DATES:
        raise _too_many()
    return [by_day[day] for day in sorted(by_day)]


def continued(row: RuleRow, day: date) -> RuleRow | None:
    """The rule as it goes on from a day: it begins at its first date then, in the same weeks.

    What COUNT leaves is carried over. None if no date is left; raises UnknownRule.
    """
    if row.first_day >= day:
        return row
    if row.last_day is not None and row.last_day < day:
        return None
    parts = parse(row.rule)
    walls = takewhile(
        lambda wall: wall.date() <= (row.last_day or date.max),
        _expanded(row.of_series("UTC"), parts, row.first_day),
    )
    for gone, wall in enumerate(walls):
        if wall.date() >= day:
            rule = row.rule
            if parts.count:
                rule = COUNT.sub(f"COUNT={parts.count - gone}", rule)
            return replace(row, rule=rule, first_day=wall.date())
    return None


def describe(rule: SeriesRule) -> str:
    """The rule in plain words: "every Thursday"; raises UnknownRule."""
    return in_words(_with_its_day(rule))


def rhythm(rule: SeriesRule) -> str:
    """When it meets, as people say it: "every Thursday, 18:15 Zurich time, 45 minutes".

    How it ends stands last: ", 10 times from 26 November 2026", ", until 30 June 2027".
    """
    parts = _with_its_day(rule)
    words = (
        f"{days_in_words(parts)}, {rule.local_start:%H:%M} {city_of_zone(rule.zone)} time, "
        f"{rule.duration_minutes} minutes"
    )
    if parts.count and rule.starts_on:
        times = "once" if parts.count == 1 else f"{parts.count} times"
        words += f", {times} from {_spoken(rule.starts_on)}"
    elif parts.count:
        words += f", {parts.count} times"
    ends = [day for day in (parts.until, rule.ends_on) if day]
    return f"{words}, until {_spoken(min(ends))}" if ends else words


def _with_its_day(rule: SeriesRule) -> RuleParts:
    """A weekly rule that names no day meets on the weekday on which it starts."""
    parts = parse(rule.rule)
    weekly_without_day = parts.frequency is Frequency.WEEKLY and not parts.days
    if weekly_without_day and rule.starts_on:
        return replace(parts, days=(RuleDay(rule.starts_on.weekday()),))
    return parts


def _walls(rule: SeriesRule, parts: RuleParts, first_day: date, last_day: date) -> list[datetime]:
    anchor = rule.starts_on or first_day
    last_day = min(last_day, rule.ends_on or last_day)
    dates = takewhile(lambda wall: wall.date() <= last_day, _expanded(rule, parts, anchor))
    wanted = dropwhile(lambda wall: wall.date() < first_day, dates)
    walls = list(islice(wanted, MOST_DATES + 1))
    if len(walls) > MOST_DATES:
        raise _too_many()
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


def _too_many() -> TooManyDates:
    return TooManyDates(
        f"The rule names more than {MOST_DATES} dates. Plan a shorter time or fewer days."
    )


def _spoken(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
