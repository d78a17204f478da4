"""A rule in plain words, as it stands beside the name of a series."""

from collections.abc import Sequence

from webinar.domain.recurrence import Frequency, RuleParts
from webinar.domain.wording import LONG_MONTHS, LONG_WEEKDAYS

ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
ORDINALS |= {-2: "second to last", -3: "third to last", -4: "fourth to last", -5: "fifth to last"}
UNITS = {
    Frequency.DAILY: "day",
    Frequency.WEEKLY: "week",
    Frequency.MONTHLY: "month",
    Frequency.YEARLY: "year",
}
WORKING_DAYS = frozenset(range(5))


def in_words(parts: RuleParts) -> str:
    """Such as "every Thursday", "first Tuesday of the month", "every 2 weeks on Monday"."""
    words = days_in_words(parts)
    if parts.count:
        words += f", {parts.count} times" if parts.count > 1 else ", once"
    if parts.until:
        words += (
            f", until {parts.until.day} {LONG_MONTHS[parts.until.month - 1]} {parts.until.year}"
        )
    return words


def days_in_words(parts: RuleParts) -> str:
    """The days alone, without how often or until when."""
    pace = f"every {parts.interval} {UNITS[parts.frequency]}s"
    months = _joined([LONG_MONTHS[month - 1] for month in sorted(parts.months)])
    named = _days_of_month(parts) if _counts_in_months(parts) else _weekdays(parts)
    if not named:
        every = pace if parts.interval > 1 else f"every {UNITS[parts.frequency]}"
        return f"{every} in {months}" if months else every
    if not _counts_in_months(parts):
        every = "every " if parts.frequency in (Frequency.MONTHLY, Frequency.YEARLY) else ""
        words = f"{pace} on {every}{named}" if parts.interval > 1 else f"every {named}"
        return f"{words} in {months}" if months else words
    if parts.interval > 1:
        period = f" of {months}" if months else ""
        return f"{pace} on the {named}{period}"
    if months:
        return f"{named} of {months}"
    return f"{named} of the {UNITS[parts.frequency]}"


def _counts_in_months(parts: RuleParts) -> bool:
    return bool(parts.month_days or parts.positions or any(day.ordinal for day in parts.days))


def _weekdays(parts: RuleParts) -> str:
    days = sorted(day.weekday for day in parts.days)
    if frozenset(days) == WORKING_DAYS:
        return "weekday"
    return _joined([LONG_WEEKDAYS[day] for day in days])


def _days_of_month(parts: RuleParts) -> str:
    if parts.month_days:
        days = f"{_joined([_day_of_month(day) for day in parts.month_days])} day"
        return f"{_weekdays(parts)} on the {days}" if parts.days else days
    if parts.positions:
        places = _joined([ORDINALS[place] for place in parts.positions])
        return f"{places} {_weekdays(parts).replace(' and ', ' or ')}"
    return _joined(
        [
            f"{ORDINALS[day.ordinal]} {LONG_WEEKDAYS[day.weekday]}"
            if day.ordinal
            else f"every {LONG_WEEKDAYS[day.weekday]}"
            for day in parts.days
        ]
    )


def _day_of_month(day: int) -> str:
    if day == -1:
        return "last"
    return f"{_ordinal_figure(-day)} to last" if day < 0 else _ordinal_figure(day)


def _ordinal_figure(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _joined(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
