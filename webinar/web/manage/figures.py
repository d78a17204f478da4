"""One session in figures: registered over time, countries, faculty, accreditation, attendance."""

from collections.abc import Iterable

from flask import Response, g, render_template, request
from flask.typing import ResponseReturnValue

from webinar.documents.sheets import CSV_TYPE, as_csv
from webinar.domain.access import Action
from webinar.domain.attendance import ViewingMode
from webinar.domain.figures import plain_credit
from webinar.domain.wording import MONTHS
from webinar.services import session_figures as service
from webinar.services import sessions
from webinar.services.session_figures import SessionFigures
from webinar.web.access import requires
from webinar.web.manage.accreditation import MARKS
from webinar.web.manage.bars import Bar, country_bars
from webinar.web.manage.blueprint import bp
from webinar.web.manage.states import mark_of


@bp.get("/sessions/<public_id>/figures")
@requires(Action.PLAN_SESSIONS)
def session_figures(public_id: str) -> ResponseReturnValue:
    """What is known of a session in numbers; as CSV with `format=csv`."""
    session = sessions.by_public_id(g.db, public_id)
    figures = service.session_figures(g.db, session, now=g.now)
    bars = country_bars(figures.countries)
    if request.args.get("format") == "csv":
        headers = {"Content-Disposition": f"attachment; filename=figures-{public_id}.csv"}
        return Response(as_csv(_table(figures, bars)), content_type=CSV_TYPE, headers=headers)
    return render_template(
        "manage/figures.html",
        session=session,
        mark=mark_of(session),
        figures=figures,
        country_bars=bars,
        line=[
            Bar(f"{point.day.day} {MONTHS[point.day.month - 1]}", point.places, "")
            for point in figures.over_time
        ],
        live=figures.attended.get(ViewingMode.LIVE, 0),
        recorded=figures.attended.get(ViewingMode.RECORDED, 0),
        grants=[(grant, MARKS[grant.status]) for grant in figures.grants],
    )


def _table(figures: SessionFigures, countries: Iterable[Bar]) -> list[list[str]]:
    """One figure a line: what, of what, how many."""
    return [
        ["figure", "of", "value"],
        ["registered", "", str(figures.registered)],
        ["gave the place up", "", str(figures.gave_up)],
        *(["attended", mode.value, str(number)] for mode, number in figures.attended.items()),
        ["questions", "", str(figures.questions)],
        ["evaluations", "", str(figures.evaluations)],
        ["certificates", "", str(figures.certificates)],
        *(["country", bar.label, bar.words or str(bar.value)] for bar in countries),
        *(
            ["registered by", point.day.isoformat(), str(point.places)]
            for point in figures.over_time
        ),
        *(
            [
                "credit",
                f"{grant.accreditor.short_name} {grant.mode.value} {grant.status.value}",
                plain_credit(grant.credits_granted),
            ]
            for grant in figures.grants
        ),
    ]
