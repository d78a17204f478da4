"""Ways in for OBS: the panel in the studio, and the questions of the RTMP server in front."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import Config
from webinar.domain.errors import DomainError, NotAllowed, NotFound
from webinar.domain.streaming import Source, WayIn, port_range
from webinar.models import WebinarSession
from webinar.services import broadcasts, sessions, stream_keys
from webinar.services.stream_keys import NewKey
from webinar.web.access import public, signed_in
from webinar.web.guards import csrf, limiter

bp = Blueprint("ingest", __name__)

STREAMS = "/studio/<public_id>/streams"


def _session(public_id: str) -> WebinarSession:
    session = sessions.by_public_id(g.db, public_id)
    broadcasts.ensure_may_broadcast(g.db, session, current_user)
    return session


def _config() -> Config:
    config: Config = current_app.extensions["config"]
    return config


def offered() -> list[Source]:
    """What this installation takes beside the browser."""
    config = _config()
    srt = [Source.SRT] if port_range(config.SRT_PORTS) else []
    return [*srt, *([Source.RTMP] if config.RTMP_URL else [])]


@bp.get(STREAMS)
@limiter.exempt
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """Which programs may send, and whether they do."""
    return _panel(_session(public_id), None)


@bp.post(STREAMS)
@signed_in
@limiter.limit("20 per hour")
def make(public_id: str) -> ResponseReturnValue:
    """A new way in; its secret stands in this answer and nowhere else."""
    session = _session(public_id)
    source = request.form.get("source", "")
    if source not in offered():
        raise DomainError("This server does not take that. Choose SRT or RTMP where offered.")
    made = stream_keys.make(
        g.db,
        session.id,
        Source(source),
        ports=port_range(_config().SRT_PORTS),
        wrapping_secret=_config().SECRET_KEY,
        user_id=current_user.id,
        now=g.now,
    )
    g.db.commit()
    return _panel(session, made)


@bp.post(f"{STREAMS}/<int(max=2147483647):key_id>/revoke")
@signed_in
def revoke(public_id: str, key_id: int) -> ResponseReturnValue:
    """End a way in at once."""
    session = _session(public_id)
    stream_keys.revoke(g.db, key_id, session.id, user_id=current_user.id, now=g.now)
    g.db.commit()
    return _panel(session, None)


@bp.post(f"{STREAMS}/<int(max=2147483647):key_id>/use")
@signed_in
def use(public_id: str, key_id: int) -> ResponseReturnValue:
    """People see what this program sends, from now on."""
    session = _session(public_id)
    key = stream_keys.of_session(g.db, key_id, session.id)
    stream_keys.use(g.db, key, user_id=current_user.id, now=g.now)
    g.db.commit()
    return _panel(session, None)


@bp.post("/hooks/rtmp")
@csrf.exempt  # type: ignore[untyped-decorator]
@limiter.exempt
@public
def rtmp() -> ResponseReturnValue:
    """nginx asks (directives on_publish, on_update, on_publish_done) whether a sender may send.

    The stream key is in the body, never in an address: no log shows it.
    """
    name, token = request.form.get("name", ""), request.form.get("token", "")
    client_id = request.form.get("clientid", "")[:80]
    match request.form.get("call"):
        case "publish":
            stream_keys.admit(g.db, name, token, client_id=client_id, now=g.now)
        case "update_publish":
            stream_keys.still_admitted(g.db, name, token, client_id=client_id, now=g.now)
        case "publish_done":
            stream_keys.gone(g.db, name, token, client_id=client_id)
        case "update_play":
            pass  # only our own receiver fetches, and it stops by itself
        case _:
            raise NotFound("There is no such question.")
    g.db.commit()
    return Response(status=204)


@bp.errorhandler(DomainError)
def _refused(error: DomainError) -> ResponseReturnValue:
    """To the RTMP server a short no; to people the panel with the sentence in it."""
    public_id = (request.view_args or {}).get("public_id")
    if public_id is None or isinstance(error, NotAllowed | NotFound):
        return Response(f"{error}\n", error.status, content_type="text/plain; charset=utf-8")
    g.db.rollback()
    return _panel(_session(public_id), None, problem=str(error))


def _panel(session: WebinarSession, made: NewKey | None, *, problem: str = "") -> str:
    keys = stream_keys.listed(g.db, session.id)
    return render_template(
        "studio/_streams.html",
        session=session,
        offered=offered(),
        keys=[
            {
                "row": key,
                "is_connected": stream_keys.is_connected(key, now=g.now),
                "is_sending": stream_keys.is_sending(g.db, key, now=g.now),
            }
            for key in keys
        ],
        problem=problem,
        way_in=_way_in(made) if made else None,
    )


def _way_in(made: NewKey) -> WayIn:
    config = _config()
    if made.key.source is Source.RTMP:
        return WayIn(config.RTMP_URL, f"{made.key.name}?token={made.secret}")
    host = config.SRT_HOST or urlsplit(config.PUBLIC_URL).hostname
    return WayIn(f"srt://{host}:{made.key.port}?passphrase={made.secret}&pbkeylen=16")
