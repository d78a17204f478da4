"""What a person has earned, and what is still to be done for it: read, never decided, here."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from webinar.db import DbSession
from webinar.domain.credit import PENDING
from webinar.models import AccreditationGrant, Certificate, CreditDecision, WebinarSession


@dataclass(frozen=True, kw_only=True)
class CreditLine:
    """The latest decision of one body on one session."""

    session: WebinarSession
    body: str
    unit: str
    credit: Decimal
    explanation: str
    next_step: str
    due_at: datetime | None
    is_pending: bool


@dataclass(frozen=True, kw_only=True)
class CertificateLine:
    """A certificate that holds."""

    session: WebinarSession
    number: str
    issued_at: datetime


def credit_lines(db: DbSession, user_id: int) -> list[CreditLine]:
    """One line for each session and body, the latest decision first."""
    decisions = db.scalars(
        select(CreditDecision)
        .where(CreditDecision.user_id == user_id)
        .options(
            joinedload(CreditDecision.session),
            joinedload(CreditDecision.grant).joinedload(AccreditationGrant.accreditor),
        )
        .order_by(CreditDecision.revision.desc(), CreditDecision.decided_at.desc())
    )
    latest: dict[tuple[int, int], CreditDecision] = {}
    for decision in decisions:
        latest.setdefault((decision.session_id, decision.grant_id), decision)
    return [
        CreditLine(
            session=decision.session,
            body=decision.grant.accreditor.short_name,
            unit=decision.grant.accreditor.unit,
            credit=decision.credit,
            explanation=decision.explanation,
            next_step=decision.next_step or "",
            due_at=decision.due_at,
            is_pending=decision.reason in PENDING,
        )
        for decision in sorted(latest.values(), key=lambda found: found.decided_at, reverse=True)
    ]


def certificate_lines(db: DbSession, user_id: int) -> list[CertificateLine]:
    """The person's certificates that hold, the latest first."""
    rows = db.execute(
        select(Certificate, WebinarSession)
        .join(WebinarSession, WebinarSession.id == Certificate.session_id)
        .where(Certificate.user_id == user_id)
        .where(Certificate.revoked_at.is_(None))
        .where(Certificate.superseded_by.is_(None))
        .order_by(Certificate.issued_at.desc())
    )
    return [
        CertificateLine(session=session, number=certificate.number, issued_at=certificate.issued_at)
        for certificate, session in rows
    ]
