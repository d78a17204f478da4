"""The recording desk of one session: looked at, trimmed, cut, given a poster, published."""

from collections.abc import Callable

from flask import current_app, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.edit import CannotCut, Kept, clock, to_ms
from webinar.domain.errors import DomainError
from webinar.domain.recording import RecordingState
from webinar.domain.rendition import Rendition
from webinar.domain.span import Span
from webinar.media.faculty_files import LARGEST_PHOTO
from webinar.media.opened import NoStill, still
from webinar.media.slides import picture_of
from webinar.models import MediaSegment, WebinarSession
from webinar.services import audit, recording_edits, recordings
from webinar.services.feeds import refresh
from webinar.tools import calendar_tool
from webinar.web.access import requires
from webinar.web.guards import csrf
from webinar.web.manage.blueprint import bp
from webinar.web.manage.recording_form import (
    Refused,
    file_of,
    kept_seen,
    recording_of,
    session_of,
    shelf,
    typed_chapters,
    typed_form,
    typed_ms,
)
from webinar.web.manage.recording_page import page


@bp.get("/sessions/<public_id>/recording")
@requires(Action.PUBLISH_RECORDINGS)
def recording_desk(public_id: str) -> ResponseReturnValue:
    """Where the recording stands, and all that can be done to it."""
    return page(session_of(public_id))


@bp.post("/sessions/<public_id>/recording/review")
@requires(Action.PUBLISH_RECORDINGS)
def recording_review(public_id: str) -> ResponseReturnValue:
    """Look before publishing, or let it publish itself."""
    session = session_of(public_id)
    reviews = request.form.get("reviews") == "y"
    recordings.set_review(g.db, session.id, reviews=reviews, actor_id=current_user.id, now=g.now)
    g.db.commit()
    flash(
        "The recording waits for you before it is published."
        if reviews
        else "The next recording of this session publishes itself as soon as it is ready.",
        "success",
    )
    return back(public_id)


@bp.post("/sessions/<public_id>/recording/publish")
@requires(Action.PUBLISH_RECORDINGS)
def recording_publish(public_id: str) -> ResponseReturnValue:
    """Open the window now; with a reason if somebody did not agree to be recorded."""
    session = session_of(public_id)

    def publish() -> str:
        recording = recording_of(session)
        if recording.state is RecordingState.READY and recording.duration_seconds == 0:
            raise DomainError("There is no picture in this recording, so nothing to publish.")
        if recordings.withheld(g.db, session.id):
            recordings.publish_withheld(
                g.db,
                session.id,
                actor_id=current_user.id,
                reason=request.form.get("reason", ""),
                now=g.now,
            )
        else:
            recordings.publish(g.db, recording.id, actor_id=current_user.id, now=g.now)
        calendar = calendar_tool(current_app.extensions["config"])
        refresh(g.db, session, calendar=calendar, now=g.now)
        return "The recording is published. Who registered is told by mail."

    return act(public_id, "reason", publish)


@bp.post("/sessions/<public_id>/recording/trim")
@requires(Action.PUBLISH_RECORDINGS)
def recording_trim(public_id: str) -> ResponseReturnValue:
    """Begin later, end earlier."""

    def trim() -> str:
        seen, recording = kept_seen(), recording_of(session_of(public_id))
        kept = recording_edits.trim(
            g.db,
            recording.id,
            shown_from=typed_ms(request.form.get("begin", "")),
            shown_to=typed_ms(request.form.get("end", ""), seen.total_ms),
            seen=seen,
            actor_id=current_user.id,
            now=g.now,
        )
        first, last = kept.spans[0].start, kept.spans[-1].end
        return (
            f"The recording begins at {clock(first)} and ends at {clock(last)} of what was "
            f"recorded, at the nearest places where it can be parted. {_length_words(kept)}"
        )

    return act(public_id, "begin", trim)


@bp.post("/sessions/<public_id>/recording/cut")
@requires(Action.PUBLISH_RECORDINGS)
def recording_cut(public_id: str) -> ResponseReturnValue:
    """Leave a span out."""

    def cut() -> str:
        seen, recording = kept_seen(), recording_of(session_of(public_id))
        whole = to_ms(recording.duration_seconds)
        kept = recording_edits.cut_out(
            g.db,
            recording.id,
            shown_from=typed_ms(request.form.get("from", "")),
            shown_to=typed_ms(request.form.get("to", ""), seen.total_ms),
            seen=seen,
            actor_id=current_user.id,
            now=g.now,
        )
        before = seen.cuts(whole)
        new = [one for one in kept.cuts(whole) if one not in before]
        spans = " and ".join(f"{clock(one.start)} to {clock(one.end)}" for one in new)
        return (
            f"Left out: {spans} of what was recorded, so that nothing you marked stays. "
            f"{_length_words(kept)}"
        )

    return act(public_id, "from", cut)


@bp.post("/sessions/<public_id>/recording/cut/undo")
@requires(Action.PUBLISH_RECORDINGS)
def recording_cut_undo(public_id: str) -> ResponseReturnValue:
    """Show again what a cut left out."""

    def undo() -> str:
        try:
            span = Span(int(request.form.get("start", "")), int(request.form.get("end", "")))
        except ValueError:
            raise CannotCut("Choose one of the cuts in the list.") from None
        recording = recording_of(session_of(public_id))
        kept = recording_edits.undo_cut(
            g.db, recording.id, span, actor_id=current_user.id, now=g.now
        )
        return f"Shown again: {clock(span.start)} to {clock(span.end)}. {_length_words(kept)}"

    return act(public_id, "cuts", undo)


@bp.post("/sessions/<public_id>/recording/poster")
@requires(Action.PUBLISH_RECORDINGS)
def recording_poster(public_id: str) -> ResponseReturnValue:
    """The picture before it plays, from a file."""

    def poster() -> str:
        data = file_of("poster", largest=LARGEST_PHOTO)
        _keep_poster(session_of(public_id), picture_of(data).jpeg)
        return "The picture is kept. It is shown before the recording plays."

    return act(public_id, "poster", poster)


# The form is read under a larger bound, and checked then.
csrf.exempt(recording_poster)


@bp.post("/sessions/<public_id>/recording/poster/still")
@requires(Action.PUBLISH_RECORDINGS)
def recording_still(public_id: str) -> ResponseReturnValue:
    """The picture before it plays, from the recording itself."""

    def poster() -> str:
        session = session_of(public_id)
        recording = recording_of(session)
        kept = recording_edits.ensure_seen(recording, kept_seen())
        at = typed_ms(request.form.get("at", ""))
        if at >= kept.total_ms:
            raise NoStill(f"The recording ends at {clock(kept.total_ms)}. Choose a moment before.")
        source_ms, start = kept.source_of(at), 0.0
        for segment in recordings.segments(g.db, recording.id):
            if _is_main(segment, recording.generation):
                if source_ms < to_ms(start + segment.duration_seconds):
                    seconds_in = source_ms / 1000 - start
                    jpeg = still(shelf(), recording.public_id, segment, seconds_in=seconds_in)
                    _keep_poster(session, jpeg)
                    return f"The picture at {clock(at)} is shown before the recording plays."
                start += segment.duration_seconds
        raise NoStill("No picture could be taken there. Choose another moment.")

    return act(public_id, "at", poster)


def act(public_id: str, name: str, do: Callable[[], str], *, part: str = "") -> ResponseReturnValue:
    """Do it, commit, say so; or the page again with the sentence beside this field."""
    try:
        words = do()
    except DomainError as refusal:
        g.db.rollback()
        refused = Refused({name: str(refusal)}, typed_form(), typed_chapters())
        return page(session_of(public_id), refused), refusal.status
    g.db.commit()
    flash(words, "success")
    return back(public_id, part)


def back(public_id: str, part: str = "") -> ResponseReturnValue:
    """The desk again, at one of its parts."""
    return redirect(url_for("manage.recording_desk", public_id=public_id, _anchor=part or None))


def _keep_poster(session: WebinarSession, jpeg: bytes) -> None:
    recording = recording_edits.locked(g.db, recording_of(session).id)
    shelf().storage.put(f"recordings/{recording.public_id}/poster.jpg", jpeg)
    recording.has_poster = True
    audit.write(
        g.db,
        actor_id=current_user.id,
        action="poster changed",
        subject=f"session {session.id}",
        now=g.now,
    )


def _is_main(segment: MediaSegment, generation: int) -> bool:
    return segment.rendition is Rendition.MAIN and segment.generation == generation


def _length_words(kept: Kept) -> str:
    return f"It is {clock(kept.total_ms)} long."
