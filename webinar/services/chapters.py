"""Chapters of a recording: places with a name, in source time."""

from sqlalchemy import select

from webinar.db import DbSession
from webinar.models import RecordingChapter


def listed(db: DbSession, recording_id: int) -> list[RecordingChapter]:
    """The chapters in their order; seconds are of the whole recording, before cuts."""
    return list(
        db.scalars(
            select(RecordingChapter)
            .where(RecordingChapter.recording_id == recording_id)
            .order_by(RecordingChapter.starts_seconds)
        )
    )
