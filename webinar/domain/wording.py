"""Times, amounts and counts in the words people read, on pages and in mails.

Every time arrives as an aware instant and leaves as wall time of a named zone. English names are
spelt out here, so that the machine's locale never shows.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from webinar.domain.timezone import to_local, utc_offset_minutes

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LONG_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONG_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

# Two zones that differ by so few days a year surprise people: clocks change on different Sundays.
UNUSUAL_BELOW_DAYS = 60


def local_date(at: datetime, zone: str) -> str:
    """`Thu 26 Nov 2026`, as the calendar of the zone says."""
    return _short_date(to_local(at, zone).date())


def long_date(at: datetime, zone: str) -> str:
    """`Thursday, 26 November 2026`."""
    day = to_local(at, zone).date()
    return f"{LONG_WEEKDAYS[day.weekday()]}, {day.day} {LONG_MONTHS[day.month - 1]} {day.year}"


def local_time(at: datetime, zone: str) -> str:
    """`18:15`."""
    return f"{to_local(at, zone):%H:%M}"


def local_time_range(starts_at: datetime, ends_at: datetime, zone: str) -> str:
    """`18:15–19:00`."""
    return f"{local_time(starts_at, zone)}–{local_time(ends_at, zone)}"


def local_moment(at: datetime, zone: str) -> str:
    """`Thu 26 Nov 2026, 18:15 CET`."""
    return f"{local_date(at, zone)}, {local_time(at, zone)} {zone_abbreviation(at, zone)}"


def deadline(at: datetime, zone: str) -> str:
    """`26 May 2027, 19:00 Zurich`: a date, an hour and a zone."""
    local = to_local(at, zone)
    month = MONTHS[local.month - 1]
    return f"{local.day} {month} {local.year}, {local:%H:%M} {city_of_zone(zone)}"


def day_month(at: datetime, zone: str) -> str:
    """`26 May 2027`."""
    day = to_local(at, zone).date()
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def day_words(day: date) -> str:
    """`3 Sep 2026`, a day that belongs to no zone: of a decision, a deadline."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def month_year(day: date) -> str:
    """`November 2026`, the head of a month in a list. An instant is converted by the caller."""
    return f"{LONG_MONTHS[day.month - 1]} {day.year}"


def weekday_name(at: datetime, zone: str) -> str:
    """`Thu`."""
    return WEEKDAYS[to_local(at, zone).weekday()]


def month_name(at: datetime, zone: str) -> str:
    """`Nov`."""
    return MONTHS[to_local(at, zone).month - 1]


def day_number(at: datetime, zone: str) -> int:
    """Day of the month."""
    return to_local(at, zone).day


def zone_abbreviation(at: datetime, zone: str) -> str:
    """`CET` or `CEST` as it is that day; `UTC+3` where the zone has no letters of its own."""
    name = to_local(at, zone).tzname() or ""
    if name[:1] in ("+", "-"):
        return _utc_name(utc_offset_minutes(at, zone))
    return name


def city_of_zone(zone: str) -> str:
    """`America/New_York` gives `New York`; UTC and its aliases stay `UTC`."""
    if zone.startswith("Etc/GMT") and len(zone) > len("Etc/GMT"):
        # POSIX counts west of Greenwich as positive (tzdata, file etcetera).
        return _utc_name(-60 * int(zone.removeprefix("Etc/GMT")))
    city = zone.rsplit("/", maxsplit=1)[-1].replace("_", " ")
    return "UTC" if city in ("UCT", "Universal", "Zulu") else city


def iso_utc(at: datetime) -> str:
    """`2026-11-26T17:15:00Z`, for the datetime attribute."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def same_clock(at: datetime, zone: str, other: str | None) -> bool:
    """True if both zones show the same wall time then, or there is no other zone."""
    return other is None or utc_offset_minutes(at, zone) == utc_offset_minutes(at, other)


def same_date(at: datetime, zone: str, other: str) -> bool:
    """True if it is the same calendar day in both zones then."""
    return to_local(at, zone).date() == to_local(at, other).date()


def unusual_difference(at: datetime, zone: str, other: str | None) -> str:
    """A sentence for the weeks when two zones are not as far apart as people are used to, else "".

    Zurich is six hours ahead of New York all year, but five for about four weeks around the
    changes of the clocks.
    """
    if other is None:
        return ""
    days = _days_by_difference(zone, other, at.astimezone(UTC).year)
    now_minutes = utc_offset_minutes(at, zone) - utc_offset_minutes(at, other)
    if days[now_minutes] >= UNUSUAL_BELOW_DAYS:
        return ""
    usual = days.most_common(1)[0][0]
    return (
        f"{_hours(abs(now_minutes))} apart this week, not {_hours(abs(usual))}: "
        "the clocks change on different days."
    )


def relative(at: datetime, now: datetime) -> str:
    """`in 3 h 12 min`, `in 6 days`, `12 min ago`, `now`. An addition to a time, never instead."""
    distance = abs(at - now)
    if distance < timedelta(minutes=1):
        return "now"
    words = _distance(distance)
    return f"in {words}" if at > now else f"{words} ago"


def days_left(at: datetime, now: datetime) -> str:
    """`closes in 6 days`: whole days that are left, hours and minutes on the last one."""
    if at <= now:
        return "closed"
    return f"closes in {_distance(at - now)}"


def duration_minutes(starts_at: datetime, ends_at: datetime) -> str:
    """`45 min`, `1 h 30 min`."""
    return _distance(ends_at - starts_at)


def media_time(seconds: float) -> str:
    """`34:10`, `1:02:03`: a place in a recording, seconds floored."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def credit_amount(amount: Decimal) -> str:
    """`0.5`, `1`, `0.75`: no trailing zeros, no exponent."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plural(count: int, singular: str, plural_form: str = "") -> str:
    """`1 session`, `3 sessions`, `2 bodies`; thousands are set apart by a thin space."""
    word = singular if count == 1 else plural_form or f"{singular}s"
    return f"{grouped(count)} {word}"


def grouped(number: int) -> str:
    """`4 700` with a narrow no-break space."""
    return f"{number:,}".replace(",", "\u202f")


def percent(part: float, whole: float) -> str:
    """`76 %`, floored, so that 79.9 never reads as 80."""
    return f"{int(100 * part / whole) if whole else 0}\u202f%"


def _short_date(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


def _utc_name(minutes_east: int) -> str:
    if minutes_east == 0:
        return "UTC"
    hours, minutes = divmod(abs(minutes_east), 60)
    sign = "+" if minutes_east > 0 else "\u2212"
    return f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")


def _hours(minutes: int) -> str:
    return _distance(timedelta(minutes=minutes))


def _distance(distance: timedelta) -> str:
    """The two largest units that say something, floored."""
    minutes = int(distance.total_seconds()) // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days = hours // 24
    if days < 14:
        return plural(days, "day")
    if days < 60:
        return plural(days // 7, "week")
    return plural(days // 30, "month")


@lru_cache(maxsize=512)
def _days_by_difference(zone: str, other: str, year: int) -> Counter[int]:
    """How many days of the year each difference holds at noon UTC, in minutes."""
    noon = datetime(year, 1, 1, 12, tzinfo=UTC)
    counted: Counter[int] = Counter()
    for day in range(365):
        at = noon + timedelta(days=day)
        counted[utc_offset_minutes(at, zone) - utc_offset_minutes(at, other)] += 1
    return counted
