"""What the recording desk shows: state, cuts, chapters, captions and slides in words."""

import json
from dataclasses import dataclass

from flask import g, render_template
from sqlalchemy import select

from webinar.domain.edit import Kept, clock, to_ms
from webinar.domain.faculty import FileKind
from webinar.domain.languages import NAMES
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.media.faculty_files import PDF
from webinar.models import (
    FacultyFile,
    FacultyMember,
    Recording,
    RecordingCaption,
    RecordingSlide,
    WebinarSession,
)
from webinar.services import captions, chapters, recording_edits, recordings, slides
from webinar.services.chapters import Mark
from webinar.web.manage.recording_form import Refused

PLAYABLE = (RecordingState.READY, RecordingState.PUBLISHED)
IN_THE_MAKING = (RecordingState.RECORDING, RecordingState.PROCESSING)


@dataclass(frozen=True)
class CutRow:
    """A span that is left out, in milliseconds and in words."""

    start: int
    end: int
    words: str
    length: str


@dataclass(frozen=True)
class SlideRow:
    """A slide with when it appears."""

    slide: RecordingSlide
    at: int | None
    title: str


@dataclass(frozen=True)
class SlideSource:
    """Slides that somebody of the faculty sent in as PDF."""

    file_id: int
    words: str


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything about a recording that has a picture."""

    kept: Kept
    kept_json: str
    whole: str
    shown: str
    cuts: tuple[CutRow, ...]
    chapters: tuple[Mark, ...]
    slides: tuple[SlideRow, ...]
    captions: tuple[RecordingCaption, ...]
    sources: tuple[SlideSource, ...]

    @property
    def chapters_json(self) -> str:
        """The chapters as they stand, to be recognised when the form comes back."""
        return json.dumps([[mark.shown_ms, mark.title] for mark in self.chapters])


def page(session: WebinarSession, refused: Refused | None = None) -> str:
    """The desk; after a refusal with what was typed."""
    recording = recordings.for_session(g.db, session.id)
    has_picture = recording is not None and recording.duration_seconds > 0
    edits = recording is not None and recording.state in PLAYABLE and has_picture
    shown = _desk(session, recording) if recording and edits else None
    return render_template(
        "manage/recording.html",
        session=session,
        recording=recording,
        state=_state_words(session, recording),
        waits=recording is not None and recording.state in IN_THE_MAKING,
        why_waiting=recordings.why_waiting(g.db, recording) if recording else "",
        withheld=recordings.withheld(g.db, session.id),
        desk=shown,
        languages=NAMES,
        refused=refused or Refused(),
        chapter_rows=_chapter_rows(shown, refused) if shown else [],
        clock=clock,
    )


def _chapter_rows(desk: Desk, refused: Refused | None) -> list[tuple[str, str]]:
    """The chapters there are; after a refusal what was typed, with what others added meanwhile."""
    rows = [(clock(mark.shown_ms), mark.title) for mark in desk.chapters]
    if refused is None or not refused.error("chapters"):
        return rows
    times = {time.strip() for time, _ in refused.chapters}
    return [*refused.chapters, *(row for row in rows if row[0] not in times)]


def _desk(session: WebinarSession, recording: Recording) -> Desk:
    kept = recording_edits.kept_now(recording)
    whole = to_ms(recording.duration_seconds)
    return Desk(
        kept=kept,
        kept_json=json.dumps(kept.stored()),
        whole=clock(whole),
        shown=clock(kept.total_ms),
        cuts=tuple(
            CutRow(
                cut.start,
                cut.end,
                _cut_words(cut.start, cut.end, whole),
                _length(cut.end - cut.start),
            )
            for cut in kept.cuts(whole)
        ),
        chapters=tuple(chapters.shown(chapters.listed(g.db, recording.id), kept)),
        slides=tuple(
            SlideRow(slide, slides.shown_at(slide, kept), _title(slide))
            for slide in slides.listed(g.db, recording.id)
        ),
        captions=tuple(captions.listed(g.db, recording.id)),
        sources=_sources(session),
    )


def _cut_words(start: int, end: int, whole: int) -> str:
    if start == 0:
        return f"The beginning, up to {clock(end)}"
    if end == whole:
        return f"The end, from {clock(start)} on"
    return f"{clock(start)} to {clock(end)}"


def _length(milliseconds: int) -> str:
    return f"{clock(milliseconds)} long"


def _title(slide: RecordingSlide) -> str:
    return slide.words.strip().split("\n")[0][:80] or f"Slide {slide.number}"


def _sources(session: WebinarSession) -> tuple[SlideSource, ...]:
    rows = g.db.execute(
        select(FacultyFile.id, FacultyFile.filename, FacultyFile.media_type, FacultyMember.name)
        .join(FacultyMember, FacultyMember.id == FacultyFile.faculty_id)
        .where(FacultyMember.session_id == session.id, FacultyFile.kind == FileKind.SLIDES.value)
        .order_by(FacultyMember.position, FacultyFile.id)
    )
    return tuple(
        SlideSource(number if kind == PDF else 0, f"{filename}, from {name}")
        for number, filename, kind, name in rows
    )


def _state_words(session: WebinarSession, recording: Recording | None) -> str:
    if recording is None:
        if session.status in (SessionStatus.DRAFT, SessionStatus.PUBLISHED):
            return "The session is still to come. Its recording is made while it is on air."
        return "This session has no recording: it was not broadcast here. A video can become one."
    so_far = clock(to_ms(recording.duration_seconds)).partition(".")[0]
    if recording.state is RecordingState.RECORDING:
        return f"On air and being recorded: {so_far} so far. You can edit it when it has ended."
    if recording.state is RecordingState.PROCESSING:
        return f"Being finished: {so_far} are ready. This page looks again by itself."
    if recording.duration_seconds == 0:
        return "Nothing was sent while the session was on air: there is no picture to publish."
    if recording.state is RecordingState.READY:
        return "Ready, and nobody has seen it yet. Look at it, then publish it."
    if recording.state is RecordingState.PUBLISHED:
        return "Published. What you change here, viewers see at once."
    if recording.state is RecordingState.CLOSED:
        return "Closed: nobody can watch it any more."
    return "Destroyed: it no longer exists anywhere."
