"""The page of a topic: its sessions and its feed."""

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webinar.models import Topic
from webinar.services import schedule, topics
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
    if topic.merged_into_id is not None:
        into = g.db.get_one(Topic, topic.merged_into_id)
        return redirect(url_for("topics.show", slug=into.slug), code=301)
    above, below = topics.around(g.db, topic)
    of = Of(topic=slug)
    coming, past = schedule.ahead_and_past(g.db, now=g.now, of=of, limits=(AHEAD, PAST))
    return render_template(
        "topics/show.html",
        topic=topic,
        above=above,
        below=below,
        months=by_month(coming, now=g.now),
        past=[row_of(found, now=g.now) for found in past],
        feed=subscription(topic.name, "feeds.topic", slug=slug),
    )
