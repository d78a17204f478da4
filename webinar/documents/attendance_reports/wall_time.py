"""Hours as programs write them for people: without a zone, in the order of some country.

11/26/2026 06:15:07 PM      Zoom and Teams, United States
26/11/2026, 18:15:07        the same, United Kingdom and others
26.11.2026, 18:15:07        BigBlueButton and Teams, Germany and others
Nov 26, 2026 06:15 PM       Zoom
2026-11-26T17:15:07Z        interfaces: the only ones that say what they mean
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from webinar.domain.attendance_report import ReportRefused, ZoneWanted
from webinar.domain.errors import DomainError
from webinar.domain.timezone import to_utc

NEAR = timedelta(days=2)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_HOUR = r"[,\sT]\s*(\d{1,2}):(\d\d)(?::(\d\d))?(?:\.\d+)?\s*([AaPp])?\.?(?:[Mm]\.?)?$"
_NUMBERS = re.compile(r"^(\d{1,2})([/.\-])(\d{1,2})\2(\d{4}|\d\d)" + _HOUR)
_NAMED = re.compile(r"^([A-Za-z]{3})[a-z]*\.? (\d{1,2}),? (\d{4})" + _HOUR)
_YEAR_FIRST = re.compile(r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})" + _HOUR)


class Unreadable(DomainError):
    """This is no time of day we can read."""


class WallClock:
    """Reads the times of one report. `around` is the day of the session, by which 9/10 is told
    from 10/9 where the file itself leaves it open."""

    def __init__(self, zone: str | None, around: date, samples: Iterable[str]) -> None:
        self._zone = zone
        self._is_day_first = _is_day_first(around, samples)

    def read(self, text: str) -> datetime:
        """The instant, in UTC; raises Unreadable, ZoneWanted."""
        if (said := instant(text)) is not None:
            return said
        wall = self._wall(text)
        if self._zone is None:
            raise ZoneWanted(
                "The file shows hours without their time zone. Choose the zone of the person "
                "who exported it."
            )
        try:
            return to_utc(wall, self._zone)
        except DomainError as refusal:
            raise Unreadable(str(refusal)) from refusal

    def _wall(self, text: str) -> datetime:
        text = " ".join(text.split())
        if found := _NUMBERS.match(text):
            first, sign, second, year = int(found[1]), found[2], int(found[3]), int(found[4])
            is_day_first = self._is_day_first or sign != "/"
            day, month = (first, second) if is_day_first else (second, first)
            return _at(year if year > 99 else 2000 + year, month, day, found, 5)
        if (found := _NAMED.match(text)) and found[1].casefold() in MONTHS:
            month = MONTHS.index(found[1].casefold()) + 1
            return _at(int(found[3]), month, int(found[2]), found, 4)
        if found := _YEAR_FIRST.match(text):
            return _at(int(found[1]), int(found[2]), int(found[3]), found, 4)
        raise Unreadable(f"“{text[:60]}” is no time we can read." if text else "A time is missing.")


def instant(text: str) -> datetime | None:
    """The instant of a text that says its offset from UTC (RFC 3339); None for any other."""
    # Microsoft writes seven digits after the second; microseconds are six.
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo is not None else None


def _at(year: int, month: int, day: int, found: re.Match[str], group: int) -> datetime:
    hour, minute, second = int(found[group]), int(found[group + 1]), int(found[group + 2] or 0)
    if half := found[group + 3]:
        if not 1 <= hour <= 12:
            raise Unreadable(f"“{found[0][:60]}” is no time we can read.")
        hour = hour % 12 + (12 if half.casefold() == "p" else 0)
    try:
        return datetime.combine(date(year, month, day), time(hour, minute, second))
    except ValueError as wrong:
        raise Unreadable(f"“{found[0][:60]}” is no time we can read.") from wrong


def _is_day_first(around: date, samples: Iterable[str]) -> bool:
    """What the file itself shows; else what is near the day of the session."""
    pairs = {
        (int(found[1]), int(found[3]), int(found[4]))
        for text in samples
        if (found := _NUMBERS.match(" ".join(text.split()))) and found[2] == "/"
    }
    day_first = any(first > 12 for first, _, _ in pairs)
    month_first = any(second > 12 for _, second, _ in pairs)
    if day_first and month_first:
        raise ReportRefused("The dates are written in two orders. Export the report again.")
    if day_first or month_first or not pairs:
        return day_first
    return any(
        abs(_day(year, second, first) - around) <= NEAR for first, second, year in pairs
    ) and not any(abs(_day(year, first, second) - around) <= NEAR for first, second, year in pairs)


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year if year > 99 else 2000 + year, month, day)
    except ValueError:
        return date.min
