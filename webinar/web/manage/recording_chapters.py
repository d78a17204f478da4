"""Chapters and slides at the recording desk."""

import json
from collections.abc import Callable, Iterator

from flask import Response, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.edit import clock
from webinar.domain.errors import Conflict, DomainError, NotFound
from webinar.domain.faculty import FileKind
from webinar.domain.wording import plural
from webinar.media.faculty_files import LARGEST_SLIDES, faculty_files
from webinar.media.pdf_pages import NotDrawn
from webinar.media.slides import DrawnSlide, pages_of, picture_of, slide_name
from webinar.models import FacultyFile, FacultyMember, WebinarSession
from webinar.services import chapters, recording_edits, slides
from webinar.services.chapters import Mark
from webinar.services.slides import NewSlide
from webinar.web.access import requires
from webinar.web.guards import csrf
from webinar.web.manage.blueprint import bp
from webinar.web.manage.recording_desk import act
from webinar.web.manage.recording_form import (
    NoFile,
    files_of,
    kept_seen,
    recording_of,
    session_of,
    shelf,
    typed_chapters,
    typed_ms,
)


@bp.post("/sessions/<public_id>/recording/chapters")
@requires(Action.PUBLISH_RECORDINGS)
def recording_chapters(public_id: str) -> ResponseReturnValue:
    """All chapters as they stand in the form; a row without time and title is none."""

    def save() -> str:
        seen = _chapters_seen()
        exact = {clock(mark.shown_ms): mark.shown_ms for mark in seen}
        marks = []
        for time, title in typed_chapters():
            # Emptied on purpose: this is how a chapter is taken out.
            if title.strip():
                marks.append(Mark(typed_ms(time, exact.get(time.strip())), title))
        kept = chapters.replace(
            g.db,
            recording_of(session_of(public_id)).id,
            marks,
            seen=kept_seen(),
            seen_chapters=seen,
            actor_id=current_user.id,
            now=g.now,
        )
        return f"{plural(len(kept), 'chapter')} kept." if kept else "There are no chapters now."

    return act(public_id, "chapters", save, part="chapters")


@bp.post("/sessions/<public_id>/recording/chapters/slides")
@requires(Action.PUBLISH_RECORDINGS)
def recording_chapters_from_slides(public_id: str) -> ResponseReturnValue:
    """A chapter where each slide appears."""

    def make() -> str:
        recording = recording_of(session_of(public_id))
        made = chapters.from_slides(g.db, recording.id, actor_id=current_user.id, now=g.now)
        return f"{plural(len(made), 'chapter')}. Change the titles as you like."

    return act(public_id, "chapters", make, part="chapters")


@bp.post("/sessions/<public_id>/recording/slides")
@requires(Action.PUBLISH_RECORDINGS)
def recording_slides(public_id: str) -> ResponseReturnValue:
    """Slides from a PDF or from pictures, in place of those there are."""

    def draw() -> str:
        files = files_of("slides", largest=LARGEST_SLIDES)
        if not files:
            raise NoFile("Choose a PDF, or pictures, first.")
        is_pdf = any(data.startswith(b"%PDF-") for data in files)
        if is_pdf and len(files) > 1:
            raise NotDrawn("Choose one PDF, or several pictures; not both.")
        return _keep(
            session_of(public_id),
            lambda: pages_of(files[0]) if is_pdf else (picture_of(data) for data in files),
        )

    return act(public_id, "slides", draw, part="slides")


# The form is read under a larger bound, and checked then.
csrf.exempt(recording_slides)


@bp.get("/sessions/<public_id>/recording/slides/<int(max=9999):number>.jpg")
@requires(Action.PUBLISH_RECORDINGS)
def recording_slide(public_id: str, number: int) -> ResponseReturnValue:
    """One slide as a picture, for the desk."""
    recording = recording_of(session_of(public_id))
    for slide in slides.listed(g.db, recording.id):
        if slide.number == number:
            return Response(
                shelf().storage.read(slide.name),
                headers={"Cache-Control": "no-store"},
                content_type="image/jpeg",
            )
    raise NotFound("There is no such slide.")


@bp.post("/sessions/<public_id>/recording/slides/faculty")
@requires(Action.PUBLISH_RECORDINGS)
def recording_slides_of_faculty(public_id: str) -> ResponseReturnValue:
    """Slides from what somebody of the faculty sent in."""

    def draw() -> str:
        session = session_of(public_id)
        sent = request.form.get("file", "")
        file = g.db.get(FacultyFile, int(sent)) if sent.isdecimal() and len(sent) < 10 else None
        member = g.db.get(FacultyMember, file.faculty_id) if file else None
        is_theirs = member is not None and member.session_id == session.id
        if file is None or not is_theirs or file.kind != FileKind.SLIDES.value:
            raise NoFile("Choose slides that the faculty sent in.")
        stored = faculty_files(current_app.extensions["config"].DATA_DIR)
        data = stored.read(file.storage_key)
        return _keep(session, lambda: pages_of(data))

    return act(public_id, "slides", draw, part="slides")


@bp.post("/sessions/<public_id>/recording/slides/times")
@requires(Action.PUBLISH_RECORDINGS)
def recording_slide_times(public_id: str) -> ResponseReturnValue:
    """When each slide appears; an empty field is never."""

    def save() -> str:
        recording = recording_of(session_of(public_id))
        seen = kept_seen()
        times: dict[int, int | None] = {}
        for slide in slides.listed(g.db, recording.id):
            typed = request.form.get(f"slide-{slide.number}")
            if typed is not None:
                was = slides.shown_at(slide, seen)
                times[slide.number] = typed_ms(typed, was) if typed.strip() else None
        changed = slides.set_times(
            g.db, recording.id, times, seen=seen, actor_id=current_user.id, now=g.now
        )
        if not changed:
            return "Nothing was different, so nothing was changed."
        return f"{plural(changed, 'slide')} changed."

    return act(public_id, "slide-times", save, part="slides")


@bp.post("/sessions/<public_id>/recording/slides/remove")
@requires(Action.PUBLISH_RECORDINGS)
def recording_slides_remove(public_id: str) -> ResponseReturnValue:
    """Take all slides away."""

    def remove() -> str:
        recording = recording_of(session_of(public_id))
        names = slides.remove_all(g.db, recording.id, actor_id=current_user.id, now=g.now)
        # The rows first: a picture without a row is found and deleted with the recording.
        g.db.commit()
        for name in names:
            shelf().storage.delete(name)
        return "The slides are taken away."

    return act(public_id, "slides", remove, part="slides")


def _keep(session: WebinarSession, draw: Callable[[], Iterator[DrawnSlide]]) -> str:
    recording = recording_of(session)
    recording_edits.ensure_editable(recording)
    number, public = recording.id, recording.public_id
    storage = shelf().storage
    new: list[NewSlide] = []
    # Drawing takes seconds: nothing is held in the database meanwhile.
    g.db.rollback()
    try:
        for slide in draw():
            name = slide_name(public, len(new) + 1)
            storage.put(name, slide.jpeg)
            new.append(NewSlide(name, slide.words))
        old = slides.replace(g.db, number, new, actor_id=current_user.id, now=g.now)
        g.db.commit()
    except DomainError:
        for kept in new:
            storage.delete(kept.name)
        raise
    for name in old:
        storage.delete(name)
    return f"{plural(len(new), 'slide')}. Say now when each is shown, or let the times be found."


def _chapters_seen() -> list[Mark]:
    try:
        rows = json.loads(request.form.get("chapters", ""))
        return [Mark(int(at), str(title)) for at, title in rows]
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Conflict("Somebody changed the chapters meanwhile. Look at them again.") from None
