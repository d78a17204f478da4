"""Captions of a recording, by language; their words lie in the storage, in source time.

Who changes them stores the words under the name that the changed row gives, then commits, then
deletes the words from before.
"""

import secrets
from datetime import datetime
from typing import Protocol

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.captions import (
    Cue,
    as_webvtt,
    ensure_language,
    read_webvtt,
    shown_cues,
)
from webinar.domain.edit import kept_of
from webinar.domain.errors import NotFound
from webinar.models import Recording, RecordingCaption
from webinar.services import audit, recording_edits


class Shelf(Protocol):
    """Where the words lie."""

    def read(self, name: str) -> bytes:
        """The bytes under this name."""


def listed(db: DbSession, recording_id: int) -> list[RecordingCaption]:
    """The captions there are, by label."""
    return list(
        db.scalars(
            select(RecordingCaption)
            .where(RecordingCaption.recording_id == recording_id)
            .order_by(RecordingCaption.label, RecordingCaption.id)
        )
    )


def of_language(db: DbSession, recording_id: int, language: str) -> RecordingCaption:
    """The captions in this language; raises NotFound."""
    found = _find(db, recording_id, language)
    if found is None:
        raise NotFound("There are no captions in this language.")
    return found


def cues_of(caption: RecordingCaption, storage: Shelf) -> tuple[Cue, ...]:
    """The cues in source time."""
    return read_webvtt(storage.read(caption.name).decode())


def shown(db: DbSession, recording: Recording, language: str, storage: Shelf) -> str:
    """The captions as WebVTT in shown time: what a player loads. Raises NotFound."""
    caption = of_language(db, recording.id, language)
    return as_webvtt(shown_cues(cues_of(caption, storage), kept_of(recording.kept)))


def put(
    db: DbSession,
    recording_id: int,
    *,
    language: str,
    label: str,
    cues: int,
    actor_id: int,
    now: datetime,
) -> RecordingCaption:
    """A row for so many cues in this language, new or in place of those there are.

    Raises BadCaptions for what is no language.
    """
    ensure_language(language, label)
    recording = recording_edits.locked(db, recording_id)
    caption = _find(db, recording_id, language)
    before = None if caption is None else {"revision": caption.revision, "cues": caption.cues}
    if caption is None:
        caption = RecordingCaption(
            recording_id=recording_id,
            language=language,
            revision=0,
            made_by_id=actor_id,
            made_at=now,
        )
        db.add(caption)
    caption.label = label
    _renew(caption, recording, cues=cues, now=now)
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="captions changed" if before else "captions imported",
        subject=f"session {recording.session_id}",
        before=before,
        after={"language": language, "revision": caption.revision, "cues": cues},
        now=now,
    )
    return caption


def locked(db: DbSession, recording_id: int, language: str) -> RecordingCaption:
    """The captions, for one who reads their words and writes them anew; raises NotFound."""
    # Whoever edits anything of a recording waits here, so the row stays as it is.
    recording_edits.locked(db, recording_id)
    return of_language(db, recording_id, language)


def remove(db: DbSession, recording_id: int, language: str, *, actor_id: int, now: datetime) -> str:
    """Take captions away; the name of their words, to delete."""
    recording = recording_edits.locked(db, recording_id)
    caption = of_language(db, recording_id, language)
    name = caption.name
    audit.write(
        db,
        actor_id=actor_id,
        action="captions removed",
        subject=f"session {recording.session_id}",
        before={"language": language, "revision": caption.revision, "cues": caption.cues},
        now=now,
    )
    db.delete(caption)
    db.flush()
    return name


def _renew(caption: RecordingCaption, recording: Recording, *, cues: int, now: datetime) -> None:
    caption.revision += 1
    caption.cues = cues
    caption.changed_at = now
    # Plain, beside segments that a bucket may hand out to anybody: not to be guessed.
    what = f"{caption.language}-{caption.revision}-{secrets.token_hex(8)}"
    caption.name = f"recordings/{recording.public_id}/captions-{what}.vtt"


def _find(db: DbSession, recording_id: int, language: str) -> RecordingCaption | None:
    return db.scalar(
        select(RecordingCaption)
        .where(RecordingCaption.recording_id == recording_id, RecordingCaption.language == language)
        .execution_options(populate_existing=True)
    )
