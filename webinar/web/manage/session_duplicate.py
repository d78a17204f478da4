"""Another session like one that is there, on another day."""

from dataclasses import dataclass
from datetime import timedelta

from flask import g, render_template
from flask.typing import ResponseReturnValue

from webinar.domain.access import Action
from webinar.models import WebinarSession
from webinar.services import sessions as session_service
from webinar.services.session_facts import details_of
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp

A_WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class TypedTime:
    """When the copy is to begin, as typed."""

    day: str
    starts: str


@bp.get("/sessions/<public_id>/duplicate")
@requires(Action.PLAN_SESSIONS)
def session_duplicate(public_id: str) -> ResponseReturnValue:
    """When the copy is to take place."""
    session = session_service.by_public_id(g.db, public_id)
    starts = details_of(session).starts
    weeks = max(1, -(-(g.now - session.starts_at) // A_WEEK))
    on = starts + weeks * A_WEEK
    return _page(session, TypedTime(f"{on:%Y-%m-%d}", f"{starts:%H:%M}"), {})


def _page(session: WebinarSession, typed: TypedTime, errors: dict[str, str]) -> str:
    return render_template(
        "manage/session_duplicate.html", session=session, typed=typed, errors=errors
    )
