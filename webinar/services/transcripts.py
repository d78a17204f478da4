"""What a person has earned, and what is still to be done for it: read, never decided, here."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import PENDING, Reason
from webinar.domain.timezone import to_local
from webinar.domain.transcript import Entry
from webinar.models import AccreditationGrant, Certificate, CreditDecision, WebinarSession

HOW = {
    ViewingMode.LIVE: "live",
    ViewingMode.RECORDED: "recording",
    ViewingMode.FACULTY: "faculty",
}


@dataclass(frozen=True, kw_only=True)
class CreditLine:
    """The latest decision of one body on one session."""

    body: str
    credit: Decimal
    explanation: str
    next_step: str
    due_at: datetime | None
    is_pending: bool


@dataclass(frozen=True, kw_only=True)
class Earned:
    """What a person has from one session, decided or pending, and the certificate's number."""

    session: WebinarSession
    credit: tuple[CreditLine, ...]
    certificate: str
    """Of the one that holds; "" while there is none."""


def of_person(db: DbSession, user_id: int) -> list[Earned]:
    """Every session with a decision or a certificate, the latest session first; two queries."""
    sessions: dict[int, WebinarSession] = {}
    lines: dict[int, list[CreditLine]] = {}
    for decision in _latest_decisions(db, user_id):
        sessions[decision.session_id] = decision.session
        lines.setdefault(decision.session_id, []).append(
            CreditLine(
                body=decision.grant.accreditor.short_name,
                credit=decision.credit,
                explanation=decision.explanation,
                next_step=decision.next_step or "",
                due_at=decision.due_at,
                is_pending=decision.reason in PENDING,
            )
        )
    numbers: dict[int, str] = {}
    for certificate, session in db.execute(
        select(Certificate, WebinarSession)
        .join(WebinarSession, WebinarSession.id == Certificate.session_id)
        .where(Certificate.user_id == user_id)
        .where(Certificate.revoked_at.is_(None))
        .where(Certificate.superseded_by.is_(None))
        .order_by(Certificate.revision)
    ):
        sessions[session.id] = session
        numbers[session.id] = certificate.number
    return [
        Earned(
            session=session,
            credit=tuple(lines.get(session.id, ())),
            certificate=numbers.get(session.id, ""),
        )
        for session in sorted(sessions.values(), key=lambda one: one.starts_at, reverse=True)
    ]


def entries_of(db: DbSession, user_id: int) -> list[Entry]:
    """Every credit the person holds today, one for each session and body; two queries."""
    numbers = {
        certificate.session_id: certificate.number
        for certificate in db.scalars(
            select(Certificate)
            .where(Certificate.user_id == user_id)
            .where(Certificate.revoked_at.is_(None))
            .where(Certificate.superseded_by.is_(None))
            .order_by(Certificate.revision)
        )
    }
    return [
        Entry(
            day=to_local(decision.session.starts_at, decision.session.zone).date(),
            title=decision.session.title,
            provider=decision.session.society.name,
            how=HOW[decision.grant.mode],
            body=decision.grant.accreditor.name,
            unit=decision.grant.accreditor.unit,
            reference=decision.grant.reference,
            credit=decision.credit,
            minutes=decision.seconds_counted // 60,
            certificate=numbers.get(decision.session_id, ""),
        )
        for decision in _latest_decisions(db, user_id)
        if decision.reason is Reason.OK and decision.credit > 0
    ]


def _latest_decisions(db: DbSession, user_id: int) -> list[CreditDecision]:
    decisions = db.scalars(
        select(CreditDecision)
        .where(CreditDecision.user_id == user_id)
        .options(
            joinedload(CreditDecision.session).joinedload(WebinarSession.society),
            joinedload(CreditDecision.grant).joinedload(AccreditationGrant.accreditor),
        )
        .order_by(CreditDecision.grant_id, CreditDecision.revision.desc())
    )
    latest: dict[int, CreditDecision] = {}
    for decision in decisions:
        latest.setdefault(decision.grant_id, decision)
    return list(latest.values())
