"""More time with a recording, asked for by who could not watch; and the page of a closed one."""

from datetime import datetime
from email.utils import parseaddr
from urllib.parse import quote

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.errors import NotFound
from webinar.domain.media_gate import NotRegistered
from webinar.domain.recording import RecordingState
from webinar.models import Recording, WebinarSession
from webinar.services import more_time, recordings, sessions
from webinar.services.windows import WindowRefused
from webinar.web.access import signed_in

bp = Blueprint("more_time", __name__, url_prefix="/sessions/<public_id>/recording/more-time")


@bp.get("")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """The form, while the recording is open and after."""
    session, recording = _recording(public_id)
    return _page(session, recording, {})


@bp.post("")
@signed_in
def ask(public_id: str) -> ResponseReturnValue:
    """Ask for more time."""
    session, recording = _recording(public_id)
    try:
        more_time.ask(
            g.db, recording, current_user.id, reason=request.form.get("reason", ""), now=g.now
        )
    except WindowRefused as refusal:
        g.db.rollback()
        return _page(session, recording, {refusal.field: str(refusal)}), refusal.status
    g.db.commit()
    flash("The organisers have your request. They answer by mail.", "success")
    return redirect(url_for("more_time.show", public_id=public_id))


def closed_page(session: WebinarSession, recording: Recording, closed_at: datetime) -> str:
    """When it closed, what stays, and how to ask for more time."""
    return render_template(
        "errors/410.html",
        session=session,
        closed_at=closed_at,
        is_destroyed=recording.state is RecordingState.DESTROYED,
        **_asking(session, recording, {}),
    )


def _page(session: WebinarSession, recording: Recording, errors: dict[str, str]) -> str:
    if recording.closes_at is None:
        raise NotFound("This recording is not published yet.")
    return render_template(
        "recordings/more_time.html",
        session=session,
        until=recordings.closes_at_of(g.db, recording, current_user.id),
        is_destroyed=recording.state is RecordingState.DESTROYED,
        **_asking(session, recording, errors),
    )


def _asking(
    session: WebinarSession, recording: Recording, errors: dict[str, str]
) -> dict[str, object]:
    asked = more_time.open_request(g.db, recording.id, current_user.id)
    return {
        "errors": errors,
        "may_ask": recording.state is not RecordingState.DESTROYED and _has_place(session),
        "asked": asked,
        "reason": request.form.get("reason", asked.reason if asked else ""),
        "mail_href": _mail(session),
    }


def _has_place(session: WebinarSession) -> bool:
    try:
        recordings.ensure_place(g.db, session, current_user.id)
    except NotRegistered:
        return False
    return True


def _recording(public_id: str) -> tuple[WebinarSession, Recording]:
    session = sessions.by_public_id(g.db, public_id)
    recording = recordings.for_session(g.db, session.id)
    if not sessions.visible_to_public(session) or recording is None:
        raise NotFound("There is no recording of this session.")
    return session, recording


def _mail(session: WebinarSession) -> str:
    """A mail to the organisers, begun for the person."""
    sender = parseaddr(current_app.extensions["config"].MAIL_FROM)[1]
    subject = quote(f"The recording of {session.title}")
    return f"mailto:{sender}?subject={subject}"
