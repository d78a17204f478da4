"""A person's numbers at registries: given with consent, seen, taken back."""

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.errors import NotFound
from webinar.domain.pars import STATES
from webinar.services import credits, identifiers
from webinar.services.identifiers import KNOWN, IdentifierRefused, KnownKind
from webinar.web.access import signed_in

bp = Blueprint("registry_numbers", __name__, url_prefix="/my/numbers")


@bp.get("/")
@signed_in
def index() -> ResponseReturnValue:
    """Every registry that can be told of somebody's credit, and what it may know of this person."""
    return _page()


@bp.post("/<kind>")
@signed_in
def give(kind: str) -> ResponseReturnValue:
    """Keep the number, and decide everything that waited for it."""
    known = _known(kind)
    try:
        identifiers.give(
            g.db,
            current_user.id,
            kind=known.key,
            value=request.form.get("value", ""),
            consents="consent" in request.form,
            details={name: request.form.get(name, "") for name in ("birth", "state")},
            now=g.now,
        )
    except IdentifierRefused as refusal:
        g.db.rollback()
        return _page(known.key, str(refusal)), refusal.status
    _decide_what_waited()
    g.db.commit()
    flash(f"Your {known.name} is stored.", "success")
    return redirect(url_for("registry_numbers.index"))


@bp.post("/<kind>/take-back")
@signed_in
def take_back(kind: str) -> ResponseReturnValue:
    """Forget it."""
    known = _known(kind)
    identifiers.take_back(g.db, current_user.id, kind=known.key, now=g.now)
    g.db.commit()
    flash(
        f"Your {known.name} is forgotten. Lists made from now on leave you out; what a registry "
        "was told before, its next list takes back.",
        "success",
    )
    return redirect(url_for("registry_numbers.index"))


def _decide_what_waited() -> None:
    for session_id in identifiers.waiting_sessions(g.db, current_user.id):
        credits.decide_person(
            g.db,
            session_id,
            current_user.id,
            public_url=current_app.config["PUBLIC_URL"],
            now=g.now,
        )


def _known(kind: str) -> KnownKind:
    for known in KNOWN:
        if known.key.lower() == kind:
            return known
    raise NotFound("There is no such registry here.")


def _page(kind: str = "", problem: str = "") -> str:
    return render_template(
        "my/numbers.html",
        known=KNOWN,
        given=identifiers.given_by(g.db, current_user.id),
        states=[("", "Choose"), *[(state, state) for state in sorted(STATES)]],
        wrong=kind,
        problem=problem,
        typed=request.form,
    )
