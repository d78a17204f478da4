"""Playlists, pictures and captions of a recording: the window is asked at every one of them.

Answers are short text, never a page: their readers are players. What they ask for all the time is
answered in front of Flask (webinar.web.media_doors). There is no address for the whole as a file.
"""

from flask import Blueprint, Response, current_app, g, request
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from werkzeug.routing import Rule

from config import Config
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.media_gate import ON_AIR, is_on_air
from webinar.domain.rendition import Rendition
from webinar.media.shelf import MediaShelf
from webinar.media.storage import FileStorage
from webinar.models import Recording, RecordingSlide
from webinar.services import captions, editions, recording_edits, recordings, slides
from webinar.tools import media_shelf
from webinar.web.access import signed_in
from webinar.web.guards import limiter
from webinar.web.playlist_writer import PlaylistWriter

bp = Blueprint("media", __name__, url_prefix="/recordings/<recording_id>")

HLS = "application/vnd.apple.mpegurl"
NO_STORE = {"Cache-Control": "no-store"}
# Where nginx finds what we tell it to send (deploy/nginx.conf).
NGINX_FOLDER = "/_media/"


@bp.errorhandler(DomainError)
def _refused(error: DomainError) -> ResponseReturnValue:
    return Response(
        str(error) + "\n", error.status, NO_STORE, content_type="text/plain; charset=utf-8"
    )


@bp.before_request
def _known_person() -> ResponseReturnValue | None:
    # A player cannot follow a redirect to a form.
    if not current_user.is_authenticated:
        return Response("Sign in first.\n", 401, NO_STORE)
    return None


def shelf() -> MediaShelf:
    """The installation's media."""
    return media_shelf(_config())


def _config() -> Config:
    config: Config = current_app.extensions["config"]
    return config


def _open(recording_id: str) -> Recording:
    """The recording, if this person may have its bytes right now."""
    recording = recordings.by_public_id(g.db, recording_id)
    was_live = recording.session.actual_started_at is not None
    if is_on_air(recording.state, was_live=was_live):
        recordings.ensure_place(g.db, recording.session, current_user.id)
    else:
        recordings.access(g.db, recording, current_user.id, now=g.now)
    return recording


def _open_whole(recording_id: str) -> Recording:
    """The same for what is there only when the evening is over."""
    recording = _open(recording_id)
    if recording.state in ON_AIR:
        raise NotFound("This recording is not published yet.")
    return recording


def _open_edition(recording_id: str) -> Recording:
    """The same, if what the player knows of cuts is still true; raises Edited."""
    recording = _open_whole(recording_id)
    editions.ensure_current(recording, request.args.get("edition"))
    return recording


@bp.get("/recording.m3u8")
@limiter.exempt
@signed_in
def whole(recording_id: str) -> ResponseReturnValue:
    """What of the recording there is to choose from."""
    recording = _open_edition(recording_id)
    return _playlist(PlaylistWriter(_config()).whole(g.db, recording))


@bp.get("/<rendition>/recording.m3u8")
@limiter.exempt
@signed_in
def whole_of(recording_id: str, rendition: str) -> ResponseReturnValue:
    """One rendition from the beginning to the end."""
    recording = _open_edition(recording_id)
    if rendition not in list(Rendition):
        raise NotFound("There is no such rendition.")
    text = PlaylistWriter(_config()).whole_media(g.db, recording, Rendition(rendition))
    return _playlist(text)


@bp.get("/poster.jpg")
@limiter.exempt
@signed_in
def poster(recording_id: str) -> ResponseReturnValue:
    """A picture from the recording, behind the same window."""
    recording = _open(recording_id)
    if not recording.has_poster:
        raise NotFound("This recording has no picture to show before it plays.")
    return _picture(f"recordings/{recording.public_id}/poster.jpg")


@bp.get("/slides/<int(max=9999):number>.jpg")
@limiter.exempt
@signed_in
def slide(recording_id: str, number: int) -> ResponseReturnValue:
    """One slide as a picture, if it is shown: whoever counts up gets no other."""
    recording = _open_whole(recording_id)
    found = g.db.scalar(
        select(RecordingSlide).where(
            RecordingSlide.recording_id == recording.id, RecordingSlide.number == number
        )
    )
    if found is None or slides.shown_at(found, recording_edits.kept_now(recording)) is None:
        raise NotFound("There is no slide of this number.")
    return _picture(found.name)


@bp.get("/captions/<language>.vtt")
@limiter.exempt
@signed_in
def caption(recording_id: str, language: str) -> ResponseReturnValue:
    """The captions in one language, in the time that the player shows."""
    recording = _open_whole(recording_id)
    text = captions.shown(g.db, recording, language, shelf().storage)
    return Response(text, headers=NO_STORE, content_type="text/vtt; charset=utf-8")


def _picture(name: str) -> Response:
    """Plain, so nobody keeps it: it is asked for again, and refused when the window is over."""
    storage = shelf().storage
    answer = Response(headers=NO_STORE, content_type="image/jpeg")
    if _config().NGINX and isinstance(storage, FileStorage):
        storage.path(name)  # raises for a name that is none
        answer.headers["X-Accel-Redirect"] = NGINX_FOLDER + name
    else:
        answer.set_data(storage.read(name))
    return answer


def _playlist(text: str) -> Response:
    return Response(text, headers=NO_STORE, content_type=HLS)


# What webinar.web.media_doors answers, so that pages can name it.
IN_FRONT = {
    "live": "/live.m3u8",
    "live_of": "/<rendition>/live.m3u8",
    "key": "/keys/<int(max=999999):number>",
    "segment": "/segments/<name>",
}


@bp.record
def _name_what_is_in_front(state: BlueprintSetupState) -> None:
    for name, path in IN_FRONT.items():
        rule = f"{bp.url_prefix}{path}"
        state.app.url_map.add(
            Rule(rule, endpoint=f"{bp.name}.{name}", methods={"GET"}, build_only=True)
        )
