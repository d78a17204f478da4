"""The list of all sessions: as lines, as a month."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from webinar.domain.access import Action
from webinar.models import Series, Society, Topic
from webinar.services import schedule, season, session_lists, topics
from webinar.services import series as series_service
from webinar.services import societies as society_service
from webinar.services.session_lists import Wanted
from webinar.web.access import requires
from webinar.web.listing import month_span
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.manage.session_list import PAGE_SIZE, Asked, Row, columns_of, rows_of
from webinar.web.manage.session_month import month_asked_for, weeks_of
from webinar.web.manage.states import WORDS


@dataclass(frozen=True)
class Choices:
    """What the list can be narrowed to by this person."""

    series: list[Series]
    societies: list[Society]
    topics: list[Topic]


@bp.get("/sessions/")
@requires(Action.PLAN_SESSIONS)
def sessions() -> ResponseReturnValue:
    """Every session, drafts too, as the address asks."""
    asked = Asked.from_args(request.args)
    choices = _choices()
    wanted = _wanted(asked, choices)
    if asked.view == "month":
        return _month(asked, wanted, choices)
    return _list(asked, _at_the_time(asked, wanted), choices)


def _list(asked: Asked, wanted: Wanted, choices: Choices) -> str:
    total = session_lists.number_of(g.db, wanted)
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(asked.page_number, pages)
    return render_template(
        "manage/sessions.html",
        asked=asked,
        rows=_rows(asked, wanted, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE),
        total=total,
        first=(page - 1) * PAGE_SIZE + 1,
        last=min(page * PAGE_SIZE, total),
        columns=columns_of(asked),
        earlier=asked.href(page=str(page - 1)) if page > 1 else "",
        later=asked.href(page=str(page + 1)) if page < pages else "",
        **_filters(choices),
    )


def _month(asked: Asked, wanted: Wanted, choices: Choices) -> str:
    zone = g.home_zone
    first = month_asked_for(asked.month, now=g.now, zone=zone)
    start, end = month_span(first, zone)
    shown = session_lists.found(g.db, replace(wanted, starting=start, until=end))
    return render_template(
        "manage/sessions_month.html",
        asked=asked,
        first=first,
        total=len(shown),
        weeks=weeks_of(first, shown, zone=zone, now=g.now),
        earlier=asked.href(month=_month_name(first - timedelta(days=1))),
        later=asked.href(month=_month_name(first + timedelta(days=31))),
        **_filters(choices),
    )


def _rows(asked: Asked, wanted: Wanted, *, limit: int, offset: int = 0) -> list[Row]:
    shown = session_lists.found(g.db, wanted, sort=asked.sort, limit=limit, offset=offset)
    return rows_of(shown, season.registered_counts(g.db, [session.id for session in shown]))


def _choices() -> Choices:
    mine = scope.society_ids()
    return Choices(
        series=[
            found
            for found in series_service.listed(g.db)
            if mine is None or found.society_id in mine
        ],
        societies=scope.societies_offered(),
        topics=topics.listed(g.db),
    )


def _wanted(asked: Asked, choices: Choices) -> Wanted:
    """The wishes of the address; raises NotFound for a series, society or topic nobody knows."""
    topic_ids = None
    if asked.topic:
        topic = schedule.topic_named(g.db, asked.topic)
        topic_ids = session_lists.with_those_below(choices.topics, topic.id)
    return Wanted(
        society_ids=scope.society_ids(),
        society_id=society_service.by_slug(g.db, asked.society).id if asked.society else None,
        series_id=series_service.by_slug(g.db, asked.series).id if asked.series else None,
        topic_ids=topic_ids,
        status=asked.state,
        words=asked.words,
    )


def _at_the_time(asked: Asked, wanted: Wanted) -> Wanted:
    return replace(
        wanted,
        starting=None if asked.when in ("past", "all") else g.now,
        until=g.now if asked.when == "past" else None,
    )


def _filters(choices: Choices) -> dict[str, list[tuple[str, str]]]:
    return {
        "series": [(found.slug, found.name) for found in choices.series],
        "societies": [(found.slug, found.short_name) for found in choices.societies],
        "topics": [(found.slug, found.name) for found in choices.topics],
        "states": [(status.value, words) for status, (_, words) in WORDS.items()],
    }


def _month_name(day: date) -> str:
    return f"{day:%Y-%m}"
