"""Another session like one that is there, on another day."""

from datetime import timedelta

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.models import WebinarSession
from webinar.services import session_copies
from webinar.services import sessions as session_service
from webinar.services.session_facts import details_of
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar
from webinar.web.manage.session_when import TypedTime

A_WEEK = timedelta(weeks=1)


@bp.get("/sessions/<public_id>/duplicate")
@requires(Action.PLAN_SESSIONS)
def session_duplicate(public_id: str) -> ResponseReturnValue:
    """When the copy is to take place: the same weekday and hour, the next week to come."""
    session = session_service.by_public_id(g.db, public_id)
    weeks = max(1, -(-(g.now - session.starts_at) // A_WEEK))
    return _page(session, TypedTime.of(details_of(session).starts + weeks * A_WEEK), {})


@bp.post("/sessions/<public_id>/duplicate")
@requires(Action.PLAN_SESSIONS)
def session_copy(public_id: str) -> ResponseReturnValue:
    """Make the draft."""
    session = session_service.by_public_id(g.db, public_id)
    typed = TypedTime.from_form(request.form)
    starts, errors = typed.read()
    if starts is None:
        return _page(session, typed, errors), 422
    try:
        copy = session_copies.duplicate(
            g.db,
            session.id,
            starts=starts,
            actor_id=current_user.id,
            calendar=calendar(),
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        return _page(session, typed, {"starts": str(refusal)}), refusal.status
    g.db.commit()
    flash("The draft is made. Nobody sees it until you publish it.", "success")
    return redirect(url_for("manage.session_edit", public_id=copy.public_id))


def _page(session: WebinarSession, typed: TypedTime, errors: dict[str, str]) -> str:
    return render_template(
        "manage/session_duplicate.html", session=session, typed=typed, errors=errors
    )
