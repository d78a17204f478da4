"""Reminders of what credit waits for: by hand or by the clock, to who can still do something."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from webinar.db import DbSession
from webinar.domain.credit import PENDING
from webinar.domain.letter import MailKind
from webinar.models import CreditDecision, Delivery, WebinarSession
from webinar.services import audit

NOT_AGAIN_FOR = timedelta(days=3)
"""Who was reminded is left alone so long."""
REMINDED_BEFORE = timedelta(days=2)
"""The clock writes so long before the deadline of an evaluation or a test."""
IDS_AT_ONCE = 500


@dataclass(frozen=True)
class Reminders:
    """Who is written to, and how many of those asked for are not."""

    user_ids: tuple[int, ...]
    nothing_to_do: int
    reminded_lately: int


def plan(db: DbSession, session_id: int, user_ids: Collection[int], *, now: datetime) -> Reminders:
    """Whom a reminder would reach now."""
    wanted = sorted(set(user_ids))
    can_do, lately = set(), set()
    for first in range(0, len(wanted), IDS_AT_ONCE):
        some = wanted[first : first + IDS_AT_ONCE]
        can_do |= set(
            db.scalars(
                select(CreditDecision.user_id).where(
                    CreditDecision.session_id == session_id,
                    CreditDecision.user_id.in_(some),
                    CreditDecision.is_latest,
                    CreditDecision.reason.in_(PENDING),
                    or_(CreditDecision.due_at.is_(None), CreditDecision.due_at > now),
                )
            )
        )
        lately |= set(
            db.scalars(
                select(Delivery.user_id).where(
                    Delivery.kind == MailKind.CREDIT_PENDING.value,
                    Delivery.subject_id == session_id,
                    Delivery.user_id.in_(some),
                    Delivery.created_at > now - NOT_AGAIN_FOR,
                )
            )
        )
    return Reminders(
        user_ids=tuple(sorted(can_do - lately)),
        nothing_to_do=len(set(wanted) - can_do),
        reminded_lately=len(can_do & lately),
    )


def send(
    db: DbSession,
    session: WebinarSession,
    user_ids: Collection[int],
    *,
    actor_id: int,
    now: datetime,
) -> Reminders:
    """Owe a mail to those of them whom it can help; two presses at once send one."""
    db.get_one(
        WebinarSession,
        session.id,
        with_for_update={"key_share": True},
        populate_existing=True,
    )
    planned = plan(db, session.id, user_ids, now=now)
    if not planned.user_ids:
        return planned
    _owe(db, session.id, planned.user_ids, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="credit reminders sent",
        subject=f"session {session.id}",
        after={"people": len(planned.user_ids)},
        now=now,
    )
    return planned


def remind_due(db: DbSession, *, now: datetime, limit: int = IDS_AT_ONCE) -> int:
    """Owe a mail to those whose deadline is two days away; how many more are owed now.

    Once for each deadline, and not to whom was written lately, by whomever. Two clocks at once
    must not run it: a revision would be counted twice.
    """
    lately = (
        select(Delivery.id)
        .where(
            Delivery.kind == MailKind.CREDIT_PENDING.value,
            Delivery.subject_id == CreditDecision.session_id,
            Delivery.user_id == CreditDecision.user_id,
            Delivery.created_at > now - NOT_AGAIN_FOR,
        )
        .exists()
    )
    rows = db.execute(
        select(CreditDecision.session_id, CreditDecision.user_id)
        .where(
            CreditDecision.is_latest,
            CreditDecision.due_at > now,
            CreditDecision.due_at <= now + REMINDED_BEFORE,
            CreditDecision.reason.in_(PENDING),
            ~lately,
        )
        .distinct()
        .order_by(CreditDecision.session_id, CreditDecision.user_id)
        .limit(limit)
    ).all()
    people: dict[int, list[int]] = {}
    for session_id, user_id in rows:
        people.setdefault(session_id, []).append(user_id)
    for session_id, user_ids in people.items():
        _owe(db, session_id, user_ids, now=now)
    return len(rows)


def _owe(db: DbSession, session_id: int, user_ids: Collection[int], *, now: datetime) -> None:
    said = dict(
        db.execute(
            select(Delivery.user_id, func.max(Delivery.revision))
            .where(
                Delivery.kind == MailKind.CREDIT_PENDING.value, Delivery.subject_id == session_id
            )
            .group_by(Delivery.user_id)
        ).all()
    )
    db.add_all(
        Delivery(
            kind=MailKind.CREDIT_PENDING.value,
            user_id=user_id,
            subject_id=session_id,
            revision=said.get(user_id, -1) + 1,
            details={},
            created_at=now,
            due_at=now,
            attempts=0,
        )
        for user_id in user_ids
    )
    db.flush()
