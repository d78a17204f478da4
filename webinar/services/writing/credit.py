"""Mails about credit: what is missing, an appeal that was answered, a certificate."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.letter import CertificateFacts, Dropped
from webinar.domain.wording import credit_amount
from webinar.models import Certificate, CreditDecision, Delivery, WebinarSession
from webinar.services import credit_letters
from webinar.services.writing.facts import Outcome, letter_to, session_facts


def appeal_answered(db: DbSession, delivery: Delivery, _now: datetime) -> Outcome:
    """What the officers decided on an appeal."""
    appeal, facts = credit_letters.appeal_answered(db, delivery)
    letter = letter_to(delivery, session=session_facts(appeal.session), answer=appeal.answer)
    return replace(letter, appeal=facts)


def credit_pending(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """What is left to do for credit."""
    pending = credit_letters.pending_of(db, delivery.subject_id, delivery.user_id, now=now)
    if not pending:
        return Dropped("nothing is missing any more")
    session = db.get_one(WebinarSession, delivery.subject_id)
    return replace(letter_to(delivery, session=session_facts(session)), pending=pending)


def certificate_ready(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """The certificate is there."""
    certificate = db.get_one(Certificate, delivery.subject_id)
    if certificate.revoked_at is not None or certificate.superseded_by is not None:
        return Dropped("the certificate is not valid any more")
    session = db.get_one(WebinarSession, certificate.session_id)
    decisions = db.scalars(
        select(CreditDecision)
        .where(CreditDecision.id.in_(certificate.decision_ids))
        .where(CreditDecision.credit > 0)
        .order_by(CreditDecision.id)
    ).all()
    lines = tuple(
        f"{decision.grant.accreditor.short_name} {credit_amount(decision.credit)}"
        for decision in decisions
    )
    return letter_to(
        delivery,
        session=session_facts(session),
        certificate=CertificateFacts(number=certificate.number, credits=lines),
    )
