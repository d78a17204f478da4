"""The schedule, as a list by month or as a month, and the page of one session."""

import re
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.attendance import ViewingMode
from webinar.domain.place import StepKind, next_step
from webinar.domain.timezone import to_local
from webinar.services import places, schedule
from webinar.services.schedule import Of, Offered
from webinar.web.access import public
from webinar.web.listing import (
    by_month,
    chips_of,
    is_over,
    marks_of,
    month_span,
    title_of,
    weeks_of,
)
from webinar.web.place_cards import card_of
from webinar.web.subscriptions import Subscription, subscription

bp = Blueprint("sessions", __name__, url_prefix="/sessions")

PAGE_SIZE = 16
NAMES = ("society", "series", "topic", "when", "view", "month", "page")


@dataclass(frozen=True)
class Filter:
    """One group of chips. `chosen` is a slug that may not be among the choices any more."""

    label: str
    name: str
    chosen: str
    choices: list[Offered]

    def items(self) -> list[tuple[str, str, bool, int | None]]:
        """Label, address, whether chosen, how many ahead; a chosen one leads back."""
        return [
            (
                choice.name,
                _address(**{self.name: "" if choice.slug == self.chosen else choice.slug}),
                choice.slug == self.chosen,
                choice.ahead or None,
            )
            for choice in self.choices
        ]


@bp.get("/")
@public
def index() -> ResponseReturnValue:
    """Every session that is announced; the address says which part."""
    of = Of(
        society=request.args.get("society", ""),
        series=request.args.get("series", ""),
        topic=request.args.get("topic", ""),
    )
    return _month_page(of) if request.args.get("view") == "month" else _list_page(of)


@bp.get("/<public_id>")
@public
def show(public_id: str) -> ResponseReturnValue:
    """One session with everything there is to know, and the reader's place in it."""
    listed = schedule.shown(g.db, public_id)
    session = listed.session
    signed_in = current_user.is_authenticated
    user_id = current_user.id if signed_in else None
    place = places.place_of(g.db, listed, user_id, now=g.now)
    step = next_step(list(place.steps))
    return render_template(
        "sessions/show.html",
        session=session,
        title=title_of(session),
        speakers=", ".join(listed.speakers),
        marks=marks_of(listed, now=g.now, says_upcoming=True),
        over=is_over(session, g.now),
        credit=[
            (label, chips)
            for label, mode in (
                ("Live", ViewingMode.LIVE),
                ("Recording", ViewingMode.RECORDED),
            )
            if (chips := chips_of(listed, mode, with_wording=True))
        ],
        recording=listed.recording,
        abstract=_paragraphs(session.abstract),
        objectives=[line.strip() for line in session.objectives.splitlines() if line.strip()],
        place=place,
        card=card_of(place, signed_in=signed_in, now=g.now),
        asks_to_sign_in=not signed_in and step is not None and step.kind is StepKind.REGISTER,
    )


def _list_page(of: Of) -> str:
    wants_past = request.args.get("when") == "past"
    number = max(1, _integer("page", 1))
    find = schedule.past if wants_past else schedule.ahead
    # One more than is shown says whether there are later ones.
    found = find(g.db, now=g.now, of=of, limit=PAGE_SIZE + 1, offset=(number - 1) * PAGE_SIZE)
    has_more = len(found) > PAGE_SIZE
    filters = _filters(of)
    return render_template(
        "sessions/index.html",
        months=by_month(found[:PAGE_SIZE], now=g.now),
        wants_past=wants_past,
        number=number,
        earlier_href=_address(page=str(number - 1) if number > 2 else "") if number > 1 else "",
        later_href=_address(page=str(number + 1)) if has_more else "",
        tabs=_tabs(),
        filters=filters,
        is_filtered=of != Of(),
        feed=_feed(filters),
    )


def _month_page(of: Of) -> str:
    first = _month()
    start, end = month_span(first, g.home_zone)
    found = schedule.between(g.db, start, end, of=of)
    filters = _filters(of)
    return render_template(
        "sessions/month.html",
        first=first,
        weeks=weeks_of(first, found, zone=g.home_zone, now=g.now),
        months=by_month(found, now=g.now),
        earlier_href=_address(month=f"{_months_later(first, -1):%Y-%m}"),
        later_href=_address(month=f"{_months_later(first, 1):%Y-%m}"),
        tabs=_tabs(),
        filters=filters,
        is_filtered=of != Of(),
        feed=_feed(filters),
    )


def _address(**changes: str) -> str:
    """This page with other choices; "" takes one away. A new choice begins at the first page."""
    chosen = {name: request.args.get(name, "") for name in NAMES}
    if "page" not in changes:
        chosen["page"] = ""
    chosen |= changes
    query = urlencode({name: value for name, value in chosen.items() if value})
    return url_for("sessions.index") + (f"?{query}" if query else "")


def _tabs() -> list[tuple[str, str, bool]]:
    as_month = request.args.get("view") == "month"
    wants_past = not as_month and request.args.get("when") == "past"
    return [
        (
            "Upcoming",
            _address(when="", view="", month=""),
            not wants_past and not as_month,
        ),
        ("Past sessions", _address(when="past", view="", month=""), wants_past),
        ("Month", _address(view="month", when=""), as_month),
    ]


def _filters(of: Of) -> list[Filter]:
    """A group is shown once there is a choice, or a choice to take back."""
    offered = (
        ("Series", "series", of.series, schedule.series_offered(g.db, now=g.now)),
        ("Topic", "topic", of.topic, schedule.topics_offered(g.db, now=g.now)),
        ("Society", "society", of.society, schedule.societies_offered(g.db, now=g.now)),
    )
    return [
        Filter(label, name, chosen, choices)
        for label, name, chosen, choices in offered
        if len(choices) > 1 or chosen
    ]


def _feed(filters: list[Filter]) -> Subscription:
    """The feed of what is shown; feeds know one choice at a time."""
    chosen = [
        (group.name, choice)
        for group in filters
        for choice in group.choices
        if choice.slug == group.chosen
    ]
    if len(chosen) != 1:
        return subscription("all sessions", "feeds.everything")
    name, choice = chosen[0]
    return subscription(choice.name, f"feeds.{name}", slug=choice.slug)


def _month() -> date:
    """The month asked for, else this one in the site's zone."""
    asked = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", request.args.get("month", ""))
    if asked:
        return date(int(asked[1]), int(asked[2]), 1)
    return to_local(g.now, g.home_zone).date().replace(day=1)


def _months_later(first: date, months: int) -> date:
    year, month0 = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month0 + 1, 1)


def _integer(name: str, otherwise: int) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise


def _paragraphs(text: str) -> list[str]:
    return [
        part.strip() for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if part.strip()
    ]
