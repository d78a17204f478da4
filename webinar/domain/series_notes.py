"""Marks on planned dates: whose clocks changed, and for whom the hour is not the usual one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from webinar.domain.errors import DomainError
from webinar.domain.series import PlannedSession
from webinar.domain.timezone import offset_changes, to_local, utc_offset_minutes, zone_named
from webinar.domain.wording import city_of_zone

MOST_READER_ZONES = 3
USUAL_READER_ZONES = ("America/New_York",)
# Two zones that change their clocks on different Sundays are off for one to three weeks, twice a
# year; zones of which only one changes have two differences of months each, both of them usual.
FEWEST_USUAL_DAYS = 60


class TooManyZones(DomainError):
    """More readers' zones than a preview can show."""


class NoteKind(StrEnum):
    """What a note is about."""

    CLOCKS_CHANGED = "clocks_changed"
    UNUSUAL_DIFFERENCE = "unusual_difference"
    OTHER_HOUR = "other_hour"


@dataclass(frozen=True)
class PlanNote:
    """A mark on one planned date; `zone` is the series' zone or the reader's it speaks of."""

    starts_at: datetime
    kind: NoteKind
    zone: str
    text: str


def ensure_reader_zones(zones: Sequence[str]) -> None:
    """Raise TooManyZones or UnknownZone unless a preview can be made for these."""
    if len(zones) > MOST_READER_ZONES:
        raise TooManyZones(f"Choose {MOST_READER_ZONES} zones of readers at most.")
    for zone in zones:
        zone_named(zone)


def preview_notes(
    planned: Sequence[PlannedSession], reader_zones: Iterable[str] = USUAL_READER_ZONES
) -> list[PlanNote]:
    """Marks in the order of the plan, for each date the series' own clocks first.

    A reader's zone is spoken of on every date of the weeks in which the difference is an unusual
    one, and on the first date from which the reader's clock shows another hour.
    """
    readers = list(dict.fromkeys(reader_zones))
    changed = dict(_clock_changes(planned))
    notes = []
    before: PlannedSession | None = None
    for session in planned:
        if session.starts_at in changed:
            notes.append(changed[session.starts_at])
        for zone in readers:
            notes += _for_reader(session, before, zone)
        before = session
    return notes


def _for_reader(
    session: PlannedSession, before: PlannedSession | None, zone: str
) -> Iterator[PlanNote]:
    shift = _minutes_off_usual(session, zone)
    if shift:
        yield _unusual(session, zone, shift)
    elif before is not None:
        was = _difference_minutes(before.starts_at, session.zone, zone)
        is_now = _difference_minutes(session.starts_at, session.zone, zone)
        if was != is_now:
            back = bool(_minutes_off_usual(before, zone))
            yield _other_hour(session, zone, is_now - was, back=back)


def _clock_changes(planned: Sequence[PlannedSession]) -> Iterable[tuple[datetime, PlanNote]]:
    for previous, session in pairwise(planned):
        before = utc_offset_minutes(previous.starts_at, session.zone)
        after = utc_offset_minutes(session.starts_at, session.zone)
        if before == after:
            continue
        # A session may begin in the very second of the change.
        until = session.starts_at + timedelta(seconds=1)
        last = offset_changes(session.zone, previous.starts_at, until)[-1]
        day = to_local(last.at, session.zone)
        way = "forward" if after > before else "back"
        text = (
            f"The clocks in {city_of_zone(session.zone)} went {way} on {day.day} {day:%B}: "
            f"{session.local_start:%H:%M} is now {session.starts_at:%H:%M} UTC."
        )
        note = PlanNote(session.starts_at, NoteKind.CLOCKS_CHANGED, session.zone, text)
        yield session.starts_at, note


def _unusual(session: PlannedSession, zone: str, shift: int) -> PlanNote:
    text = (
        f"In {city_of_zone(zone)} it starts at {_clock(session, zone)}, {_shift(shift)} than usual."
    )
    return PlanNote(session.starts_at, NoteKind.UNUSUAL_DIFFERENCE, zone, text)


def _other_hour(session: PlannedSession, zone: str, shift: int, *, back: bool) -> PlanNote:
    starts = f"In {city_of_zone(zone)} it starts at {_clock(session, zone)}"
    text = f"{starts} again." if back else f"{starts} from now on, {_shift(shift)} than before."
    return PlanNote(session.starts_at, NoteKind.OTHER_HOUR, zone, text)


def _clock(session: PlannedSession, zone: str) -> str:
    """`01:15`, with the day where the reader has another one."""
    local = to_local(session.starts_at, zone)
    days = (local.date() - session.local_start.date()).days
    return f"{local:%H:%M}" + (f" {_other_day(days)}" if days else "")


def _other_day(days: int) -> str:
    return "the next day" if days > 0 else "the day before"


def _shift(minutes: int) -> str:
    size = "an hour" if abs(minutes) == 60 else f"{abs(minutes)} minutes"
    return f"{size} {'later' if minutes > 0 else 'earlier'}"


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


def reader_hours(session: PlannedSession, reader_zones: Iterable[str]) -> list[str]:
    """ "12:15 in New York", for each reader's zone at that date."""
    return [f"{_clock(session, zone)} in {city_of_zone(zone)}" for zone in reader_zones]
