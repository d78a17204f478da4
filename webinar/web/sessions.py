"""The schedule, as a list by month or as a month, and the page of one session."""

import re
from datetime import date

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.attendance import ViewingMode
from webinar.domain.place import StepKind, next_step
from webinar.domain.timezone import to_local
from webinar.services import faculty, last_calls, places, schedule
from webinar.services.schedule_filters import EVERYTHING, Of
from webinar.web.access import public
from webinar.web.last_calls import told
from webinar.web.listing import (
    by_month,
    chips_of,
    is_over,
    marks_of,
    month_span,
    title_of,
    weeks_of,
)
from webinar.web.numbers import whole_number
from webinar.web.place_cards import card_of
from webinar.web.schedule_choices import address, choices, feed_of, kept, wanted

bp = Blueprint("sessions", __name__, url_prefix="/sessions")

PAGE_SIZE = 16


@bp.get("/")
@public
def index() -> ResponseReturnValue:
    """Every session that is announced; the address says which part."""
    of = wanted()
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
        portraits=faculty.portraits(g.db, session),
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
        last_call=told(last_calls.of_session(g.db, session, user_id, now=g.now), session.zone),
        asks_to_sign_in=not signed_in and step is not None and step.kind is StepKind.REGISTER,
    )


def _list_page(of: Of) -> str:
    wants_past = request.args.get("when") == "past"
    number = max(1, whole_number(request.args.get("page", "")) or 1)
    find = schedule.past if wants_past else schedule.ahead
    # One more than is shown says whether there are later ones.
    found = find(g.db, now=g.now, of=of, limit=PAGE_SIZE + 1, offset=(number - 1) * PAGE_SIZE)
    has_more = len(found) > PAGE_SIZE
    return render_template(
        "sessions/index.html",
        months=by_month(found[:PAGE_SIZE], now=g.now),
        wants_past=wants_past,
        number=number,
        earlier_href=address(page=str(number - 1) if number > 2 else "") if number > 1 else "",
        later_href=address(page=str(number + 1)) if has_more else "",
        # Where the same words or filters may find something if nothing is found here.
        elsewhere_href=address(when="" if wants_past else "past"),
        **_head(of),
    )


def _month_page(of: Of) -> str:
    first = _month()
    start, end = month_span(first, g.home_zone)
    found = schedule.between(g.db, start, end, of=of)
    return render_template(
        "sessions/month.html",
        first=first,
        weeks=weeks_of(first, found, zone=g.home_zone, now=g.now),
        months=by_month(found, now=g.now),
        earlier_href=address(month=f"{_months_later(first, -1):%Y-%m}"),
        later_href=address(month=f"{_months_later(first, 1):%Y-%m}"),
        list_href=address(view="", month=""),
        **_head(of),
    )


def _head(of: Of) -> dict[str, object]:
    """What stands above every form of the schedule, and the feed below it."""
    offered = choices(of)
    return {
        "tabs": _tabs(),
        "of": of,
        "kept": kept(),
        "choices": offered,
        "is_filtered": of != EVERYTHING,
        "without_words_href": address(q=""),
        "feed": feed_of(offered),
    }


def _tabs() -> list[tuple[str, str, bool]]:
    as_month = request.args.get("view") == "month"
    wants_past = not as_month and request.args.get("when") == "past"
    return [
        (
            "Upcoming",
            address(when="", view="", month=""),
            not wants_past and not as_month,
        ),
        ("Past sessions", address(when="past", view="", month=""), wants_past),
        ("Month", address(view="month", when=""), as_month),
    ]


def _month() -> date:
    """The month asked for, else this one in the site's zone."""
    asked = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", request.args.get("month", ""))
    if asked:
        return date(int(asked[1]), int(asked[2]), 1)
    return to_local(g.now, g.home_zone).date().replace(day=1)


def _months_later(first: date, months: int) -> date:
    year, month0 = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month0 + 1, 1)


def _paragraphs(text: str) -> list[str]:
    return [
        part.strip() for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if part.strip()
    ]
