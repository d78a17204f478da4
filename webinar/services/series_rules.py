"""What a series is planned by, kept as it was: so that a change of its rules can be taken back."""

from collections.abc import Iterable
from datetime import date, time
from typing import TypedDict, cast

from webinar.db import DbSession
from webinar.domain.session import ChangedMeanwhile
from webinar.models import PlanningRule, SeasonChange, Series, SeriesException


class RuleBefore(TypedDict):
    """A rule, as text that JSON keeps."""

    rule: str
    local_start: str
    duration_minutes: int
    first_day: str
    last_day: str | None


class ExceptionBefore(TypedDict):
    """A day that was left out."""

    day: str
    reason: str


class SeriesBefore(TypedDict):
    """All that a change of rules or a break can take away."""

    rules: list[RuleBefore]
    exceptions: list[ExceptionBefore]


def snapshot(series: Series) -> SeriesBefore:
    """The series before a change."""
    return SeriesBefore(
        rules=[
            RuleBefore(
                rule=row.rule,
                local_start=row.local_start.isoformat(),
                duration_minutes=row.duration_minutes,
                first_day=row.first_day.isoformat(),
                last_day=row.last_day.isoformat() if row.last_day else None,
            )
            for row in series.rules
        ],
        exceptions=[
            ExceptionBefore(day=row.day.isoformat(), reason=row.reason) for row in series.exceptions
        ],
    )


def note(db: DbSession, change: SeasonChange, series: Series, before: SeriesBefore) -> None:
    """Let the change be taken back for the series too, as long as it is what it is now."""
    db.flush()
    db.expire(series, ["rules", "exceptions"])
    item = {"series": series.id, "before": before, "after": snapshot(series)}
    change.items = [*change.items, item]


def ensure_as_left(db: DbSession, series_id: int, after: object) -> None:
    """Raise ChangedMeanwhile if the series was planned anew since; else hold it."""
    series = db.get_one(Series, series_id, with_for_update=True, populate_existing=True)
    if _in_order(snapshot(series)) != _in_order(cast(SeriesBefore, after)):
        raise ChangedMeanwhile(
            f"The rules or breaks of {series.name} were changed again since. "
            "Take that back first, or change the series once more."
        )


def put_back(db: DbSession, series_id: int, before: object) -> None:
    """Let the series be planned as it was; its sessions are not touched."""
    was = cast(SeriesBefore, before)
    series = db.get_one(Series, series_id, with_for_update=True, populate_existing=True)
    series.rules = [
        PlanningRule(
            rule=row["rule"],
            local_start=time.fromisoformat(row["local_start"]),
            duration_minutes=row["duration_minutes"],
            first_day=date.fromisoformat(row["first_day"]),
            last_day=date.fromisoformat(row["last_day"]) if row["last_day"] else None,
        )
        for row in was["rules"]
    ]
    _put_exceptions(series, was["exceptions"])
    db.flush()
    db.expire(series, ["rules", "exceptions"])


def _in_order(was: SeriesBefore) -> list[str]:
    return sorted(repr(row) for row in [*was["rules"], *was["exceptions"]])


def _put_exceptions(series: Series, was: Iterable[ExceptionBefore]) -> None:
    wanted = {date.fromisoformat(row["day"]): row["reason"] for row in was}
    kept = [row for row in series.exceptions if row.day in wanted]
    for row in kept:
        row.reason = wanted.pop(row.day)
    series.exceptions = [
        *kept,
        *(SeriesException(day=day, reason=reason) for day, reason in wanted.items()),
    ]
