"""Under whose auspices a session stands: by which decision, of which day."""

from dataclasses import dataclass
from datetime import date

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.models import WebinarSession
from webinar.services import auspices, societies
from webinar.services import sessions as session_service
from webinar.services.auspices import NotDecidedYet, ReferenceTooLong
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar


@dataclass(frozen=True)
class Typed:
    """The form as it was sent."""

    society: str = ""
    decided_on: str = ""
    reference: str = ""


@bp.get("/sessions/<public_id>/auspices")
@requires(Action.PLAN_SESSIONS)
def session_auspices(public_id: str) -> ResponseReturnValue:
    """Who lends the session its name, and a form for one more."""
    session = session_service.by_public_id(g.db, public_id)
    asked = request.args.get("society", "")
    chosen = next((one for one in session.auspices if one.society.slug == asked), None)
    typed = Typed()
    if chosen is not None:
        typed = Typed(asked, chosen.decided_on.isoformat(), chosen.reference)
    return _page(session, typed, {})


@bp.post("/sessions/<public_id>/auspices")
@requires(Action.PLAN_SESSIONS)
def auspices_put(public_id: str) -> ResponseReturnValue:
    """Add a society's auspices, or correct them."""
    session = session_service.by_public_id(g.db, public_id)
    typed = Typed(
        request.form.get("society", ""),
        request.form.get("decided_on", "").strip(),
        request.form.get("reference", "").strip(),
    )
    day, errors = _day(typed.decided_on), {}
    if not typed.society:
        errors["society"] = "Choose the society that lends its auspices."
    if day is None:
        errors["decided_on"] = "Give the day of the decision as a date: 2026-11-03."
    if day is None or errors:
        return _page(session, typed, errors), 422
    try:
        society = societies.by_slug(g.db, typed.society)
        changed = auspices.put(
            g.db,
            session,
            society,
            decided_on=day,
            reference=typed.reference,
            actor_id=current_user.id,
            calendar=calendar(),
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        session = session_service.by_public_id(g.db, public_id)
        return _page(session, typed, {_field_of(refusal): str(refusal)}), refusal.status
    g.db.commit()
    words = f"The session stands under the auspices of {society.name}."
    flash(words if changed else "Nothing was different, so nothing was changed.", "success")
    return _back(public_id)


@bp.post("/sessions/<public_id>/auspices/remove")
@requires(Action.PLAN_SESSIONS)
def auspices_remove(public_id: str) -> ResponseReturnValue:
    """The society lends its name no more."""
    session = session_service.by_public_id(g.db, public_id)
    society = societies.by_slug(g.db, request.form.get("society", ""))
    auspices.take_away(
        g.db,
        session,
        society,
        actor_id=current_user.id,
        calendar=calendar(),
        now=g.now,
    )
    g.db.commit()
    flash(f"The name of {society.name} is taken off the session.", "success")
    return _back(public_id)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _field_of(refusal: DomainError) -> str:
    if isinstance(refusal, NotDecidedYet):
        return "decided_on"
    if isinstance(refusal, ReferenceTooLong):
        return "reference"
    return "society"


def _page(session: WebinarSession, typed: Typed, errors: dict[str, str]) -> str:
    offered = [
        (one.slug, one.name) for one in societies.listed(g.db) if one.id != session.society_id
    ]
    return render_template(
        "manage/session_auspices.html",
        session=session,
        lent=sorted(session.auspices, key=lambda one: one.society.name),
        typed=typed,
        errors=errors,
        societies=[("", "Choose"), *offered],
        has_others=bool(offered),
    )


def _back(public_id: str) -> ResponseReturnValue:
    return redirect(url_for("manage.session_auspices", public_id=public_id), code=303)
