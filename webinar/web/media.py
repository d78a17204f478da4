"""Playlists, keys and segments: the window is asked at every one of them.

Answers are short text, never a page: their readers are players.
"""

from flask import Blueprint, Response, current_app, g, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.errors import DomainError, NotFound
from webinar.domain.recording import RecordingState
from webinar.media.playlists import LIVE_WINDOW, live_playlist, recording_playlist
from webinar.media.shelf import MediaShelf
from webinar.models import MediaSegment, Recording
from webinar.services import recordings
from webinar.tools import media_shelf
from webinar.web.access import signed_in
from webinar.web.guards import limiter

bp = Blueprint("media", __name__, url_prefix="/recordings/<recording_id>")

HLS = "application/vnd.apple.mpegurl"
# While it is processed the last seconds of the evening are still on their way to people.
ON_AIR = (RecordingState.RECORDING, RecordingState.PROCESSING)


@bp.errorhandler(DomainError)
def _refused(error: DomainError) -> ResponseReturnValue:
    return Response(
        str(error) + "\n",
        error.status,
        {"Cache-Control": "no-store"},
        content_type="text/plain; charset=utf-8",
    )


@bp.before_request
def _known_person() -> ResponseReturnValue | None:
    # A player cannot follow a redirect to a form.
    if not current_user.is_authenticated:
        return Response("Sign in first.\n", 401, {"Cache-Control": "no-store"})
    return None


def shelf() -> MediaShelf:
    """The installation's media."""
    config = current_app.extensions["config"]
    return media_shelf(config)


def _open(recording_id: str) -> Recording:
    """The recording, if this person may have its bytes right now."""
    recording = recordings.by_public_id(g.db, recording_id)
    # What was never on air is an import in the making: nobody's before it is published.
    if recording.state in ON_AIR and recording.session.actual_started_at is not None:
        recordings.ensure_place(g.db, recording.session, current_user.id)
    else:
        recordings.access(g.db, recording, current_user.id, now=g.now)
    return recording


@bp.get("/live.m3u8")
@limiter.exempt
@signed_in
def live(recording_id: str) -> ResponseReturnValue:
    """The last seconds of what is on air."""
    recording = _open(recording_id)
    newest = recordings.last_segments(g.db, recording.id, count=LIVE_WINDOW)
    passed = newest[0].sequence if newest else 0
    text = live_playlist(
        newest,
        key_uri=lambda number: _key_uri(recording, number),
        segment_uri=lambda row: _segment_uri(recording, row),
        discontinuities_before=recordings.discontinuities_before(g.db, recording.id, passed),
        ended=recording.state is not RecordingState.RECORDING,
    )
    return _playlist(text)


@bp.get("/recording.m3u8")
@limiter.exempt
@signed_in
def whole(recording_id: str) -> ResponseReturnValue:
    """Everything that was recorded."""
    recording = _open(recording_id)
    if recording.state in ON_AIR:
        raise NotFound("This recording is not published yet.")
    text = recording_playlist(
        recordings.segments(g.db, recording.id),
        key_uri=lambda number: _key_uri(recording, number),
        segment_uri=lambda row: _segment_uri(recording, row),
    )
    return _playlist(text)


@bp.get("/keys/<int(max=999999):number>")
@limiter.exempt
@signed_in
def key(recording_id: str, number: int) -> ResponseReturnValue:
    """The sixteen bytes that make segments readable: the gate."""
    recording = _open(recording_id)
    return Response(
        shelf().keys.read(recording.public_id, number),
        headers={"Cache-Control": "no-store"},
        content_type="application/octet-stream",
    )


@bp.get("/segments/<name>")
@limiter.exempt
@signed_in
def segment(recording_id: str, name: str) -> ResponseReturnValue:
    """Ciphertext. A browser may keep it: without the key it is noise."""
    recording = _open(recording_id)
    return Response(
        shelf().storage.read(f"recordings/{recording.public_id}/{name}"),
        headers={"Cache-Control": "private, max-age=86400, immutable"},
        content_type="video/mp2t",
    )


@bp.get("/poster.jpg")
@limiter.exempt
@signed_in
def poster(recording_id: str) -> ResponseReturnValue:
    """A picture from the recording, behind the same window."""
    recording = _open(recording_id)
    if not recording.has_poster:
        raise NotFound("This recording has no picture to show before it plays.")
    return Response(
        shelf().storage.read(f"recordings/{recording.public_id}/poster.jpg"),
        headers={"Cache-Control": "no-store"},
        content_type="image/jpeg",
    )


def _key_uri(recording: Recording, number: int) -> str:
    return url_for("media.key", recording_id=recording.public_id, number=number)


def _segment_uri(recording: Recording, row: MediaSegment) -> str:
    name = row.name.rpartition("/")[2]
    return url_for("media.segment", recording_id=recording.public_id, name=name)


def _playlist(text: str) -> Response:
    return Response(text, headers={"Cache-Control": "no-store"}, content_type=HLS)
