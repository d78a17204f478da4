"""How long each of a session's faculty presented, as an officer confirms it for their credit."""

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.models import WebinarSession
from webinar.services import sessions
from webinar.services.evidence import faculty_credit as presenting
from webinar.services.evidence.faculty_credit import Confirmed
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.numbers import whole_number

DIGITS = 4


@bp.get("/sessions/<public_id>/faculty-credit")
@requires(Action.CORRECT_CREDIT)
def faculty_credit(public_id: str) -> ResponseReturnValue:
    """The faculty with the minutes that are confirmed."""
    return _page(sessions.by_public_id(g.db, public_id), {})


@bp.post("/sessions/<public_id>/faculty-credit/<int:member_id>")
@requires(Action.CORRECT_CREDIT)
def faculty_credit_confirm(public_id: str, member_id: int) -> ResponseReturnValue:
    """Somebody presented for so many minutes."""
    session = sessions.by_public_id(g.db, public_id)
    member = presenting.member_of(g.db, session, member_id)
    text = request.form.get("minutes", "").strip()
    minutes = whole_number(text, digits=DIGITS)
    field = f"minutes-{member_id}"
    if text and minutes is None:
        return _page(session, {field: "Give whole minutes: 30."}), 422
    said = Confirmed(minutes=minutes, is_repeat="repeat" in request.form)
    try:
        is_new = presenting.confirm(
            g.db, session, member, said, actor_id=current_user.id, now=g.now
        )
    except DomainError as refusal:
        g.db.rollback()
        session = sessions.by_public_id(g.db, public_id)
        return _page(session, {field: str(refusal)}), refusal.status
    g.db.commit()
    words = "Credit is decided anew within a minute." if is_new else "Nothing is different."
    flash(words, "success" if is_new else "notice")
    return redirect(url_for("manage.faculty_credit", public_id=public_id))


def _page(session: WebinarSession, errors: dict[str, str]) -> str:
    return render_template(
        "manage/faculty_credit.html",
        session=session,
        grants=presenting.grants_of(g.db, session.id),
        longest=presenting.longest_minutes(g.db, session),
        minutes=request.form.get("minutes", ""),
        errors=errors,
    )
