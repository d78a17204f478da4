"""Doors for auditors: made for some sessions and some days, opened by a secret, closed again.

Behind a door nothing can be changed, and people have pseudonyms. Once, a sample may be drawn by
lot, whose names are shown. Every visit stands in the audit trail.
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, tuple_

from webinar.db import DbSession
from webinar.domain.errors import Conflict, DomainError, Gone, NotFound
from webinar.domain.session import SessionStatus
from webinar.models import AuditorDoor, CreditDecision, User, WebinarSession
from webinar.services import audit, links

LONGEST_LABEL = 200
MOST_DAYS = 60
MOST_SESSIONS = 100
MOST_SAMPLED = 20


class DoorRefused(DomainError):
    """The door cannot be made like that; `field` is what is wrong."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class DoorClosed(Gone):
    """The door is closed, or never was one; a stranger learns no more."""


def make(
    db: DbSession,
    society_id: int,
    session_ids: Collection[int],
    *,
    label: str,
    days: int,
    actor_id: int,
    now: datetime,
) -> tuple[AuditorDoor, str]:
    """A new door and its secret, which is not kept. Raises DoorRefused."""
    label = label.strip()
    if not label or len(label) > LONGEST_LABEL:
        raise DoorRefused(
            f"Say for whom it is, in at most {LONGEST_LABEL} characters.", field="label"
        )
    if not 1 <= days <= MOST_DAYS:
        raise DoorRefused(f"A door is open for 1 to {MOST_DAYS} days.", field="days")
    wanted = sorted(set(session_ids))
    if not 1 <= len(wanted) <= MOST_SESSIONS:
        raise DoorRefused(f"Choose 1 to {MOST_SESSIONS} sessions.", field="sessions")
    known = db.scalars(
        select(WebinarSession.id).where(
            WebinarSession.id.in_(wanted),
            WebinarSession.society_id == society_id,
            WebinarSession.status != SessionStatus.DRAFT,
        )
    ).all()
    if len(known) != len(wanted):
        raise DoorRefused("Choose announced sessions of this society only.", field="sessions")
    token = links.new_token()
    door = AuditorDoor(
        token_hash=links.hash_of(token),
        label=label,
        society_id=society_id,
        session_ids=wanted,
        made_by_id=actor_id,
        made_at=now,
        expires_at=now + timedelta(days=days),
    )
    db.add(door)
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="auditor door made",
        subject=f"auditor door {door.id}",
        after={"for": label, "sessions": wanted, "until": door.expires_at},
        now=now,
    )
    return door, token


def revoke(
    db: DbSession, door_id: int, society_id: int, *, actor_id: int, now: datetime
) -> AuditorDoor:
    """Close a door of this society at once; raises NotFound, Conflict if it is closed."""
    door = db.get(AuditorDoor, door_id, with_for_update=True, populate_existing=True)
    if door is None or door.society_id != society_id:
        raise NotFound("There is no such door.")
    if not is_open(door, now=now):
        raise Conflict("This door is closed already.")
    door.revoked_at = now
    audit.write(
        db,
        actor_id=actor_id,
        action="auditor door closed",
        subject=f"auditor door {door.id}",
        now=now,
    )
    return door


def is_open(door: AuditorDoor, *, now: datetime) -> bool:
    """True while its secret lets somebody in."""
    return door.revoked_at is None and now < door.expires_at


def listed(db: DbSession, *, society_ids: Collection[int] | None) -> Sequence[AuditorDoor]:
    """The doors of these societies, the newest first; None: of all."""
    query = select(AuditorDoor).order_by(AuditorDoor.id.desc())
    if society_ids is not None:
        query = query.where(AuditorDoor.society_id.in_(society_ids))
    return db.scalars(query).all()


def look_up(db: DbSession, token: str, *, now: datetime) -> AuditorDoor:
    """The door this secret opens; raises DoorClosed."""
    door = db.scalar(select(AuditorDoor).where(AuditorDoor.token_hash == links.hash_of(token)))
    if door is None or not is_open(door, now=now):
        raise DoorClosed(
            "This address is closed, or it never was one. Ask whoever sent it to you for another."
        )
    return door


def note_visit(db: DbSession, door_id: int, *, page: str, now: datetime) -> None:
    """Somebody looked: into the audit trail, page by page."""
    door = db.get_one(AuditorDoor, door_id)
    door.last_used_at = now
    audit.write(
        db,
        actor_id=None,
        action="auditor looked",
        subject=f"auditor door {door_id}",
        after={"page": page},
        now=now,
    )


def draw_sample(db: DbSession, door_id: int, size: int, *, now: datetime) -> AuditorDoor:
    """Draw people by lot whose names are shown from then on: once for each door.

    Raises Conflict the second time, DoorRefused for a size that is none.
    """
    door = db.get_one(AuditorDoor, door_id, with_for_update=True, populate_existing=True)
    if door.sample is not None:
        raise Conflict("The sample of this door is drawn. It is drawn once.")
    if not 1 <= size <= MOST_SAMPLED:
        raise DoorRefused(f"Draw 1 to {MOST_SAMPLED} people.", field="size")
    everybody = db.execute(
        select(CreditDecision.session_id, CreditDecision.user_id)
        .join(User, User.id == CreditDecision.user_id)
        .where(
            CreditDecision.session_id.in_(door.session_ids),
            CreditDecision.is_latest,
            User.erased_at.is_(None),
        )
        .distinct()
        .order_by(CreditDecision.session_id, CreditDecision.user_id)
    ).all()
    if not everybody:
        raise DoorRefused("Nobody's credit is decided behind this door yet.", field="size")
    drawn = secrets.SystemRandom().sample(everybody, min(size, len(everybody)))
    door.sample = sorted([session_id, user_id] for session_id, user_id in drawn)
    door.sample_drawn_at = now
    audit.write(
        db,
        actor_id=None,
        action="auditor drew a sample",
        subject=f"auditor door {door.id}",
        after={"people": door.sample},
        now=now,
    )
    return door


def names_of(db: DbSession, door: AuditorDoor) -> dict[tuple[int, int], str]:
    """The names of the sample by session and person; empty before it is drawn."""
    pairs = [(int(session_id), int(user_id)) for session_id, user_id in door.sample or []]
    if not pairs:
        return {}
    rows = db.execute(
        select(CreditDecision.session_id, User.id, User.name)
        .join(User, User.id == CreditDecision.user_id)
        .where(tuple_(CreditDecision.session_id, User.id).in_(pairs))
        .distinct()
    )
    return {(session_id, user_id): name for session_id, user_id, name in rows}
