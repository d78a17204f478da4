"""What mails say about credit: an appeal that was answered, credit that waits for somebody."""

from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.credit import PENDING
from webinar.domain.letter import AppealFacts, PendingFacts
from webinar.domain.review import AppealState
from webinar.models import Appeal, CreditDecision, Delivery


def appeal_answered(db: DbSession, delivery: Delivery) -> tuple[Appeal, AppealFacts]:
    """The appeal the delivery is about; an answer is never taken back."""
    appeal = db.get_one(Appeal, delivery.subject_id)
    facts = AppealFacts(
        body=appeal.grant.accreditor.short_name,
        is_upheld=appeal.state is AppealState.UPHELD,
    )
    return appeal, facts


def pending_of(
    db: DbSession, session_id: int, user_id: int, *, now: datetime
) -> tuple[PendingFacts, ...]:
    """What the person can still do for their credit of this session, in the order of the grants."""
    decisions = db.scalars(
        select(CreditDecision)
        .where(
            CreditDecision.session_id == session_id,
            CreditDecision.user_id == user_id,
            CreditDecision.is_latest,
            CreditDecision.reason.in_(PENDING),
        )
        .order_by(CreditDecision.grant_id)
    )
    return tuple(
        PendingFacts(
            body=decision.grant.accreditor.short_name,
            step=decision.next_step or "",
            due_at=decision.due_at,
        )
        for decision in decisions
        if decision.due_at is None or decision.due_at > now
    )
