"""Another day or hour for a session, in one small step."""

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.session import SessionStatus, TimeIsFixed
from webinar.domain.session_details import instants_of
from webinar.domain.wording import duration_minutes
from webinar.models import WebinarSession
from webinar.services import sessions as session_service
from webinar.services.session_facts import details_of
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar
from webinar.web.manage.session_plan import saved_words, time_words
from webinar.web.manage.session_told import moving, sentence
from webinar.web.manage.session_when import TypedTime

MAY_MOVE = frozenset({SessionStatus.DRAFT, SessionStatus.PUBLISHED})


@bp.get("/sessions/<public_id>/move")
@requires(Action.PLAN_SESSIONS)
def session_move(public_id: str) -> ResponseReturnValue:
    """Day and hour of a session, to be changed."""
    session = session_service.by_public_id(g.db, public_id)
    if session.status not in MAY_MOVE:
        raise TimeIsFixed(f"The time of a session that is {session.status} can no longer change.")
    return _page(session, TypedTime.of(details_of(session).starts), {})


@bp.post("/sessions/<public_id>/move")
@requires(Action.PLAN_SESSIONS)
def session_move_to(public_id: str) -> ResponseReturnValue:
    """Say first who is told; then move it. It stays as long as it is."""
    session = session_service.by_public_id(g.db, public_id)
    typed = TypedTime.from_form(request.form)
    starts, errors = typed.read()
    if starts is None:
        return _page(session, typed, errors), 422
    length = session.ends_at - session.starts_at
    try:
        span = instants_of(starts, starts + length, session.zone, present=session.span)
        audience = moving(session, span.start)
        # What was confirmed is one time: another one typed since is asked about anew.
        confirmed = request.form.get("confirmed") == f"{typed.day}T{typed.starts}"
        if audience.told and not confirmed:
            moved_to = time_words(span.start, span.start + length, session.zone)
            return _page(session, typed, {}, asks=sentence(audience), moved_to=moved_to)
        change = session_service.move(
            g.db,
            session.id,
            starts,
            actor_id=current_user.id,
            calendar=calendar(),
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        return _page(session, typed, {"day": str(refusal)}), refusal.status
    g.db.commit()
    if change.fields:
        flash(saved_words(change.told, did="Moved"), "success")
    else:
        flash("It is at that time already, so nothing was changed.", "notice")
    return redirect(url_for("manage.session_edit", public_id=public_id))


def _page(
    session: WebinarSession,
    typed: TypedTime,
    errors: dict[str, str],
    *,
    asks: str = "",
    moved_to: str = "",
) -> str:
    return render_template(
        "manage/session_move.html",
        session=session,
        typed=typed,
        errors=errors,
        asks=asks,
        moved_from=time_words(session.starts_at, session.ends_at, session.zone),
        moved_to=moved_to,
        length=duration_minutes(session.starts_at, session.ends_at),
    )
