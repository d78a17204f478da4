"""The season in numbers: sessions, registrations, people, countries, attendances. One query."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, String, cast, func, literal, select, union_all

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local
from webinar.domain.waiting import Planned
from webinar.models import Registration, User, ViewingPass, WatchSegment, WebinarSession


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
    held = (Registration.cancelled_at.is_(None), *takes_place)
    people = func.count(Registration.user_id.distinct())
    places = (
        select(_kind("places"), cast(Registration.session_id, String), func.count().label("number"))
        .join(WebinarSession, WebinarSession.id == Registration.session_id)
        .where(*held)
        .group_by(Registration.session_id)
    )
    countries = (
        select(_kind("country"), User.country, people)
        .join(Registration, Registration.user_id == User.id)
        .join(WebinarSession, WebinarSession.id == Registration.session_id)
        .where(*held)
        .group_by(User.country)
    )
    found: dict[str, dict[str, int]] = {"places": {}, "country": {}, "attended": {}}
    for kind, of, number in db.execute(union_all(places, countries, _attended(takes_place))):
        found[kind][of] = number
    return SeasonNumbers(
        by_status=dict(Counter(session.status for session in inside)),
        months=_by_month(inside, found["places"], zone),
        countries=tuple(sorted(found["country"].items(), key=lambda pair: (-pair[1], pair[0]))),
        attended={ViewingMode(mode): number for mode, number in found["attended"].items()},
    )


def _kind(name: str) -> ColumnElement[str]:
    return literal(name).label("kind")


def _attended(takes_place: tuple[ColumnElement[bool], ...]) -> Select[str, str, int]:
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
    return select(_kind("attended"), cast(watched.c.mode, String), func.count()).group_by(
        watched.c.mode
    )


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
    sessions: Iterable[Planned], places: dict[str, int], zone: str
) -> tuple[MonthNumbers, ...]:
    """Only months in which something takes place."""
    held: Counter[date] = Counter()
    registered: Counter[date] = Counter()
    for session in sessions:
        if session.status is SessionStatus.CANCELLED:
            continue
        first = to_local(session.starts_at, zone).date().replace(day=1)
        held[first] += 1
        registered[first] += places.get(str(session.id), 0)
    return tuple(MonthNumbers(first, held[first], registered[first]) for first in sorted(held))
