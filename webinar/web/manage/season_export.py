"""The season as a spreadsheet, by the columns that an import reads."""

from dataclasses import replace

from flask import g, request
from flask.typing import ResponseReturnValue

from webinar.domain.access import Action
from webinar.services import schedule, season_sheet, session_lists, societies, topics
from webinar.services import series as series_service
from webinar.services.session_lists import Wanted
from webinar.web.access import requires
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.manage.season_import import sheet_response
from webinar.web.manage.session_list import Asked

MOST_EXPORTED = 2000


@bp.get("/sessions/export")
@requires(Action.PLAN_SESSIONS)
def season_export() -> ResponseReturnValue:
    """What the list of sessions shows at the same address, as CSV or, with `format=xlsx`, XLSX."""
    found = session_lists.found(g.db, _wanted(Asked.from_args(request.args)), limit=MOST_EXPORTED)
    table = season_sheet.given_out(g.db, [session.id for session in found])
    return sheet_response(table, f"season-{g.now:%Y-%m-%d}", request.args.get("format"))


def _wanted(asked: Asked) -> Wanted:
    topic_ids = None
    if asked.topic:
        topic = schedule.topic_named(g.db, asked.topic)
        topic_ids = session_lists.with_those_below(topics.listed(g.db), topic.id)
    wanted = Wanted(
        society_ids=scope.society_ids(),
        society_id=societies.by_slug(g.db, asked.society).id if asked.society else None,
        series_id=series_service.by_slug(g.db, asked.series).id if asked.series else None,
        topic_ids=topic_ids,
        status=asked.state,
        words=asked.words,
    )
    if asked.when == "all":
        return wanted
    if asked.when == "past":
        return replace(wanted, until=g.now)
    return replace(wanted, starting=g.now)
