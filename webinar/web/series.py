"""The page of a series: its rule in words, its sessions, its feed."""

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.timezone import to_local
from webinar.services import places, schedule
from webinar.services.schedule_filters import Of
from webinar.services.series import rhythms_of
from webinar.web.access import public
from webinar.web.listing import by_month, row_of
from webinar.web.subscriptions import subscription

bp = Blueprint("series", __name__, url_prefix="/series")

AHEAD, PAST = 8, 5


@bp.get("/<slug>")
@public
def show(slug: str) -> ResponseReturnValue:
    """A recurring programme."""
    series = schedule.series_named(g.db, slug)
    of = Of(series=slug)
    today = to_local(g.now, series.zone).date()
    coming, past = schedule.ahead_and_past(g.db, now=g.now, of=of, limits=(AHEAD, PAST))
    return render_template(
        "series/show.html",
        series=series,
        rhythms=rhythms_of(series, today=today),
        months=by_month(coming, now=g.now),
        registered=current_user.is_authenticated
        and places.is_in_series(g.db, series.id, current_user.id),
        past=[row_of(found, now=g.now) for found in past],
        feed=subscription(series.name, "feeds.series", slug=slug),
    )
