"""Rooms of others: planned for a session, swapped, made, opened, ended."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import Conflict, NotFound
from webinar.domain.rooms import (
    GRACE_MINUTES,
    OPENS_MINUTES,
    KnownRoom,
    MadeRoom,
    RoomPlan,
    RoomProvider,
    RoomState,
    checked_address,
    hook_address,
)
from webinar.domain.session import SessionStatus
from webinar.models import ExternalRoom, WebinarSession
from webinar.services import audit
from webinar.services.recordings import withheld

# A room that ends this close to its hour was ended on purpose.
EARLY_END_MINUTES = 10


class NoRoom(NotFound):
    """The session takes place here, not in a room of others."""


class TooLateForARoom(Conflict):
    """The session is over or cancelled."""


def current(db: DbSession, session: WebinarSession) -> ExternalRoom | None:
    """The room people are sent to; None if the session takes place here."""
    return db.scalar(
        select(ExternalRoom)
        .where(ExternalRoom.session_id == session.id, ExternalRoom.state != RoomState.LEFT)
        .order_by(ExternalRoom.id.desc())
        .limit(1)
    )


def of_session(db: DbSession, session: WebinarSession) -> list[ExternalRoom]:
    """Every room it ever had, the newest first."""
    return list(
        db.scalars(
            select(ExternalRoom)
            .where(ExternalRoom.session_id == session.id)
            .order_by(ExternalRoom.id.desc())
        )
    )


def by_public_id(db: DbSession, public_id: str) -> ExternalRoom | None:
    """The room a provider names in its address."""
    return db.scalar(select(ExternalRoom).where(ExternalRoom.public_id == public_id))


def by_remote_id(db: DbSession, provider: RoomProvider, remote_id: str) -> ExternalRoom | None:
    """The room a provider names by its own number."""
    return db.scalar(
        select(ExternalRoom)
        .where(ExternalRoom.provider == provider, ExternalRoom.remote_id == remote_id)
        .order_by(ExternalRoom.id.desc())
        .limit(1)
    )


def opens_at(session: WebinarSession) -> datetime:
    """From when on our door leads into the room."""
    return session.starts_at - timedelta(minutes=OPENS_MINUTES)


def ends_by(session: WebinarSession) -> datetime:
    """When a room that nobody ended is ended."""
    return session.ends_at + timedelta(minutes=GRACE_MINUTES)


def is_recorded(room: ExternalRoom) -> bool:
    """True if the provider records by itself."""
    return bool(room.facts.get("records", False))


def may_record(db: DbSession, room: ExternalRoom) -> bool:
    """The same as of now: somebody of the faculty may have taken their yes back since."""
    return is_recorded(room) and not withheld(db, room.session_id)


def plan(
    db: DbSession,
    session_id: int,
    *,
    provider: RoomProvider,
    address: str = "",
    records: bool,
    actor_id: int,
    now: datetime,
) -> ExternalRoom:
    """Give the session a room; one it has already is left, and nobody's link changes.

    Raises AddressRefused, TooLateForARoom.
    """
    session = db.get_one(WebinarSession, session_id, with_for_update=True, populate_existing=True)
    _ensure_to_come(session, now)
    before = _leave(db, session, now=now)
    room = ExternalRoom(
        public_id=secrets.token_hex(12),
        session_id=session.id,
        provider=provider,
        state=RoomState.PLANNED,
        address=checked_address(address) if provider is RoomProvider.ADDRESS else "",
        facts={
            "records": records
            and provider is not RoomProvider.ADDRESS
            and not withheld(db, session.id)
        },
        made_by_id=actor_id,
        made_at=now,
    )
    db.add(room)
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="room swapped" if before else "room chosen",
        subject=f"session {session.id}",
        before={"room": before.provider} if before else None,
        after={"room": provider, "records": is_recorded(room)},
        now=now,
    )
    return room


def leave(db: DbSession, session_id: int, *, actor_id: int, now: datetime) -> None:
    """Let the session take place here after all; raises NoRoom, TooLateForARoom."""
    session = db.get_one(WebinarSession, session_id, with_for_update=True, populate_existing=True)
    _ensure_to_come(session, now)
    before = _leave(db, session, now=now)
    if before is None:
        raise NoRoom("This session takes place here already.")
    audit.write(
        db,
        actor_id=actor_id,
        action="room left",
        subject=f"session {session.id}",
        before={"room": before.provider},
        now=now,
    )


def ask_to_end(db: DbSession, session_id: int, *, actor_id: int, now: datetime) -> ExternalRoom:
    """End an open room: the door closes at once, the clock ends it there."""
    room = _current(db, session_id)
    if room.state is not RoomState.OPEN:
        raise Conflict(f"A room that is {room.state} cannot be ended.")
    put_fact(room, "end_asked", True)
    audit.write(
        db, actor_id=actor_id, action="room ended", subject=f"session {session_id}", now=now
    )
    return room


def is_enterable(room: ExternalRoom) -> bool:
    """True if the door leads into it right now."""
    return room.state is RoomState.OPEN and not room.facts.get("end_asked")


def made(
    db: DbSession, room_id: int, made_room: MadeRoom, *, sealed: str | None, told: list[str]
) -> ExternalRoom:
    """The provider has made it, or made it again; `told`: of what session it knows."""
    room = locked(db, room_id)
    room.remote_id = made_room.remote_id
    room.sealed = sealed
    put_fact(room, "provider", dict(made_room.facts))
    put_fact(room, "told", told)
    return room


def opened(db: DbSession, room_id: int, *, now: datetime) -> None:
    """People may enter, unless the room was left meanwhile."""
    room = locked(db, room_id)
    if room.state is RoomState.PLANNED:
        room.state = RoomState.OPEN
        room.opened_at = now


def ended(db: DbSession, room_id: int, *, now: datetime) -> None:
    """It is over; a room that was left stays left."""
    room = locked(db, room_id)
    room.ended_at = room.ended_at or now
    if room.state is not RoomState.LEFT:
        room.state = RoomState.ENDED


def is_end_believed(room: ExternalRoom, at: datetime) -> bool:
    """True if somebody meant it: rooms also end because the network or the host was gone."""
    return at >= room.session.ends_at - timedelta(minutes=EARLY_END_MINUTES)


def plan_of(room: ExternalRoom, *, public_url: str, records: bool) -> RoomPlan:
    """What the provider is told; `records`: see may_record."""
    session = room.session
    return RoomPlan(
        public_id=room.public_id,
        title=session.title or "Webinar",
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        zone=session.zone,
        records=records,
        back_url=f"{public_url}/sessions/{session.public_id}/live",
        hook_url=hook_address(public_url, room.provider, room.public_id),
        address=room.address,
    )


def told(plan: RoomPlan) -> list[str]:
    """What a provider that made the room ahead has to hear of when it changes."""
    hours = [plan.starts_at.isoformat(), plan.ends_at.isoformat(), plan.zone]
    return [plan.title, *hours, "recorded" if plan.records else "not recorded"]


def known(room: ExternalRoom, room_secrets: Mapping[str, str]) -> KnownRoom:
    """The room as its provider needs it."""
    facts = room.facts.get("provider", {})
    return KnownRoom(
        public_id=room.public_id,
        remote_id=room.remote_id,
        address=room.address,
        facts={str(name): str(value) for name, value in facts.items()},
        secrets=room_secrets,
    )


def seal_name(room: ExternalRoom) -> str:
    """What its secrets are bound to."""
    return f"room {room.public_id}"


def put_fact(room: ExternalRoom, name: str, value: object) -> None:
    """Change one fact; the column only notices a new mapping."""
    room.facts = {**room.facts, name: value}


def locked(db: DbSession, room_id: int) -> ExternalRoom:
    """The room, for this transaction alone."""
    return db.get_one(ExternalRoom, room_id, with_for_update=True, populate_existing=True)


def _current(db: DbSession, session_id: int) -> ExternalRoom:
    room = current(db, db.get_one(WebinarSession, session_id))
    if room is None:
        raise NoRoom("This session has no room of its own.")
    return locked(db, room.id)


def is_to_come(session: WebinarSession, now: datetime) -> bool:
    """True while the session can be given a room."""
    is_off = session.status in (SessionStatus.CANCELLED, SessionStatus.ENDED)
    return not is_off and now < ends_by(session)


def _ensure_to_come(session: WebinarSession, now: datetime) -> None:
    if session.status is SessionStatus.CANCELLED:
        raise TooLateForARoom("This session is cancelled; restore it first.")
    if not is_to_come(session, now):
        raise TooLateForARoom("This session is over.")


def _leave(db: DbSession, session: WebinarSession, *, now: datetime) -> ExternalRoom | None:
    room = current(db, session)
    if room is None:
        return None
    room.state = RoomState.LEFT
    room.left_at = now
    return room
