"""Faculty credit: how long somebody presented, as an officer confirms it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.session import SessionStatus
from webinar.models import AccreditationGrant, FacultyMember, WebinarSession
from webinar.services import attendance, audit, redeciding
from webinar.services.evidence.corrections import OwnCredit
from webinar.services.evidence.ground_digests import CONFIRMED


class ImpossibleMinutes(DomainError):
    """Nobody presented for so long in this session."""


class NotHeldYet(DomainError):
    """Nobody has presented yet."""


class NoAccount(DomainError):
    """Credit belongs to an account."""


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """What an officer says of one part; None minutes: nothing is confirmed."""

    minutes: int | None
    is_repeat: bool


def grants_of(db: DbSession, session_id: int) -> list[AccreditationGrant]:
    """The session's grants of faculty credit."""
    return list(
        db.scalars(
            select(AccreditationGrant)
            .where(
                AccreditationGrant.session_id == session_id,
                AccreditationGrant.mode == ViewingMode.FACULTY,
            )
            .order_by(AccreditationGrant.id)
        )
    )


def member_of(db: DbSession, session: WebinarSession, member_id: int) -> FacultyMember:
    """One of the session's faculty; raises NotFound."""
    member = db.get(FacultyMember, member_id)
    if member is None or member.session_id != session.id:
        raise NotFound("Nobody in this session's faculty is that person.")
    return member


def longest_minutes(db: DbSession, session: WebinarSession) -> int:
    """The session's length as announced or as held, whichever is longer, in full minutes."""
    windows = [
        attendance.counting_window(db, session, ViewingMode.FACULTY, actual=actual)
        for actual in (False, True)
    ]
    return max(window.end - window.start for window in windows) // 60


def confirm(
    db: DbSession,
    session: WebinarSession,
    member: FacultyMember,
    said: Confirmed,
    *,
    actor_id: int,
    now: datetime,
) -> bool:
    """Say how long a person presented, and whether the talk was given before; True if it is new.

    The clock then decides anew for everybody. Raises NotHeldYet, NoAccount, OwnCredit,
    ImpossibleMinutes.
    """
    if member.user_id == actor_id:
        raise OwnCredit("This is your own credit. Ask a colleague to confirm it.")
    if said.minutes is not None:
        if session.status is not SessionStatus.ENDED:
            raise NotHeldYet("Confirm it once the session has ended.")
        if member.user_id is None:
            raise NoAccount(
                f"{member.name} has no account here, so no credit can be given. Invite them first."
            )
        longest = longest_minutes(db, session)
        if not 1 <= said.minutes <= longest:
            raise ImpossibleMinutes(
                f"Give from 1 to {longest} minutes, as long as the session was."
            )
    before = Confirmed(minutes=member.presented_minutes, is_repeat=member.is_repeat)
    if before == said:
        return False
    member.presented_minutes, member.is_repeat = said.minutes, said.is_repeat
    db.flush()
    redeciding.mark_held(db, session.id, now=now)
    redeciding.mark_recorded(db, session.id, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action=CONFIRMED,
        subject=f"session {session.id}",
        before={"member": member.id, "minutes": before.minutes, "is_repeat": before.is_repeat},
        after={"member": member.id, "minutes": said.minutes, "is_repeat": said.is_repeat},
        now=now,
    )
    return True
