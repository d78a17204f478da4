"""What organisers see first: what waits for them, and where a new organisation stands.

One query for all sessions of a season, whatever its size; what waits among them, and why, says
webinar.domain.waiting.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select
from sqlalchemy.orm import selectinload

from webinar.db import DbSession
from webinar.domain.credit import GrantStatus
from webinar.domain.errors import DomainError
from webinar.domain.recording import RecordingState
from webinar.domain.series import plan_together
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.domain.waiting import CLOSING_WITHIN, PRESENTER_WITHIN, Planned
from webinar.models import (
    AccreditationGrant,
    ExtensionRequest,
    FacultyMember,
    Recording,
    Series,
    SeriesException,
    Society,
    User,
    WebinarSession,
)
from webinar.services.series import rows_of

BLANKS = " \t\r\n"


@dataclass(frozen=True)
class Break:
    """A day on which a series does not meet, and why."""

    day: date
    series: str
    reason: str


@dataclass(frozen=True)
class Beginnings:
    """What a new organisation has done already, in the order in which it is done."""

    society: bool
    series: bool
    planned: bool
    filled: bool
    published: bool


def sessions_between(
    db: DbSession,
    start: datetime,
    end: datetime,
    *,
    society_ids: frozenset[int] | None = None,
    now: datetime,
) -> list[Planned]:
    """All that starts in [start, end), and all that may wait for somebody; earliest first."""
    near = or_(
        and_(WebinarSession.starts_at >= start, WebinarSession.starts_at < end),
        WebinarSession.status == SessionStatus.LIVE,
        and_(WebinarSession.ends_at > now, WebinarSession.starts_at < now + PRESENTER_WITHIN),
        Recording.closes_at.between(now, now + CLOSING_WITHIN),
        _waits_to_publish(),
        Recording.id.in_(
            select(ExtensionRequest.recording_id).where(ExtensionRequest.answered_at.is_(None))
        ),
        WebinarSession.id.in_(
            select(FacultyMember.session_id).where(FacultyMember.consent_withdrawn_at.is_not(None))
        ),
    )
    asked = select(AccreditationGrant.id).where(
        AccreditationGrant.session_id == WebinarSession.id,
        AccreditationGrant.status != GrantStatus.NONE,
    )
    found = (
        select(
            WebinarSession.id,
            WebinarSession.public_id,
            WebinarSession.title,
            Series.name,
            WebinarSession.starts_at,
            WebinarSession.ends_at,
            WebinarSession.zone,
            WebinarSession.status,
            asked.exists().label("has_credit"),
            _has(FacultyPart.PRESENTER).label("has_presenter"),
            _has(FacultyPart.MODERATOR).label("has_moderator"),
            _names(func.trim(FacultyMember.disclosure, BLANKS) == "").label("undisclosed"),
            _names(FacultyMember.consent_withdrawn_at.is_not(None)).label("withdrawn"),
            _asked_time().label("asked_time"),
            _waits_to_publish().label("waits_to_publish"),
            Recording.state,
            Recording.closes_at,
        )
        .outerjoin(Series, Series.id == WebinarSession.series_id)
        .outerjoin(Recording, Recording.session_id == WebinarSession.id)
        .where(near)
        .order_by(WebinarSession.starts_at, WebinarSession.id)
    )
    if society_ids is not None:
        found = found.where(WebinarSession.society_id.in_(society_ids))
    return [
        Planned(
            id=row.id,
            public_id=row.public_id,
            title=row.title,
            series=row.name or "",
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            zone=row.zone,
            status=row.status,
            has_credit=bool(row.has_credit),
            recording=row.state,
            closes_at=row.closes_at,
            has_presenter=bool(row.has_presenter),
            has_moderator=bool(row.has_moderator),
            undisclosed=_as_names(row.undisclosed),
            withdrawn=_as_names(row.withdrawn),
            asked_time=_as_names(row.asked_time),
            waits_to_publish=bool(row.waits_to_publish),
        )
        for row in db.execute(found)
    ]


def _waits_to_publish() -> ColumnElement[bool]:
    # Without a picture there is nothing to publish, and nothing to wait for.
    return and_(Recording.state == RecordingState.READY, Recording.duration_seconds > 0)


def beginnings(db: DbSession, *, society_ids: frozenset[int] | None = None) -> Beginnings:
    """How far a new organisation has come: one query."""
    of_these = WebinarSession.society_id.is_not(None)
    if society_ids is not None:
        of_these = WebinarSession.society_id.in_(society_ids)
    any_session = select(WebinarSession.id).where(of_these)
    with_presenter = WebinarSession.faculty.any(FacultyMember.part == FacultyPart.PRESENTER)
    row = db.execute(
        select(
            select(Society.id).exists(),
            select(Series.id).exists(),
            any_session.exists(),
            any_session.where(WebinarSession.abstract != "", with_presenter).exists(),
            any_session.where(WebinarSession.status != SessionStatus.DRAFT).exists(),
        )
    ).one()
    return Beginnings(*(bool(value) for value in row))


def breaks_between(
    db: DbSession, first: date, last: date, *, society_ids: frozenset[int] | None = None
) -> list[Break]:
    """Days from `first` to `last`, both included, that would be a session's but for a break."""
    found = (
        select(SeriesException, Series)
        .join(Series, Series.id == SeriesException.series_id)
        .where(SeriesException.day >= first, SeriesException.day <= last)
        .options(selectinload(Series.rules))
        .order_by(SeriesException.day, Series.name, Series.id)
    )
    if society_ids is not None:
        found = found.where(Series.society_id.in_(society_ids))
    rows = db.execute(found).all()
    meets = {series: _days_of(series, first, last) for series in {series for _, series in rows}}
    return [
        Break(left_out.day, series.name, left_out.reason)
        for left_out, series in rows
        if left_out.day in meets[series]
    ]


def _days_of(series: Series, first: date, last: date) -> frozenset[date]:
    """The days that its rules name, breaks or not; none where they cannot be worked out."""
    rules = [row.of_series(series.zone) for row in rows_of(series)]
    try:
        planned = plan_together(rules, first_day=first, last_day=last)
    except DomainError:
        return frozenset()
    return frozenset(session.local_start.date() for session in planned)


def _has(part: FacultyPart) -> ColumnElement[bool]:
    return (
        select(FacultyMember.id)
        .where(FacultyMember.session_id == WebinarSession.id, FacultyMember.part == part)
        .exists()
    )


def _names(condition: ColumnElement[bool]) -> ScalarSelect[str]:
    """The names of those members of a session for whom it holds, a line each."""
    return (
        select(func.aggregate_strings(FacultyMember.name, "\n"))
        .where(FacultyMember.session_id == WebinarSession.id, condition)
        .scalar_subquery()
    )


def _asked_time() -> ScalarSelect[str]:
    return (
        select(func.aggregate_strings(User.name, "\n"))
        .join(ExtensionRequest, ExtensionRequest.user_id == User.id)
        .where(
            ExtensionRequest.recording_id == Recording.id, ExtensionRequest.answered_at.is_(None)
        )
        .correlate(Recording)
        .scalar_subquery()
    )


def _as_names(lines: str | None) -> tuple[str, ...]:
    return tuple(sorted(set((lines or "").splitlines())))
