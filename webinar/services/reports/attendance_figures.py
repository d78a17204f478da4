"""How many were there, for how long, from where: one statement, whatever the number of rows."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import BigInteger, Integer, Select, Subquery, case, func, literal, select
from sqlalchemy.sql.elements import ColumnElement

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.models import AttendanceSummary, User, ViewingPass, WatchSegment, WebinarSession
from webinar.services import attendance

STEP_MINUTES = 5
"""Minutes are told in steps of so many."""


@dataclass(frozen=True, kw_only=True)
class AttendanceFigures:
    """People with evidence in one mode, in groups."""

    people: int
    seconds: int
    """Of all together."""
    minutes: tuple[tuple[int, int], ...]
    """(first minute of a step of five, people whose counted time ends in it)."""
    countries: tuple[tuple[str, int], ...]
    """(ISO 3166-1 alpha-2, people), most first."""
    professions: tuple[tuple[str, int], ...]


def report_from_summaries(db: DbSession, session_id: int, mode: ViewingMode) -> AttendanceFigures:
    """The figures from the summaries kept when people were decided upon."""
    counted = (
        select(AttendanceSummary.user_id, AttendanceSummary.seconds)
        .where(AttendanceSummary.session_id == session_id, AttendanceSummary.mode == mode)
        .subquery()
    )
    return _grouped(db, counted)


def report_from_rows(
    db: DbSession, session: WebinarSession, mode: ViewingMode
) -> AttendanceFigures:
    """The figures from the evidence itself: the union of all a person's devices, in the window.

    The database does the counting, so that memory stays flat. What decisions add to it (gaps of
    under a second) and take from it (what one person cannot have watched, what a recording leaves
    out) only summaries know.
    """
    window = attendance.counting_window(db, session, mode)
    start, end = window.start * 1000, window.end * 1000
    if mode is ViewingMode.LIVE:
        air = attendance.on_air(session)
        start, end = max(start, round(air.start * 1000)), min(end, round(min(air.end, 4e9) * 1000))
    # A function of several values on SQLite is max() and min(), on PostgreSQL an aggregate.
    is_postgres = db.get_bind().dialect.name == "postgresql"
    greatest, least = (func.greatest, func.least) if is_postgres else (func.max, func.min)
    until = least(WatchSegment.to_ms, end)
    order = (WatchSegment.from_ms, WatchSegment.pass_id, WatchSegment.number)
    stretches = (
        select(
            ViewingPass.user_id,
            greatest(WatchSegment.from_ms, start).label("since"),
            until.label("until"),
            # How far earlier stretches of the same person reach: only what is beyond is new.
            func.max(until)
            .over(partition_by=ViewingPass.user_id, order_by=order, rows=(None, -1))
            .label("reached"),
        )
        .join(WatchSegment, WatchSegment.pass_id == ViewingPass.id)
        .where(ViewingPass.session_id == session.id, ViewingPass.mode == mode)
        .subquery()
    )
    begins = greatest(stretches.c.since, func.coalesce(stretches.c.reached, start))
    fresh = case((stretches.c.until > begins, stretches.c.until - begins), else_=literal(0))
    counted = (
        select(stretches.c.user_id, (func.sum(fresh) / 1000).cast(Integer).label("seconds"))
        .group_by(stretches.c.user_id)
        .subquery()
    )
    return _grouped(db, counted)


def _grouped(db: DbSession, counted: Subquery) -> AttendanceFigures:
    people = total = 0
    minutes: Counter[int] = Counter()
    countries: Counter[str] = Counter()
    professions: Counter[str] = Counter()
    for step, country, profession, number, seconds in db.execute(_groups(counted)):
        people += number
        total += seconds
        minutes[step * STEP_MINUTES] += number
        countries[country] += number
        professions[profession] += number
    return AttendanceFigures(
        people=people,
        seconds=total,
        minutes=tuple(sorted(minutes.items())),
        countries=_most_first(countries),
        professions=_most_first(professions),
    )


def _groups(counted: Subquery) -> Select[int, str, str, int, int]:
    step: ColumnElement[int] = counted.c.seconds // (STEP_MINUTES * 60)
    return (
        select(
            step.label("step"),
            User.country,
            User.profession,
            func.count(),
            func.sum(counted.c.seconds).cast(BigInteger),
        )
        .join(User, User.id == counted.c.user_id)
        .group_by(step, User.country, User.profession)
    )


def _most_first(found: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
