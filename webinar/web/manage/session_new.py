"""A session outside any series, and another one like one that is there."""

from datetime import timedelta

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.session_details import UNTITLED
from webinar.domain.timezone import to_local
from webinar.services import sessions as session_service
from webinar.web.access import requires
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar
from webinar.web.manage.series_form import day
from webinar.web.manage.session_form import Typed, field_of, read
from webinar.web.manage.session_page import choices, with_rows

AHEAD = timedelta(weeks=4)


@bp.get("/sessions/new")
@requires(Action.PLAN_SESSIONS)
def session_new() -> ResponseReturnValue:
    """The empty form, with an evening hour in four weeks or on the day asked for."""
    on = day(request.args.get("day", "")) or to_local(g.now + AHEAD, g.home_zone).date()
    typed = Typed(
        title=UNTITLED, day=on.isoformat(), starts="18:15", ends="19:00", zone=g.home_zone
    )
    return _page(typed, {})


@bp.post("/sessions/new")
@requires(Action.PLAN_SESSIONS)
def session_create() -> ResponseReturnValue:
    """Make the draft."""
    form = request.form
    typed = Typed.from_form(form, form.getlist("topics"), form.getlist("audience"))
    if form.get("do") == "add-person":
        return _page(typed, {}, more_rows=1)
    details, errors = read(g.db, typed)
    offered = scope.societies_offered()
    society = next((found for found in offered if found.slug == form.get("society", "")), None)
    if society is None and len(offered) == 1:
        society = offered[0]
    if society is None:
        errors["society"] = "Choose the society that offers the session."
    if details is None or society is None:
        return _page(typed, errors), 422
    try:
        session = session_service.create(
            g.db,
            details,
            society_id=society.id,
            actor_id=current_user.id,
            calendar=calendar(),
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        return _page(typed, {field_of(refusal): str(refusal)}), refusal.status
    g.db.commit()
    flash("The draft is made. Nobody sees it until you publish it.", "success")
    return redirect(url_for("manage.session_edit", public_id=session.public_id))


def _page(typed: Typed, errors: dict[str, str], *, more_rows: int = 0) -> str:
    offered = scope.societies_offered()
    return render_template(
        "manage/session_new.html",
        typed=with_rows(typed, more_rows),
        errors=errors,
        society=request.form.get("society", ""),
        societies=[(found.slug, found.name) for found in offered],
        **choices(typed, [found.id for found in offered]),
    )
