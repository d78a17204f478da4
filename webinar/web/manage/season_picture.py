"""The season as a picture: weeks in rows, weekdays in columns, sessions as marks.

Eighteen weeks with titles, or a whole season, from September to August, by months.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local, to_utc
from webinar.domain.waiting import Planned
from webinar.domain.wording import LONG_WEEKDAYS, MONTHS, month_year
from webinar.services.dashboard import Break
from webinar.web.manage.states import WORDS, Mark

WEEKS_SHOWN = 18
WEEKS_BEHIND = 2
DAYS = 7
SEASON_BEGINS_IN = 9
"""September: courses and congresses begin again after the summer."""


@dataclass(frozen=True)
class Cell:
    """A session on its day; `state` is the shape of its mark in the season."""

    session: Planned
    mark: Mark
    state: str
    day: int


@dataclass(frozen=True)
class Pause:
    """Why nothing happens on a day."""

    day: int
    reason: str
    series: str


@dataclass(frozen=True)
class Week:
    """A row. `days` has one pair per column: what happens, and why nothing does."""

    monday: date
    label: str
    is_this_week: bool
    days: tuple[tuple[tuple[Cell, ...], tuple[Pause, ...]], ...]

    @property
    def cells(self) -> list[Cell]:
        """All its sessions in order."""
        return [cell for cells, _ in self.days for cell in cells]

    @property
    def is_busy(self) -> bool:
        """True if the row says more than its week."""
        return self.is_this_week or any(cells or pauses for cells, pauses in self.days)

    @property
    def pauses(self) -> list[Pause]:
        """All its breaks in order."""
        return [pause for _, pauses in self.days for pause in pauses]


@dataclass(frozen=True)
class Picture:
    """Only weekdays on which something happens, or would but for a break, have a column."""

    columns: tuple[str, ...]
    weeks: tuple[Week, ...]
    earlier: date
    later: date

    @property
    def months(self) -> list[tuple[str, list[Week]]]:
        """The weeks under the month in which their Thursday lies, as calendars count weeks."""

        def month(week: Week) -> date:
            return (week.monday + timedelta(days=3)).replace(day=1)

        return [(month_year(first), list(weeks)) for first, weeks in groupby(self.weeks, month)]


def monday_of(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())


def first_monday(now: datetime, zone: str) -> date:
    """Where the picture begins when nobody chose: a little before today."""
    return monday_of(to_local(now, zone).date()) - timedelta(days=DAYS * WEEKS_BEHIND)


def season_of(day: date) -> tuple[date, date]:
    """The season of this day: from its 1 September up to, and without, the next one."""
    year = day.year if day.month >= SEASON_BEGINS_IN else day.year - 1
    return date(year, SEASON_BEGINS_IN, 1), date(year + 1, SEASON_BEGINS_IN, 1)


def instants_of(first: date, end: date, zone: str) -> tuple[datetime, datetime]:
    """The instants at which these two days begin."""
    starts, ends = (
        to_utc(datetime.combine(day, time()), zone, on_gap="forward", on_fold="first")
        for day in (first, end)
    )
    return starts, ends


def weeks_picture(
    sessions: Iterable[Planned], breaks: Sequence[Break], monday: date, *, zone: str, now: datetime
) -> Picture:
    """Eighteen weeks from this Monday."""
    step = timedelta(days=DAYS * (WEEKS_SHOWN - 2))
    end = monday + timedelta(days=DAYS * WEEKS_SHOWN)
    columns, weeks = _weeks(sessions, breaks, monday, end, zone, now)
    return Picture(columns, weeks, monday - step, monday + step)


def season_picture(
    sessions: Iterable[Planned], breaks: Sequence[Break], first: date, *, zone: str, now: datetime
) -> Picture:
    """The season that begins on this day: all weeks whose Thursday lies in it."""
    thursday = timedelta(days=3)
    start, end = season_of(first)
    monday = monday_of(start)
    if monday + thursday < start:
        monday += timedelta(days=DAYS)
    columns, weeks = _weeks(sessions, breaks, monday, end - thursday, zone, now)
    return Picture(columns, weeks, season_of(start - timedelta(days=1))[0], end)


def _weeks(
    sessions: Iterable[Planned],
    breaks: Sequence[Break],
    monday: date,
    end: date,
    zone: str,
    now: datetime,
) -> tuple[tuple[str, ...], tuple[Week, ...]]:
    last = monday_of(end - timedelta(days=1)) + timedelta(days=DAYS)
    happens: dict[date, list[Cell]] = defaultdict(list)
    for session in sessions:
        day = to_local(session.starts_at, zone).date()
        if monday <= day < last:
            happens[day].append(_cell(session, day.day, now))
    pauses: dict[date, list[Pause]] = defaultdict(list)
    for pause in breaks:
        if monday <= pause.day < last:
            pauses[pause.day].append(Pause(pause.day.day, pause.reason, pause.series))
    weekdays = sorted({day.weekday() for day in (*happens, *pauses)})
    today = to_local(now, zone).date()
    weeks = []
    while monday < last:
        days = [monday + timedelta(days=weekday) for weekday in weekdays]
        weeks.append(
            Week(
                monday=monday,
                label=f"{monday.day} {MONTHS[monday.month - 1]}",
                is_this_week=monday == monday_of(today),
                days=tuple((tuple(happens.get(d, ())), tuple(pauses.get(d, ()))) for d in days),
            )
        )
        monday += timedelta(days=DAYS)
    return tuple(LONG_WEEKDAYS[weekday] for weekday in weekdays), tuple(weeks)


def _cell(session: Planned, day: int, now: datetime) -> Cell:
    state = session.status.value
    if session.status is SessionStatus.ENDED and session.closes_at is not None:
        is_open = session.recording is RecordingState.PUBLISHED and now < session.closes_at
        state = "recording" if is_open else "closed"
    return Cell(session, Mark(*WORDS[session.status]), state, day)
