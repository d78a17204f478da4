"""Until when a person can still join a session for each credit of each body."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import floor

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode, evidence_in
from webinar.domain.credit import Grant, GrantStatus
from webinar.domain.last_call import LastCall, last_calls
from webinar.domain.policy import CountingWindow
from webinar.domain.session import SessionStatus
from webinar.domain.span import Span
from webinar.models import AccreditationGrant, WebinarSession
from webinar.services import attendance
from webinar.services.evidence import grounds
from webinar.services.grants import Offer, rules_of


@dataclass(frozen=True)
class JoinBy:
    """Who joins by then and stays earns so much of this body."""

    credit: Decimal
    by: datetime


@dataclass(frozen=True)
class BodyCalls:
    """What one body still gives for joining, the most first; nothing if it is too late.

    `earned`: what the person has already, whether they come back or not.
    """

    body: str
    steps: tuple[JoinBy, ...]
    earned: Decimal
    offered: Decimal


def of_session(
    db: DbSession, session: WebinarSession, user_id: int | None, *, now: datetime
) -> list[BodyCalls]:
    """Of every body that gives live credit, in the order of the grants; none once it is over.

    For a person what they watched so far counts; for a stranger (None) nothing does.
    """
    if session.status not in (SessionStatus.PUBLISHED, SessionStatus.LIVE):
        return []
    if now >= session.ends_at:
        return []
    offers = _offers(db, session.id)
    if not offers:
        return []
    watched: list[Span[float]] = []
    outages: list[Span[int]] = []
    if now >= session.starts_at:
        outages = grounds.outage_spans(grounds.standing_incidents(db, session.id))
    if user_id is not None and session.status is SessionStatus.LIVE:
        viewing = attendance.viewing_of(db, session.id, user_id, ViewingMode.LIVE)
        watched = attendance.counting_spans(db, session, ViewingMode.LIVE, viewing.spans())
    return [_calls(db, session, offer, watched, outages, now) for offer in offers]


def _offers(db: DbSession, session_id: int) -> list[Offer]:
    """The live grants with body and rules, in one query."""
    grants = db.scalars(
        select(AccreditationGrant)
        .where(
            AccreditationGrant.session_id == session_id,
            AccreditationGrant.mode == ViewingMode.LIVE,
            AccreditationGrant.status == GrantStatus.GRANTED,
        )
        .options(joinedload(AccreditationGrant.accreditor), joinedload(AccreditationGrant.policy))
        .order_by(AccreditationGrant.id)
    )
    return [Offer(grant, rules_of(grant.policy)) for grant in grants]


def _calls(
    db: DbSession,
    session: WebinarSession,
    offer: Offer,
    watched: list[Span[float]],
    outages: list[Span[int]],
    now: datetime,
) -> BodyCalls:
    window = attendance.counting_window(db, session, ViewingMode.LIVE)
    if offer.rules.window is CountingWindow.ACTUAL and session.actual_started_at is not None:
        # It ends when it ends: nobody knows yet, and what is announced is what people plan by.
        started = floor(session.actual_started_at.timestamp())
        window = Span(min(started, window.end), window.end)
    grant = Grant(credits=offer.grant.credits_granted, mode=ViewingMode.LIVE)
    calls = last_calls(
        offer.rules,
        grant,
        window,
        since=floor(now.timestamp()),
        watched=evidence_in(window, watched),
        outages=outages,
    )
    earned = [call.credit for call in calls if call.by >= window.end]
    return BodyCalls(
        body=offer.grant.accreditor.short_name,
        steps=tuple(_step(call) for call in calls if call.by < window.end),
        earned=max(earned, default=Decimal(0)),
        offered=offer.grant.credits_granted,
    )


def _step(call: LastCall) -> JoinBy:
    return JoinBy(call.credit, datetime.fromtimestamp(call.by, UTC))
