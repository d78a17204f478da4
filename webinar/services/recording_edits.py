"""Trims and cuts: which spans of a recording are shown. Nothing of it is ever taken away."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain import edit
from webinar.domain.edit import CannotCut, Kept
from webinar.domain.errors import Conflict, NotYet
from webinar.domain.recording import RecordingState
from webinar.domain.rendition import Rendition
from webinar.domain.span import Span
from webinar.models import MediaSegment, Recording
from webinar.services import audit, redeciding

CAN_BE_EDITED = (RecordingState.READY, RecordingState.PUBLISHED)


class KeptChanged(Conflict):
    """Somebody trimmed or cut meanwhile: times of the player mean something else now."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody trimmed or cut the recording meanwhile, so its times have moved. "
            "Look at it again and repeat what you wanted."
        )


def borders(db: DbSession, recording: Recording) -> list[int]:
    """Where its main segments begin and end, in milliseconds of source time."""
    return edit.borders_of(
        db.scalars(
            select(MediaSegment.duration_seconds)
            .where(
                MediaSegment.recording_id == recording.id,
                MediaSegment.rendition == Rendition.MAIN,
                MediaSegment.generation == recording.generation,
            )
            .order_by(MediaSegment.sequence)
        )
    )


def kept_now(recording: Recording) -> Kept:
    """What is shown of it; raises NotYet while there is no picture."""
    whole_ms = edit.to_ms(recording.duration_seconds)
    if whole_ms == 0:
        raise NotYet("There is no picture yet.")
    return edit.kept_of(recording.kept) or edit.everything(whole_ms)


def shown_seconds(recording: Recording) -> float:
    """How long it is to a viewer, after trims and cuts."""
    kept = edit.kept_of(recording.kept)
    return recording.duration_seconds if kept is None else kept.total_ms / 1000


def ensure_editable(recording: Recording) -> None:
    """Raise CannotCut unless the desk may change this recording."""
    if recording.state in (RecordingState.RECORDING, RecordingState.PROCESSING):
        raise CannotCut("The recording is still being made. Try again when it is ready.")
    if recording.state not in CAN_BE_EDITED:
        raise CannotCut("The recording is closed: nobody watches it any more.")


def locked(db: DbSession, recording_id: int) -> Recording:
    """The recording, for one who changes it; raises CannotCut."""
    recording = db.get_one(Recording, recording_id, with_for_update=True, populate_existing=True)
    ensure_editable(recording)
    return recording


def trim(
    db: DbSession,
    recording_id: int,
    *,
    shown_from: int,
    shown_to: int,
    seen: Kept,
    actor_id: int,
    now: datetime,
) -> Kept:
    """Begin and end at these milliseconds of shown time, of the kept spans as `seen`."""

    def trimmed(kept: Kept, marks: list[int]) -> Kept:
        span = _source_span(kept, shown_from, shown_to)
        return edit.trimmed(kept, marks, start_ms=span.start, end_ms=span.end)

    return _change(
        db, recording_id, trimmed, "recording trimmed", seen=seen, actor_id=actor_id, now=now
    )


def cut_out(
    db: DbSession,
    recording_id: int,
    *,
    shown_from: int,
    shown_to: int,
    seen: Kept,
    actor_id: int,
    now: datetime,
) -> Kept:
    """Leave out what lies between these milliseconds of shown time, of the spans as `seen`."""

    def cut(kept: Kept, marks: list[int]) -> Kept:
        return edit.without(kept, marks, _source_span(kept, shown_from, shown_to))

    return _change(db, recording_id, cut, "recording cut", seen=seen, actor_id=actor_id, now=now)


def undo_cut(
    db: DbSession, recording_id: int, cut: Span[int], *, actor_id: int, now: datetime
) -> Kept:
    """Show again what lay in this cut (source time)."""

    def undone(kept: Kept, marks: list[int]) -> Kept:
        return edit.restored(kept, cut, marks[-1])

    return _change(
        db, recording_id, undone, "recording cut undone", seen=None, actor_id=actor_id, now=now
    )


def ensure_seen(recording: Recording, seen: Kept) -> Kept:
    """What is shown now; raises KeptChanged if that is not what the person saw."""
    kept = kept_now(recording)
    if kept != seen:
        raise KeptChanged
    return kept


def _change(
    db: DbSession,
    recording_id: int,
    make: Callable[[Kept, list[int]], Kept],
    action: str,
    *,
    seen: Kept | None,
    actor_id: int,
    now: datetime,
) -> Kept:
    recording = locked(db, recording_id)
    before = kept_now(recording) if seen is None else ensure_seen(recording, seen)
    marks = borders(db, recording)
    after = make(before, marks)
    recording.kept = None if after == edit.everything(marks[-1]) else after.stored()
    redeciding.mark_recorded(db, recording.session_id, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"session {recording.session_id}",
        before={"kept_milliseconds": before.stored()},
        after={"kept_milliseconds": after.stored()},
        now=now,
    )
    return after


def _source_span(kept: Kept, shown_from: int, shown_to: int) -> Span[int]:
    if shown_to <= shown_from:
        raise CannotCut("The end must come after the start.")
    if shown_from < 0 or shown_from >= kept.total_ms or shown_to > kept.total_ms + 1000:
        raise CannotCut(
            f"The recording goes from 0:00 to {edit.clock(kept.total_ms)}; choose times within it."
        )
    # The end of a span is the last moment in it, not the first one after the next cut.
    last = kept.source_of(min(shown_to, kept.total_ms) - 1)
    return Span(kept.source_of(shown_from), last + 1)
