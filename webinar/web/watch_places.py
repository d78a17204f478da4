"""What a player of a recording tells and asks while it is open: the place, and the window."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.errors import DomainError, NotFound
from webinar.domain.recording import Watch
from webinar.domain.wording import deadline
from webinar.models import Recording, WebinarSession
from webinar.services import editions, recordings, sessions, watch_places
from webinar.web.access import signed_in
from webinar.web.guards import limiter

bp = Blueprint("watch_places", __name__, url_prefix="/sessions/<public_id>")

# JSON knows numbers that no float holds.
MOST_SECONDS = 10**9


@dataclass(frozen=True)
class _Opened:
    session: WebinarSession
    recording: Recording
    watch: Watch


@bp.get("/recording/place")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """Where this person was last and how long ago, and until when they may watch."""
    opened = _open(public_id)
    place = watch_places.of_person(g.db, opened.recording.id, current_user.id)
    where = {
        "seconds": place.seconds if place else None,
        "age_seconds": (g.now - place.updated_at).total_seconds() if place else None,
    }
    return {**where, **_window(opened)}


@bp.post("/recording/place")
@signed_in
@limiter.limit("60 per minute")
def keep(public_id: str) -> ResponseReturnValue:
    """Keep the place; the answer says until when the person may watch, and what is shown now."""
    opened = _open(public_id)
    sent = request.get_json(silent=True)
    told = sent if isinstance(sent, Mapping) else {}
    watch_places.keep(
        g.db,
        opened.recording,
        current_user.id,
        seconds=_number(told.get("seconds")),
        age_seconds=_number(told.get("age_seconds", 0)),
        now=g.now,
    )
    g.db.commit()
    return _window(opened)


def _open(public_id: str) -> _Opened:
    session = sessions.by_public_id(g.db, public_id)
    recording = recordings.for_session(g.db, session.id)
    if not sessions.visible_to_public(session) or recording is None:
        raise NotFound("There is no recording of this session.")
    watch = recordings.access(g.db, recording, current_user.id, now=g.now)
    return _Opened(session, recording, watch)


def _window(opened: _Opened) -> dict[str, object]:
    until = opened.watch.until
    return {
        "closes_at": until.isoformat(),
        "now": g.now.isoformat(),
        "words": deadline(until, opened.session.zone),
        "edition": editions.edition_of(opened.recording),
    }


def _number(told: object) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or abs(told) > MOST_SECONDS:
        raise DomainError("Say in seconds where you are.")
    return float(told)
