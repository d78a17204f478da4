"""The organiser's first page: what needs me today, and the season as a picture."""

from datetime import date, timedelta

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action, may
from webinar.services import season, series
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.season_picture import first_monday, picture_of, span_of


@bp.get("/")
@requires(Action.ACCREDIT_SESSIONS)
def index() -> ResponseReturnValue:
    """What waits, then eighteen weeks of the season; an accreditation officer has another list."""
    if not may(current_user.roles, Action.PLAN_SESSIONS):
        return redirect(url_for("manage.accreditation"))
    zone = g.home_zone
    monday = _monday_asked_for() or first_monday(g.now, zone)
    starts, ends = span_of(monday, zone)
    sessions = season.listed(g.db, starting=starts, until=ends)
    return render_template(
        "manage/index.html",
        today=season.today(g.db, now=g.now),
        picture=picture_of(sessions, monday=monday, zone=zone, now=g.now),
        has_series=bool(series.listed(g.db)),
    )


def _monday_asked_for() -> date | None:
    """The week asked for in the address, if it is a sensible day."""
    try:
        asked = date.fromisoformat(request.args.get("from", ""))
    except ValueError:
        return None
    if not 2000 <= asked.year <= 2100:
        return None
    return asked - timedelta(days=asked.weekday())
