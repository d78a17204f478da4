"""Appeals: what people object to, with the evidence as it was then, and the officer's answer."""

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.evidence_picture import lines_of
from webinar.models import Appeal, WebinarSession
from webinar.services import appeals
from webinar.services import sessions as session_service
from webinar.services.appeals import AppealRefused
from webinar.services.evidence import corrections
from webinar.web.access import requires
from webinar.web.credit_answers import answers_of
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.numbers import whole_number

PAGE_SIZE = 50
ANSWERS = (("yes", "They are right"), ("no", "What was decided stays"))


@bp.get("/credit/appeals/")
@requires(Action.DECIDE_CREDIT)
def appeals_list() -> ResponseReturnValue:
    """The appeals nobody has answered, the oldest first; with `show=answered`, the others."""
    is_open = request.args.get("show", "") != "answered"
    number = max(1, whole_number(request.args.get("page", "")) or 1)
    ids = scope.society_ids()
    found = appeals.listed(
        g.db,
        society_ids=ids,
        is_open=is_open,
        limit=PAGE_SIZE + 1,
        offset=(number - 1) * PAGE_SIZE,
    )
    return render_template(
        "manage/appeals.html",
        appeals=found[:PAGE_SIZE],
        is_open=is_open,
        how_many=appeals.count_open(g.db, society_ids=ids),
        earlier=_href(is_open, number - 1) if number > 1 else "",
        later=_href(is_open, number + 1) if len(found) > PAGE_SIZE else "",
    )


@bp.get("/credit/<public_id>/appeals/<int(max=2147483647):appeal_id>")
@requires(Action.DECIDE_CREDIT)
def appeal_show(public_id: str, appeal_id: int) -> ResponseReturnValue:
    """One appeal: its words, the evidence it carries, what stands today, and the form to answer."""
    session = session_service.by_public_id(g.db, public_id)
    return _page(session, appeals.one(g.db, session.id, appeal_id), {})


@bp.post("/credit/<public_id>/appeals/<int(max=2147483647):appeal_id>")
@requires(Action.DECIDE_CREDIT)
def appeal_answer(public_id: str, appeal_id: int) -> ResponseReturnValue:
    """Say yes or no; the person reads it in a mail and on their page."""
    session = session_service.by_public_id(g.db, public_id)
    appeal = appeals.one(g.db, session.id, appeal_id)
    outcome = request.form.get("outcome", "")
    if outcome not in dict(ANSWERS):
        return _page(session, appeal, {"outcome": "Choose one of the two."}), 422
    try:
        appeals.answer(
            g.db,
            appeal.id,
            session_id=session.id,
            upheld=outcome == "yes",
            words=request.form.get("answer", ""),
            actor_id=current_user.id,
            now=g.now,
        )
    except AppealRefused as refusal:
        g.db.rollback()
        session = session_service.by_public_id(g.db, public_id)
        appeal = appeals.one(g.db, session.id, appeal_id)
        return _page(session, appeal, {refusal.field: str(refusal)}), refusal.status
    g.db.commit()
    flash("The answer is on its way by mail.", "success")
    return redirect(url_for("manage.appeals_list"), code=303)


def _page(session: WebinarSession, appeal: Appeal, errors: dict[str, str]) -> str:
    carried = appeals.carried_by(appeal)
    drawn = carried.picture
    standing = [
        answer
        for answer in answers_of(session, appeal.user_id)
        if answer.grant_id == appeal.grant_id
    ]
    of_person = corrections.of_session(g.db, session.id, user_id=appeal.user_id)
    return render_template(
        "manage/appeal.html",
        session=session,
        appeal=appeal,
        carried=carried,
        lines=() if drawn is None else lines_of(drawn, session.zone),
        standing=standing[0] if standing else None,
        corrections=[one for one in of_person if one.appeal_id == appeal.id],
        is_own=appeal.user_id == current_user.id,
        answers=ANSWERS,
        errors=errors,
        typed=request.form,
        longest=appeals.LONGEST,
    )


def _href(is_open: bool, page: int) -> str:
    return url_for(
        "manage.appeals_list",
        show=None if is_open else "answered",
        page=page if page > 1 else None,
    )
