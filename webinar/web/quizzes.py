"""The short test about a session. What is right never stands in the page before it is over."""

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.errors import NotFound
from webinar.models import TestPaper, WebinarSession
from webinar.services import credits, presences, quiz_papers, quizzes, sessions
from webinar.services.quizzes import AnswersMissing
from webinar.web.access import signed_in

bp = Blueprint("quizzes", __name__, url_prefix="/sessions/<public_id>")


@bp.get("/test")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """The questions drawn for this person, or what came of the last try."""
    session = _session(public_id)
    presences.ensure_seen(g.db, session, current_user.id, what="test", now=g.now)
    return _page(session, {}, {})


@bp.post("/test")
@signed_in
def take(public_id: str) -> ResponseReturnValue:
    """Store a try, and decide credit that waited for it."""
    session = _session(public_id)
    paper = quiz_papers.paper_of(g.db, session.id, current_user.id, _number("paper"))
    if paper is None:
        raise NotFound("These questions are not yours. Open the test again.")
    places = _places(paper)
    try:
        attempt = quizzes.hand_in(
            g.db, session, current_user.id, paper.id, places=places, now=g.now
        )
    except AnswersMissing as missing:
        problems = {
            f"q{question}": f"Answer question {number}."
            for number, question in zip(missing.numbers, missing.questions, strict=True)
        }
        return _page(session, problems, places), 422
    credits.decide_person(
        g.db,
        session.id,
        current_user.id,
        public_url=current_app.config["PUBLIC_URL"],
        now=g.now,
    )
    conditions = quizzes.conditions_for(g.db, session, current_user.id, now=g.now)
    g.db.commit()
    if conditions.passed:
        flash(f"You have passed: {attempt.correct} of {attempt.of} answers are right.", "success")
        return redirect(url_for("credits.show", public_id=public_id))
    return redirect(url_for("quizzes.show", public_id=public_id))


def _page(session: WebinarSession, problems: dict[str, str], places: dict[int, int]) -> str:
    conditions = quizzes.conditions_for(g.db, session, current_user.id, now=g.now)
    if conditions.of == 0:
        raise NotFound("There is no test for this session.")
    tries = quizzes.attempts_of(g.db, session.id, current_user.id)
    last = tries[-1] if tries else None
    paper = None
    if conditions.may_try:
        paper = quiz_papers.open_paper(g.db, session.id, current_user.id, now=g.now)
        g.db.commit()  # a reload shows the same questions
    return render_template(
        "quizzes/show.html",
        session=session,
        paper=paper,
        questions=quiz_papers.questions_on(g.db, paper) if paper else [],
        conditions=conditions,
        last=last,
        remarks=quizzes.remarks_on(g.db, last, conditions) if last else [],
        problems=problems,
        places=places,
    )


def _places(paper: TestPaper) -> dict[int, int]:
    """Item id -> place of the chosen answer, from the form; what is no number is left out."""
    chosen = {item_id: _number(f"q{item_id}") for item_id in quiz_papers.places_on(paper)}
    return {item_id: place for item_id, place in chosen.items() if place >= 0}


def _number(name: str) -> int:
    value = request.form.get(name, "")
    is_number = len(value) < 10 and value.isascii() and value.isdigit()
    return int(value) if is_number else -1


def _session(public_id: str) -> WebinarSession:
    session = sessions.by_public_id(g.db, public_id)
    if not sessions.visible_to_public(session):
        raise NotFound("There is no such session.")
    return session
