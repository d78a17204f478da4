"""What is done to a session by one button: published, cancelled, restored, discarded."""

from collections.abc import Callable

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.session import ReasonMissing
from webinar.domain.wording import plural
from webinar.models import WebinarSession
from webinar.services import sessions as session_service
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar
from webinar.web.manage.session_page import Opened, session_page


@bp.post("/sessions/<public_id>/publish")
@requires(Action.PLAN_SESSIONS)
def session_publish(public_id: str) -> ResponseReturnValue:
    """Announce a draft; with `override`, although something is missing, for the reason given."""
    reason = request.form.get("override_reason", "").strip()
    if request.form.get("override") == "y" and not reason:
        words = "Say why it is published although something is missing; the audit trail keeps it."
        return _refused(public_id, ReasonMissing(words), field="override_reason")

    def publish(session: WebinarSession) -> str:
        session_service.publish(
            g.db,
            session.id,
            actor_id=current_user.id,
            calendar=calendar(),
            now=g.now,
            override_reason=reason,
        )
        return "Published. It stands in the schedule and in the calendar feeds."

    return _act(public_id, publish)


@bp.post("/sessions/<public_id>/unpublish")
@requires(Action.PLAN_SESSIONS)
def session_unpublish(public_id: str) -> ResponseReturnValue:
    """Make it a draft again."""

    def unpublish(session: WebinarSession) -> str:
        session_service.unpublish(g.db, session.id, actor_id=current_user.id, now=g.now)
        return "It is a draft again, and nobody sees it."

    return _act(public_id, unpublish)


@bp.post("/sessions/<public_id>/cancel")
@requires(Action.PLAN_SESSIONS)
def session_cancel(public_id: str) -> ResponseReturnValue:
    """Cancel it and tell who is registered."""

    def cancel(session: WebinarSession) -> str:
        change = session_service.cancel(
            g.db,
            session.id,
            reason=request.form.get("reason", ""),
            actor_id=current_user.id,
            calendar=calendar(),
            now=g.now,
        )
        return f"Cancelled. {_told(change.told)}"

    return _act(public_id, cancel, field="reason")


@bp.post("/sessions/<public_id>/restore")
@requires(Action.PLAN_SESSIONS)
def session_restore(public_id: str) -> ResponseReturnValue:
    """Let it take place after all."""

    def restore(session: WebinarSession) -> str:
        change = session_service.restore(
            g.db, session.id, actor_id=current_user.id, calendar=calendar(), now=g.now
        )
        return f"It takes place after all. {_told(change.told)}"

    return _act(public_id, restore)


def _told(people: int) -> str:
    if not people:
        return "Nobody is registered, so nobody is told."
    return f"{plural(people, 'person is', 'people are')} told by mail."


@bp.post("/sessions/<public_id>/discard")
@requires(Action.PLAN_SESSIONS)
def session_discard(public_id: str) -> ResponseReturnValue:
    """Take a draft out of the season."""
    session = session_service.by_public_id(g.db, public_id)
    is_planned = session.series_id is not None and session.planned_day is not None
    try:
        session_service.discard(
            g.db,
            session.id,
            reason=request.form.get("reason", ""),
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        return _refused(public_id, refusal, field="reason")
    g.db.commit()
    words = ", and its day is left out of the series" if is_planned else ""
    flash(f"The draft is gone{words}.", "success")
    return redirect(url_for("manage.sessions"))


def _act(
    public_id: str, act: Callable[[WebinarSession], str], *, field: str = ""
) -> ResponseReturnValue:
    session = session_service.by_public_id(g.db, public_id)
    try:
        words = act(session)
    except DomainError as refusal:
        return _refused(public_id, refusal, field=field)
    g.db.commit()
    flash(words, "success")
    return redirect(url_for("manage.session_edit", public_id=public_id))


def _refused(public_id: str, refusal: DomainError, *, field: str) -> ResponseReturnValue:
    g.db.rollback()
    session = session_service.by_public_id(g.db, public_id)
    errors = {field if isinstance(refusal, ReasonMissing) else "": str(refusal)}
    return session_page(session, Opened.now(session), errors), refusal.status
