"""What providers of rooms report: public addresses, where the signature is the only ticket."""

from typing import cast

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from config import Config
from webinar.db import open_db
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.rooms import (
    Heard,
    HookCall,
    HookRefused,
    RoomProvider,
    hook_address,
)
from webinar.models import ExternalRoom
from webinar.services import room_visits, rooms
from webinar.tools import room_services
from webinar.web.access import public
from webinar.web.cookies import CookielessUnder
from webinar.web.guards import csrf, limiter

bp = Blueprint("hooks", __name__, url_prefix="/hooks")
csrf.exempt(bp)
bp.record_once(lambda state: CookielessUnder("/hooks/").take_over(cast(Flask, state.app)))

LARGEST = 256 * 1024


@bp.errorhandler(DomainError)
def _refused(error: DomainError) -> ResponseReturnValue:
    return Response(f"{error}\n", error.status, content_type="text/plain; charset=utf-8")


@bp.post("/bigbluebutton/<room_id>")
@public
@limiter.exempt
def bigbluebutton(room_id: str) -> ResponseReturnValue:
    """Events of one room (checksum), or its recording is ready (JWT)."""
    heard = _heard(RoomProvider.BIGBLUEBUTTON, room_id)
    room = rooms.by_public_id(g.db, room_id)
    if room is None or room.provider is not RoomProvider.BIGBLUEBUTTON:
        raise NotFound("There is no such room.")
    if any(event.remote_room != room.remote_id for event in heard.events):
        raise HookRefused("This reports of another room.")
    return _taken(room, heard)


@bp.get("/bigbluebutton/<room_id>/ended")
@public
@limiter.limit("60 per minute")
def bigbluebutton_ended(room_id: str) -> ResponseReturnValue:
    """Not signed by anybody, so no more than a hint: the clock asks the server itself."""
    with open_db.begin() as db:
        room = rooms.by_public_id(db, room_id)
        if room is not None:
            room_visits.hint_of_end(db, room, now=g.now)
    return "", 204


@bp.post("/zoom")
@public
@limiter.exempt
def zoom() -> ResponseReturnValue:
    """Events of every webinar of the account; those that are not ours are nobody's business."""
    heard = _heard(RoomProvider.ZOOM, "")
    if heard.answer is not None:
        return jsonify(dict(heard.answer))
    names = {event.remote_room for event in heard.events}
    room = rooms.by_remote_id(g.db, RoomProvider.ZOOM, names.pop()) if len(names) == 1 else None
    return _taken(room, heard) if room is not None else ("", 200)


def _heard(provider: RoomProvider, room_id: str) -> Heard:
    """Nothing is parsed, and no database asked, before the signature holds."""
    request.max_content_length = LARGEST
    body = request.get_data()
    if len(body) > LARGEST:
        raise RequestEntityTooLarge
    config: Config = current_app.extensions["config"]
    call = HookCall(
        address=hook_address(config.PUBLIC_URL, provider, room_id),
        query=request.args.to_dict(),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )
    return room_services(config).of_provider(provider).handle_webhook(call, now=g.now)


def _taken(room: ExternalRoom, heard: Heard) -> ResponseReturnValue:
    room_visits.take(g.db, room, heard, now=g.now)
    g.db.commit()
    return "", 200
