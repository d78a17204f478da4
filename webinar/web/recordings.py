"""The recording page, inside its window; afterwards the page that says when it closed."""

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.errors import NotFound
from webinar.domain.recording import RecordingClosed
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
        page = render_template("errors/410.html", session=session, closed_at=closed.closed_at)
        return page, 410
    except NotRegistered:
        return render_template("recordings/register_first.html", session=session), 403
    return render_template(
        "recordings/show.html", session=session, recording=recording, watch=watch
    )
