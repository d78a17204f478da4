"""Evidence that no beat can change any more is frozen: from then on the chain vouches for it."""

from collections.abc import Collection
from datetime import datetime
from itertools import groupby

from sqlalchemy import and_, exists, func, or_, select, update

from webinar.db import DbSession
from webinar.domain.attendance import RECORDED_PASS_LASTS, ViewingMode
from webinar.domain.evidence_chain import LinkKind, NewLink
from webinar.domain.session import SessionStatus
from webinar.models import (
    EvidenceChain,
    ExternalRoom,
    RoomVisit,
    User,
    ViewingPass,
    WebinarSession,
)
from webinar.services import audit
from webinar.services.attendance import FREEZE_AFTER, LIVE_GRACE
from webinar.services.evidence import chain, digests

CLOSED = "evidence closed"
"""The action in the audit trail that keeps where a chain ended when the live evidence was whole."""


def due(
    db: DbSession, *, now: datetime, most: int, but: Collection[int] = ()
) -> list[tuple[int, list[str]]]:
    """(session, passes) that can be frozen, at most so many passes; none of sessions in `but`."""
    over = now - FREEZE_AFTER
    rows = db.execute(
        select(ViewingPass.session_id, ViewingPass.id)
        .where(
            ViewingPass.frozen_at.is_(None),
            ViewingPass.session_id.not_in(but),
            or_(
                ViewingPass.expires_at <= over,
                and_(
                    ViewingPass.mode == ViewingMode.RECORDED,
                    ViewingPass.issued_at <= over - RECORDED_PASS_LASTS,
                ),
            ),
        )
        .order_by(ViewingPass.session_id, ViewingPass.id)
        .limit(most)
    )
    return [
        (session_id, [row.id for row in own])
        for session_id, own in groupby(rows, key=lambda row: int(row.session_id))
    ]


def freeze(db: DbSession, session_id: int, pass_ids: list[str], *, now: datetime) -> int:
    """Freeze these passes of one session, in one transaction; returns how many were open."""
    of_these = ViewingPass.id.in_(pass_ids)
    # In the order in which decisions take them: people, passes, the chain.
    people = select(ViewingPass.user_id).where(of_these)
    db.scalars(
        select(User.id).where(User.id.in_(people)).order_by(User.id).with_for_update(key_share=True)
    ).all()
    passes = list(
        db.scalars(
            select(ViewingPass.id)
            .where(of_these, ViewingPass.session_id == session_id, ViewingPass.frozen_at.is_(None))
            .order_by(ViewingPass.issued_at, ViewingPass.id)
            .with_for_update()
        )
    )
    if not passes:
        return 0
    stored = digests.stored_viewings(db, passes)
    links = [NewLink(LinkKind.VIEWING, pass_id, stored[pass_id]) for pass_id in passes]
    db.execute(update(ViewingPass).where(ViewingPass.id.in_(passes)).values(frozen_at=now))
    chain.append(db, session_id, links, now=now)
    return len(passes)


def ready_to_close(db: DbSession, *, now: datetime) -> list[int]:
    """Sessions that have ended, and to whose live evidence nothing can be added any more."""
    ended_at = func.coalesce(WebinarSession.actual_ended_at, WebinarSession.ends_at)
    is_open = exists().where(
        ViewingPass.session_id == WebinarSession.id,
        ViewingPass.mode == ViewingMode.LIVE,
        ViewingPass.frozen_at.is_(None),
    )
    has_visits = exists().where(
        RoomVisit.room_id == ExternalRoom.id, ExternalRoom.session_id == WebinarSession.id
    )
    return list(
        db.scalars(
            select(WebinarSession.id)
            .outerjoin(EvidenceChain, EvidenceChain.session_id == WebinarSession.id)
            .where(
                EvidenceChain.closed_at.is_(None),
                EvidenceChain.session_id.is_not(None) | has_visits,
                WebinarSession.status == SessionStatus.ENDED,
                ended_at <= now - LIVE_GRACE - FREEZE_AFTER,
                ~is_open,
            )
            .order_by(WebinarSession.id)
        )
    )


def close(db: DbSession, session_id: int, *, now: datetime) -> None:
    """Vouch for the visits to its rooms, say that the live evidence is whole, and keep where the
    chain stands in the audit trail.
    """
    visits = digests.stored_visits(db, session_id)
    links = [NewLink(LinkKind.VISIT, str(row), digest) for row, digest in visits.items()]
    chain.append(db, session_id, links, now=now)
    before = chain.head_of(db, session_id)
    length, head = (0, "") if before is None else (before.length, before.head)
    # The hash of this link holds the head; its digest says what is closed in words of its own.
    digest = digests.of_closing(session_id, length, head)
    chain.append(db, session_id, [NewLink(LinkKind.CLOSED, str(session_id), digest)], now=now)
    after = db.get_one(EvidenceChain, session_id)
    after.closed_at = now
    db.flush()
    audit.write(
        db,
        actor_id=None,
        action=CLOSED,
        subject=f"session {session_id}",
        after={"length": after.length, "head": after.head},
        now=now,
    )
