"""The short test about a session. What is right never stands in the page before it is over."""

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.errors import NotFound
from webinar.models import WebinarSession
from webinar.services import credits, presences, quizzes, sessions
from webinar.services.quizzes import AnswersMissing
from webinar.web.access import signed_in

bp = Blueprint("quizzes", __name__, url_prefix="/sessions/<public_id>")


@bp.get("/test")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """The questions, or what came of the last try."""
    session = _session(public_id)
    presences.ensure_seen(g.db, session, current_user.id, what="test", now=g.now)
    return _page(session, {})


@bp.post("/test")
@signed_in
def take(public_id: str) -> ResponseReturnValue:
    """Store a try, and decide credit that waited for it."""
    session = _session(public_id)
    try:
        attempt = quizzes.take(
            g.db, session, current_user.id, answers=_chosen(session.id), now=g.now
        )
    except AnswersMissing as missing:
        questions = quizzes.questions_of(g.db, session.id)
        problems = {
            f"q{questions[number - 1].id}": f"Answer question {number}."
            for number in missing.numbers
        }
        return _page(session, problems), 422
    credits.decide_person(
        g.db,
        session.id,
        current_user.id,
        public_url=current_app.config["PUBLIC_URL"],
        now=g.now,
    )
    conditions = quizzes.conditions_for(g.db, session, current_user.id, now=g.now)
    g.db.commit()
    kind = "success" if conditions.passed else "warning"
    flash(f"{attempt.correct} of {attempt.of} answers are right.", kind)
    if conditions.passed:
        return redirect(url_for("credits.show", public_id=public_id))
    return redirect(url_for("quizzes.show", public_id=public_id))


def _page(session: WebinarSession, problems: dict[str, str]) -> str:
    questions = quizzes.questions_of(g.db, session.id)
    if not questions:
        raise NotFound("There is no test for this session.")
    conditions = quizzes.conditions_for(g.db, session, current_user.id, now=g.now)
    tries = quizzes.attempts_of(g.db, session.id, current_user.id)
    may_try = not conditions.passed and conditions.attempts_left != 0
    return render_template(
        "quizzes/show.html",
        session=session,
        questions=questions,
        conditions=conditions,
        last=tries[-1] if tries else None,
        may_try=may_try and conditions.next_at is None,
        # While one may still try, the right answers are not given away.
        comments=quizzes.comments_on(g.db, tries[-1]) if tries and not may_try else [],
        problems=problems,
        chosen=_chosen(session.id),
    )


def _chosen(session_id: int) -> dict[int, int]:
    """Item id -> option, from the form; what is no number is left out."""
    chosen = {}
    for question in quizzes.questions_of(g.db, session_id):
        value = request.form.get(f"q{question.id}", "")
        if len(value) < 4 and value.isascii() and value.isdigit():
            chosen[question.id] = int(value)
    return chosen


def _session(public_id: str) -> WebinarSession:
    session = sessions.by_public_id(g.db, public_id)
    if not sessions.visible_to_public(session):
        raise NotFound("There is no such session.")
    return session
