"""Steps in the life of a session, taken as its table says: the new state and what it sets off."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from webinar.db import DbSession
from webinar.domain.announcement import Standing
from webinar.domain.session import LIFE, Effect, StepName, ensure_begins
from webinar.models import SeriesException, WebinarSession
from webinar.services import announcements, audit, registrations
from webinar.services.feeds import CalendarTool, refresh


@dataclass(frozen=True)
class Taking:
    """What the effects of a step need to know."""

    session: WebinarSession
    before: Standing
    calendar: CalendarTool | None
    mails_leave_at: datetime
    reason: str
    now: datetime


def take(
    db: DbSession,
    session: WebinarSession,
    name: StepName,
    *,
    calendar: CalendarTool | None = None,
    mails_leave_at: datetime | None = None,
    reason: str = "",
    now: datetime,
) -> int:
    """Put the session in its new state and set off what the table says; how many people are told.

    What is on air is the broadcast's: it takes those steps itself. Raises IllegalStep.
    """
    row = LIFE[name]
    taking = Taking(
        session,
        announcements.standing_of(session),
        calendar,
        mails_leave_at or now,
        reason,
        now,
    )
    ensure_begins(session.status, name)
    session.status = row.to or row.frm
    return sum(EFFECTS[effect](db, taking) for effect in row.sets_off)


def note(
    db: DbSession,
    session: WebinarSession,
    action: str,
    *,
    actor_id: int | None,
    now: datetime,
    reason: str = "",
) -> None:
    """Write into the trail what was done, and where the session stands after it."""
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"session {session.id}",
        after={"status": session.status.value, "starts_at": session.starts_at.isoformat()},
        reason=reason,
        now=now,
    )


def _refresh_calendar(db: DbSession, taking: Taking) -> int:
    if taking.calendar is None:
        raise ValueError("this step needs the calendar tool")
    refresh(db, taking.session, calendar=taking.calendar, now=taking.now)
    return 0


def _tell_registrants(db: DbSession, taking: Taking) -> int:
    return announcements.tell(
        db, taking.session, taking.before, due_at=taking.mails_leave_at, now=taking.now
    )


def _place_series_registrants(db: DbSession, taking: Taking) -> int:
    registrations.carry_series_registrations(db, taking.session, now=taking.now)
    return 0


def _except_day(db: DbSession, taking: Taking) -> int:
    session = taking.session
    if session.series_id is not None and session.planned_day is not None:
        # Else the next planning would bring it back.
        db.merge(
            SeriesException(
                series_id=session.series_id, day=session.planned_day, reason=taking.reason[:200]
            )
        )
    return 0


EFFECTS: dict[Effect, Callable[[DbSession, Taking], int]] = {
    Effect.CALENDAR_REFRESHED: _refresh_calendar,
    Effect.REGISTRANTS_TOLD: _tell_registrants,
    Effect.SERIES_REGISTRANTS_PLACED: _place_series_registrants,
    Effect.DAY_EXCEPTED: _except_day,
}
