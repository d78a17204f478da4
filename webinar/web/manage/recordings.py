"""Recordings and their windows, as a list."""

from dataclasses import dataclass

from flask import g, render_template
from flask.typing import ResponseReturnValue

from webinar.domain.access import Action
from webinar.domain.recording import RecordingState
from webinar.models import Recording
from webinar.services import recording_edits, season
from webinar.web.access import requires
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.manage.states import Mark

MARKS = {
    RecordingState.RECORDING: Mark("live", "Being recorded"),
    RecordingState.PROCESSING: Mark("opens", "In preparation"),
    RecordingState.READY: Mark("draft", "Ready"),
    RecordingState.PUBLISHED: Mark("recording", "Published"),
    RecordingState.CLOSED: Mark("closed", "Closed"),
    RecordingState.DESTROYED: Mark("closed", "Destroyed"),
}


@dataclass(frozen=True)
class Row:
    """A recording with its mark."""

    recording: Recording
    mark: Mark
    shown_seconds: float


@bp.get("/recordings/")
@requires(Action.PLAN_SESSIONS)
def recordings() -> ResponseReturnValue:
    """Every recording of one's societies: what closes first stands first."""
    rows, ids = [], scope.society_ids()
    for recording in season.recordings(g.db):
        if ids is not None and recording.session.society_id not in ids:
            continue
        mark = MARKS[recording.state]
        # The clock marks it closed soon after; the window has the last word until then.
        is_over = recording.closes_at is not None and recording.closes_at <= g.now
        if recording.state is RecordingState.PUBLISHED and is_over:
            mark = MARKS[RecordingState.CLOSED]
        rows.append(Row(recording, mark, recording_edits.shown_seconds(recording)))
    return render_template("manage/recordings.html", rows=rows)
