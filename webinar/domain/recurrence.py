"""The part of RFC 5545's RRULE that series of talks need: read, checked, and said in words.

What is left out is left out on purpose. Every rule accepted here names a date again and again, so
that expanding it never searches the calendar to its end in vain.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from webinar.domain.errors import DomainError

LONGEST_TEXT = 200
LARGEST_INTERVAL = 52
LARGEST_COUNT = 500
# The 29th, 30th and 31st are missing from some months: "the last day" is -1.
LAST_DAY_IN_EVERY_MONTH = 28

DAY_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
UNTIL = re.compile(r"(\d{8})(T\d{6}Z?)?", re.ASCII)
INTEGER = re.compile(r"[+-]?\d{1,3}", re.ASCII)

EXAMPLE = 'Write it like "FREQ=WEEKLY;BYDAY=TH" or "FREQ=MONTHLY;BYDAY=1TU".'


class Frequency(StrEnum):
    """How often a series can happen; nothing in a season happens hourly."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


PARTS = {
    Frequency.DAILY: {"BYDAY", "BYMONTH"},
    Frequency.WEEKLY: {"BYDAY", "BYMONTH"},
    Frequency.MONTHLY: {"BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"},
    Frequency.YEARLY: {"BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"},
}
ALWAYS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}


class UnknownRule(DomainError):
    """The rule's text is not one that series are planned by."""


@dataclass(frozen=True)
class RuleDay:
    """A weekday (0 is Monday), or with an ordinal the first, second, last one of the month."""

    weekday: int
    ordinal: int | None = None


@dataclass(frozen=True)
class RuleParts:
    """A rule as values. `until` is the last day, in the series' zone."""

    frequency: Frequency
    interval: int = 1
    days: tuple[RuleDay, ...] = ()
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    count: int | None = None
    until: date | None = None
    week_start: int = 0


def parse(text: str) -> RuleParts:
    """Read RRULE text, with or without "RRULE:"; raises UnknownRule saying which part is wrong."""
    named = _named_parts(text)
    if named.get("FREQ") not in set(Frequency):
        raise UnknownRule(
            "The rule needs a frequency: DAILY, WEEKLY, MONTHLY or YEARLY. " + EXAMPLE
        )
    frequency = Frequency(named["FREQ"])
    for name in named:
        if name not in ALWAYS | PARTS[frequency]:
            raise UnknownRule(f"{name} cannot be used in a {frequency} rule. {EXAMPLE}")
    parts = RuleParts(
        frequency=frequency,
        interval=_integers(named, "INTERVAL", 1, LARGEST_INTERVAL, single=True)[0]
        if "INTERVAL" in named
        else 1,
        days=_days(named),
        months=_integers(named, "BYMONTH", 1, 12),
        month_days=_integers(named, "BYMONTHDAY", 1, LAST_DAY_IN_EVERY_MONTH, from_end=True),
        positions=_integers(named, "BYSETPOS", 1, 4, from_end=True),
        count=_integers(named, "COUNT", 1, LARGEST_COUNT, single=True)[0]
        if "COUNT" in named
        else None,
        until=_until(named),
        week_start=_week_start(named),
    )
    _ensure_it_names_dates(parts)
    return parts


def _named_parts(text: str) -> dict[str, str]:
    if len(text) > LONGEST_TEXT:
        raise UnknownRule(f"The rule is longer than {LONGEST_TEXT} characters. {EXAMPLE}")
    named: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").strip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not name or not value or name in named:
            raise UnknownRule(f'The rule cannot be read at "{part}". {EXAMPLE}')
        named[name] = value
    return named


def _integers(
    named: dict[str, str],
    name: str,
    smallest: int,
    largest: int,
    *,
    from_end: bool = False,
    single: bool = False,
) -> tuple[int, ...]:
    if name not in named:
        return ()
    words = named[name].split(",")
    numbers = [int(word) for word in words if INTEGER.fullmatch(word)]
    sizes = [abs(number) if from_end else number for number in numbers]
    wrong = len(numbers) < len(words) or not all(smallest <= size <= largest for size in sizes)
    if wrong or (single and len(numbers) > 1):
        ends = f" or -{largest} to -{smallest}" if from_end else ""
        raise UnknownRule(f"{name} has to be {smallest} to {largest}{ends}. {EXAMPLE}")
    return tuple(dict.fromkeys(numbers))


def _days(named: dict[str, str]) -> tuple[RuleDay, ...]:
    days = []
    for word in named["BYDAY"].split(",") if "BYDAY" in named else []:
        read = DAY.fullmatch(word)
        if read is None:
            raise UnknownRule(f'"{word}" is not a day. {EXAMPLE}')
        days.append(RuleDay(DAY_CODES.index(read[2]), int(read[1]) if read[1] else None))
    return tuple(dict.fromkeys(days))


def _until(named: dict[str, str]) -> date | None:
    if "UNTIL" not in named:
        return None
    read = UNTIL.fullmatch(named["UNTIL"])
    try:
        # Only the day counts: a series has one time of day.
        return datetime.strptime(read[1] if read else "", "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        raise UnknownRule("UNTIL has to be a day such as 20270430.") from None


def _week_start(named: dict[str, str]) -> int:
    code = named.get("WKST", "MO")
    if code not in DAY_CODES:
        raise UnknownRule(f'WKST has to be a day such as MO, not "{code}".')
    return DAY_CODES.index(code)


def _ensure_it_names_dates(parts: RuleParts) -> None:
    """Refuse what contradicts itself, and combinations that may never meet."""
    by_month = parts.frequency in (Frequency.MONTHLY, Frequency.YEARLY)
    ordinals = [day for day in parts.days if day.ordinal]
    if parts.count and parts.until:
        raise UnknownRule("A rule ends by COUNT or by UNTIL. Leave one of them out.")
    if ordinals and not by_month:
        raise UnknownRule(
            f"Only a MONTHLY or YEARLY rule can name the first or last day. {EXAMPLE}"
        )
    if parts.positions and (ordinals or parts.month_days or not parts.days):
        raise UnknownRule(f"BYSETPOS needs BYDAY with plain days such as MO,TU. {EXAMPLE}")
    if parts.month_days and (ordinals or (parts.days and parts.interval > 1)):
        raise UnknownRule(f"BYMONTHDAY and these days may never meet. {EXAMPLE}")
    if by_month and parts.months and not (parts.days or parts.month_days):
        raise UnknownRule(f"BYMONTH needs a day of the month as well. {EXAMPLE}")
    if parts.frequency is Frequency.YEARLY and parts.month_days and not parts.months:
        raise UnknownRule("A YEARLY rule with BYMONTHDAY needs BYMONTH as well.")
    fixed_step = parts.frequency in (Frequency.DAILY, Frequency.MONTHLY) and parts.interval > 1
    if fixed_step and (parts.months or (parts.frequency == Frequency.DAILY and parts.days)):
        raise UnknownRule(
            f"INTERVAL above 1 in a {parts.frequency} rule may miss these days or months for ever. "
            "Leave INTERVAL out."
        )
