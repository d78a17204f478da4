"""Where the picture becomes another: found part by part, on a press, while the page counts."""

from collections.abc import Sequence

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue

from webinar.domain.access import Action
from webinar.domain.edit import to_ms
from webinar.domain.errors import DomainError
from webinar.domain.rendition import Rendition
from webinar.media.opened import changes
from webinar.models import MediaSegment
from webinar.services import recording_edits, recordings
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.recording_form import recording_of, session_of, shelf

PART_SECONDS = 120.0
# Two changes this close are one: a slide that is drawn in steps.
CLOSE_MS = 3_000


@bp.get("/sessions/<public_id>/recording/scenes")
@requires(Action.PUBLISH_RECORDINGS)
def recording_scenes(public_id: str) -> ResponseReturnValue:
    """The changes in one part (`from`: the number of its first segment), in shown milliseconds.

    `next` is where the next part begins; null at the end.
    """
    asked = request.args.get("from", "0")
    recording = recording_of(session_of(public_id))
    try:
        recording_edits.ensure_editable(recording)
        kept = recording_edits.kept_now(recording)
        rows = [
            row
            for row in recordings.segments(g.db, recording.id)
            if row.rendition is Rendition.MAIN and row.generation == recording.generation
        ]
        first = int(asked) if asked.isdecimal() and len(asked) < 7 else 0
        part = _part(rows, first)
        # One segment of before: else a change at the seam is seen by neither part.
        begin = first - 1 if 0 < first < len(rows) and not rows[first].discontinuity else first
        looked_at = rows[begin : first + len(part)]
        start = sum(row.duration_seconds for row in rows[:begin])
        public = recording.public_id
        # Looking takes a second: nothing is held in the database meanwhile.
        g.db.rollback()
        found = changes(shelf(), public, looked_at) if looked_at else []
    except DomainError as refusal:
        return jsonify(error=str(refusal)), refusal.status
    shown = [ms for at in found if (ms := kept.shown_of(to_ms(start + at))) is not None]
    apart = [ms for i, ms in enumerate(shown) if i == 0 or ms - shown[i - 1] >= CLOSE_MS]
    after = first + len(part)
    return jsonify(
        changes=apart,
        next=after if after < len(rows) else None,
        done=after,
        of=len(rows),
    )


def _part(rows: Sequence[MediaSegment], first: int) -> list[MediaSegment]:
    """The segments of one take from this one on, about two minutes of them."""
    part: list[MediaSegment] = []
    seconds = 0.0
    for row in rows[first:]:
        if part and (row.discontinuity or seconds >= PART_SECONDS):
            break
        part.append(row)
        seconds += row.duration_seconds
    return part
