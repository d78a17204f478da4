"""Why did I (not) get the point: each grant of a session with its sentence and the next step."""

from dataclasses import dataclass

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.errors import NotFound
from webinar.models import WebinarSession
from webinar.services import appeals, certificates, credits, identifiers, sessions
from webinar.services.appeals import AppealRefused
from webinar.services.evidence import grounds
from webinar.services.grants import offers_of
from webinar.services.identifiers import IdentifierRefused
from webinar.web.access import signed_in
from webinar.web.credit_answers import answers_of
from webinar.web.guards import limiter
from webinar.web.numbers import whole_number

bp = Blueprint("credits", __name__, url_prefix="/sessions/<public_id>")

# Somebody who is angry writes twice; a program writes for ever.
APPEALS = "20 per hour"


@dataclass(frozen=True)
class Typed:
    """What was just sent and refused, so that nothing of it is lost."""

    identifier: str = ""
    identifier_problem: str = ""
    appeal_grant: int = 0
    appeal_words: str = ""
    appeal_problem: str = ""


NOTHING_TYPED = Typed()


@bp.get("/credit")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """Every grant of the session: what counted, what came of it, what is still to do."""
    return _page(_session(public_id), NOTHING_TYPED)


@bp.post("/identifier")
@signed_in
def give_identifier(public_id: str) -> ResponseReturnValue:
    """Take a registry's number, and decide everything that waited for it."""
    session = _session(public_id)
    kind, value = request.form.get("kind", ""), request.form.get("value", "")
    if kind not in {offer.rules.requires_identifier for offer in offers_of(g.db, session.id)}:
        raise NotFound("No body of this session asks for such a number.")
    try:
        identifiers.give(
            g.db,
            current_user.id,
            kind=kind,
            value=value,
            consents="consent" in request.form,
            now=g.now,
        )
    except IdentifierRefused as refused:
        typed = Typed(identifier=value, identifier_problem=str(refused))
        return _page(session, typed), refused.status
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
    return _back(public_id)


@bp.post("/appeal")
@signed_in
@limiter.limit(APPEALS)
def appeal(public_id: str) -> ResponseReturnValue:
    """Object to what came out under one grant; the evidence goes along."""
    session = _session(public_id)
    grant_id = whole_number(request.form.get("grant", "")) or 0
    words = request.form.get("words", "")
    try:
        appeals.raise_appeal(g.db, session, current_user.id, grant_id, words=words, now=g.now)
    except AppealRefused as refused:
        g.db.rollback()
        typed = Typed(appeal_grant=grant_id, appeal_words=words, appeal_problem=str(refused))
        return _page(_session(public_id), typed), refused.status
    g.db.commit()
    flash("The accreditation officer has your appeal, with what is stored of your time.", "success")
    return _back(public_id)


@bp.post("/appeals/<int:appeal_id>/withdraw")
@signed_in
def withdraw_appeal(public_id: str, appeal_id: int) -> ResponseReturnValue:
    """Take one's own appeal back."""
    appeals.one(g.db, _session(public_id).id, appeal_id)
    appeals.withdraw(g.db, appeal_id, current_user.id, now=g.now)
    g.db.commit()
    flash("Your appeal is taken back.", "success")
    return _back(public_id)


def _page(session: WebinarSession, typed: Typed) -> str:
    return render_template(
        "credits/show.html",
        session=session,
        answers=answers_of(session, current_user.id),
        incidents=grounds.standing_incidents(g.db, session.id),
        certificate=certificates.standing_of(g.db, session.id, current_user.id),
        typed=typed,
        longest=appeals.LONGEST,
    )


def _back(public_id: str) -> ResponseReturnValue:
    return redirect(url_for("credits.show", public_id=public_id), code=303)


def _session(public_id: str) -> WebinarSession:
    session = sessions.by_public_id(g.db, public_id)
    if not sessions.visible_to_public(session):
        raise NotFound("There is no such session.")
    return session
