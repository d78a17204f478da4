"""The season as a picture: weeks in rows, weekdays in columns, sessions as marks."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from webinar.domain.timezone import to_local, to_utc
from webinar.domain.wording import LONG_WEEKDAYS, MONTHS
from webinar.models import WebinarSession
from webinar.web.manage.states import Mark, mark_of

WEEKS_SHOWN = 18
WEEKS_BEHIND = 2
DAYS = 7


@dataclass(frozen=True)
class Cell:
    """A session on its day."""

    session: WebinarSession
    mark: Mark


@dataclass(frozen=True)
class Week:
    """A row; `cells` has one list per column."""

    label: str
    is_this_week: bool
    starts_month: str
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Picture:
    """Only weekdays on which something happens have a column."""

    columns: tuple[str, ...]
    weeks: tuple[Week, ...]
    monday: date
    earlier: date
    later: date


def first_monday(now: datetime, zone: str) -> date:
    """Where the picture begins when nobody chose: a little before today."""
    today = to_local(now, zone).date()
    return today - timedelta(days=today.weekday() + DAYS * WEEKS_BEHIND)


def span_of(monday: date, zone: str) -> tuple[datetime, datetime]:
    """The instants between which the picture of this Monday lies."""
    end = monday + timedelta(days=DAYS * WEEKS_SHOWN)
    starts, ends = (
        to_utc(datetime.combine(day, time()), zone, on_gap="forward", on_fold="first")
        for day in (monday, end)
    )
    return starts, ends


def picture_of(
    sessions: Sequence[WebinarSession], *, monday: date, zone: str, now: datetime
) -> Picture:
    """Put each session on its day in the site's zone."""
    by_day: dict[date, list[Cell]] = defaultdict(list)
    for session in sessions:
        day = to_local(session.starts_at, zone).date()
        by_day[day].append(Cell(session, mark_of(session)))
    weekdays = sorted({day.weekday() for day in by_day})
    today = to_local(now, zone).date()
    weeks = []
    for number in range(WEEKS_SHOWN):
        start = monday + timedelta(days=DAYS * number)
        # The month stands where it begins, as in a printed calendar.
        ends_month = (start + timedelta(days=DAYS - 1)).month
        begins = number == 0 or ends_month != (start - timedelta(days=1)).month
        weeks.append(
            Week(
                label=f"{start.day} {MONTHS[start.month - 1]}",
                is_this_week=start <= today < start + timedelta(days=DAYS),
                starts_month=MONTHS[ends_month - 1] if begins else "",
                cells=tuple(
                    tuple(by_day.get(start + timedelta(days=weekday), ())) for weekday in weekdays
                ),
            )
        )
    step = timedelta(days=DAYS * (WEEKS_SHOWN - 2))
    return Picture(
        columns=tuple(LONG_WEEKDAYS[weekday] for weekday in weekdays),
        weeks=tuple(weeks),
        monday=monday,
        earlier=monday - step,
        later=monday + step,
    )
