"""What a studio asks and says beside its picture: how far all is, the break card, hand-over."""

import shutil

from flask import Blueprint, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import Config
from webinar.domain.errors import DomainError
from webinar.domain.streaming import Source
from webinar.models import Broadcast, BroadcastTake, WebinarSession
from webinar.services import broadcasts, questions, recordings, sessions, studio_desk
from webinar.web.access import signed_in
from webinar.web.guards import limiter
from webinar.web.studio_rehearsal import summary

bp = Blueprint("studio_desk", __name__, url_prefix="/studio/<public_id>")


def _session(public_id: str) -> WebinarSession:
    session = sessions.by_public_id(g.db, public_id)
    broadcasts.ensure_may_broadcast(g.db, session, current_user)
    return session


@bp.get("/state")
@limiter.exempt
@signed_in
def state(public_id: str) -> ResponseReturnValue:
    """How far sending and packaging have come, who sends, and what was asked of this person."""
    session = _session(public_id)
    recording = recordings.for_session(g.db, session.id)
    broadcast = broadcasts.of_session(g.db, session)
    take = broadcasts.sending_take(g.db, broadcast.id, now=g.now) if broadcast else None
    waiting = [q for q in questions.queue(g.db, session.id) if q.answered_at is None]
    filmed = studio_desk.filmed_seconds(g.db, broadcast.id) if broadcast else 0.0
    return {
        "status": session.status.value,
        "packaged_seconds": round(recording.duration_seconds, 1) if recording else 0,
        "filmed_seconds": round(filmed, 1),
        "recording": recording.state.value if recording else None,
        "problem": broadcast.problem if broadcast else None,
        "open_questions": len(waiting),
        "sender": _sender(take),
        "is_obs": take is not None and take.source is not Source.BROWSER,
        "take": take.client_key if take else None,
        "break": broadcast is not None and broadcast.break_since is not None,
        **_handing(broadcast),
        "disk_low": _disk_is_low(),
        "rehearsal": summary(session),
    }


@bp.post("/break")
@signed_in
def set_break(public_id: str) -> ResponseReturnValue:
    """Lay the card over everybody's picture, or take it away."""
    session = _session(public_id)
    on = _sent().get("on")
    if not isinstance(on, bool):
        raise DomainError("Say whether the break begins or ends.")
    studio_desk.set_break(g.db, session.id, on=on, user_id=current_user.id, now=g.now)
    g.db.commit()
    return {"break": on}


@bp.post("/hand-over")
@signed_in
def hand_over(public_id: str) -> ResponseReturnValue:
    """Ask another of the faculty to go on sending; without a name the question is taken back."""
    session = _session(public_id)
    to_id = _sent().get("to")
    if to_id is not None and (not isinstance(to_id, int) or isinstance(to_id, bool)):
        raise DomainError("Choose who goes on sending.")
    studio_desk.hand_over(g.db, session.id, to_id=to_id, user_id=current_user.id, now=g.now)
    g.db.commit()
    return {"handed_to": to_id}


def _sent() -> dict[str, object]:
    sent = request.get_json()
    return sent if isinstance(sent, dict) else {}


def _sender(take: BroadcastTake | None) -> str | None:
    if take is None:
        return None
    if take.source is not Source.BROWSER:
        return "OBS"
    return studio_desk.name_of(g.db, take.opened_by_id)


def _handing(broadcast: Broadcast | None) -> dict[str, object]:
    to_id = broadcast.handed_to_id if broadcast else None
    return {
        "handed_to_me": to_id is not None and to_id == current_user.id,
        "handed_to": studio_desk.name_of(g.db, to_id) if to_id is not None else None,
    }


def _disk_is_low() -> bool:
    config: Config = current_app.extensions["config"]
    folder = config.DATA_DIR
    return folder.exists() and shutil.disk_usage(folder).free < config.LOW_DISK_MEGABYTES * 10**6
