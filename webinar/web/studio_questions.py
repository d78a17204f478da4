"""Questions in the studio: the moderator reads them all, the speaker what was passed on."""

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.errors import NotAllowed
from webinar.models import WebinarSession
from webinar.services import broadcasts, questions, sessions
from webinar.web.access import signed_in

bp = Blueprint("studio_questions", __name__, url_prefix="/studio/<public_id>")


@bp.get("/questions")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """What was asked, without names, for the moderator alone."""
    return _queue(_moderated(public_id))


@bp.post("/questions/<int(max=2147483647):question_id>")
@signed_in
def tick(public_id: str, question_id: int) -> ResponseReturnValue:
    """Tick a question off, or take the tick back."""
    session = _moderated(public_id)
    answered = request.form.get("answered") == "1"
    questions.mark_answered(g.db, session.id, question_id, answered=answered, now=g.now)
    g.db.commit()
    return _queue(session)


@bp.post("/questions/<int(max=2147483647):question_id>/pass-on")
@signed_in
def pass_on(public_id: str, question_id: int) -> ResponseReturnValue:
    """Show a question to the speaker, or take it back."""
    session = _moderated(public_id)
    passed_on = request.form.get("passed_on") == "1"
    questions.pass_on(g.db, session.id, question_id, passed_on=passed_on, now=g.now)
    g.db.commit()
    return _queue(session)


@bp.get("/passed-on")
@signed_in
def passed_on(public_id: str) -> ResponseReturnValue:
    """What the moderator passed on, without names, for all of the faculty."""
    session = sessions.by_public_id(g.db, public_id)
    broadcasts.ensure_may_broadcast(g.db, session, current_user)
    return render_template(
        "studio/_passed_on.html", questions=questions.passed_on(g.db, session.id)
    )


def _moderated(public_id: str) -> WebinarSession:
    session = sessions.by_public_id(g.db, public_id)
    broadcasts.ensure_may_broadcast(g.db, session, current_user)
    if not broadcasts.may_moderate(g.db, session, current_user):
        raise NotAllowed("Only the moderators of this session see its questions.")
    return session


def _queue(session: WebinarSession) -> str:
    return render_template(
        "studio/_questions.html", session=session, questions=questions.queue(g.db, session.id)
    )
