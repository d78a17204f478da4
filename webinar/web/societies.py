"""The page of a society: its programmes, its sessions, its feed."""

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from webinar.services import schedule
from webinar.services.schedule_filters import Of
from webinar.web.access import public
from webinar.web.listing import by_month, row_of
from webinar.web.subscriptions import subscription

bp = Blueprint("societies", __name__, url_prefix="/societies")

AHEAD, PAST = 8, 5


@bp.get("/<slug>")
@public
def show(slug: str) -> ResponseReturnValue:
    """A body that offers sessions."""
    society = schedule.society_named(g.db, slug)
    of = Of(society=slug)
    coming, past = schedule.ahead_and_past(g.db, now=g.now, of=of, limits=(AHEAD, PAST))
    return render_template(
        "societies/show.html",
        society=society,
        programmes=schedule.series_of(g.db, society.id),
        months=by_month(coming, now=g.now),
        past=[row_of(found, now=g.now) for found in past],
        feed=subscription(society.name, "feeds.society", slug=slug),
    )
