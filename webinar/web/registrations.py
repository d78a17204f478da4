"""Taking a place in a session or a series, and giving it up."""

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.services import registrations, schedule, sessions
from webinar.web import onward
from webinar.web.access import public, signed_in
from webinar.web.guards import limiter

bp = Blueprint("registrations", __name__)


@bp.post("/sessions/<public_id>/register")
@public
@limiter.limit("60 per minute")
def register(public_id: str) -> ResponseReturnValue:
    """Register; a stranger makes an account first and has the place once it is proved."""
    if not current_user.is_authenticated:
        return redirect(url_for("auth.register", next=request.path), code=303)
    then = onward.safe_path(request.form.get("next", ""))
    return onward.register_for_session(public_id, current_user.id, then=then)


@bp.post("/sessions/<public_id>/unregister")
@signed_in
def unregister(public_id: str) -> ResponseReturnValue:
    """Give the place up."""
    session = sessions.by_public_id(g.db, public_id)
    registrations.unregister(g.db, session.id, current_user.id, now=g.now)
    g.db.commit()
    flash("You are not registered any more. You can come back at any time.", "success")
    return redirect(url_for("sessions.show", public_id=public_id), code=303)


@bp.post("/series/<slug>/register")
@public
@limiter.limit("60 per minute")
def register_series(slug: str) -> ResponseReturnValue:
    """Register for every session of a series; a stranger makes an account first."""
    if not current_user.is_authenticated:
        return redirect(url_for("auth.register", next=request.path), code=303)
    return onward.register_for_series(slug, current_user.id)


@bp.post("/series/<slug>/unregister")
@signed_in
def unregister_series(slug: str) -> ResponseReturnValue:
    """Give up the series and the coming places it brought."""
    series = schedule.series_named(g.db, slug)
    registrations.unregister_from_series(g.db, series.id, current_user.id, now=g.now)
    g.db.commit()
    flash(f"You are not registered for {series.name} any more.", "success")
    return redirect(url_for("series.show", slug=slug), code=303)
