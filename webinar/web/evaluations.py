"""The evaluation of a session: a minute of a person's time, kept without their name."""

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.errors import NotFound
from webinar.domain.person import FormRefused
from webinar.models import WebinarSession
from webinar.services import credits, evaluations, presences, sessions
from webinar.web.access import signed_in

bp = Blueprint("evaluations", __name__, url_prefix="/sessions/<public_id>")


@bp.get("/evaluation")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """The form, or thanks for the one that was given."""
    session = _session(public_id)
    if evaluations.is_given(g.db, session.id, current_user.id):
        return render_template("evaluations/given.html", session=session)
    presences.ensure_seen(g.db, session, current_user.id, what="evaluation", now=g.now)
    return _form(session, {})


@bp.post("/evaluation")
@signed_in
def give(public_id: str) -> ResponseReturnValue:
    """Store it, and decide credit that waited for it."""
    session = _session(public_id)
    try:
        answers = evaluations.read(request.form, evaluations.asked_of(session))
    except FormRefused as refused:
        return _form(session, refused.problems), 422
    evaluations.give(g.db, session, current_user.id, answers=answers, now=g.now)
    credits.decide_person(
        g.db,
        session.id,
        current_user.id,
        public_url=current_app.config["PUBLIC_URL"],
        now=g.now,
    )
    g.db.commit()
    flash("Thank you: your evaluation is stored, without your name.", "success")
    return redirect(url_for("credits.show", public_id=public_id))


def _form(session: WebinarSession, problems: dict[str, str]) -> str:
    return render_template(
        "evaluations/show.html",
        session=session,
        asked=evaluations.asked_of(session),
        practice=list(evaluations.PRACTICE.items()),
        problems=problems,
        form=request.form,
    )


def _session(public_id: str) -> WebinarSession:
    session = sessions.by_public_id(g.db, public_id)
    if not sessions.visible_to_public(session):
        raise NotFound("There is no such session.")
    return session
