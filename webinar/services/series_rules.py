"""What a series is planned by, kept as it was: so that a change of its rules can be taken back."""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import TypedDict, cast

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.models import PlanningRule, SeasonChange, Series, SeriesException, WebinarSession


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


class DraftBefore(TypedDict):
    """An untouched draft that was discarded: with the names by which links know it."""

    public_id: str
    ical_uid: str
    planned_day: str
    title: str
    starts_at: str
    ends_at: str
    zone: str
    recording_months: int
    created_at: str


class SeriesBefore(TypedDict):
    """All that a change of rules or a break can take away."""

    rules: list[RuleBefore]
    exceptions: list[ExceptionBefore]
    drafts: list[DraftBefore]


def snapshot(series: Series, discarded: Iterable[WebinarSession] = ()) -> SeriesBefore:
    """The series before a change, and the untouched drafts which the change discards."""
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
        drafts=[_draft_before(session) for session in discarded],
    )


def note(change: SeasonChange, series_id: int, before: SeriesBefore) -> None:
    """Let the change be taken back for the series too."""
    change.items = [*change.items, {"series": series_id, "before": before}]


def put_back(db: DbSession, series_id: int, before: object) -> None:
    """Let the series be planned as it was; drafts that were discarded are there again.

    A day that has got a session since keeps it.
    """
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
    taken = set(
        db.scalars(select(WebinarSession.planned_day).where(WebinarSession.series_id == series.id))
    )
    db.add_all(
        _draft_again(series, draft)
        for draft in was.get("drafts", [])
        if date.fromisoformat(draft["planned_day"]) not in taken
    )
    db.flush()


def _put_exceptions(series: Series, was: Iterable[ExceptionBefore]) -> None:
    wanted = {date.fromisoformat(row["day"]): row["reason"] for row in was}
    kept = [row for row in series.exceptions if row.day in wanted]
    for row in kept:
        row.reason = wanted.pop(row.day)
    series.exceptions = [
        *kept,
        *(SeriesException(day=day, reason=reason) for day, reason in wanted.items()),
    ]


def _draft_before(session: WebinarSession) -> DraftBefore:
    return DraftBefore(
        public_id=session.public_id,
        ical_uid=session.ical_uid,
        planned_day=session.planned_day.isoformat() if session.planned_day else "",
        title=session.title,
        starts_at=session.starts_at.isoformat(),
        ends_at=session.ends_at.isoformat(),
        zone=session.zone,
        recording_months=session.recording_months,
        created_at=session.created_at.isoformat(),
    )


def _draft_again(series: Series, draft: DraftBefore) -> WebinarSession:
    created_at = datetime.fromisoformat(draft["created_at"])
    return WebinarSession(
        public_id=draft["public_id"],
        series_id=series.id,
        planned_day=date.fromisoformat(draft["planned_day"]),
        society_id=series.society_id,
        title=draft["title"],
        starts_at=datetime.fromisoformat(draft["starts_at"]),
        ends_at=datetime.fromisoformat(draft["ends_at"]),
        zone=draft["zone"],
        recording_months=draft["recording_months"],
        status=SessionStatus.DRAFT,
        ical_uid=draft["ical_uid"],
        ical_changed_at=created_at,
        created_at=created_at,
    )
