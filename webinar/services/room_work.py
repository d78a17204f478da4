"""What the clock owes to rooms of others, and when it tries again what did not work."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select

from webinar.db import DbSession
from webinar.domain.rooms import (
    GRACE_MINUTES,
    OPENS_MINUTES,
    RoomProvider,
    RoomState,
    RoomWork,
    wait_after,
)
from webinar.domain.session import SessionStatus
from webinar.models import ExternalRoom, WebinarSession
from webinar.services import rooms

# Whoever dies at work leaves it to the next one after this long.
LEASE = timedelta(minutes=10)
FOLLOW_EVERY = timedelta(minutes=1)
# A provider's report and recording come late, and are completed later still.
FIRST_REPORT = timedelta(minutes=15)
REPORT_AGAIN = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
GIVE_UP = timedelta(days=8)
ANNOUNCED = (SessionStatus.PUBLISHED, SessionStatus.LIVE)


def due(db: DbSession, work: RoomWork, *, now: datetime) -> list[int]:
    """Ids of the rooms with which this is to be done now."""
    found = db.scalars(
        select(ExternalRoom)
        .join(WebinarSession, ExternalRoom.session_id == WebinarSession.id)
        .where(_condition(work, now))
        .order_by(WebinarSession.starts_at, ExternalRoom.id)
    )
    return [room.id for room in found if _is_wanted(room, work, now)]


def claim(db: DbSession, room_id: int, work: RoomWork, *, now: datetime) -> ExternalRoom | None:
    """Take the work for a while; None if another clock has it."""
    room = rooms.locked(db, room_id)
    if not _is_wanted(room, work, now):
        return None
    _write(room, work, tries=_tries(room, work), next_at=now + LEASE, problem=_problem(room, work))
    _mark(room, work, held=True, again=None)
    return room


def stay(db: DbSession, room_id: int, work: RoomWork, *, now: datetime) -> None:
    """Long work is still being done."""
    room = rooms.locked(db, room_id)
    again = _entry(room, work).get("again")
    _write(room, work, tries=_tries(room, work), next_at=now + LEASE, problem="")
    _mark(room, work, held=True, again=again)


def done(
    db: DbSession, room_id: int, work: RoomWork, *, again_at: datetime | None = None
) -> ExternalRoom:
    """It worked; `again_at`: when it is to be done once more, if the room still wants it."""
    room = rooms.locked(db, room_id)
    _write(room, work, tries=0, next_at=_asked_again(room, work) or again_at, problem="")
    return room


def failed(db: DbSession, room_id: int, work: RoomWork, problem: str, *, now: datetime) -> None:
    """It did not work: say why, and wait twice as long as last time."""
    room = rooms.locked(db, room_id)
    tries = _tries(room, work) + 1
    _write(room, work, tries=tries, next_at=now + wait_after(tries), problem=problem)


def not_yet(db: DbSession, room_id: int, work: RoomWork, *, now: datetime) -> None:
    """Nothing is wrong, there is only nothing yet: look again, less and less often."""
    room = rooms.locked(db, room_id)
    tries = _tries(room, work) + 1
    next_at = _asked_again(room, work) or now + wait_after(tries)
    _write(room, work, tries=tries, next_at=next_at, problem="")


def at_once(db: DbSession, room_id: int, work: RoomWork, *, now: datetime) -> None:
    """Somebody asks for it now. What is being done at this moment is done once more afterwards."""
    room = rooms.locked(db, room_id)
    written = _entry(room, work)
    if written.get("held") and not _is_time(written, now):
        _mark(room, work, held=True, again=now.isoformat())
        return
    _write(room, work, tries=0, next_at=now, problem=_problem(room, work))


def next_report_at(room: ExternalRoom, *, now: datetime) -> datetime | None:
    """When the report is read once more; None if it is complete by now."""
    if room.ended_at is None:
        return None
    later = (room.ended_at + wait for wait in REPORT_AGAIN)
    return next((at for at in later if at > now), None)


def _condition(work: RoomWork, now: datetime) -> ColumnElement[bool]:
    room, session = ExternalRoom, WebinarSession
    opens = now + timedelta(minutes=OPENS_MINUTES)
    grace = now - timedelta(minutes=GRACE_MINUTES)
    is_over = room.ended_at.is_not(None) & (room.ended_at > now - GIVE_UP)
    match work:
        case RoomWork.MAKE:
            is_time = session.starts_at <= opens
            is_early = (room.provider == RoomProvider.ZOOM) & (room.remote_id == "")
            return (
                (room.state == RoomState.PLANNED)
                & session.status.in_(ANNOUNCED)
                & (session.ends_at > grace)
                & or_(is_time, is_early)
            )
        case RoomWork.REGISTER:
            return (
                (room.provider == RoomProvider.ZOOM)
                & (room.remote_id != "")
                & room.state.in_((RoomState.PLANNED, RoomState.OPEN))
                & session.status.in_(ANNOUNCED)
                & (session.ends_at > now)
            )
        case RoomWork.FOLLOW:
            return (room.state == RoomState.OPEN) & (room.provider == RoomProvider.BIGBLUEBUTTON)
        case RoomWork.END:
            was_left = (
                (room.state == RoomState.LEFT) & room.ended_at.is_(None) & (room.remote_id != "")
            )
            return or_(room.state == RoomState.OPEN, was_left)
        case RoomWork.ATTENDANCE:
            return is_over & (room.provider == RoomProvider.ZOOM) & room.opened_at.is_not(None)
        case RoomWork.RECORDING:
            return (
                is_over
                & (room.state == RoomState.ENDED)
                & (room.provider != RoomProvider.ADDRESS)
                & room.opened_at.is_not(None)
                & room.recording_at.is_(None)
            )


def _is_wanted(room: ExternalRoom, work: RoomWork, now: datetime) -> bool:
    """What the database cannot say: retries, and facts."""
    written = _entry(room, work)
    if not _is_time(written, now):
        return False
    next_at = written.get("next")
    match work:
        case RoomWork.END if room.state is RoomState.OPEN:
            return (
                bool(room.facts.get("end_asked"))
                or now >= rooms.ends_by(room.session)
                or room.session.status is SessionStatus.CANCELLED
            )
        case RoomWork.ATTENDANCE:
            if room.ended_at is None or (not written and now < room.ended_at + FIRST_REPORT):
                return False
            return next_at is not None or room.attendance_at is None
        case RoomWork.RECORDING:
            return rooms.is_recorded(room)
        case _:
            return True


def _is_time(written: Mapping[str, object], now: datetime) -> bool:
    next_at = written.get("next")
    return not isinstance(next_at, str) or datetime.fromisoformat(next_at) <= now


def _asked_again(room: ExternalRoom, work: RoomWork) -> datetime | None:
    """When somebody asked for it while it was being done."""
    again = _entry(room, work).get("again")
    return datetime.fromisoformat(again) if isinstance(again, str) else None


def _mark(room: ExternalRoom, work: RoomWork, *, held: bool, again: object) -> None:
    """That somebody is at it, so that nobody else begins; what is written next takes it away."""
    entry = {**_entry(room, work), "held": held, "again": again}
    rooms.put_fact(room, "work", {**room.facts.get("work", {}), work.value: entry})


def _entry(room: ExternalRoom, work: RoomWork) -> Mapping[str, object]:
    written = room.facts.get("work", {}).get(work.value, {})
    return written if isinstance(written, dict) else {}


def _tries(room: ExternalRoom, work: RoomWork) -> int:
    tries = _entry(room, work).get("tries", 0)
    return tries if isinstance(tries, int) else 0


def _problem(room: ExternalRoom, work: RoomWork) -> str:
    return str(_entry(room, work).get("problem", ""))


def _write(
    room: ExternalRoom, work: RoomWork, *, tries: int, next_at: datetime | None, problem: str
) -> None:
    entry = {"tries": tries, "next": next_at.isoformat() if next_at else None, "problem": problem}
    entries = {**room.facts.get("work", {}), work.value: entry}
    rooms.put_fact(room, "work", entries)
    problems = [str(one["problem"]) for one in entries.values() if one.get("problem")]
    room.problem = problems[0] if problems else None
