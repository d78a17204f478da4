"""Attention checks: put to a person while they watch; the answer, or that none came, is kept."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.attention import (
    ANSWER_SECONDS,
    ON_ITS_WAY,
    REST,
    asked_within,
    plan,
    planned_by,
)
from webinar.domain.errors import Gone, NotFound
from webinar.domain.evidence_chain import LinkKind, NewLink
from webinar.domain.session import SessionStatus
from webinar.models import AttentionCheck, EvidenceLink, User, WebinarSession
from webinar.services.evidence import chain
from webinar.services.evidence.digests import of_check
from webinar.services.grants import offers_of

LOOK_BACK = timedelta(days=14)
"""How long a check that lapsed while the clock stood still is found again."""
MOST_AT_ONCE = 5_000


class TooLate(Gone):
    """The answer came after the time was over."""


@dataclass(frozen=True)
class Watching:
    """A person in front of a player now, and the seconds that count so far, of how many."""

    user_id: int
    mode: ViewingMode
    counted_seconds: int
    total_seconds: int


def of_people(
    db: DbSession, session_id: int, user_ids: Sequence[int], mode: ViewingMode
) -> dict[int, tuple[int, int]]:
    """(issued, answered) of each of these people; who was put none is not in it."""
    rows = db.execute(
        select(
            AttentionCheck.user_id,
            func.count(AttentionCheck.id),
            func.count(AttentionCheck.answered_at),
        )
        .where(
            AttentionCheck.session_id == session_id,
            AttentionCheck.mode == mode,
            AttentionCheck.user_id.in_(user_ids),
        )
        .group_by(AttentionCheck.user_id)
    )
    return {user_id: (issued, answered) for user_id, issued, answered in rows}


def of_person(
    db: DbSession, session_id: int, user_id: int, mode: ViewingMode
) -> list[AttentionCheck]:
    """The checks that were put to one person, the first first."""
    return list(
        db.scalars(
            select(AttentionCheck)
            .where(
                AttentionCheck.session_id == session_id,
                AttentionCheck.user_id == user_id,
                AttentionCheck.mode == mode,
            )
            .order_by(AttentionCheck.number)
        )
    )


def planned_in(db: DbSession, session_id: int, mode: ViewingMode) -> int:
    """How many checks each person of the session is put in this mode; mostly 0."""
    rules = [offer.rules for offer in offers_of(db, session_id, mode=mode)]
    return max((planned_by(rule) for rule in rules), default=0)


def open_check(
    db: DbSession, session: WebinarSession, watching: Watching, *, secret: bytes, now: datetime
) -> AttentionCheck | None:
    """What this person is asked now, put to them if it has fallen due; None: nothing.

    `secret` keeps the moments from being foreseen. Every page of a person gets the same check.
    """
    if watching.mode is ViewingMode.LIVE and session.status is not SessionStatus.LIVE:
        return None
    rules = [offer.rules for offer in offers_of(db, session.id, mode=watching.mode)]
    asking = [rule for rule in rules if planned_by(rule)]
    if not asking:
        return None
    put = of_person(db, session.id, watching.user_id, watching.mode)
    if put and put[-1].answered_at is None and now < seen_until(put[-1]):
        return put[-1]
    moments = plan(
        secret,
        session.id,
        watching.user_id,
        watching.mode,
        count=max(planned_by(rule) for rule in asking),
        within=asked_within(asking, watching.total_seconds),
    )
    if len(put) >= len(moments) or watching.counted_seconds < moments[len(put)]:
        return None
    if put and now < put[-1].issued_at + REST:
        return None
    return _put(db, session, watching, len(put) + 1, moments[len(put)], now=now)


def answer(
    db: DbSession, session_id: int, user_id: int, check_id: str, *, now: datetime
) -> AttentionCheck:
    """Keep that the person is there. Twice is once. Raises NotFound, and TooLate."""
    # In the order in which decisions take them, one of which may follow: people, then the chain.
    db.scalars(select(User.id).where(User.id == user_id).with_for_update(key_share=True)).one()
    check = db.scalars(
        select(AttentionCheck)
        .where(
            AttentionCheck.id == check_id,
            AttentionCheck.session_id == session_id,
            AttentionCheck.user_id == user_id,
        )
        .with_for_update()
    ).one_or_none()
    if check is None:
        raise NotFound("There is no such question for you.")
    if check.answered_at is not None:
        return check
    if now >= check.expires_at:
        raise TooLate("The time for this answer is over. What you watched stays counted.")
    check.answered_at = now
    db.flush()
    _vouch(db, session_id, [check], now=now)
    return check


def seen_until(check: AttentionCheck) -> datetime:
    """When the page takes the question away; an answer on its way then still counts."""
    return check.issued_at + timedelta(seconds=ANSWER_SECONDS)


def vouch_for_lapsed(db: DbSession, *, now: datetime) -> int:
    """Chain the checks nobody answered in time; returns how many."""
    vouched = select(EvidenceLink.number).where(
        EvidenceLink.kind == LinkKind.CHECK,
        EvidenceLink.subject == AttentionCheck.id,
        EvidenceLink.session_id == AttentionCheck.session_id,
    )
    lapsed = db.scalars(
        select(AttentionCheck)
        .where(
            AttentionCheck.answered_at.is_(None),
            AttentionCheck.expires_at <= now,
            AttentionCheck.expires_at > now - LOOK_BACK,
            ~vouched.exists(),
        )
        .order_by(AttentionCheck.session_id, AttentionCheck.expires_at, AttentionCheck.id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for session_id, own in groupby(lapsed, key=lambda check: check.session_id):
        _vouch(db, session_id, list(own), now=now)
    return len(lapsed)


def _put(
    db: DbSession,
    session: WebinarSession,
    watching: Watching,
    number: int,
    planned_second: int,
    *,
    now: datetime,
) -> AttentionCheck | None:
    check = AttentionCheck(
        id=secrets.token_hex(16),
        session_id=session.id,
        user_id=watching.user_id,
        mode=watching.mode,
        number=number,
        planned_second=planned_second,
        issued_at=now,
        expires_at=now + timedelta(seconds=ANSWER_SECONDS) + ON_ITS_WAY,
    )
    try:
        with db.begin_nested():
            db.add(check)
    except IntegrityError:
        # Two pages of one person asked at once: the other one got it, this one hears of it next.
        return None
    return check


def _vouch(
    db: DbSession, session_id: int, checks: Sequence[AttentionCheck], *, now: datetime
) -> None:
    links = [NewLink(LinkKind.CHECK, check.id, of_check(check)) for check in checks]
    chain.append(db, session_id, links, now=now)
