"""The recording page, inside its window; afterwards the page that says when it closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.attendance import ViewingMode
from webinar.domain.errors import NotFound
from webinar.domain.media_gate import NotRegistered
from webinar.domain.recording import RecordingClosed, RecordingNotOpen
from webinar.domain.rendition import Rendition
from webinar.models import Recording, RecordingCaption
from webinar.services import (
    attendance,
    captions,
    chapters,
    editions,
    recording_edits,
    recordings,
    renditions,
    sessions,
    slides,
    watch_places,
)
from webinar.services.chapters import Mark
from webinar.services.evidence import checks
from webinar.web.access import signed_in
from webinar.web.more_time import closed_page
from webinar.web.recording_goals import clocks_of, goals_of

bp = Blueprint("recordings", __name__, url_prefix="/sessions/<public_id>")

CLOSES_SOON = timedelta(days=14)  # from then on the page says how long it is


@bp.get("/recording")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """Watch the recording, with both clocks in words."""
    session = sessions.by_public_id(g.db, public_id)
    recording = recordings.for_session(g.db, session.id)
    if not sessions.visible_to_public(session) or recording is None:
        raise NotFound("There is no recording of this session.")
    try:
        watch = recordings.access(g.db, recording, current_user.id, now=g.now)
    except RecordingClosed as closed:
        return closed_page(session, recording, closed.closed_at), 410
    except RecordingNotOpen as not_open:
        page = render_template("recordings/coming.html", session=session, words=str(not_open))
        return page, not_open.status
    except NotRegistered:
        return render_template("recordings/register_first.html", session=session), 403
    presence = attendance.presence_now(g.db, session, current_user.id, ViewingMode.RECORDED)
    goals = goals_of(session, presence.total_seconds, watch.until)
    return render_template(
        "recordings/show.html",
        session=session,
        recording=recording,
        watch=watch,
        edition=editions.edition_of(recording),
        presence=presence,
        goals=goals,
        goal=min(
            (goal for goal in goals if not goal.is_over),
            key=lambda goal: goal.most.seconds,
            default=None,
        ),
        clocks=clocks_of(goals),
        closes_soon=watch.until - g.now <= CLOSES_SOON,
        is_preview=recordings.may_preview(g.db, recording, current_user.id),
        place=_place(recording),
        beside=_beside(recording),
        checks_planned=checks.planned_in(g.db, session.id, ViewingMode.RECORDED),
    )


@dataclass(frozen=True)
class SlideAt:
    """A slide that is shown, and from when on, in milliseconds of shown time."""

    number: int
    at_ms: int
    words: str


@dataclass(frozen=True)
class Beside:
    """What stands beside the video; times are those of the player, after cuts."""

    renditions: Sequence[Rendition]
    captions: Sequence[RecordingCaption]
    chapters: Sequence[Mark]
    slides: Sequence[SlideAt]


def _beside(recording: Recording) -> Beside:
    if recording.duration_seconds == 0:
        return Beside((), (), (), ())
    kept = recording_edits.kept_now(recording)
    shown = [
        SlideAt(slide.number, at, slide.words)
        for slide in slides.listed(g.db, recording.id)
        if (at := slides.shown_at(slide, kept)) is not None
    ]
    return Beside(
        renditions=renditions.offered(g.db, recording),
        captions=captions.listed(g.db, recording.id),
        chapters=chapters.shown(chapters.listed(g.db, recording.id), kept),
        slides=sorted(shown, key=lambda slide: slide.at_ms),
    )


def _place(recording: Recording) -> dict[str, float] | None:
    place = watch_places.of_person(g.db, recording.id, current_user.id)
    if place is None:
        return None
    age = (g.now - place.updated_at).total_seconds()
    return {"seconds": place.seconds, "age_seconds": max(0.0, age)}
