"""The form of a series: as typed, and as values with a sentence beside each field that is wrong."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time

from webinar.domain.errors import DomainError
from webinar.domain.recurrence import UnknownRule
from webinar.domain.series import ImpossibleDuration, NoDates, SeriesRule, TooManyDates
from webinar.domain.timezone import AmbiguousWallTime, NonexistentWallTime, UnknownZone
from webinar.services.series import ImpossibleWindow
from webinar.services.societies import BadSlug, NameMissing, SlugTaken

OWN = "own"
PATTERNS = {
    "weekly": ("every week", "FREQ=WEEKLY;BYDAY={day}"),
    "fortnightly": ("every 2 weeks", "FREQ=WEEKLY;INTERVAL=2;BYDAY={day}"),
    "first": ("the first of the month", "FREQ=MONTHLY;BYDAY=1{day}"),
    "second": ("the second of the month", "FREQ=MONTHLY;BYDAY=2{day}"),
    "third": ("the third of the month", "FREQ=MONTHLY;BYDAY=3{day}"),
    "fourth": ("the fourth of the month", "FREQ=MONTHLY;BYDAY=4{day}"),
    "last": ("the last of the month", "FREQ=MONTHLY;BYDAY=-1{day}"),
}
PATTERN_CHOICES = [
    *((key, words) for key, (words, _) in PATTERNS.items()),
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
]
# Which field a refusal speaks of.
FIELD_OF: dict[type[DomainError], str] = {
    AmbiguousWallTime: "start",
    BadSlug: "slug",
    ImpossibleDuration: "minutes",
    ImpossibleWindow: "months",
    NameMissing: "name",
    NoDates: "first_day",
    NonexistentWallTime: "start",
    SlugTaken: "slug",
    TooManyDates: "rule",
    UnknownRule: "rule",
    UnknownZone: "zone",
}


@dataclass(frozen=True)
class Typed:
    """What stands in the form, as text."""

    name: str = ""
    slug: str = ""
    about: str = ""
    society: str = ""
    society_name: str = ""
    pattern: str = "weekly"
    weekday: str = "TH"
    rule: str = ""
    start: str = "18:15"
    minutes: str = "45"
    zone: str = "Europe/Zurich"
    first_day: str = ""
    months: str = "6"

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> "Typed":
        """What was sent; a field that was not sent is empty."""
        return cls(**{name: form.get(name, "").strip() for name in asdict(cls())})


@dataclass(frozen=True)
class Values:
    """The form understood."""

    rule: SeriesRule
    first_day: date
    recording_months: int


def read(typed: Typed) -> tuple[Values | None, dict[str, str]]:
    """The values, or for each field that is wrong a sentence."""
    errors: dict[str, str] = {}
    rule = _rule_text(typed)
    if not rule:
        errors["rule"] = "Write the rule, or choose one of the others under Repeats."
    start = wall_time(typed.start)
    if start is None:
        errors["start"] = "Give the start as hours and minutes: 18:15."
    first_day = day(typed.first_day)
    if first_day is None:
        errors["first_day"] = "Give the first day as a date: 2026-11-26."
    minutes, months = number(typed.minutes), number(typed.months)
    if minutes is None:
        errors["minutes"] = "Give the length in whole minutes: 45."
    if months is None:
        errors["months"] = "Give a number of months: 6."
    if start is None or first_day is None or minutes is None or months is None or errors:
        return None, errors
    series_rule = SeriesRule(rule, start, minutes, typed.zone, starts_on=first_day)
    return Values(series_rule, first_day, months), {}


def field_of(refusal: DomainError) -> str:
    """The field a refusal belongs beside, or "" for the whole form."""
    return FIELD_OF.get(type(refusal), "")


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


def _rule_text(typed: Typed) -> str:
    if typed.pattern in PATTERNS and typed.weekday in dict(WEEKDAY_CHOICES):
        return PATTERNS[typed.pattern][1].format(day=typed.weekday)
    return typed.rule
