"""Why did I (not) get the point: each grant of a session with its sentence and the next step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from math import ceil

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import PENDING, GrantStatus, Reason
from webinar.domain.errors import NotFound
from webinar.domain.session import SessionStatus
from webinar.domain.span import Span
from webinar.models import CreditDecision, WebinarSession
from webinar.services import attendance, certificates, credits, identifiers, sessions
from webinar.services.grants import Offer, offers_of
from webinar.services.identifiers import IdentifierRefused
from webinar.web.access import signed_in

bp = Blueprint("credits", __name__, url_prefix="/sessions/<public_id>")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One grant as a person reads it."""

    body: str
    mode: ViewingMode
    state: str
    """earned | waiting | none | open"""
    earned: Decimal
    at_most: Decimal
    unit: str
    explanation: str
    next_step: str = ""
    next_label: str = ""
    next_href: str = ""
    due_at: datetime | None = None
    wants_identifier: str = ""
    parts: Sequence[Span[int]] = ()
    counted_seconds: int = 0
    total_seconds: int = 0
    threshold_seconds: int | None = None


@bp.get("/credit")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """Every grant of the session: what counted, what came of it, what is still to do."""
    return _page(_session(public_id))


@bp.post("/identifier")
@signed_in
def give_identifier(public_id: str) -> ResponseReturnValue:
    """Take a registry's number, and decide everything that waited for it."""
    session = _session(public_id)
    kind = request.form.get("kind", "")
    if kind not in {offer.rules.requires_identifier for offer in offers_of(g.db, session.id)}:
        raise NotFound("No body of this session asks for such a number.")
    try:
        identifiers.give(
            g.db,
            current_user.id,
            kind=kind,
            value=request.form.get("value", ""),
            consents="consent" in request.form,
            now=g.now,
        )
    except IdentifierRefused as refused:
        return _page(session, problem=str(refused)), 422
    for session_id in identifiers.waiting_sessions(g.db, current_user.id):
        credits.decide_person(
            g.db,
            session_id,
            current_user.id,
            public_url=current_app.config["PUBLIC_URL"],
            now=g.now,
        )
    g.db.commit()
    flash(f"Your {kind} is stored.", "success")
    return redirect(url_for("credits.show", public_id=public_id))


def _page(session: WebinarSession, problem: str = "") -> str:
    standing = {
        decision.grant_id: decision
        for decision in credits.latest_of(g.db, session.id, current_user.id)
    }
    presence = {
        mode: attendance.presence_now(g.db, session, current_user.id, mode) for mode in ViewingMode
    }
    answers = [
        _answer(session, offer, standing.get(offer.grant.id), presence[offer.grant.mode])
        for offer in offers_of(g.db, session.id, granted_only=False)
        if offer.grant.status is not GrantStatus.NONE
    ]
    return render_template(
        "credits/show.html",
        session=session,
        answers=answers,
        certificate=certificates.standing_of(g.db, session.id, current_user.id),
        problem=problem,
        value=request.form.get("value", ""),
    )


def _answer(
    session: WebinarSession,
    offer: Offer,
    decision: CreditDecision | None,
    presence: attendance.Presence,
) -> Answer:
    grant, rules = offer.grant, offer.rules
    threshold = ceil(rules.threshold * presence.total_seconds)
    shown = Answer(
        body=grant.accreditor.name,
        mode=grant.mode,
        state="open",
        earned=Decimal(0),
        at_most=grant.credits_granted,
        unit=grant.accreditor.unit,
        explanation=_undecided(session, offer, presence),
        parts=presence.parts,
        counted_seconds=presence.counted_seconds,
        total_seconds=presence.total_seconds,
        threshold_seconds=threshold or None,
    )
    if decision is None:
        return shown
    label, href = _next(session, grant.mode, decision.reason)
    state = "none"
    if decision.reason is Reason.OK:
        state = "earned"
    elif decision.reason in PENDING:
        state = "waiting"
    wanted = rules.requires_identifier if decision.reason is Reason.PENDING_IDENTIFIER else None
    return replace(
        shown,
        state=state,
        earned=decision.credit,
        explanation=decision.explanation,
        next_step=decision.next_step or "",
        next_label=label,
        next_href=href,
        due_at=decision.due_at,
        wants_identifier=wanted or "",
    )


def _undecided(session: WebinarSession, offer: Offer, presence: attendance.Presence) -> str:
    body = offer.grant.accreditor.short_name
    if offer.grant.status is GrantStatus.APPLIED:
        return f"Accreditation by {body} is applied for and not decided yet."
    if offer.grant.status is not GrantStatus.GRANTED:
        return f"{body} gives no credit for this."
    if offer.grant.mode is ViewingMode.LIVE:
        if session.status is not SessionStatus.ENDED:
            return "Credit for being there live is decided within the hour after the end."
        if presence.counted_seconds == 0:
            return "You were not in the live session, so nothing counts here."
    elif presence.counted_seconds == 0:
        return "You have not watched the recording yet."
    return "What you watched is stored and is decided within a few minutes."


def _next(session: WebinarSession, mode: ViewingMode, reason: Reason) -> tuple[str, str]:
    """Label and address of what the person does next; empty where there is nothing."""
    public_id = session.public_id
    if reason is Reason.PENDING_EVALUATION:
        return "Give your evaluation", url_for("evaluations.show", public_id=public_id)
    if reason in (Reason.PENDING_TEST, Reason.TEST_FAILED):
        return "Take the test", url_for("quizzes.show", public_id=public_id)
    if reason is Reason.BELOW_PRESENCE and mode is ViewingMode.RECORDED:
        return "Go on watching", url_for("recordings.show", public_id=public_id)
    return "", ""


def _session(public_id: str) -> WebinarSession:
    session = sessions.by_public_id(g.db, public_id)
    if not sessions.visible_to_public(session):
        raise NotFound("There is no such session.")
    return session
