"""Doors for auditors: the officer makes one, hands its address over, and closes it again."""

from collections.abc import Sequence
from datetime import timedelta

from flask import (
    Response,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.session import SessionStatus
from webinar.models import Society, WebinarSession
from webinar.services import auditor_doors as doors
from webinar.services import season, societies
from webinar.services.auditor_doors import DoorRefused
from webinar.web.access import requires
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.numbers import whole_number

BEHIND, AHEAD = timedelta(days=730), timedelta(days=60)
DAYS = (("7", "7 days"), ("14", "14 days"), ("30", "30 days"), ("60", "60 days"))


@bp.get("/credit/doors/")
@requires(Action.DECIDE_CREDIT)
def auditor_doors() -> ResponseReturnValue:
    """The doors there are, and the societies for which one can be made."""
    offered = scope.societies_offered()
    by_id = {society.id: society for society in offered}
    return render_template(
        "manage/auditor_doors.html",
        doors=[
            (door, by_id[door.society_id], doors.is_open(door, now=g.now))
            for door in doors.listed(g.db, society_ids=scope.society_ids())
        ],
        societies=offered,
    )


@bp.get("/societies/<slug>/doors/new")
@requires(Action.DECIDE_CREDIT)
def auditor_door_new(slug: str) -> ResponseReturnValue:
    """The form of a door, with the society's sessions to choose from."""
    return _form(societies.by_slug(g.db, slug), {})


@bp.post("/societies/<slug>/doors/new")
@requires(Action.DECIDE_CREDIT)
def auditor_door_make(slug: str) -> ResponseReturnValue:
    """Make it, and show its address: this once."""
    society = societies.by_slug(g.db, slug)
    offered = {session.public_id: session.id for session in _sessions(society)}
    chosen = request.form.getlist("sessions")
    try:
        if not offered.keys() >= set(chosen):
            raise DoorRefused("Choose sessions from the list.", field="sessions")
        door, token = doors.make(
            g.db,
            society.id,
            [offered[public_id] for public_id in chosen],
            label=request.form.get("label", ""),
            days=whole_number(request.form.get("days", "")) or 0,
            actor_id=current_user.id,
            now=g.now,
        )
    except DoorRefused as refusal:
        g.db.rollback()
        society = societies.by_slug(g.db, slug)
        return _form(society, {refusal.field: str(refusal)}), refusal.status
    g.db.commit()
    page: Response = make_response(
        render_template(
            "manage/auditor_door_made.html",
            door=door,
            address=current_app.config["PUBLIC_URL"] + url_for("auditor.index", token=token),
        )
    )
    page.headers["Cache-Control"] = "no-store"
    return page


@bp.post("/societies/<slug>/doors/<int(max=2147483647):door_id>/close")
@requires(Action.DECIDE_CREDIT)
def auditor_door_close(slug: str, door_id: int) -> ResponseReturnValue:
    """Close it at once."""
    society = societies.by_slug(g.db, slug)
    doors.revoke(g.db, door_id, society.id, actor_id=current_user.id, now=g.now)
    g.db.commit()
    flash("The door is closed. Its address opens nothing any more.", "success")
    return redirect(url_for("manage.auditor_doors"), code=303)


def _form(society: Society, errors: dict[str, str]) -> str:
    return render_template(
        "manage/auditor_door_new.html",
        society=society,
        sessions=_sessions(society),
        chosen=request.form.getlist("sessions"),
        typed=request.form,
        days=DAYS,
        errors=errors,
        most_sampled=doors.MOST_SAMPLED,
    )


def _sessions(society: Society) -> Sequence[WebinarSession]:
    """What can stand behind a door: two years back and two months ahead, the last one first."""
    found = season.listed(
        g.db,
        starting=g.now - BEHIND,
        until=g.now + AHEAD,
        society_ids=frozenset({society.id}),
    )
    return [session for session in reversed(found) if session.status is not SessionStatus.DRAFT]
