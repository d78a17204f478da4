"""The live page: join unseen, ask in writing, leave and come back."""

import secrets
from collections.abc import Mapping
from datetime import timedelta

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.attendance import ViewingMode
from webinar.domain.errors import NotFound
from webinar.domain.media_gate import NotRegistered
from webinar.domain.session import SessionStatus
from webinar.models import Recording, WebinarSession
from webinar.services import (
    broadcasts,
    last_calls,
    questions,
    recordings,
    renditions,
    rooms,
    sessions,
)
from webinar.services.evidence import checks
from webinar.web.access import signed_in
from webinar.web.guards import limiter
from webinar.web.last_calls import told

bp = Blueprint("live", __name__, url_prefix="/sessions/<public_id>")

DOOR_MINUTES = 15  # before the announced start the page opens and waits


def _session(public_id: str) -> WebinarSession:
    session = sessions.by_public_id(g.db, public_id)
    if not sessions.visible_to_public(session):
        raise NotFound("There is no such session.")
    return session


@bp.get("/live")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """Wait at the door, watch, or be told where the recording is."""
    session = _session(public_id)
    recording = recordings.for_session(g.db, session.id)
    if session.status is SessionStatus.ENDED and recording is not None and recording.window:
        return redirect(url_for("recordings.show", public_id=public_id))
    try:
        recordings.ensure_place(g.db, session, current_user.id)
    except NotRegistered:
        return render_template("live/register_first.html", session=session), 403
    return render_template(
        "live/show.html",
        session=session,
        recording=recording,
        state=_state(session, recording),
        door_opens_at=session.starts_at - timedelta(minutes=DOOR_MINUTES),
        last_call=told(
            last_calls.of_session(g.db, session, current_user.id, now=g.now), session.zone
        ),
        asked=questions.mine(g.db, session.id, current_user.id),
        question_key=secrets.token_hex(16),
        checks_planned=checks.planned_in(g.db, session.id, ViewingMode.LIVE),
    )


@bp.get("/live/state")
@limiter.exempt
@signed_in
def state(public_id: str) -> ResponseReturnValue:
    """What the open page asks every few seconds: is there a picture, a break, is it over."""
    session = _session(public_id)
    return _state(session, recordings.for_session(g.db, session.id))


def _state(session: WebinarSession, recording: Recording | None) -> dict[str, object]:
    has_picture = recording is not None and recording.duration_seconds > 0
    broadcast = broadcasts.of_session(g.db, session)
    return {
        "status": session.status.value,
        "playlist": (
            url_for("media.live", recording_id=recording.public_id)
            if recording is not None and has_picture
            else None
        ),
        "renditions": renditions.offered(g.db, recording) if recording and has_picture else [],
        "break": broadcast is not None and broadcast.break_since is not None,
        "room": rooms.current(g.db, session) is not None,
        "recording": recording.state.value if recording else None,
        "now": g.now.isoformat(),
    }


@bp.post("/questions")
@signed_in
@limiter.limit("10 per minute")
def ask(public_id: str) -> ResponseReturnValue:
    """Put a question that only the moderator sees."""
    session = _session(public_id)
    recordings.ensure_place(g.db, session, current_user.id)
    sent = request.get_json() if request.is_json else request.form
    form = sent if isinstance(sent, Mapping) else {}
    question = questions.ask(
        g.db,
        session,
        current_user.id,
        text=str(form.get("text", "")),
        client_key=str(form.get("key", "")),
        now=g.now,
    )
    g.db.commit()
    if request.is_json:
        return {"id": question.id, "text": question.text}, 201
    return redirect(url_for("live.show", public_id=public_id))
