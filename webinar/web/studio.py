"""The studio: check, go live, send piece by piece, stop. A piece is on disk before the answer."""

import base64
import hashlib
import re
from math import isfinite

from flask import Blueprint, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.errors import DomainError
from webinar.domain.gate import may_go_live
from webinar.media.takes import LARGEST_CHUNK, ChunkOutOfOrder
from webinar.models import Broadcast, WebinarSession
from webinar.services import broadcasts, gate, sessions, studio_desk
from webinar.services.feeds import refresh
from webinar.tools import calendar_tool
from webinar.web.access import signed_in
from webinar.web.guards import limiter
from webinar.web.ingest import offered
from webinar.web.media import shelf
from webinar.web.studio_slides import decks

bp = Blueprint("studio", __name__, url_prefix="/studio/<public_id>")

# The studio says how long ago its recorder started; more than this is not believed.
LONGEST_DELAY_SECONDS = 3600
# Less than broadcasts.SENDING_SECONDS: else who sends would seem silent in between.
NOTE_EVERY_SECONDS = 2
CLIENT_KEY = re.compile(r"[a-z0-9]{8,24}-[a-z0-9]{1,15}")
DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")  # Content-Digest (RFC 9530)


class PieceDamaged(DomainError):
    """Other bytes arrived than were sent; sending them again helps."""

    status = 400


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
        colleagues=studio_desk.colleagues(g.db, session, but=current_user.id),
        decks=decks(session),
        streams=offered(),
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
    """A new take: the recorder started anew. The one before it is closed; twice is once.

    `next`: the piece the take waits for, so that a studio that was reloaded goes on there.
    """
    session = _session(public_id)
    broadcast = _broadcast(session)
    sent = request.get_json()
    delay = min(max(_seconds_ago(sent), 0), LONGEST_DELAY_SECONDS)
    try:
        take = broadcasts.open_take(
            g.db,
            broadcast.id,
            user_id=current_user.id,
            seconds_ago=delay,
            client_key=_client_key(sent),
            take_over=sent.get("take_over") is True,
            now=g.now,
        )
    except broadcasts.SomebodySends as other:
        return {"error": str(other), "sending": True}, 409
    is_open = take.closed_at is None
    g.db.commit()
    expected = shelf().takes.next_seq(broadcast.public_id, take.number)
    return {"take": take.number, "open": is_open, "next": expected}, 201


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
    _ensure_whole(data, request.headers.get("Content-Digest"))
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


def _client_key(sent: dict[str, object]) -> str | None:
    key = sent.get("client_key")
    if key is None:
        return None
    if not isinstance(key, str) or CLIENT_KEY.fullmatch(key) is None:
        raise DomainError("The name this studio gave its take is not one. Reload this page.")
    return key


def _ensure_whole(data: bytes, said: str | None) -> None:
    """Raise PieceDamaged unless these are the bytes whose digest the sender gave, if any."""
    if said is None:
        return
    found = DIGEST.fullmatch(said)
    if found is None or base64.b64decode(found[1]) != hashlib.sha256(data).digest():
        raise PieceDamaged("This piece arrived damaged. It is sent again.")


def _seconds_ago(sent: object) -> float:
    value = sent.get("seconds_ago", 0) if isinstance(sent, dict) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        raise DomainError("Send how many seconds ago the recorder started, as a number.")
    return float(value)
