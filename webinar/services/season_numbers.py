"""The season in numbers: sessions, registrations, people, countries, attendances. Three queries."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local
from webinar.models import Registration, User, ViewingPass, WatchSegment, WebinarSession
from webinar.services.dashboard import Planned


@dataclass(frozen=True)
class MonthNumbers:
    """A month of the season: its sessions but the cancelled, and the places in them."""

    first: date
    sessions: int
    registrations: int


@dataclass(frozen=True, kw_only=True)
class SeasonNumbers:
    """What a season comes to. Cancelled sessions count nowhere but in `by_status`."""

    by_status: dict[SessionStatus, int]
    months: tuple[MonthNumbers, ...]
    countries: tuple[tuple[str, int], ...]
    """People with a place by country (ISO 3166-1 alpha-2, "" if not known), most first."""
    attended: dict[ViewingMode, int]
    """A person counts once for each session they watched something of."""

    @property
    def sessions(self) -> int:
        """All of them but the cancelled."""
        return sum(month.sessions for month in self.months)

    @property
    def registrations(self) -> int:
        """Places that people hold."""
        return sum(month.registrations for month in self.months)

    @property
    def people(self) -> int:
        """Persons who hold a place in at least one session."""
        return sum(number for _, number in self.countries)


def season_numbers(
    db: DbSession,
    sessions: Iterable[Planned],
    start: datetime,
    end: datetime,
    *,
    zone: str,
    society_ids: frozenset[int] | None = None,
) -> SeasonNumbers:
    """The numbers of what starts in [start, end); `sessions` holds all of it and may hold more."""
    inside = [session for session in sessions if start <= session.starts_at < end]
    takes_place = _takes_place(start, end, society_ids)
    places = dict(
        db.execute(
            select(Registration.session_id, func.count())
            .join(WebinarSession, WebinarSession.id == Registration.session_id)
            .where(Registration.cancelled_at.is_(None), *takes_place)
            .group_by(Registration.session_id)
        ).all()
    )
    people = func.count(Registration.user_id.distinct())
    countries = db.execute(
        select(User.country, people)
        .join(Registration, Registration.user_id == User.id)
        .join(WebinarSession, WebinarSession.id == Registration.session_id)
        .where(Registration.cancelled_at.is_(None), *takes_place)
        .group_by(User.country)
        .order_by(people.desc(), User.country)
    ).all()
    return SeasonNumbers(
        by_status=dict(Counter(session.status for session in inside)),
        months=_by_month(inside, places, zone),
        countries=tuple((country, number) for country, number in countries),
        attended=_attended(db, takes_place),
    )


def _attended(
    db: DbSession, takes_place: tuple[ColumnElement[bool], ...]
) -> dict[ViewingMode, int]:
    watched = (
        select(ViewingPass.mode, ViewingPass.session_id, ViewingPass.user_id)
        .join(WebinarSession, WebinarSession.id == ViewingPass.session_id)
        .where(
            select(WatchSegment.pass_id).where(WatchSegment.pass_id == ViewingPass.id).exists(),
            *takes_place,
        )
        .distinct()
        .subquery()
    )
    found = db.execute(select(watched.c.mode, func.count()).group_by(watched.c.mode))
    return dict(found.all())


def _takes_place(
    start: datetime, end: datetime, society_ids: frozenset[int] | None
) -> tuple[ColumnElement[bool], ...]:
    found = (
        WebinarSession.starts_at >= start,
        WebinarSession.starts_at < end,
        WebinarSession.status != SessionStatus.CANCELLED,
    )
    if society_ids is None:
        return found
    return (*found, WebinarSession.society_id.in_(society_ids))


def _by_month(
    sessions: Iterable[Planned], places: dict[int, int], zone: str
) -> tuple[MonthNumbers, ...]:
    """Only months in which something takes place."""
    held: Counter[date] = Counter()
    registered: Counter[date] = Counter()
    for session in sessions:
        if session.status is SessionStatus.CANCELLED:
            continue
        first = to_local(session.starts_at, zone).date().replace(day=1)
        held[first] += 1
        registered[first] += places.get(session.id, 0)
    return tuple(MonthNumbers(first, held[first], registered[first]) for first in sorted(held))
