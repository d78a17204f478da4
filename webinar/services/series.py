"""Series: created from a rule, previewed, planned into sessions."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import Conflict, DomainError, NotFound
from webinar.domain.series import (
    LONGEST_SPAN_DAYS,
    PlannedSession,
    SeriesRule,
    plan_together,
    rhythm,
)
from webinar.domain.series import plan as planned_by
from webinar.domain.series_notes import preview_notes
from webinar.domain.session import SessionStatus
from webinar.domain.session_details import UNTITLED
from webinar.models import PlanningRule, Series, SeriesException, Society, WebinarSession
from webinar.services import audit
from webinar.services.feeds import CalendarTool
from webinar.services.session_rows import new_public_id
from webinar.services.societies import SlugTaken, ensure_name, ensure_slug

LOOK_AHEAD_DAYS = 400
LONGEST_WINDOW_MONTHS = 60


class ImpossibleWindow(DomainError):
    """Recordings cannot stay open that long, or that short."""


class AlreadyPlanned(Conflict):
    """A day cannot be excepted any more: it has a session."""


@dataclass(frozen=True)
class PlannedDate:
    """A date of a plan beside what is there already: `session` is None while it is only a plan."""

    day: date
    planned: PlannedSession
    session: WebinarSession | None
    is_new: bool
    notes: tuple[str, ...]
    overlaps: tuple[str, ...]  # titles of other sessions at the same time


def by_slug(db: DbSession, slug: str) -> Series:
    """The series of this short name; raises NotFound."""
    series = db.scalar(select(Series).where(Series.slug == slug))
    if series is None:
        raise NotFound(f"There is no series called {slug!r}.")
    return series


def listed(db: DbSession) -> list[Series]:
    """Every series, by name."""
    return list(db.scalars(select(Series).order_by(Series.name, Series.id)))


def rules_of(series: Series) -> tuple[SeriesRule, ...]:
    """The rules the series is planned by, the one that begins first first."""
    exceptions = frozenset(exception.day for exception in series.exceptions)
    return tuple(_rule(series, row, exceptions) for row in series.rules)


def rhythms_of(series: Series, *, today: date) -> list[str]:
    """In words, each rule that still holds; the last one of all if none does any more."""
    rules = [_rule(series, row, frozenset()) for row in series.rules]
    holding = [rule for rule in rules if rule.ends_on is None or rule.ends_on >= today]
    return [rhythm(rule) for rule in holding or rules[-1:]]


def create(
    db: DbSession,
    *,
    slug: str,
    society_id: int,
    name: str,
    rule: str,
    local_start: time,
    duration_minutes: int,
    zone: str,
    first_day: date,
    recording_months: int = 6,
    about: str = "",
    actor_id: int | None,
    now: datetime,
) -> Series:
    """Add a series whose rule can be planned; nothing is planned yet.

    Raises BadSlug, SlugTaken, NameMissing, ImpossibleWindow, and every refusal of a rule.
    """
    ensure_slug(slug)
    name = ensure_name(name)
    if not 1 <= recording_months <= LONGEST_WINDOW_MONTHS:
        raise ImpossibleWindow(
            f"Recordings stay open for 1 to {LONGEST_WINDOW_MONTHS} months; 6 is usual."
        )
    if db.scalar(select(Series.id).where(Series.slug == slug)) is not None:
        raise SlugTaken(f"There is a series called {slug} already. Choose another short name.")
    db.get_one(Society, society_id)
    ensure_plannable(
        SeriesRule(rule, local_start, duration_minutes, zone, starts_on=first_day), first_day
    )
    series = Series(
        slug=slug,
        society_id=society_id,
        name=name,
        about=about.strip(),
        zone=zone,
        recording_months=recording_months,
        created_at=now,
        rules=[
            PlanningRule(
                rule=rule,
                local_start=local_start,
                duration_minutes=duration_minutes,
                first_day=first_day,
            )
        ],
    )
    db.add(series)
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="series created",
        subject=f"series {series.id}",
        after={"slug": slug, "rule": rule, "start": f"{local_start:%H:%M}", "zone": zone},
        now=now,
    )
    return series


def ensure_plannable(rule: SeriesRule, first_day: date) -> None:
    """Raise the refusal of a rule that would fail later: look over its first year and a bit."""
    planned_by(rule, first_day=first_day, last_day=first_day + timedelta(days=LOOK_AHEAD_DAYS))


def add_exception(
    db: DbSession,
    series_id: int,
    day: date,
    *,
    reason: str,
    actor_id: int | None,
    now: datetime,
) -> SeriesException:
    """Leave a day out of the plan, with a reason; raises AlreadyPlanned. Twice keeps the last."""
    series = db.get_one(Series, series_id, with_for_update=True, populate_existing=True)
    reason = ensure_name(reason)
    planned = db.scalar(
        select(WebinarSession.public_id).where(
            WebinarSession.series_id == series.id, WebinarSession.planned_day == day
        )
    )
    if planned is not None:
        raise AlreadyPlanned(
            f"The session of {_spoken(day)} is planned already ({planned}). "
            "Discard or cancel that session instead."
        )
    exception = db.get(SeriesException, (series.id, day))
    if exception is None:
        exception = SeriesException(series_id=series.id, day=day, reason=reason)
        series.exceptions.append(exception)
    exception.reason = reason
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="series exception added",
        subject=f"series {series.id}",
        after={"day": day.isoformat()},
        reason=reason,
        now=now,
    )
    return exception


def preview(
    db: DbSession,
    rules: Sequence[SeriesRule],
    *,
    first_day: date,
    until: date,
    series_id: int | None = None,
) -> list[PlannedDate]:
    """The dates of the rules, with clock changes, overlaps, and what the series has already."""
    planned = plan_together(rules, first_day=first_day, last_day=until)
    existing = {} if series_id is None else _sessions_by_day(db, series_id)
    notes: dict[datetime, list[str]] = defaultdict(list)
    for note in preview_notes(planned):
        notes[note.starts_at].append(note.text)
    others = _others_between(db, planned[0].starts_at, planned[-1].ends_at, series_id)
    dates = []
    for session in planned:
        day = session.local_start.date()
        overlaps = tuple(
            other.title
            for other in others
            if other.starts_at < session.ends_at and session.starts_at < other.ends_at
        )
        dates.append(
            PlannedDate(
                day=day,
                planned=session,
                session=existing.get(day),
                is_new=day not in existing,
                notes=tuple(notes[session.starts_at]),
                overlaps=overlaps,
            )
        )
    return dates


def plan(
    db: DbSession,
    series_id: int,
    *,
    until: date,
    calendar: CalendarTool,
    now: datetime,
    dry_run: bool = False,
    actor_id: int | None = None,
) -> list[PlannedDate]:
    """Make a draft of every date up to and including `until` that has none; planning twice is once.

    A session that was moved stays the session of its planned day. Raises the refusals of the rule.
    """
    # Two people planning at the same time queue up here instead of colliding on a date.
    series = db.get_one(Series, series_id, with_for_update=not dry_run, populate_existing=True)
    dates = preview(
        db,
        rules_of(series),
        first_day=_first_day_to_plan(db, series, until),
        until=until,
        series_id=series.id,
    )
    if dry_run:
        return dates
    made = [
        _with_session(date_, _draft(series, date_, calendar=calendar, now=now))
        if date_.is_new
        else date_
        for date_ in dates
    ]
    new = [date_ for date_ in made if date_.is_new]
    db.add_all(date_.session for date_ in new)
    db.flush()
    if new:
        audit.write(
            db,
            actor_id=actor_id,
            action="series planned",
            subject=f"series {series.id}",
            after={"until": until.isoformat(), "sessions": len(new)},
            now=now,
        )
    return made


def _rule(series: Series, row: PlanningRule, exceptions: frozenset[date]) -> SeriesRule:
    return SeriesRule(
        rule=row.rule,
        local_start=row.local_start,
        duration_minutes=row.duration_minutes,
        zone=series.zone,
        exceptions=exceptions,
        starts_on=row.first_day,
        ends_on=row.last_day,
    )


def _first_day_to_plan(db: DbSession, series: Series, until: date) -> date:
    """The first day; for a series planned for years already, as far back as a plan may reach."""
    earliest = until - timedelta(days=LONGEST_SPAN_DAYS)
    first_day = min(rule.first_day for rule in series.rules)
    if earliest > first_day and _sessions_by_day(db, series.id):
        return earliest
    return first_day


def _draft(
    series: Series, date_: PlannedDate, *, calendar: CalendarTool, now: datetime
) -> WebinarSession:
    public_id = new_public_id()
    return WebinarSession(
        public_id=public_id,
        series_id=series.id,
        planned_day=date_.day,
        society_id=series.society_id,
        title=UNTITLED,
        starts_at=date_.planned.starts_at,
        ends_at=date_.planned.ends_at,
        zone=series.zone,
        recording_months=series.recording_months,
        status=SessionStatus.DRAFT,
        ical_uid=f"session-{public_id}@{calendar.calendar_domain}",
        ical_changed_at=now,
        created_at=now,
    )


def _with_session(date_: PlannedDate, session: WebinarSession) -> PlannedDate:
    return PlannedDate(
        date_.day, date_.planned, session, is_new=True, notes=date_.notes, overlaps=date_.overlaps
    )


def _sessions_by_day(db: DbSession, series_id: int) -> dict[date, WebinarSession]:
    found = db.scalars(
        select(WebinarSession).where(
            WebinarSession.series_id == series_id, WebinarSession.planned_day.is_not(None)
        )
    )
    return {session.planned_day: session for session in found if session.planned_day}


def _others_between(
    db: DbSession, start: datetime, end: datetime, series_id: int | None
) -> list[WebinarSession]:
    found = select(WebinarSession).where(
        WebinarSession.starts_at < end,
        WebinarSession.ends_at > start,
        WebinarSession.status != SessionStatus.CANCELLED,
    )
    if series_id is not None:
        found = found.where(WebinarSession.series_id.is_distinct_from(series_id))
    return list(db.scalars(found.order_by(WebinarSession.starts_at)))


def _spoken(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
