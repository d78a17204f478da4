"""The front page: what is live, what comes next, what closes, and how it works."""

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.place import StepKind, next_step
from webinar.domain.session import SessionStatus
from webinar.services import places, schedule, schedule_filters
from webinar.services.listings import Listed
from webinar.web.access import public
from webinar.web.listing import Row, by_month, row_of
from webinar.web.place_cards import PlaceCard, card_of
from webinar.web.subscriptions import subscription

bp = Blueprint("home", __name__)

COMING = 7
CLOSING = 5
STEPS_SHOWN = 3
# Not the calendar, which waits for every registration, nor certificates, which stay for ever.
PRESSING = (StepKind.JOIN, StepKind.WATCH, StepKind.EVALUATE, StepKind.TEST)


@bp.get("/")
@public
def index() -> ResponseReturnValue:
    """Everybody's first page."""
    coming, closing = schedule.ahead_and_closing(g.db, now=g.now, limits=(COMING, CLOSING))
    live = [listed for listed in coming if listed.session.status is SessionStatus.LIVE]
    takes_place = [listed for listed in coming if listed.session.status is SessionStatus.PUBLISHED]
    upcoming = takes_place[:1]
    heads = live + upcoming
    user_id = current_user.id if current_user.is_authenticated else None
    cards = {
        place.session.id: card_of(place, signed_in=user_id is not None, now=g.now)
        for place in places.places_of(g.db, heads, user_id, now=g.now)
    }
    return render_template(
        "home/index.html",
        live=[(row_of(listed, now=g.now), cards[listed.session.id]) for listed in live],
        next=[(row_of(listed, now=g.now), cards[listed.session.id]) for listed in upcoming],
        months=by_month([listed for listed in coming if listed not in heads], now=g.now),
        closing=[row_of(found, now=g.now) for found in closing],
        topics=schedule_filters.topics_offered(g.db, now=g.now),
        my_steps=_my_steps(user_id, heads) if user_id is not None else [],
        feed=subscription("all sessions", "feeds.everything"),
    )


def _my_steps(user_id: int, heads: list[Listed]) -> list[tuple[Row, PlaceCard]]:
    """What a signed-in person can do now beside what heads the page, the latest session first."""
    shown = {listed.session.id for listed in heads}
    ids = [found for found in places.registered_ids(g.db, user_id) if found not in shown]
    mine = schedule.of_ids(g.db, ids)[::-1]
    found = []
    for listed, place in zip(mine, places.places_of(g.db, mine, user_id, now=g.now), strict=True):
        step = next_step(list(place.steps))
        if step is not None and step.kind in PRESSING:
            found.append((row_of(listed, now=g.now), card_of(place, signed_in=True, now=g.now)))
    return found[:STEPS_SHOWN]
