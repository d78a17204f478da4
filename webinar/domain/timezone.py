"""Wall time <-> UTC, and nowhere else. The home of pytz.

pytz names the zones and says which wall times are wrong. All arithmetic is zoneinfo's, because a
pytz zone given to `tzinfo=` means local mean time (+00:34 in Zurich) and keeps the old offset when
a date is moved over a clock change.
"""

import calendar
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

import pytz

from webinar.domain.errors import DomainError

# zoneinfo would prefer the system's files, which may be years older than the pinned tzdata and
# differ from machine to machine: two nodes would then plan the same session an hour apart.
zoneinfo.reset_tzpath(to=())

LAST_YEAR_IN_PYTZ = 2037
CLOCK_CHANGE_STEP = timedelta(days=1)


class UnknownZone(DomainError):
    """No time zone has this name."""


class NonexistentWallTime(DomainError):
    """The clocks jump over this wall time."""


class AmbiguousWallTime(DomainError):
    """The clocks show this wall time twice."""


@dataclass(frozen=True)
class OffsetChange:
    """The clocks of a zone change at this instant; offsets are minutes east of UTC."""

    at: datetime
    before_minutes: int
    after_minutes: int


def zone_names() -> list[str]:
    """Names to offer in a form, in alphabetical order."""
    return list(pytz.common_timezones)


@cache
def zone_named(name: str) -> ZoneInfo:
    """The zone with this IANA name, exactly as spelt; raises UnknownZone."""
    unknown = f"There is no time zone called {name!r}. Choose one from the list: Europe/Zurich."
    if name not in pytz.all_timezones_set:
        raise UnknownZone(unknown)
    try:
        return ZoneInfo(name)
    except zoneinfo.ZoneInfoNotFoundError as missing:
        raise UnknownZone(unknown) from missing


def to_utc(
    wall: datetime,
    zone_name: str,
    *,
    on_gap: Literal["refuse", "forward"] = "refuse",
    on_fold: Literal["refuse", "first"] = "refuse",
) -> datetime:
    """The instant at which the clocks of the zone show this naive wall time.

    A wall time that is jumped over is refused, or moved forward by the length of the gap; one that
    is shown twice is refused, or means the first. Raises UnknownZone, NonexistentWallTime,
    AmbiguousWallTime.
    """
    if wall.tzinfo is not None:
        raise ValueError(f"a wall time has no zone of its own: {wall!r}")
    zone = zone_named(zone_name)
    shown = _times_shown(wall, zone)
    if shown == 0 and on_gap == "refuse":
        raise NonexistentWallTime(
            f"{_spoken(wall)} does not exist in {zone_name}: the clocks go forward over it. "
            "Choose another time."
        )
    if shown == 2 and on_fold == "refuse":
        raise AmbiguousWallTime(
            f"{_spoken(wall)} happens twice in {zone_name}: the clocks go back over it. "
            "Choose another time."
        )
    # PEP 495: fold=0 is the first of two, and inside a gap the offset from before it, which
    # moves the time forward by the length of the gap.
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def to_local(instant: datetime, zone_name: str) -> datetime:
    """The aware local time of an instant; its tzname() is CET or CEST as it is that day."""
    return _aware(instant).astimezone(zone_named(zone_name))


def utc_offset_minutes(instant: datetime, zone_name: str) -> int:
    """Minutes east of UTC at that instant."""
    return _offset_minutes(_aware(instant), zone_named(zone_name))


def offset_changes(zone_name: str, start: datetime, end: datetime) -> list[OffsetChange]:
    """Every change of the zone's clocks in [start, end), two instants, in order."""
    zone = zone_named(zone_name)
    changes = []
    # Before the start by one second, so that a change at the very start is found.
    low, last = _aware(start) - timedelta(seconds=1), _aware(end) - timedelta(seconds=1)
    while low < last:
        high = min(low + CLOCK_CHANGE_STEP, last)
        before, after = _offset_minutes(low, zone), _offset_minutes(high, zone)
        if before != after:
            changes.append(OffsetChange(_first_second_after(low, high, zone), before, after))
        low = high
    return changes


@cache
def follows_eu_rule(zone_name: str) -> bool:
    """True if the zone keeps Central European time by the EU rule, checked for 1996 to 2040.

    That is UTC+1, and UTC+2 from 01:00 UTC on the last Sunday of March to 01:00 UTC on the last
    Sunday of October (directive 2000/84/EC; the October end is common since 1996). Aliases such as
    CET are not offered to people and do not count.
    """
    if zone_name not in pytz.common_timezones_set:
        return False
    expected = []
    for year in range(1996, 2041):
        expected.append(OffsetChange(_last_sunday_one_utc(year, 3), 60, 120))
        expected.append(OffsetChange(_last_sunday_one_utc(year, 10), 120, 60))
    start, end = datetime(1996, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC)
    return offset_changes(zone_name, start, end) == expected


def add_months(wall: datetime, months: int) -> datetime:
    """The same wall time months later; the day is clamped to the month's end (31 Aug, 28 Feb)."""
    year, month0 = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    last_day = calendar.monthrange(year, month0 + 1)[1]
    return wall.replace(year=year, month=month0 + 1, day=min(wall.day, last_day))


def _times_shown(wall: datetime, zone: ZoneInfo) -> int:
    """How often the clocks show this wall time: 0, 1 or 2."""
    if wall.year > LAST_YEAR_IN_PYTZ:
        first = wall.replace(tzinfo=zone, fold=0).utcoffset() or timedelta(0)
        second = wall.replace(tzinfo=zone, fold=1).utcoffset() or timedelta(0)
        return 1 if first == second else 0 if first < second else 2
    try:
        pytz.timezone(zone.key).localize(wall, is_dst=None)
    except pytz.NonExistentTimeError:
        return 0
    except pytz.AmbiguousTimeError:
        return 2
    return 1


def _spoken(wall: datetime) -> str:
    return f"{wall:%H:%M} on {wall.day} {wall:%B %Y}"


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError(f"an instant needs its offset from UTC: {instant!r}")
    return instant.astimezone(UTC)


def _offset_minutes(instant: datetime, zone: ZoneInfo) -> int:
    offset = instant.astimezone(zone).utcoffset() or timedelta(0)
    return int(offset.total_seconds() // 60)


def _first_second_after(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the offset of `low` is over; `high` has another one already."""
    before = _offset_minutes(low, zone)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
        if _offset_minutes(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high


def _last_sunday_one_utc(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=last.isoweekday() % 7)
