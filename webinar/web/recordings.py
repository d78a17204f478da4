"""The recording page, inside its window; afterwards the page that says when it closed."""

from email.utils import parseaddr
from urllib.parse import quote

from flask import Blueprint, current_app, g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.errors import NotFound
from webinar.domain.recording import RecordingClosed
from webinar.models import WebinarSession
from webinar.services import recordings, sessions
from webinar.services.recordings import NotRegistered
from webinar.web.access import signed_in

bp = Blueprint("recordings", __name__, url_prefix="/sessions/<public_id>")


@bp.get("/recording")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """Watch the recording, with both clocks in words."""
    session = sessions.by_public_id(g.db, public_id)
    recording = recordings.for_session(g.db, session.id)
    if not sessions.visible_to_public(session) or recording is None:
        raise NotFound("There is no recording of this session.")
    try:
        watch = recordings.access(g.db, recording, current_user.id, now=g.now)
    except RecordingClosed as closed:
        page = render_template(
            "errors/410.html",
            session=session,
            closed_at=closed.closed_at,
            session_href=url_for("sessions.show", public_id=public_id),
            extension_href=_ask_for_extension(session),
        )
        return page, 410
    except NotRegistered:
        return render_template("recordings/register_first.html", session=session), 403
    return render_template(
        "recordings/show.html", session=session, recording=recording, watch=watch
    )


def _ask_for_extension(session: WebinarSession) -> str:
    """A mail to the organisers, begun for the person."""
    sender = parseaddr(current_app.extensions["config"].MAIL_FROM)[1]
    subject = quote(f"More time for the recording: {session.title}")
    return f"mailto:{sender}?subject={subject}"
