"""The page of a series: its rule in words, its sessions, its feed."""

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.recurrence import parse
from webinar.domain.recurrence_words import in_words
from webinar.services import places, schedule
from webinar.services.schedule import Of
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
    rhythm = in_words(parse(series.rule))
    return render_template(
        "series/show.html",
        series=series,
        rhythm=rhythm[:1].upper() + rhythm[1:],
        months=by_month(schedule.ahead(g.db, now=g.now, of=of, limit=AHEAD), now=g.now),
        registered=current_user.is_authenticated
        and places.is_in_series(g.db, series.id, current_user.id),
        past=[
            row_of(found, now=g.now) for found in schedule.past(g.db, now=g.now, of=of, limit=PAST)
        ],
        feed=subscription(series.name, "feeds.series", slug=slug),
    )
