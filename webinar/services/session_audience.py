"""Who would hear of a change, counted before it is made."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local
from webinar.models import Registration, User, WebinarSession


@dataclass(frozen=True)
class Audience:
    """How many people are told, each counted once; of them, whose own clock shows another hour."""

    told: int
    new_hour: int


def of_moves(db: DbSession, moves: Iterable[tuple[WebinarSession, datetime]]) -> Audience:
    """Who has a place in announced sessions that would start at these instants.

    A session that keeps its start counts too, for its end may be new.
    """
    starts = {
        session.id: (session.starts_at, new_starts_at)
        for session, new_starts_at in moves
        if session.status is SessionStatus.PUBLISHED
    }
    told, new_hour = set(), set()
    for session_id, user_id, zone in _places(db, starts):
        told.add(user_id)
        before, after = (to_local(at, zone).time() for at in starts[session_id])
        if before != after:
            new_hour.add(user_id)
    return Audience(len(told), len(new_hour))


def of_cancellation(db: DbSession, *sessions: WebinarSession) -> Audience:
    """Who has a place in these sessions, as far as they are announced."""
    ids = [session.id for session in sessions if session.status is SessionStatus.PUBLISHED]
    return Audience(len({user_id for _, user_id, _ in _places(db, ids)}), 0)


def _places(db: DbSession, session_ids: Iterable[int]) -> list[tuple[int, int, str]]:
    """(session, person, their zone) of every place."""
    found = db.execute(
        select(Registration.session_id, User.id, User.zone)
        .join(User, User.id == Registration.user_id)
        .where(Registration.session_id.in_(list(session_ids)))
        .where(Registration.cancelled_at.is_(None), User.erased_at.is_(None))
    )
    return [(session_id, user_id, zone) for session_id, user_id, zone in found]
