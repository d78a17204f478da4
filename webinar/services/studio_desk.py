"""What the faculty agree on while they are on air: the break card, and who goes on sending."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import NotAllowed
from webinar.models import Broadcast, BroadcastTake, FacultyMember, User, WebinarSession
from webinar.services import audit, broadcasts


@dataclass(frozen=True)
class Colleague:
    """Another of the faculty who could go on sending."""

    user_id: int
    name: str
    part: str


def set_break(
    db: DbSession, session_id: int, *, on: bool, user_id: int, now: datetime
) -> Broadcast:
    """Lay the card "technical break" over the picture, or take it away; twice is once."""
    broadcast = _on_air(db, session_id)
    if on == (broadcast.break_since is not None):
        return broadcast
    broadcast.break_since = now if on else None
    audit.write(
        db,
        actor_id=user_id,
        action="technical break began" if on else "technical break ended",
        subject=f"session {session_id}",
        now=now,
    )
    db.flush()
    return broadcast


def hand_over(
    db: DbSession, session_id: int, *, to_id: int | None, user_id: int, now: datetime
) -> Broadcast:
    """Ask another of the faculty to go on sending; their next take is the answer.

    None takes the question back, or declines it. Raises NotAllowed for whom cannot broadcast.
    """
    broadcast = _on_air(db, session_id)
    if to_id is not None:
        session = db.get_one(WebinarSession, session_id)
        to = db.get(User, to_id)
        if to is None or to_id == user_id or not broadcasts.may_broadcast(db, session, to):
            raise NotAllowed("You can hand over to another of this session's faculty only.")
    broadcast.handed_to_id = to_id
    broadcast.handed_at = now if to_id is not None else None
    audit.write(
        db,
        actor_id=user_id,
        action="hand-over asked" if to_id is not None else "hand-over taken back",
        subject=f"session {session_id}",
        now=now,
    )
    db.flush()
    return broadcast


def colleagues(db: DbSession, session: WebinarSession, *, but: int) -> list[Colleague]:
    """Who else of the faculty has an account, each once."""
    rows = db.execute(
        select(FacultyMember.user_id, FacultyMember.name, FacultyMember.part)
        .where(FacultyMember.session_id == session.id, FacultyMember.user_id.is_not(None))
        .order_by(FacultyMember.position, FacultyMember.id)
    )
    found: dict[int, Colleague] = {}
    for user_id, name, part in rows:
        if user_id is not None and user_id != but:
            found.setdefault(user_id, Colleague(user_id, name, part.value))
    return list(found.values())


def name_of(db: DbSession, user_id: int) -> str:
    """For the faculty's own eyes: the name of one of them."""
    return db.get_one(User, user_id).name


def filmed_seconds(db: DbSession, broadcast_id: int) -> float:
    """How long all takes are together, by when their pieces came: what packaging has to do."""
    takes = db.scalars(select(BroadcastTake).where(BroadcastTake.broadcast_id == broadcast_id))
    return sum(
        max(0.0, (take.last_chunk_at - take.started_at).total_seconds(), take.packaged_seconds)
        for take in takes
    )


def _on_air(db: DbSession, session_id: int) -> Broadcast:
    broadcast = db.scalar(
        select(Broadcast).where(Broadcast.session_id == session_id).with_for_update()
    )
    if broadcast is None or broadcast.stopped_at is not None:
        raise broadcasts.NotOnAir("This session is not live.")
    return broadcast
