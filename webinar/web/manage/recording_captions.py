"""Captions at the recording desk: brought in from a file, changed cue by cue, given out."""

import json
import re
from dataclasses import dataclass

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.captions import (
    LONGEST_TEXT,
    BadCaptions,
    Change,
    Cue,
    as_webvtt,
    changed,
    tidy_text,
)
from webinar.domain.edit import Kept, clock
from webinar.domain.errors import DomainError
from webinar.domain.wording import plural
from webinar.media.captions import LARGEST_FILE, read_captions
from webinar.models import RecordingCaption, WebinarSession
from webinar.services import captions, recording_edits, recordings
from webinar.web.access import requires
from webinar.web.guards import csrf
from webinar.web.manage.blueprint import bp
from webinar.web.manage.recording_desk import act
from webinar.web.manage.recording_form import (
    Refused,
    file_of,
    kept_seen,
    recording_of,
    session_of,
    shelf,
    typed_form,
    typed_ms,
)

CUES_ON_A_PAGE = 100
_ROW = re.compile(r"was-(\d{1,3})")


@dataclass(frozen=True)
class CueRow:
    """A cue as it stands in the form: times as a viewer sees them, None if it was cut out."""

    cue: Cue
    was: str
    shown_from: int | None
    shown_to: int | None


@bp.post("/sessions/<public_id>/recording/captions")
@requires(Action.PUBLISH_RECORDINGS)
def recording_captions_import(public_id: str) -> ResponseReturnValue:
    """Captions from a file; those of the same language make room."""

    def bring_in() -> str:
        read = read_captions(file_of("captions", largest=LARGEST_FILE))
        language = request.form.get("language", "").strip()
        recording = recording_of(session_of(public_id))
        recording_edits.ensure_editable(recording)
        cues = _in_source_time(recording_edits.kept_now(recording), read.cues)
        _store(recording.id, language, request.form.get("label", "").strip(), cues)
        return (
            f"{plural(len(cues), 'cue')} read from {read.kind} in {read.encoding}. "
            "Look at a few of them beside the picture."
        )

    return act(public_id, "captions", bring_in, part="captions")


csrf.exempt(recording_captions_import)


@bp.get("/sessions/<public_id>/recording/captions/<language>")
@requires(Action.PUBLISH_RECORDINGS)
def recording_captions(public_id: str, language: str) -> ResponseReturnValue:
    """The cues beside the player, a hundred at a time."""
    return _page(session_of(public_id), language, Refused())


@bp.post("/sessions/<public_id>/recording/captions/<language>")
@requires(Action.PUBLISH_RECORDINGS)
def recording_captions_save(public_id: str, language: str) -> ResponseReturnValue:
    """Keep what was changed here, and what others changed elsewhere meanwhile."""
    session = session_of(public_id)
    try:
        recording = recordings.for_session(g.db, session.id) or recording_of(session)
        caption = captions.locked(g.db, recording.id, language)
        kept = recording_edits.ensure_seen(recording, kept_seen())
        before = captions.cues_of(caption, shelf().storage)
        changes = _changes(kept)
        after = changed(before, changes)
        if after == before:
            g.db.rollback()
            flash("Nothing was different, so nothing was changed.", "notice")
        else:
            if not after:
                raise BadCaptions("No cue would be left. Delete the captions instead.")
            _store(recording.id, language, caption.label, after)
            g.db.commit()
            flash(f"{plural(len(changes), 'change')} kept.", "success")
    except DomainError as refusal:
        g.db.rollback()
        refused = Refused({"": str(refusal)}, typed_form())
        return _page(session_of(public_id), language, refused), refusal.status
    return redirect(
        url_for(
            "manage.recording_captions",
            public_id=public_id,
            language=language,
            page=request.args.get("page", None),
        )
    )


@bp.post("/sessions/<public_id>/recording/captions/<language>/remove")
@requires(Action.PUBLISH_RECORDINGS)
def recording_captions_remove(public_id: str, language: str) -> ResponseReturnValue:
    """Delete captions."""

    def remove() -> str:
        recording = recording_of(session_of(public_id))
        name = captions.remove(g.db, recording.id, language, actor_id=current_user.id, now=g.now)
        g.db.commit()
        shelf().storage.delete(name)
        return "The captions are deleted."

    return act(public_id, "captions", remove, part="captions")


@bp.get("/sessions/<public_id>/recording/captions/<language>.vtt")
@requires(Action.PUBLISH_RECORDINGS)
def recording_captions_download(public_id: str, language: str) -> ResponseReturnValue:
    """All cues as WebVTT, for another program: times of the whole recording, before cuts."""
    recording = recording_of(session_of(public_id))
    caption = captions.of_language(g.db, recording.id, language)
    name = f"captions-{public_id}-{language}.vtt"
    return Response(
        as_webvtt(captions.cues_of(caption, shelf().storage)),
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{name}"',
        },
        content_type="text/vtt; charset=utf-8",
    )


def _page(session: WebinarSession, language: str, refused: Refused) -> str:
    recording = recording_of(session)
    recording_edits.ensure_editable(recording)
    caption = captions.of_language(g.db, recording.id, language)
    kept = recording_edits.kept_now(recording)
    cues = captions.cues_of(caption, shelf().storage)
    pages = max(1, -(-len(cues) // CUES_ON_A_PAGE))
    asked = request.args.get("page", "1")
    number = min(max(int(asked), 1), pages) if asked.isdecimal() and len(asked) < 6 else 1
    first = (number - 1) * CUES_ON_A_PAGE
    return render_template(
        "manage/recording_captions.html",
        session=session,
        recording=recording,
        caption=caption,
        kept_json=json.dumps(kept.stored()),
        rows=[_row(cue, kept) for cue in cues[first : first + CUES_ON_A_PAGE]],
        page=number,
        pages=pages,
        refused=refused,
        clock=clock,
    )


def _row(cue: Cue, kept: Kept) -> CueRow:
    is_shown = kept.shown_of(cue.from_ms) is not None or kept.shown_of(cue.to_ms - 1) is not None
    last = kept.shown_of(cue.to_ms - 1)
    start = kept.next_shown(cue.from_ms) if is_shown else None
    end = None if start is None else (last + 1 if last is not None else start + 1)
    was = json.dumps([cue.from_ms, cue.to_ms, cue.text], ensure_ascii=False)
    return CueRow(cue, was, start, end)


def _changes(kept: Kept) -> list[Change]:
    """What was typed, row by row, against what stood there. Raises BadCaptions, CannotCut."""
    changes = []
    for number in [int(found[1]) for name in request.form if (found := _ROW.fullmatch(name))]:
        was = _was(request.form[f"was-{number}"])
        now = None if request.form.get(f"remove-{number}") else _typed(str(number), was, kept)
        if now != was:
            changes.append(Change(was, now))
    if any(request.form.get(f"{part}-new", "").strip() for part in ("from", "to", "text")):
        changes.append(Change(None, _typed("new", None, kept)))
    return changes


def _typed(number: str, was: Cue | None, kept: Kept) -> Cue:
    row = _row(was, kept) if was else None
    text = tidy_text(request.form.get(f"text-{number}", ""))
    if not text:
        raise BadCaptions("A cue without words: write some, or mark it to be removed.")
    if len(text) > LONGEST_TEXT:
        raise BadCaptions(f"A cue has at most {LONGEST_TEXT} letters: “{text[:40]} …”.")
    start_typed, end_typed = (request.form.get(f"{part}-{number}", "") for part in ("from", "to"))
    if was is not None and row is not None:
        if row.shown_from is None or row.shown_to is None:
            # Cut out: it has no time to change.
            return Cue(was.from_ms, was.to_ms, text)
        if start_typed == clock(row.shown_from) and end_typed == clock(row.shown_to):
            return Cue(was.from_ms, was.to_ms, text)
    start = typed_ms(start_typed, row.shown_from if row else None)
    end = typed_ms(end_typed, row.shown_to if row else None)
    if end <= start or start >= kept.total_ms:
        raise BadCaptions(
            f"“{text[:40]}” would be shown from {clock(start)} to {clock(end)}; it must end after "
            f"it begins, before {clock(kept.total_ms)}."
        )
    return Cue(kept.source_of(start), kept.source_of(min(end, kept.total_ms) - 1) + 1, text)


def _was(raw: str) -> Cue:
    try:
        start, end, text = json.loads(raw)
        return Cue(int(start), int(end), str(text))
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise BadCaptions("The form came back damaged. Load the page again.") from None


def _in_source_time(kept: Kept, cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """A file is made for what viewers see: its times are shown time."""
    return tuple(
        Cue(kept.source_of(cue.from_ms), kept.source_of(cue.to_ms - 1) + 1, cue.text)
        for cue in cues
        if cue.from_ms < kept.total_ms
    )


def _store(recording_id: int, language: str, label: str, cues: tuple[Cue, ...]) -> RecordingCaption:
    if not cues:
        raise BadCaptions("All of these captions come after the recording's end.")
    before = {one.language: one.name for one in captions.listed(g.db, recording_id)}
    caption = captions.put(
        g.db,
        recording_id,
        language=language,
        label=label,
        cues=len(cues),
        actor_id=current_user.id,
        now=g.now,
    )
    storage = shelf().storage
    storage.put(caption.name, as_webvtt(cues).encode())
    g.db.commit()
    if language in before:
        storage.delete(before[language])
    return caption
