"""Accreditors, grants and tests of the demonstration: real bodies' rules, invented decisions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from webinar.db import DbSession
from webinar.demo.programme import Talk
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.models import (
    AccreditationGrant,
    Accreditor,
    CreditPolicy,
    TestItem,
    WebinarSession,
)
from webinar.services import policies, quiz_items

DRAWN = 5
"""Questions of a try."""
INVENTED = "Demonstration: this decision is invented."


@dataclass(frozen=True)
class Offer:
    """What a body gives for a session in one mode, under one policy."""

    accreditor: Accreditor
    policy: CreditPolicy
    mode: ViewingMode
    credits: Decimal
    edition: str
    applied: str
    granted: str
    """`{title}` and `{credits}` are filled in; both texts are the body's own wording."""


@dataclass(frozen=True)
class Bodies:
    """The offers of the season: two for being there, one for watching afterwards."""

    live: tuple[Offer, ...]
    recorded: Offer


def accreditors(db: DbSession, *, now: datetime) -> Bodies:
    """Make the bodies known, and the policies they are decided by."""
    rows = policies.ensure_policies(db, now=now)
    cme, mora, acoe = (_body(db, slug) for slug in ("eaccme", "esmo-mora", "acoe"))
    return Bodies(
        live=(
            Offer(
                cme,
                rows["eaccme-3.0-live"],
                ViewingMode.LIVE,
                Decimal("0.5"),
                "EACCME 3.0",
                "An application has been made to the EACCME for CME accreditation of {title}.",
                "{title} has been accredited by the European Accreditation Council for Continuing "
                "Medical Education (EACCME) with {credits} European CME credits (ECMECs). Each "
                "medical specialist should claim only those hours of credit that he/she actually "
                "spent in the educational activity.",
            ),
            Offer(
                mora,
                rows["esmo-mora-live"],
                ViewingMode.LIVE,
                Decimal("1"),
                "ESMO-MORA",
                "An application for ESMO-MORA category 1 points has been made for {title}.",
                "{title} is accredited with {credits} ESMO-MORA category 1 point.",
            ),
        ),
        recorded=Offer(
            acoe,
            rows["acoe-distance"],
            ViewingMode.RECORDED,
            Decimal("1"),
            "Distance learning",
            "An application has been made to the ACOE for accreditation of {title}.",
            "The recording of {title} was reviewed by the Accreditation Council of Oncology in "
            "Europe (ACOE) and is designated for {credits} European CME credit.",
        ),
    )


def apply_for(
    db: DbSession,
    bodies: Bodies,
    session: WebinarSession,
    talk: Talk,
    *,
    is_decided: bool,
    now: datetime,
) -> None:
    """Grants for the live session; for the recording too where the talk has a test."""
    offers = [*bodies.live, bodies.recorded] if talk.test else [*bodies.live]
    for offer in offers:
        wording = {"title": f"“{talk.title}”", "credits": offer.credits}
        db.add(
            AccreditationGrant(
                session_id=session.id,
                accreditor=offer.accreditor,
                policy=offer.policy,
                mode=offer.mode,
                status=GrantStatus.GRANTED if is_decided else GrantStatus.APPLIED,
                credits_granted=offer.credits,
                reference=f"DEMO-{session.starts_at:%Y%m%d}-{offer.accreditor.slug}".upper(),
                edition=offer.edition,
                statement_applied=f"{offer.applied.format(**wording)} {INVENTED}",
                statement_granted=f"{offer.granted.format(**wording)} {INVENTED}",
                decided_on=(now - timedelta(days=2)).date() if is_decided else None,
            )
        )
    db.flush()


def ask_for_test(
    db: DbSession, session: WebinarSession, talk: Talk, *, actor_id: int, now: datetime
) -> None:
    """The talk's questions, if it has any; some of them are drawn for each try."""
    db.add_all(
        TestItem(
            session_id=session.id,
            position=position,
            text=question.text,
            options=list(question.options),
            correct_option=question.right,
            comment=question.comment,
        )
        for position, question in enumerate(talk.test)
    )
    db.flush()
    if len(talk.test) > DRAWN:
        quiz_items.set_draw(db, session, DRAWN, actor_id=actor_id, now=now)


def _body(db: DbSession, slug: str) -> Accreditor:
    return db.scalars(select(Accreditor).where(Accreditor.slug == slug)).one()
