"""What an organiser changed a moment ago: kept with what it was before, until the mails leave."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypedDict

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.announcement import Standing
from webinar.domain.errors import Conflict, NotAllowed
from webinar.domain.session import ChangedMeanwhile, SessionStatus
from webinar.models import SeasonChange, SeriesException, WebinarSession
from webinar.services import announcements, audit, deliveries, series_rules, session_snapshots
from webinar.services.accreditation_statements import follow_session
from webinar.services.feeds import CalendarTool, refresh
from webinar.services.session_facts import facts_of
from webinar.services.session_rows import locked
from webinar.services.session_snapshots import Snapshot, make_again, put_back

GRACE = timedelta(minutes=5)
# Sooner than that there is no time to lose, and the reminder must not come before the news.
SHORT_NOTICE = deliveries.REMINDER_BEFORE + GRACE
LONGEST_SUMMARY = 300
ANNOUNCED = frozenset({SessionStatus.PUBLISHED, SessionStatus.CANCELLED})


class TooLate(Conflict):
    """The mails have left; what people were told is not taken back silently."""


class Item(TypedDict, total=False):
    """What a change did to one thing."""

    session: int
    revision: int
    """The session's, after the change."""
    before: Snapshot
    made: bool
    gone: bool
    excepted: str | None
    """The day that its series leaves out since a draft was discarded."""
    series: int
    """Its `before` is what it was planned by."""
    after: object
    """What the series was planned by after the change."""


@dataclass(frozen=True)
class Undone:
    """What taking a change back did: how many sessions are as before, how many people are told."""

    sessions: int
    told: int


def begin(db: DbSession, *, actor_id: int | None, summary: str, now: datetime) -> SeasonChange:
    """Open a change that verbs may write into; `summary` is what the person reads beside "Undo"."""
    change = SeasonChange(
        actor_id=actor_id,
        made_at=now,
        summary=summary[:LONGEST_SUMMARY],
        items=[],
        undo_until=now + GRACE,
    )
    db.add(change)
    db.flush()
    return change


def note(change: SeasonChange, session: WebinarSession, before: Snapshot) -> None:
    """Keep what the session was, of what the change made different."""
    _add(change, {"session": session.id, "revision": session.revision, "before": before})


def note_made(change: SeasonChange, session: WebinarSession) -> None:
    """Keep that the change made this draft."""
    _add(change, {"session": session.id, "revision": session.revision, "made": True})


def note_gone(
    change: SeasonChange, session_id: int, before: Snapshot, *, excepted: date | None
) -> None:
    """Keep a draft that is discarded, and the day its series leaves out because of that."""
    day = excepted.isoformat() if excepted else None
    _add(change, {"session": session_id, "before": before, "gone": True, "excepted": day})


def mails_leave_at(
    change: SeasonChange, session: WebinarSession, before: Standing, *, now: datetime
) -> datetime:
    """When people are told of what happened to this session; without delay if it is near.

    Then the whole change cannot be taken back any more.
    """
    if min(before.starts_at, session.starts_at) < now + SHORT_NOTICE:
        change.undo_until = now
    return max(change.undo_until, now)


def open_for(db: DbSession, actor_id: int | None, *, now: datetime) -> list[SeasonChange]:
    """What this person can still take back, the latest first; None is the command line."""
    found = (
        select(SeasonChange)
        .where(SeasonChange.actor_id.is_not_distinct_from(actor_id))
        .where(SeasonChange.undo_until > now, SeasonChange.undone_at.is_(None))
        .order_by(SeasonChange.id.desc())
    )
    return [change for change in db.scalars(found) if change.items]


def file_keys(db: DbSession, *, now: datetime) -> set[str]:
    """Names of stored files that belong to nobody, and come back if a change is taken back."""
    found = select(SeasonChange).where(
        SeasonChange.undo_until > now, SeasonChange.undone_at.is_(None)
    )
    return {
        key
        for change in db.scalars(found)
        for item in change.items
        for key in session_snapshots.file_keys(item.get("before", {}).get("faculty", []))
    }


def undo(
    db: DbSession,
    change_id: int,
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> Undone:
    """Let everything be as it was before the change; mails that have not left never do.

    Only who relied on the change is told: who registered since. Raises NotAllowed for somebody
    else's change, TooLate, ChangedMeanwhile.
    """
    change = db.get_one(SeasonChange, change_id, with_for_update=True, populate_existing=True)
    if change.actor_id != actor_id:
        raise NotAllowed("Only who made this change can take it back.")
    items: list[Item] = list(change.items)
    ids = [item["session"] for item in items if "session" in item]
    if change.undone_at is not None:
        raise Conflict("This change is taken back already.")
    if change.undo_until <= now or announcements.has_left(db, ids, since=change.made_at, now=now):
        raise TooLate(
            "People have been told already, so this cannot be taken back silently. "
            "Change the session again; they are told once more."
        )
    # The last item of each series says how the change left it.
    for series_id, after in {i["series"]: i.get("after") for i in items if "series" in i}.items():
        if after is not None:
            series_rules.ensure_as_left(db, series_id, after)
    told = 0
    for item in reversed(items):
        if "session" in item:
            told += _undo_one(db, change, item, calendar=calendar, now=now)
    for item in reversed(items):
        if "series" in item:
            series_rules.put_back(db, item["series"], item["before"])
    change.undone_at = now
    audit.write(
        db,
        actor_id=actor_id,
        action="change taken back",
        subject=f"season change {change.id}",
        after={"summary": change.summary, "sessions": sorted(set(ids))},
        now=now,
    )
    return Undone(len(set(ids)), told)


def _undo_one(
    db: DbSession, change: SeasonChange, item: Item, *, calendar: CalendarTool, now: datetime
) -> int:
    """How many people are told that it is as before."""
    if item.get("gone"):
        session = make_again(db, item["before"])
        if session.series_id is not None and item.get("excepted"):
            day = date.fromisoformat(str(item["excepted"]))
            exception = db.get(SeriesException, (session.series_id, day))
            if exception is not None:
                db.delete(exception)
        db.flush()
        return 0
    session = locked(db, item["session"])
    if session.revision != item.get("revision", session.revision):
        raise ChangedMeanwhile(
            f"“{session.title}” was changed again since. Take that back first, or edit it."
        )
    if item.get("made"):
        _unmake(db, session)
        return 0
    if session.status in (SessionStatus.LIVE, SessionStatus.ENDED):
        raise TooLate(f"“{session.title}” is on air or over by now.")
    before, facts = announcements.standing_of(session), facts_of(session)
    put_back(db, session, item["before"])
    was_revision, session.revision = session.revision, session.revision + 1
    _let_earlier_follow(db, change, session.id, was_revision - 1, now_is=session.revision, now=now)
    refresh(db, session, calendar=calendar, now=now)
    follow_session(db, session, facts, actor_id=change.actor_id, now=now)
    if session.status in ANNOUNCED and before != announcements.standing_of(session):
        return announcements.tell(db, session, before, due_at=now, now=now)
    return 0


def _unmake(db: DbSession, session: WebinarSession) -> None:
    if session.status is not SessionStatus.DRAFT:
        raise ChangedMeanwhile(
            f"“{session.title}” was announced since, so it stays. Cancel it instead."
        )
    db.delete(session)
    db.flush()


def _let_earlier_follow(
    db: DbSession,
    change: SeasonChange,
    session_id: int,
    revision: int,
    *,
    now_is: int,
    now: datetime,
) -> None:
    """A change before this one may be taken back next: the session is as it left it."""
    earlier = select(SeasonChange).where(
        SeasonChange.id < change.id,
        SeasonChange.undo_until > now,
        SeasonChange.undone_at.is_(None),
    )
    for other in db.scalars(earlier):
        if any(_is_of(item, session_id, revision) for item in other.items):
            other.items = [
                {**item, "revision": now_is} if _is_of(item, session_id, revision) else item
                for item in other.items
            ]


def _is_of(item: Item, session_id: int, revision: int) -> bool:
    return (item.get("session"), item.get("revision")) == (session_id, revision)


def _add(change: SeasonChange, *items: Item) -> None:
    # A new list, so that the column is seen to change.
    change.items = [*change.items, *items]
