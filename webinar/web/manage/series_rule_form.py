"""One rule of a series in plain words: as typed, as a rule, and from a rule back into words."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from webinar.domain.errors import DomainError
from webinar.domain.recurrence import UnknownRule, parse
from webinar.domain.series import ImpossibleDuration, NoDates, RuleRow, TooManyDates
from webinar.domain.series import plan as planned_by
from webinar.domain.timezone import AmbiguousWallTime, NonexistentWallTime
from webinar.services.series import LOOK_AHEAD_DAYS

OWN = "own"
EVERY_FEW_WEEKS = "every"
WORKING_DAY = "WD"
WORKING_DAYS = "MO,TU,WE,TH,FR"
NEVER, ON_A_DAY, AFTER_DATES = "never", "on", "after"

NTH = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
PATTERN_CHOICES = [
    ("weekly", "every week"),
    (EVERY_FEW_WEEKS, "every few weeks"),
    *((key, f"the {key} of the month") for key in NTH),
    (OWN, "by a rule of my own"),
]
WEEKDAY_CHOICES = [
    ("MO", "Monday"),
    ("TU", "Tuesday"),
    ("WE", "Wednesday"),
    ("TH", "Thursday"),
    ("FR", "Friday"),
    ("SA", "Saturday"),
    ("SU", "Sunday"),
    (WORKING_DAY, "working day, Monday to Friday"),
]
ENDS_CHOICES = [
    (NEVER, "never"),
    (ON_A_DAY, "on a day"),
    (AFTER_DATES, "after a number of dates"),
]
MOST_WEEKS_APART = 52
MOST_COUNTED = 500
# Which field of a rule a refusal speaks of.
FIELD_OF: dict[type[DomainError], str] = {
    AmbiguousWallTime: "start",
    ImpossibleDuration: "minutes",
    NoDates: "first_day",
    NonexistentWallTime: "start",
    TooManyDates: "pattern",
    UnknownRule: "rule",
}


@dataclass(frozen=True)
class TypedRule:
    """What stands in the fields of a rule, as text."""

    pattern: str = "weekly"
    weekday: str = "TH"
    every: str = "2"
    rule: str = ""
    start: str = "18:15"
    minutes: str = "45"
    first_day: str = ""
    ends: str = NEVER
    last_day: str = ""
    times: str = "10"

    @classmethod
    def from_form(cls, form: Mapping[str, str], number: int) -> "TypedRule":
        """What was sent for the rule of this number; what was not sent is as usual."""
        usual = asdict(cls())
        return cls(
            **{name: form.get(f"rule-{number}-{name}", usual[name]).strip() for name in usual}
        )

    @classmethod
    def of_row(cls, row: RuleRow) -> "TypedRule":
        """A kept rule in the words it would be typed in."""
        ends, count = (ON_A_DAY, "") if row.last_day else (NEVER, "")
        parts = parse(row.rule)
        plain = row.rule
        if parts.count and not row.last_day and plain.endswith(f";COUNT={parts.count}"):
            ends, count = AFTER_DATES, str(parts.count)
            plain = plain.removesuffix(f";COUNT={parts.count}")
        pattern, weekday, every = _recognised(plain)
        return cls(
            pattern=pattern,
            weekday=weekday,
            every=every,
            rule=plain if pattern == OWN else "",
            start=f"{row.local_start:%H:%M}",
            minutes=str(row.duration_minutes),
            first_day=row.first_day.isoformat(),
            ends=ends,
            last_day=row.last_day.isoformat() if row.last_day else "",
            times=count or cls.times,
        )


def read_rule(typed: TypedRule, zone: str) -> tuple[RuleRow | None, dict[str, str]]:
    """The rule, or for each of its fields that is wrong a sentence; the zone has to be one."""
    errors: dict[str, str] = {}
    text = _text(typed, errors)
    start = wall_time(typed.start)
    if start is None:
        errors["start"] = "Give the start as hours and minutes: 18:15."
    first_day = day(typed.first_day)
    if first_day is None:
        errors["first_day"] = "Give the first day as a date: 2026-11-26."
    last_day = day(typed.last_day) if typed.ends == ON_A_DAY else None
    if typed.ends == ON_A_DAY and last_day is None:
        errors["last_day"] = "Give the last day as a date: 2027-06-30."
    if first_day and last_day and last_day < first_day:
        errors["last_day"] = "The last day is before the first. Exchange them."
    minutes = number(typed.minutes)
    if minutes is None:
        errors["minutes"] = "Give the length in whole minutes: 45."
    if errors or start is None or first_day is None or minutes is None:
        return None, errors
    row = RuleRow(text, start, minutes, first_day, last_day)
    try:
        planned_by(
            row.of_series(zone),
            first_day=first_day,
            last_day=first_day + timedelta(days=LOOK_AHEAD_DAYS),
        )
    except DomainError as refusal:
        return None, {_field_of(refusal, typed): str(refusal)}
    return row, {}


def wall_time(text: str) -> time | None:
    """`18:15` as a time of day."""
    try:
        return datetime.strptime(text.strip(), "%H:%M").time()  # noqa: DTZ007 -- wall time
    except ValueError:
        return None


def day(text: str) -> date | None:
    """`2026-11-26` as a day, in the years that calendars are made for."""
    try:
        found = datetime.strptime(text.strip(), "%Y-%m-%d").date()  # noqa: DTZ007 -- a day
    except ValueError:
        return None
    return found if 1990 <= found.year <= 2200 else None


def number(text: str) -> int | None:
    """A whole number of at most five digits."""
    text = text.strip()
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 5 else None


def _text(typed: TypedRule, errors: dict[str, str]) -> str:
    """The RRULE text of what was chosen; what is wrong is put among the errors."""
    text = typed.rule
    if typed.pattern != OWN:
        every = number(typed.every) if typed.pattern == EVERY_FEW_WEEKS else 1
        if every is None or not 1 <= every <= MOST_WEEKS_APART:
            errors["every"] = f"Give a number of weeks from 1 to {MOST_WEEKS_APART}."
            every = 1
        text = _pattern_text(typed.pattern, typed.weekday, every)
        if not text:
            errors["pattern"] = "Choose how often, and on which day."
    elif not text:
        errors["rule"] = "Write the rule, or choose one of the others under Repeats."
    if typed.ends == AFTER_DATES:
        times = number(typed.times)
        if times is None or not 1 <= times <= MOST_COUNTED:
            errors["times"] = f"Give a number of dates from 1 to {MOST_COUNTED}."
        else:
            text = f"{text};COUNT={times}"
    return text


def _pattern_text(pattern: str, weekday: str, every: int) -> str:
    if weekday not in dict(WEEKDAY_CHOICES):
        return ""
    days = WORKING_DAYS if weekday == WORKING_DAY else weekday
    if pattern in NTH and weekday == WORKING_DAY:
        return f"FREQ=MONTHLY;BYDAY={days};BYSETPOS={NTH[pattern]}"
    if pattern in NTH:
        return f"FREQ=MONTHLY;BYDAY={NTH[pattern]}{days}"
    if pattern not in ("weekly", EVERY_FEW_WEEKS):
        return ""
    if pattern == EVERY_FEW_WEEKS and every > 1:
        return f"FREQ=WEEKLY;INTERVAL={every};BYDAY={days}"
    return f"FREQ=WEEKLY;BYDAY={days}"


def _recognised(text: str) -> tuple[str, str, str]:
    """Pattern, weekday and weeks apart that give exactly this text; else a rule of one's own."""
    every = parse(text).interval
    for pattern, _ in PATTERN_CHOICES:
        for weekday, _ in WEEKDAY_CHOICES:
            if _pattern_text(pattern, weekday, every) == text:
                return pattern, weekday, str(every) if every > 1 else TypedRule.every
    return OWN, TypedRule.weekday, TypedRule.every


def _field_of(refusal: DomainError, typed: TypedRule) -> str:
    field = FIELD_OF.get(type(refusal), "pattern")
    return "pattern" if field == "rule" and typed.pattern != OWN else field
