"""Where a session takes place: here, or in a room of others; chosen, swapped, ended."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import Config
from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.rooms import (
    PROVIDER_NAMES,
    AddressRefused,
    RoomProvider,
    RoomState,
    RoomWork,
    VisitSource,
)
from webinar.models import ExternalRoom, WebinarSession
from webinar.services import recordings, room_guests, room_visits, room_work, rooms
from webinar.services import sessions as session_service
from webinar.tools import room_services
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.states import Mark

MARKS = {
    RoomState.PLANNED: Mark("upcoming", "Planned"),
    RoomState.OPEN: Mark("opens", "Open"),
    RoomState.ENDED: Mark("closed", "Ended"),
    RoomState.LEFT: Mark("closed", "Left"),
}
SOURCES = {
    VisitSource.WEBHOOK: "Reported as people came and went",
    VisitSource.POLL: "Seen when asked each minute",
    VisitSource.REPORT: "From the report afterwards",
}
WORDS = {
    RoomProvider.ADDRESS: "Another address: Teams, Webex, Jitsi. Who was there, and how long, "
    "stays unknown.",
    RoomProvider.BIGBLUEBUTTON: "BigBlueButton: people watch unseen; attendance and recording "
    "come back here.",
    RoomProvider.ZOOM: "Zoom: a webinar; attendance and recording come back here.",
}


@dataclass(frozen=True)
class Typed:
    """The form as it was sent."""

    provider: str = ""
    address: str = ""
    records: bool = True


@bp.get("/sessions/<public_id>/room")
@requires(Action.PLAN_SESSIONS)
def session_room(public_id: str) -> ResponseReturnValue:
    """Which room the session has, how it stands, and a form for another one."""
    session = session_service.by_public_id(g.db, public_id)
    return _page(session, Typed(), {})


@bp.post("/sessions/<public_id>/room")
@requires(Action.PLAN_SESSIONS)
def room_plan(public_id: str) -> ResponseReturnValue:
    """Choose a room, or swap the one there is for another."""
    session = session_service.by_public_id(g.db, public_id)
    typed = Typed(
        request.form.get("provider", ""),
        request.form.get("address", ""),
        request.form.get("records") == "y",
    )
    offered = {provider.value: provider for provider in _connected()}
    if typed.provider not in offered:
        return _page(session, typed, {"provider": "Choose where the session takes place."}), 422
    try:
        rooms.plan(
            g.db,
            session.id,
            provider=offered[typed.provider],
            address=typed.address,
            records=typed.records,
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        field = "address" if isinstance(refusal, AddressRefused) else ""
        session = session_service.by_public_id(g.db, public_id)
        return _page(session, typed, {field: str(refusal)}), refusal.status
    g.db.commit()
    flash("The room is chosen. Everybody’s link stays the same and leads there.", "success")
    return _back(public_id)


@bp.post("/sessions/<public_id>/room/leave")
@requires(Action.PLAN_SESSIONS)
def room_leave(public_id: str) -> ResponseReturnValue:
    """Let it take place here after all."""
    return _act(
        public_id,
        lambda session: rooms.leave(g.db, session.id, actor_id=current_user.id, now=g.now),
        "The session takes place here, from the studio. Everybody’s link stays the same.",
    )


@bp.post("/sessions/<public_id>/room/end")
@requires(Action.PLAN_SESSIONS)
def room_end(public_id: str) -> ResponseReturnValue:
    """Close the door and send everybody out."""
    return _act(
        public_id,
        lambda session: rooms.ask_to_end(g.db, session.id, actor_id=current_user.id, now=g.now),
        "Nobody enters any more; the room is ended within a few seconds.",
    )


@bp.post("/sessions/<public_id>/room/attendance")
@requires(Action.PLAN_SESSIONS)
def room_attendance(public_id: str) -> ResponseReturnValue:
    """Read now who was there, instead of at the next hour."""

    def fetch(session: WebinarSession) -> None:
        room = rooms.current(g.db, session)
        if room is None or room.ended_at is None:
            raise rooms.NoRoom("The room has not ended yet; its report comes afterwards.")
        room_work.at_once(g.db, room.id, RoomWork.ATTENDANCE, now=g.now)

    return _act(public_id, fetch, "The report is being read. Reload this page in a few seconds.")


def _act(
    public_id: str, act: Callable[[WebinarSession], object], words: str
) -> ResponseReturnValue:
    session = session_service.by_public_id(g.db, public_id)
    try:
        act(session)
    except DomainError as refusal:
        g.db.rollback()
        session = session_service.by_public_id(g.db, public_id)
        return _page(session, Typed(), {"": str(refusal)}), refusal.status
    g.db.commit()
    flash(words, "success")
    return _back(public_id)


@dataclass(frozen=True)
class Line:
    """One room of the session as the page tells of it."""

    room: ExternalRoom
    name: str
    mark: Mark
    is_ending: bool


def _line(room: ExternalRoom) -> Line:
    is_ending = room.state is RoomState.OPEN and bool(room.facts.get("end_asked"))
    mark = Mark("closed", "Ending") if is_ending else MARKS[room.state]
    return Line(room, PROVIDER_NAMES[room.provider], mark, is_ending)


def _page(session: WebinarSession, typed: Typed, errors: dict[str, str]) -> str:
    config: Config = current_app.extensions["config"]
    lines = [_line(room) for room in rooms.of_session(g.db, session)]
    now_there = next((line for line in lines if line.room.state is not RoomState.LEFT), None)
    connected = _connected()
    return render_template(
        "manage/session_room.html",
        session=session,
        current=now_there,
        earlier=[line for line in lines if line is not now_there],
        guests=room_guests.count(g.db, now_there.room) if now_there else 0,
        figures=[
            (SOURCES[one.source], one)
            for one in (room_visits.figures(g.db, now_there.room) if now_there else ())
        ],
        is_recorded=bool(now_there and _is_recorded(now_there.room)),
        is_withheld=recordings.withheld(g.db, session.id),
        door=config.PUBLIC_URL + url_for("rooms.enter", public_id=session.public_id),
        opens_at=rooms.opens_at(session),
        ends_by=rooms.ends_by(session),
        may_choose=rooms.is_to_come(session, g.now),
        has_report=bool(now_there and now_there.room.provider is RoomProvider.ZOOM),
        providers=[(one.value, WORDS[one]) for one in connected],
        not_connected=[PROVIDER_NAMES[one] for one in RoomProvider if one not in connected],
        typed=typed,
        errors=errors,
    )


def _is_recorded(room: ExternalRoom) -> bool:
    is_to_come = room.state in (RoomState.PLANNED, RoomState.OPEN)
    return rooms.may_record(g.db, room) if is_to_come else rooms.is_recorded(room)


def _connected() -> list[RoomProvider]:
    services = room_services(current_app.extensions["config"])
    order = (RoomProvider.BIGBLUEBUTTON, RoomProvider.ZOOM, RoomProvider.ADDRESS)
    return [provider for provider in order if services.has(provider)]


def _back(public_id: str) -> ResponseReturnValue:
    return redirect(url_for("manage.session_room", public_id=public_id), code=303)
