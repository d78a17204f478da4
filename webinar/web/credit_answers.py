"""Each grant of a session as one person reads it: what came out, why, and what is still to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from flask import g, url_for

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import PENDING, GrantStatus, Reason
from webinar.domain.evidence_picture import EvidencePicture, Line, lines_of
from webinar.domain.review import AppealState
from webinar.domain.session import SessionStatus
from webinar.models import Appeal, CreditDecision, WebinarSession
from webinar.services import appeals, credits
from webinar.services.evidence import pictures
from webinar.services.grants import Offer, offers_of

FOR_WHAT = {
    ViewingMode.LIVE: "For being there live",
    ViewingMode.RECORDED: "For watching the recording",
    ViewingMode.FACULTY: "For presenting",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One grant as a person reads it."""

    grant_id: int
    body: str
    for_what: str
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
    picture: EvidencePicture | None = None
    lines: Sequence[Line] = ()
    decision: CreditDecision | None = None
    appeals: Sequence[Appeal] = ()
    """The newest first."""
    may_appeal: bool = False


def answers_of(session: WebinarSession, user_id: int) -> list[Answer]:
    """Every grant of the session for this person, in the order in which grants are read."""
    standing = {
        decision.grant_id: decision for decision in credits.latest_of(g.db, session.id, user_id)
    }
    said: dict[int, list[Appeal]] = {}
    for appeal in appeals.of_person(g.db, session.id, user_id):
        said.setdefault(appeal.grant_id, []).append(appeal)
    return [
        _answer(session, user_id, offer, standing.get(offer.grant.id), said)
        for offer in offers_of(g.db, session.id, granted_only=False)
        if offer.grant.status is not GrantStatus.NONE
        # Nobody else presents, so nobody else has to know what presenting earns.
        if offer.grant.mode is not ViewingMode.FACULTY or offer.grant.id in standing
    ]


def _answer(
    session: WebinarSession,
    user_id: int,
    offer: Offer,
    decision: CreditDecision | None,
    said: Mapping[int, Sequence[Appeal]],
) -> Answer:
    grant = offer.grant
    picture = _picture(session, user_id, offer, decision)
    own = said.get(grant.id, ())
    shown = Answer(
        grant_id=grant.id,
        body=grant.accreditor.name,
        for_what=FOR_WHAT[grant.mode],
        state="open",
        earned=Decimal(0),
        at_most=grant.credits_granted,
        unit=grant.accreditor.unit,
        explanation=_undecided(session, offer, picture),
        picture=picture,
        lines=() if picture is None else lines_of(picture, session.zone),
        appeals=own,
        may_appeal=appeals.may_be_raised(g.db, session, user_id, offer, decision)
        and not any(appeal.state is AppealState.OPEN for appeal in own),
    )
    if decision is None:
        return shown
    label, href = _next(session, grant.mode, decision.reason)
    state = "none"
    if decision.reason is Reason.OK:
        state = "earned"
    elif decision.reason in PENDING:
        state = "waiting"
    wanted = None
    if decision.reason is Reason.PENDING_IDENTIFIER:
        wanted = offer.rules.requires_identifier
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
        decision=decision,
    )


def _picture(
    session: WebinarSession, user_id: int, offer: Offer, decision: CreditDecision | None
) -> EvidencePicture | None:
    """What was decided upon; of a recording that one goes on watching, what counts by now."""
    if decision is None:
        return pictures.of_now(g.db, session, user_id, offer)
    decided = pictures.of_decision(decision)
    if offer.grant.mode is not ViewingMode.RECORDED or decision.reason is Reason.OK:
        return decided
    current = pictures.of_now(g.db, session, user_id, offer)
    if current is not None and current.counted_seconds > decided.counted_seconds:
        return current
    return decided


def _undecided(session: WebinarSession, offer: Offer, picture: EvidencePicture | None) -> str:
    body = offer.grant.accreditor.short_name
    counted = picture.counted_seconds if picture is not None else 0
    if offer.grant.status is GrantStatus.APPLIED:
        return f"Accreditation by {body} is applied for and not decided yet."
    if offer.grant.status is not GrantStatus.GRANTED:
        return f"{body} gives no credit for this."
    if offer.grant.mode is ViewingMode.LIVE:
        if session.status is not SessionStatus.ENDED:
            return "Credit for being there live is decided within the hour after the end."
        if counted == 0:
            return "You were not in the live session, so nothing counts here."
    elif counted == 0:
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
