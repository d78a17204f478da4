"""Captions of a recording, by language; their words lie in the storage, in source time."""

from typing import Protocol

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.captions import Cue, as_webvtt, read_webvtt, shown_cues
from webinar.domain.edit import kept_of
from webinar.domain.errors import NotFound
from webinar.models import Recording, RecordingCaption


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
    found = db.scalar(
        select(RecordingCaption).where(
            RecordingCaption.recording_id == recording_id, RecordingCaption.language == language
        )
    )
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
