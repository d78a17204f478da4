"""Which sessions of a series only follow its rule, and which somebody has worked on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, select, union
from sqlalchemy.orm import selectinload, undefer

from webinar.db import Base, DbSession
from webinar.domain.errors import DomainError
from webinar.domain.series import LONGEST_SPAN_DAYS, PlannedSession, SeriesRule, plan_together
from webinar.domain.session import ChangedMeanwhile, SessionStatus
from webinar.domain.session_details import UNTITLED
from webinar.domain.wording import grouped
from webinar.models import SeasonChange, Series, WebinarSession
from webinar.services import audit, season, season_changes
from webinar.services.series import rules_of
from webinar.services.session_snapshots import snapshot_of

STATUS_WORDS = {
    SessionStatus.PUBLISHED: "announced",
    SessionStatus.LIVE: "on air",
    SessionStatus.ENDED: "over",
    SessionStatus.CANCELLED: "cancelled",
}
# Made of the session's own words: not work of somebody.
INDEXES = {"session_text"}


@dataclass(frozen=True)
class Standing:
    """Where a session of a series stands; `why` it cannot silently go, "" if it can."""

    session: WebinarSession
    why: str
    is_of_rule: bool
    """The rules name its day."""
    follows_rule: bool
    """It is at the hour which the rules say for its day."""

    @property
    def is_untouched(self) -> bool:
        """A draft that nobody has said anything of, at the hour of the rule."""
        return not self.why

    @property
    def may_move(self) -> bool:
        """It has not begun, and takes place."""
        return self.session.status in (SessionStatus.DRAFT, SessionStatus.PUBLISHED)


def standing_of(
    db: DbSession, series: Series, sessions: Sequence[WebinarSession], *, now: datetime
) -> list[Standing]:
    """Where these sessions of the series stand, in their order."""
    days = [session.planned_day for session in sessions if session.planned_day]
    by_rule = planned_by_day(rules_of(series), min(days), max(days)) if days else {}
    worked_on = _with_something_on(db, series)
    registered = season.registered_counts(db, [session.id for session in sessions])
    standings = []
    for session in sessions:
        planned = by_rule.get(session.planned_day) if session.planned_day else None
        follows = planned is not None and _is_at(session, planned)
        words = [STATUS_WORDS[session.status]] if session.status in STATUS_WORDS else []
        if session.status is SessionStatus.DRAFT and not (
            _is_blank(session) and session.id not in worked_on
        ):
            words.append("edited")
        if not follows and planned is not None and session.status is not SessionStatus.ENDED:
            words.append("moved by hand")
        if not words and session.starts_at <= now:
            words.append("over")
        if count := registered.get(session.id, 0):
            words.append(f"{grouped(count)} registered")
        standings.append(Standing(session, ", ".join(words), planned is not None, follows))
    return standings


def planned_by_day(
    rules: Sequence[SeriesRule], first_day: date, last_day: date
) -> dict[date, PlannedSession]:
    """What the rules name, breaks aside, however long the time is; nothing where they refuse."""
    whole = [
        SeriesRule(
            rule.rule,
            rule.local_start,
            rule.duration_minutes,
            rule.zone,
            starts_on=rule.starts_on,
            ends_on=rule.ends_on,
        )
        for rule in rules
    ]
    found: dict[date, PlannedSession] = {}
    while first_day <= last_day:
        until = min(last_day, first_day + timedelta(days=LONGEST_SPAN_DAYS))
        try:
            planned = plan_together(whole, first_day=first_day, last_day=until)
        except DomainError:
            planned = []
        found |= {session.local_start.date(): session for session in planned}
        first_day = until + timedelta(days=1)
    return found


def discard_all(
    db: DbSession,
    drafts: Sequence[WebinarSession],
    *,
    reason: str,
    change: SeasonChange | None,
    actor_id: int | None,
    now: datetime,
) -> None:
    """Take untouched drafts out of the season; unlike one by one, their days are no exception.

    Raises ChangedMeanwhile if somebody worked on one of them since they were read.
    """
    _hold(db, drafts)
    if change is not None and drafts:
        _read_whole(db, drafts)
    for draft in drafts:
        if change is not None:
            season_changes.note_gone(change, draft.id, snapshot_of(draft), excepted=None)
        audit.write(
            db,
            actor_id=actor_id,
            action="session discarded",
            subject=f"session {draft.id}",
            after={"status": draft.status.value, "starts_at": draft.starts_at.isoformat()},
            reason=reason,
            now=now,
        )
        db.delete(draft)
    db.flush()


def _hold(db: DbSession, drafts: Sequence[WebinarSession]) -> None:
    """Let nobody work on what is about to go; raises ChangedMeanwhile if somebody did."""
    seen = {draft.id: draft.revision for draft in drafts}
    held = db.scalars(
        select(WebinarSession)
        .where(WebinarSession.id.in_(seen))
        .order_by(WebinarSession.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if {session.id: session.revision for session in held} != seen:
        raise ChangedMeanwhile(
            "Somebody is working on a draft that would be discarded. "
            "Look at the change again before you make it."
        )


def _read_whole(db: DbSession, drafts: Sequence[WebinarSession]) -> None:
    """Everything that is kept of them at once, instead of draft by draft."""
    found = (
        select(WebinarSession)
        .where(WebinarSession.id.in_([draft.id for draft in drafts]))
        .options(
            selectinload(WebinarSession.topics),
            selectinload(WebinarSession.audience),
            selectinload(WebinarSession.faculty),
            undefer(WebinarSession.ical_public),
            undefer(WebinarSession.ical_personal),
        )
        .execution_options(populate_existing=True)
    )
    db.scalars(found).all()


def _is_at(session: WebinarSession, planned: PlannedSession) -> bool:
    is_at = (session.starts_at, session.ends_at, session.zone)
    return is_at == (planned.starts_at, planned.ends_at, planned.zone)


def _is_blank(session: WebinarSession) -> bool:
    return session.title == UNTITLED and not (
        session.abstract or session.objectives or session.level
    )


def _with_something_on(db: DbSession, series: Series) -> set[int]:
    """Ids of drafts on which a row of any other table hangs: faculty, topics, grants, places."""
    drafts = select(WebinarSession.id).where(
        WebinarSession.series_id == series.id, WebinarSession.status == SessionStatus.DRAFT
    )
    found = [select(column).where(column.in_(drafts)) for column in _columns_naming_sessions()]
    return set(db.scalars(union(*found)))


def _columns_naming_sessions() -> list[ColumnElement[int]]:
    own = WebinarSession.__table__.c.id
    return [
        column
        for table in Base.metadata.sorted_tables
        if table.name not in INDEXES
        for column in table.c
        if any(key.column is own for key in column.foreign_keys)
    ]
