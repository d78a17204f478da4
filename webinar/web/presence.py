"""What a player asks while it plays: a viewing pass, and what counts so far."""

from flask import Blueprint, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.attendance import ViewingMode
from webinar.domain.errors import DomainError, NotFound
from webinar.models import WebinarSession
from webinar.services import attendance, sessions
from webinar.web import attention, metrics
from webinar.web.access import signed_in
from webinar.web.guards import limiter

bp = Blueprint("presence", __name__, url_prefix="/sessions/<public_id>")


class NoSuchMode(DomainError):
    """The player asks for neither live nor recorded."""

    status = 400


@bp.post("/pass")
@signed_in
@limiter.limit("30 per minute")
def issue(public_id: str) -> ResponseReturnValue:
    """A viewing pass for one page load: every beat is said under one."""
    wanted = request.get_json(silent=True)
    mode = _mode(wanted.get("mode") if isinstance(wanted, dict) else None)
    issued = attendance.issue_pass(
        g.db,
        _session(public_id),
        current_user.id,
        mode=mode,
        secret=current_app.config["SECRET_KEY"].encode(),
        now=g.now,
    )
    g.db.commit()
    metrics.PASSES.labels(mode.value).inc()
    return {
        "pass": issued.token,
        "closes_at": issued.closes_at.isoformat() if issued.closes_at else None,
        "now": g.now.isoformat(),
    }


@bp.get("/presence")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """How much counts so far, and which parts were watched, in seconds."""
    mode = _mode(request.args.get("mode"))
    session = _session(public_id)
    presence = attendance.presence_now(g.db, session, current_user.id, mode)
    return {
        "check": attention.check_for(session, mode, presence),
        "words": attendance.counted_words(presence),
        "countedSeconds": presence.counted_seconds,
        "totalSeconds": presence.total_seconds,
        "parts": [[part.start, part.end] for part in presence.parts],
    }


def _session(public_id: str) -> WebinarSession:
    session = sessions.by_public_id(g.db, public_id)
    if not sessions.visible_to_public(session):
        raise NotFound("There is no such session.")
    return session


def _mode(wanted: object) -> ViewingMode:
    # Nobody watches as faculty: what they presented is confirmed by hand.
    if wanted not in (ViewingMode.LIVE.value, ViewingMode.RECORDED.value):
        raise NoSuchMode("Say whether you watch the session live or recorded.")
    return ViewingMode(wanted)
