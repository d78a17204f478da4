"""The studio: check, go live, send piece by piece, stop. A piece is on disk before the answer."""

from math import isfinite

from flask import Blueprint, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.errors import DomainError, NotAllowed
from webinar.domain.gate import may_go_live
from webinar.media.takes import LARGEST_CHUNK, ChunkOutOfOrder
from webinar.models import Broadcast, WebinarSession
from webinar.services import broadcasts, gate, questions, recordings, sessions
from webinar.services.feeds import refresh
from webinar.tools import calendar_tool
from webinar.web.access import signed_in
from webinar.web.guards import limiter
from webinar.web.media import shelf

bp = Blueprint("studio", __name__, url_prefix="/studio/<public_id>")

# The studio says how long ago its recorder started; more than this is not believed.
LONGEST_DELAY_SECONDS = 3600
NOTE_EVERY_SECONDS = 5


def _session(public_id: str) -> WebinarSession:
    session = sessions.by_public_id(g.db, public_id)
    broadcasts.ensure_may_broadcast(g.db, session, current_user)
    return session


def _broadcast(session: WebinarSession) -> Broadcast:
    broadcast = broadcasts.of_session(g.db, session)
    if broadcast is None:
        raise broadcasts.NotOnAir("This session is not live. Press Go live first.")
    return broadcast


@bp.get("")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """Three states that cannot be mistaken: check, ready, on air."""
    session = _session(public_id)
    return render_template(
        "studio/show.html",
        session=session,
        broadcast=broadcasts.of_session(g.db, session),
        earliest=broadcasts.earliest_of(session),
        may_moderate=broadcasts.may_moderate(g.db, session, current_user),
        is_moderated=may_go_live(gate.parts_of(session)),
    )


@bp.post("/live")
@signed_in
def go_live(public_id: str) -> ResponseReturnValue:
    """Put the session on air; twice is once."""
    session = _session(public_id)
    broadcast = broadcasts.go_live(g.db, session.id, user_id=current_user.id, now=g.now)
    g.db.commit()
    return {"broadcast": broadcast.public_id, "status": session.status.value}


@bp.post("/takes")
@signed_in
def open_take(public_id: str) -> ResponseReturnValue:
    """A new take: the recorder started anew. The one before it is closed."""
    session = _session(public_id)
    broadcast = _broadcast(session)
    delay = min(max(_seconds_ago(request.get_json()), 0), LONGEST_DELAY_SECONDS)
    take = broadcasts.open_take(
        g.db, broadcast.id, user_id=current_user.id, seconds_ago=delay, now=g.now
    )
    g.db.commit()
    return {"take": take.number}, 201


@bp.put("/takes/<int(max=99999):number>/chunks/<int(max=9999999):seq>")
@limiter.exempt
@signed_in
def send_chunk(public_id: str, number: int, seq: int) -> ResponseReturnValue:
    """Store a piece of a take; it is durable when this answers. The same piece again is fine."""
    request.max_content_length = LARGEST_CHUNK
    broadcast = _broadcast(_session(public_id))
    # Nobody else waits for this network or disk: the write lock of the database is let go.
    g.db.commit()
    data = request.get_data(cache=False)
    # Asked when all of it is here: a slow piece must not be taken after the take was closed.
    take = broadcasts.take_numbered(g.db, broadcast.id, number)
    takes = shelf().takes
    if seq >= takes.next_seq(broadcast.public_id, number):
        broadcasts.ensure_open(take)
    g.db.commit()
    try:
        stored = takes.append(broadcast.public_id, number, seq, data)
    except ChunkOutOfOrder as gap:
        return {"error": str(gap), "expected": gap.expected}, 409
    if (g.now - take.last_chunk_at).total_seconds() >= NOTE_EVERY_SECONDS:
        take.last_chunk_at = g.now
        g.db.commit()
    return {"stored": stored.seq, "next": takes.next_seq(broadcast.public_id, number)}


@bp.post("/stop")
@signed_in
def stop(public_id: str) -> ResponseReturnValue:
    """End the session; the recording makes itself ready."""
    session = _session(public_id)
    stopped = broadcasts.stop(g.db, session.id, user_id=current_user.id, now=g.now)
    refresh(g.db, stopped, calendar=calendar_tool(current_app.extensions["config"]), now=g.now)
    g.db.commit()
    return {"status": stopped.status.value}


@bp.get("/state")
@limiter.exempt
@signed_in
def state(public_id: str) -> ResponseReturnValue:
    """How far sending and packaging have come, in numbers for the health line."""
    session = _session(public_id)
    recording = recordings.for_session(g.db, session.id)
    broadcast = broadcasts.of_session(g.db, session)
    waiting = [q for q in questions.queue(g.db, session.id) if q.answered_at is None]
    return {
        "status": session.status.value,
        "packaged_seconds": round(recording.duration_seconds, 1) if recording else 0,
        "recording": recording.state.value if recording else None,
        "problem": broadcast.problem if broadcast else None,
        "open_questions": len(waiting),
    }


@bp.get("/questions")
@signed_in
def list_questions(public_id: str) -> ResponseReturnValue:
    """What was asked, without names, for the moderator alone."""
    session = _session(public_id)
    _ensure_moderator(session)
    return render_template(
        "studio/_questions.html", session=session, questions=questions.queue(g.db, session.id)
    )


@bp.post("/questions/<int(max=2147483647):question_id>")
@signed_in
def tick_question(public_id: str, question_id: int) -> ResponseReturnValue:
    """Tick a question off, or take the tick back."""
    session = _session(public_id)
    _ensure_moderator(session)
    answered = request.form.get("answered") == "1"
    questions.mark_answered(g.db, session.id, question_id, answered=answered, now=g.now)
    g.db.commit()
    return render_template(
        "studio/_questions.html", session=session, questions=questions.queue(g.db, session.id)
    )


def _ensure_moderator(session: WebinarSession) -> None:
    if not broadcasts.may_moderate(g.db, session, current_user):
        raise NotAllowed("Only the moderators of this session see its questions.")


def _seconds_ago(sent: object) -> float:
    value = sent.get("seconds_ago", 0) if isinstance(sent, dict) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        raise DomainError("Send how many seconds ago the recorder started, as a number.")
    return float(value)
