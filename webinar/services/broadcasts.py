"""Going live, takes, stopping, and the lease of the media worker."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import select, update

from webinar.db import DbSession
from webinar.domain.access import Action, Role, may
from webinar.domain.errors import Conflict, DomainError, NotAllowed, NotYet
from webinar.domain.gate import ensure_may_go_live
from webinar.domain.recording import RecordingState
from webinar.domain.rendition import Rendition
from webinar.domain.session import FacultyPart, SessionStatus, step
from webinar.domain.streaming import Source
from webinar.models import (
    Broadcast,
    BroadcastTake,
    FacultyMember,
    MediaSegment,
    Recording,
    User,
    WebinarSession,
)
from webinar.services import audit, gate, leases, recordings

EARLIEST_MINUTES = 60  # before the announced start
# A worker leaves a take that does not grow; the next chunk brings one back.
IDLE_SECONDS = 120
# A broadcast nobody stopped ends by itself, this long after its hour and its last chunk.
FORGOTTEN_MINUTES = 30
SILENT_MINUTES = 5
# Whoever sent a piece this lately is sending: another studio must mean it to take over.
SENDING_SECONDS = 5

ROLE_OF_PART = {
    FacultyPart.PRESENTER: Role.PRESENTER,
    FacultyPart.DISCUSSANT: Role.PRESENTER,
    FacultyPart.MODERATOR: Role.MODERATOR,
}


class NotOnAir(Conflict):
    """The session is not live."""


class SomebodySends(Conflict):
    """Another studio is sending right now; taking over has to be meant."""


def roles_in(db: DbSession, session: WebinarSession, user: User) -> frozenset[Role]:
    """What a person may be in this session: the account's general roles and the faculty's.

    A presenter or moderator *account* is one only where the faculty names them, or for the
    society whose moderator they are; the other roles count wherever they were given for.
    """
    parts = db.scalars(
        select(FacultyMember.part).where(
            FacultyMember.session_id == session.id, FacultyMember.user_id == user.id
        )
    )
    general = user.roles_for(session.society_id) - {Role.PRESENTER, Role.MODERATOR}
    if session.society_id in {g.society_id for g in user.grants if g.role is Role.MODERATOR}:
        general |= {Role.MODERATOR}
    return general | {ROLE_OF_PART[part] for part in parts}


def may_broadcast(db: DbSession, session: WebinarSession, user: User) -> bool:
    """True for the session's presenters and moderators, and for administrators."""
    return may(roles_in(db, session, user), Action.BROADCAST)


def may_moderate(db: DbSession, session: WebinarSession, user: User) -> bool:
    """True for who may read the questions of this session."""
    return may(roles_in(db, session, user), Action.READ_QUESTIONS)


def ensure_may_broadcast(db: DbSession, session: WebinarSession, user: User) -> None:
    """Raise NotAllowed unless the person may broadcast here."""
    if not may_broadcast(db, session, user):
        raise NotAllowed(
            "Only the presenters and moderators of this session can open its studio. "
            "Ask the organiser to add you to the faculty."
        )


def earliest_of(session: WebinarSession) -> datetime:
    """From when on the session may go live."""
    return session.starts_at - timedelta(minutes=EARLIEST_MINUTES)


def of_session(db: DbSession, session: WebinarSession) -> Broadcast | None:
    """The session's broadcast, if it ever went live."""
    return db.scalar(select(Broadcast).where(Broadcast.session_id == session.id))


def go_live(db: DbSession, session_id: int, *, user_id: int, now: datetime) -> Broadcast:
    """Put the session on air; pressing twice is once.

    Raises NotYet, IllegalStep, and NotReady if nobody moderates.
    """
    session = db.get_one(WebinarSession, session_id, with_for_update=True, populate_existing=True)
    broadcast = of_session(db, session)
    if session.status is SessionStatus.LIVE and broadcast is not None:
        return broadcast
    if session.status is SessionStatus.ENDED:
        raise DomainError("This session has ended and cannot go live again.")
    if now < earliest_of(session):
        raise NotYet(
            f"You can go live from {EARLIEST_MINUTES} minutes before the announced start. "
            "Until then, check camera and microphone here."
        )
    ensure_may_go_live(gate.parts_of(session))
    session.status = step(session.status, to=SessionStatus.LIVE)
    session.actual_started_at = now
    broadcast = Broadcast(
        public_id=secrets.token_hex(8), session_id=session.id, started_at=now, takes=[]
    )
    recording = Recording(
        public_id=secrets.token_hex(8),
        session_id=session.id,
        state=RecordingState.RECORDING,
        created_at=now,
    )
    db.add_all([broadcast, recording])
    audit.write(
        db, actor_id=user_id, action="session went live", subject=f"session {session.id}", now=now
    )
    db.flush()
    return broadcast


def open_take(
    db: DbSession,
    broadcast_id: int,
    *,
    user_id: int,
    now: datetime,
    seconds_ago: float = 0.0,
    client_key: str | None = None,
    source: Source = Source.BROWSER,
    take_over: bool = False,
) -> BroadcastTake:
    """Start a new take: the recorder starts anew. The take before it gets no more chunks.

    `seconds_ago`: how long the recorder was running when the studio could reach us. A take never
    begins before the one before it. `client_key` is `<studio>-<anything>`: asked for again, it is
    the same take, closed or not. Raises SomebodySends while another studio is sending, unless it
    handed over to this person or `take_over` says that it is meant.
    """
    broadcast = db.get_one(Broadcast, broadcast_id, with_for_update=True, populate_existing=True)
    if client_key is not None:
        opened = db.scalar(
            select(BroadcastTake).where(
                BroadcastTake.broadcast_id == broadcast_id,
                BroadcastTake.client_key == client_key,
                BroadcastTake.opened_by_id == user_id,
            )
        )
        if opened is not None:
            return opened
    if broadcast.stopped_at is not None:
        raise NotOnAir("The broadcast was stopped. Nothing more can be sent.")
    last = last_take(db, broadcast_id)
    if not take_over and broadcast.handed_to_id != user_id and last is not None:
        is_same = (last.opened_by_id, last.source) == (user_id, source)
        if sends(last, now=now) and not (is_same and _is_same_studio(last.client_key, client_key)):
            who = _who(db, broadcast, last, user_id)
            raise SomebodySends(f"{who} is sending right now. Take over only if that is agreed.")
    _close_takes(db, broadcast.id, now=now)
    started_at = now - timedelta(seconds=seconds_ago)
    take = BroadcastTake(
        broadcast_id=broadcast.id,
        number=last.number + 1 if last else 0,
        opened_by_id=user_id,
        source=source,
        client_key=client_key,
        started_at=max(started_at, last.started_at) if last else started_at,
        last_chunk_at=now,
    )
    broadcast.handed_to_id = broadcast.handed_at = None
    db.add(take)
    db.flush()
    return take


def sends(take: BroadcastTake, *, now: datetime) -> bool:
    """True if pieces of this take come in right now."""
    return take.closed_at is None and take.last_chunk_at >= now - timedelta(seconds=SENDING_SECONDS)


def sending_take(db: DbSession, broadcast_id: int, *, now: datetime) -> BroadcastTake | None:
    """The take that comes in right now, if there is one."""
    last = last_take(db, broadcast_id)
    return last if last is not None and sends(last, now=now) else None


def take_numbered(db: DbSession, broadcast_id: int, number: int) -> BroadcastTake:
    """The take a chunk is for; NoResultFound if there is none."""
    return db.scalars(
        select(BroadcastTake).where(
            BroadcastTake.broadcast_id == broadcast_id, BroadcastTake.number == number
        )
    ).one()


def ensure_open(take: BroadcastTake) -> None:
    """Raise NotOnAir if the take gets no more chunks."""
    if take.closed_at is not None:
        raise NotOnAir("This take was closed because another one started. Start a new take.")


def stop(db: DbSession, session_id: int, *, user_id: int | None, now: datetime) -> WebinarSession:
    """End the live session; its recording makes itself ready. Twice is once."""
    session = db.get_one(WebinarSession, session_id, with_for_update=True, populate_existing=True)
    broadcast = of_session(db, session)
    if broadcast is None:
        raise NotOnAir("This session is not live.")
    if broadcast.stopped_at is not None:
        return session
    _close_takes(db, broadcast.id, now=now)
    broadcast.stopped_at = now
    session.status = step(session.status, to=SessionStatus.ENDED)
    session.actual_ended_at = now
    recording = db.scalars(select(Recording).where(Recording.session_id == session.id)).one()
    recording.state = RecordingState.PROCESSING
    audit.write(
        db, actor_id=user_id, action="session ended", subject=f"session {session.id}", now=now
    )
    db.flush()
    return session


def forgotten(db: DbSession, *, now: datetime) -> list[int]:
    """Ids of live sessions long past their hour whose studio has fallen silent."""
    last_chunk = (
        select(BroadcastTake.last_chunk_at)
        .where(BroadcastTake.broadcast_id == Broadcast.id)
        .order_by(BroadcastTake.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return list(
        db.scalars(
            select(WebinarSession.id)
            .join(Broadcast, Broadcast.session_id == WebinarSession.id)
            .where(
                WebinarSession.status == SessionStatus.LIVE,
                WebinarSession.ends_at < now - timedelta(minutes=FORGOTTEN_MINUTES),
                (last_chunk < now - timedelta(minutes=SILENT_MINUTES)) | last_chunk.is_(None),
            )
        )
    )


def without_worker(db: DbSession, *, now: datetime) -> list[int]:
    """Ids of broadcasts that have something to package and no worker with a living lease."""
    has_work = (
        select(BroadcastTake.id)
        .where(
            BroadcastTake.broadcast_id == Broadcast.id,
            BroadcastTake.packaged_at.is_(None),
            BroadcastTake.closed_at.is_not(None)
            | (BroadcastTake.last_chunk_at > now - timedelta(seconds=IDLE_SECONDS)),
        )
        .exists()
    )
    return list(
        db.scalars(
            select(Broadcast.id).where(
                Broadcast.packaged_at.is_(None),
                Broadcast.stopped_at.is_not(None) | has_work,
                Broadcast.lease_until.is_(None) | (Broadcast.lease_until < now),
            )
        )
    )


def is_idle(take: BroadcastTake, *, now: datetime) -> bool:
    """True if a take that may grow has not for a while: its worker need not stay."""
    return take.closed_at is None and take.last_chunk_at < now - timedelta(seconds=IDLE_SECONDS)


def claim(db: DbSession, broadcast_id: int, *, owner: str, now: datetime) -> int | None:
    """Take the lease and return its fencing number, or None if another worker holds it."""
    return leases.claim(db, Broadcast, broadcast_id, owner=owner, now=now)


def renew(db: DbSession, broadcast_id: int, *, fence: int, now: datetime) -> None:
    """Keep the lease; raises LeaseLost if another worker has taken it meanwhile."""
    leases.renew(db, Broadcast, broadcast_id, fence=fence, now=now)


def release(db: DbSession, broadcast_id: int, *, fence: int) -> None:
    """Give the lease back, so that the next worker need not wait for its end."""
    leases.release(db, Broadcast, broadcast_id, fence=fence)


def held_leases(db: DbSession, *, now: datetime) -> list[tuple[int, str, int]]:
    """Id, owner and fence of the broadcasts that a worker holds, or held when it died."""
    rows = db.execute(
        select(Broadcast.id, Broadcast.lease_owner, Broadcast.lease_fence).where(
            Broadcast.lease_until >= now, Broadcast.packaged_at.is_(None)
        )
    )
    return [(broadcast_id, owner or "", fence) for broadcast_id, owner, fence in rows]


def add_segment(
    db: DbSession, take: BroadcastTake, segment: MediaSegment, *, fence: int, now: datetime
) -> None:
    """Store a packaged segment and how far its take has come; raises LeaseLost."""
    renew(db, take.broadcast_id, fence=fence, now=now)
    recordings.add_segment(db, segment)
    if segment.rendition is Rendition.MAIN:
        take.packaged_seconds = segment.take_offset_seconds + segment.duration_seconds


def _close_takes(db: DbSession, broadcast_id: int, *, now: datetime) -> None:
    db.execute(
        update(BroadcastTake)
        .where(BroadcastTake.broadcast_id == broadcast_id, BroadcastTake.closed_at.is_(None))
        .values(closed_at=now)
    )


def last_take(db: DbSession, broadcast_id: int) -> BroadcastTake | None:
    return db.scalar(
        select(BroadcastTake)
        .where(BroadcastTake.broadcast_id == broadcast_id)
        .order_by(BroadcastTake.number.desc())
        .limit(1)
    )


def _is_same_studio(key: str | None, other: str | None) -> bool:
    """True if both takes are of one page; a studio that does not say is the one it was."""
    if key is None or other is None:
        return True
    return key.rpartition("-")[0] == other.rpartition("-")[0]


def _who(db: DbSession, broadcast: Broadcast, take: BroadcastTake, asking_id: int) -> str:
    """Who sends, by their part: names are not needed to know whom to ask."""
    if take.source is not Source.BROWSER:
        return "OBS"
    if take.opened_by_id == asking_id:
        return "Another studio of yours"
    part = db.scalar(
        select(FacultyMember.part).where(
            FacultyMember.session_id == broadcast.session_id,
            FacultyMember.user_id == take.opened_by_id,
        )
    )
    return f"The {part.value}" if part else "An administrator"
