"""Breaks: days on which a series does not meet, one or a whole August at once, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import Conflict, DomainError
from webinar.domain.wording import plural
from webinar.models import SeasonChange, Series, SeriesException, WebinarSession
from webinar.services import audit
from webinar.services.series_drafts import Standing, discard_all, standing_of
from webinar.services.series_preview import sessions_by_day
from webinar.services.series_rules import note, snapshot
from webinar.services.societies import ensure_name

LONGEST_DAYS = 366
LONGEST_REASON = 200


class ImpossibleBreak(DomainError):
    """The days of the break make no span, or too long a one."""


class AlreadyPlanned(Conflict):
    """Days cannot be excepted any more: they have sessions that somebody worked on."""


class DraftsInTheWay(Conflict):
    """The break lies over planned drafts that nobody has touched; they may be discarded."""


@dataclass(frozen=True)
class Break:
    """Days in a row with one reason, both ends included."""

    first_day: date
    last_day: date
    reason: str

    @property
    def days(self) -> int:
        """How many days it is."""
        return (self.last_day - self.first_day).days + 1


@dataclass(frozen=True)
class Outlook:
    """What is planned already on the days of a break."""

    drafts: tuple[WebinarSession, ...]  # untouched: they can be discarded
    kept: tuple[Standing, ...]  # they stay, and their days are no break


def of_series(series: Series) -> list[Break]:
    """The breaks in order; days in a row with the same reason are one."""
    breaks: list[Break] = []
    for exception in sorted(series.exceptions, key=lambda row: row.day):
        last = breaks[-1] if breaks else None
        follows = last is not None and exception.day - last.last_day == timedelta(days=1)
        if last is not None and follows and exception.reason == last.reason:
            breaks[-1] = Break(last.first_day, exception.day, last.reason)
        else:
            breaks.append(Break(exception.day, exception.day, exception.reason))
    return breaks


def outlook(
    db: DbSession, series: Series, first_day: date, last_day: date, *, now: datetime
) -> Outlook:
    """What a break on these days would meet."""
    there = sessions_by_day(db, series.id, first_day, last_day)
    standings = standing_of(db, series, [there[day] for day in sorted(there)], now=now)
    return Outlook(
        drafts=tuple(found.session for found in standings if found.is_untouched),
        kept=tuple(found for found in standings if not found.is_untouched),
    )


def add(
    db: DbSession,
    series_id: int,
    first_day: date,
    last_day: date | None = None,
    *,
    reason: str,
    discard_drafts: bool = False,
    change: SeasonChange | None = None,
    actor_id: int | None,
    now: datetime,
) -> list[date]:
    """Leave days out, both ends included (or one day); which. Twice keeps the last reason.

    Sessions on these days that somebody worked on, or that are announced, stay, and their days are
    no break. Given a change of the season, it can be taken back with it. Raises NameMissing without
    a reason, ImpossibleBreak, DraftsInTheWay unless they are to be discarded, AlreadyPlanned if no
    day is left.
    """
    series = db.get_one(Series, series_id, with_for_update=True, populate_existing=True)
    last_day = last_day or first_day
    reason = ensure_name(reason)
    _ensure_days(first_day, last_day, reason)
    met = outlook(db, series, first_day, last_day, now=now)
    if met.drafts and not discard_drafts:
        raise DraftsInTheWay(
            f"{plural(len(met.drafts), 'draft is', 'drafts are')} planned in these days, and "
            "nobody has worked on them. Discard them with the break, or choose other days."
        )
    taken = {found.session.planned_day for found in met.kept}
    days = [day for day in _days(first_day, last_day) if day not in taken]
    if not days:
        raise AlreadyPlanned(
            f"The session of {_spoken(first_day)} is {met.kept[0].why}. "
            "Cancel or discard that session instead."
        )
    before = snapshot(series)
    for day in days:
        db.merge(SeriesException(series_id=series.id, day=day, reason=reason))
    db.flush()
    db.expire(series, ["exceptions"])
    if change is not None:
        note(db, change, series, before)
    if met.drafts:
        discard_all(db, met.drafts, reason=reason, change=change, actor_id=actor_id, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="series break added",
        subject=f"series {series.id}",
        after={
            "first_day": days[0].isoformat(),
            "last_day": days[-1].isoformat(),
            "drafts_discarded": len(met.drafts),
        },
        reason=reason,
        now=now,
    )
    return days


def remove(
    db: DbSession,
    series_id: int,
    first_day: date,
    last_day: date,
    *,
    actor_id: int | None,
    now: datetime,
) -> int:
    """Let the series meet on these days again; how many days were a break."""
    series = db.get_one(Series, series_id, with_for_update=True, populate_existing=True)
    gone = list(
        db.scalars(
            select(SeriesException).where(
                SeriesException.series_id == series.id,
                SeriesException.day.between(first_day, last_day),
            )
        )
    )
    if not gone:
        return 0
    series.exceptions = [row for row in series.exceptions if row not in gone]
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="series break removed",
        subject=f"series {series.id}",
        before={"days": _iso([row.day for row in gone]), "reason": gone[0].reason},
        now=now,
    )
    return len(gone)


def _ensure_days(first_day: date, last_day: date, reason: str) -> None:
    if last_day < first_day:
        raise ImpossibleBreak("The last day of the break is before the first. Exchange them.")
    if (last_day - first_day).days >= LONGEST_DAYS:
        raise ImpossibleBreak("A break is a year long at most. Choose an earlier last day.")
    if len(reason) > LONGEST_REASON:
        raise ImpossibleBreak(f"A reason has at most {LONGEST_REASON} characters. Shorten it.")


def _days(first_day: date, last_day: date) -> list[date]:
    return [first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1)]


def _iso(days: Sequence[date]) -> str:
    ordered = sorted(days)
    return f"{ordered[0].isoformat()} to {ordered[-1].isoformat()}"


def _spoken(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
