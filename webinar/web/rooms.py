"""Our own door into rooms of others: one address for everybody, whichever room lies behind it."""

from datetime import timedelta

from flask import Blueprint, Response, current_app, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import Config
from webinar.db import open_db
from webinar.domain.errors import NotFound
from webinar.domain.media_gate import NotRegistered
from webinar.domain.rooms import Entry, KeptEntry, RoomState, RoomTrouble
from webinar.models import ExternalRoom, RoomGuest, User, WebinarSession
from webinar.services import recordings, room_guests, rooms, sessions
from webinar.tools import room_services, sealed_text
from webinar.web.access import signed_in
from webinar.web.guards import limiter

bp = Blueprint("rooms", __name__, url_prefix="/sessions/<public_id>")

# Whoever waits for the room to open sees it open without doing anything.
LOOK_AGAIN_SECONDS = 20
LOOK_AGAIN_BEFORE = timedelta(minutes=15)


@bp.get("/room")
@signed_in
@limiter.limit("60 per minute")
def enter(public_id: str) -> ResponseReturnValue:
    """Into the room, under a neutral name. A link, not a form: the policy for forms ends here."""
    session = sessions.by_public_id(g.db, public_id)
    if not sessions.visible_to_public(session):
        raise NotFound("There is no such session.")
    try:
        recordings.ensure_place(g.db, session, current_user.id)
    except NotRegistered:
        return render_template("live/register_first.html", session=session), 403
    room = rooms.current(g.db, session)
    if room is None:
        return redirect(url_for("live.show", public_id=public_id))
    if not rooms.is_enterable(room):
        return _closed_door(session, room)
    try:
        address = _way_in(room.id, current_user.id)
    except RoomTrouble:
        return _closed_door(session, room, has_trouble=True), 503
    answer = redirect(address)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _closed_door(
    session: WebinarSession, room: ExternalRoom, *, has_trouble: bool = False
) -> Response:
    guest = room_guests.of_person(g.db, room, current_user.id)
    opens_at = rooms.opens_at(session)
    page = render_template(
        "rooms/door.html",
        session=session,
        room=room,
        is_over=room.state is RoomState.ENDED or bool(room.facts.get("end_asked")),
        has_trouble=has_trouble,
        opens_at=opens_at,
        guest=guest,
    )
    answer = Response(page, mimetype="text/html")
    if room.state is RoomState.PLANNED and opens_at - LOOK_AGAIN_BEFORE <= g.now:
        answer.headers["Refresh"] = str(LOOK_AGAIN_SECONDS)
    return answer


def _way_in(room_id: int, user_id: int) -> str:
    """The person's address in the room; nothing is locked while the provider is asked."""
    config: Config = current_app.extensions["config"]
    with open_db.begin() as db:
        room = db.get_one(ExternalRoom, room_id)
        guest = room_guests.guest_for(db, room, user_id, now=g.now)
        visitor = room_guests.visitor(db, room, guest, db.get_one(User, user_id))
    seal, bound_to = sealed_text(config), room_guests.seal_name(guest)
    if guest.sealed:
        kept = KeptEntry.from_text(seal.open(guest.sealed, bound_to=bound_to))
        if kept.role is visitor.role:
            return kept.address
    service = room_services(config).of_provider(room.provider)
    entry = service.join_url(rooms.known(room, {}), visitor, now=g.now)
    text = KeptEntry(entry.address, visitor.role).to_text()
    _keep(guest, entry, seal.seal(text, bound_to=bound_to) if entry.is_kept else None)
    return entry.address


def _keep(guest: RoomGuest, entry: Entry, sealed: str | None) -> None:
    if sealed is None and entry.remote_id == guest.remote_id:
        return
    with open_db.begin() as db:
        room_guests.settle(db, guest.id, remote_id=entry.remote_id, sealed=sealed)
