"""Rehearsals over HTTP: the same pieces as on air, another shelf, and a picture for the faculty."""

from flask import Blueprint, Response, current_app, g, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import Config
from webinar.media.disk import ensure_room
from webinar.media.rehearsal import PLAYLIST, RehearsalRooms
from webinar.media.takes import LARGEST_CHUNK, ChunkOutOfOrder
from webinar.models import WebinarSession
from webinar.services import broadcasts, rehearsals, sessions, studio_desk
from webinar.web.access import signed_in
from webinar.web.guards import limiter

bp = Blueprint("studio_rehearsal", __name__, url_prefix="/studio/<public_id>/rehearsal")

NOTE_EVERY_SECONDS = 2


def _session(public_id: str) -> WebinarSession:
    session = sessions.by_public_id(g.db, public_id)
    broadcasts.ensure_may_broadcast(g.db, session, current_user)
    return session


def _ensure_room() -> None:
    """Nothing of a rehearsal is worth the disk that a broadcast needs."""
    config: Config = current_app.extensions["config"]
    ensure_room(config.DATA_DIR, size=0, low_megabytes=config.LOW_DISK_MEGABYTES)


def rooms() -> RehearsalRooms:
    """Where rehearsals lie."""
    config: Config = current_app.extensions["config"]
    return RehearsalRooms(config.DATA_DIR.resolve())


def summary(session: WebinarSession) -> dict[str, object] | None:
    """Who rehearses and where the picture is, for the studio's state; None if nobody does."""
    rehearsal = rehearsals.current(g.db, session.id)
    if rehearsal is None:
        return None
    where = url_for(
        "studio_rehearsal.picture",
        public_id=session.public_id,
        rehearsal_id=rehearsal.public_id,
        name=PLAYLIST,
    )
    return {
        "by": studio_desk.name_of(g.db, rehearsal.opened_by_id),
        "playlist": where if rooms().has_picture(rehearsal.public_id) else None,
    }


@bp.post("")
@signed_in
def start(public_id: str) -> ResponseReturnValue:
    """Begin a rehearsal."""
    _ensure_room()
    rehearsal = rehearsals.start(g.db, _session(public_id), user_id=current_user.id, now=g.now)
    g.db.commit()
    return {"rehearsal": rehearsal.public_id}, 201


@bp.post("/takes")
@signed_in
def open_take(public_id: str) -> ResponseReturnValue:
    """A new take of the rehearsal: the recorder started anew."""
    rehearsal = rehearsals.sending(g.db, _session(public_id).id, user_id=current_user.id)
    begun = rooms().takes.takes(rehearsal.public_id)
    return {"take": len(begun), "open": True, "next": 0}, 201


@bp.put("/takes/<int(max=99999):number>/chunks/<int(max=9999999):seq>")
@limiter.exempt
@signed_in
def send_chunk(public_id: str, number: int, seq: int) -> ResponseReturnValue:
    """Take a piece; it is gone when the rehearsal is over."""
    request.max_content_length = LARGEST_CHUNK
    rehearsal = rehearsals.sending(g.db, _session(public_id).id, user_id=current_user.id)
    # Nobody else waits for this network or disk: the write lock of the database is let go.
    g.db.commit()
    data = request.get_data(cache=False)
    _ensure_room()
    g.db.refresh(rehearsal)
    rehearsals.sending(g.db, rehearsal.session_id, user_id=current_user.id)
    takes = rooms().takes
    try:
        stored = takes.append(rehearsal.public_id, number, seq, data)
    except ChunkOutOfOrder as gap:
        return {"error": str(gap), "expected": gap.expected}, 409
    if (g.now - rehearsal.last_chunk_at).total_seconds() >= NOTE_EVERY_SECONDS:
        rehearsal.last_chunk_at = g.now
        g.db.commit()
    return {"stored": stored.seq, "next": takes.next_seq(rehearsal.public_id, number)}


@bp.post("/stop")
@signed_in
def stop(public_id: str) -> ResponseReturnValue:
    """End it; all of it is deleted."""
    rehearsals.stop(g.db, _session(public_id).id, now=g.now)
    g.db.commit()
    return {"rehearsal": None}


@bp.get("/<rehearsal_id>/<name>")
@limiter.exempt
@signed_in
def picture(public_id: str, rehearsal_id: str, name: str) -> ResponseReturnValue:
    """The playlist and the segments, for who may broadcast here and nobody else."""
    rehearsal = rehearsals.with_public_id(g.db, _session(public_id).id, rehearsal_id)
    kind = "application/vnd.apple.mpegurl" if name == PLAYLIST else "video/mp2t"
    return Response(
        rooms().picture(rehearsal.public_id, name),
        headers={"Cache-Control": "no-store"},
        content_type=kind,
    )
