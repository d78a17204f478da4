"""Who goes into a room of others, in which role, and under which neutral name."""

import secrets
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from webinar.db import DbSession
from webinar.domain.rooms import RoomRole, Visitor, pseudonym
from webinar.models import (
    ExternalRoom,
    FacultyMember,
    Registration,
    RoomGuest,
    User,
    WebinarSession,
)
from webinar.services import broadcasts

# Numbers are drawn at random, so that they say nothing about who came first.
FEWEST_NUMBERS = 9_000
LOWEST = 1_000
MOST_DRAWS = 50
# Providers allow so many registrations a minute, and people must not wait for one another.
AHEAD = 20


def role_of(db: DbSession, session: WebinarSession, user: User) -> RoomRole:
    """What the person may do in this session's studio, they may do in its room."""
    if broadcasts.may_moderate(db, session, user):
        return RoomRole.MODERATOR
    if broadcasts.may_broadcast(db, session, user):
        return RoomRole.PRESENTER
    return RoomRole.VIEWER


def of_person(db: DbSession, room: ExternalRoom, user_id: int) -> RoomGuest | None:
    """The person's way in, if they have one."""
    return db.scalar(
        select(RoomGuest).where(RoomGuest.room_id == room.id, RoomGuest.user_id == user_id)
    )


def guest_for(db: DbSession, room: ExternalRoom, user_id: int, *, now: datetime) -> RoomGuest:
    """The person's way in, made if need be: a name drawn by lot, unlike any other in the room."""
    if (guest := of_person(db, room, user_id)) is not None:
        return guest
    so_far = db.scalar(select(func.count()).where(RoomGuest.room_id == room.id)) or 0
    numbers = max(FEWEST_NUMBERS, so_far * 10)
    for _ in range(MOST_DRAWS):
        guest = RoomGuest(
            room_id=room.id,
            user_id=user_id,
            pseudonym=pseudonym(LOWEST + secrets.randbelow(numbers)),
            remote_id=secrets.token_hex(16),
            made_at=now,
        )
        try:
            with db.begin_nested():
                db.add(guest)
        except IntegrityError:
            # The number is taken, or the person pressed twice.
            if (found := of_person(db, room, user_id)) is not None:
                return found
            continue
        return guest
    raise RuntimeError(f"no neutral name is free in room {room.id}")


def visitor(db: DbSession, room: ExternalRoom, guest: RoomGuest, user: User) -> Visitor:
    """As whom the provider gets to know the person: faculty by name, all others by number."""
    session = room.session
    role = role_of(db, session, user)
    name = guest.pseudonym if role is RoomRole.VIEWER else _own_name(db, session, user)
    return Visitor(reference=guest.remote_id, shown_name=name, role=role)


def seal_name(guest: RoomGuest) -> str:
    """What the person's own address is bound to."""
    return f"guest {guest.id} of room {guest.room_id}"


def settle(db: DbSession, guest_id: int, *, remote_id: str, sealed: str | None) -> None:
    """Keep what the provider said of the person."""
    guest = db.get_one(RoomGuest, guest_id, with_for_update=True, populate_existing=True)
    guest.remote_id, guest.sealed = remote_id, sealed


def expected(db: DbSession, room: ExternalRoom) -> list[int]:
    """Some of those with a place for whom no way in is made yet, so that none waits at the door."""
    have = select(RoomGuest.user_id).where(
        RoomGuest.room_id == room.id, RoomGuest.sealed.is_not(None)
    )
    faculty = select(FacultyMember.user_id).where(
        FacultyMember.session_id == room.session_id, FacultyMember.user_id.is_not(None)
    )
    return list(
        db.scalars(
            select(Registration.user_id)
            .where(
                Registration.session_id == room.session_id,
                Registration.cancelled_at.is_(None),
                Registration.user_id.not_in(have),
                Registration.user_id.not_in(faculty),
            )
            .order_by(Registration.id)
            .limit(AHEAD)
        )
    )


def count(db: DbSession, room: ExternalRoom) -> int:
    """How many have a way in."""
    return db.scalar(select(func.count()).where(RoomGuest.room_id == room.id)) or 0


def _own_name(db: DbSession, session: WebinarSession, user: User) -> str:
    name = db.scalar(
        select(FacultyMember.name)
        .where(FacultyMember.session_id == session.id, FacultyMember.user_id == user.id)
        .limit(1)
    )
    return name or user.name
