"""The page of a topic: its sessions and its feed."""

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from webinar.services import schedule
from webinar.services.schedule_filters import Of
from webinar.web.access import public
from webinar.web.listing import by_month, row_of
from webinar.web.subscriptions import subscription

bp = Blueprint("topics", __name__, url_prefix="/topics")

AHEAD, PAST = 8, 5


@bp.get("/<slug>")
@public
def show(slug: str) -> ResponseReturnValue:
    """All that is offered about one subject."""
    topic = schedule.topic_named(g.db, slug)
    of = Of(topic=slug)
    return render_template(
        "topics/show.html",
        topic=topic,
        months=by_month(schedule.ahead(g.db, now=g.now, of=of, limit=AHEAD), now=g.now),
        past=[
            row_of(found, now=g.now) for found in schedule.past(g.db, now=g.now, of=of, limit=PAST)
        ],
        feed=subscription(topic.name, "feeds.topic", slug=slug),
    )
