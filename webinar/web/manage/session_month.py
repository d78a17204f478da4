"""A month of the season as a grid, drafts and cancelled sessions too."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from flask import url_for

from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local
from webinar.domain.wording import local_time
from webinar.models import WebinarSession

STATES = {
    SessionStatus.DRAFT: "draft",
    SessionStatus.PUBLISHED: "",
    SessionStatus.LIVE: "live",
    SessionStatus.ENDED: "past",
    SessionStatus.CANCELLED: "void",
}


@dataclass(frozen=True)
class Item:
    """A session on its day; `time` is its start in the site's zone."""

    href: str
    time: str
    title: str
    state: str


@dataclass(frozen=True)
class Day:
    """A square of the grid."""

    number: int
    in_month: bool
    is_today: bool
    sessions: tuple[Item, ...]


def month_asked_for(text: str, *, now: datetime, zone: str) -> date:
    """The first day of `2026-11`; of this month if that is no month people plan in."""
    try:
        year, month = (int(part) for part in text.split("-"))
        first = date(year, month, 1)
    except ValueError:
        first = date.min
    if not 1990 <= first.year <= 2200:
        return to_local(now, zone).date().replace(day=1)
    return first


def weeks_of(
    first: date, sessions: Iterable[WebinarSession], *, zone: str, now: datetime
) -> list[list[Day]]:
    """The month in weeks from Monday."""
    by_day: dict[date, list[Item]] = {}
    for session in sessions:
        item = Item(
            url_for("manage.session_edit", public_id=session.public_id),
            local_time(session.starts_at, zone),
            session.title,
            STATES[session.status],
        )
        by_day.setdefault(to_local(session.starts_at, zone).date(), []).append(item)
    today = to_local(now, zone).date()
    return [
        [
            Day(day.day, day.month == first.month, day == today, tuple(by_day.get(day, ())))
            for day in week
        ]
        for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
    ]
