"""Slides of a recording: pictures beside the video, each from a second of source time on."""

from sqlalchemy import select

from webinar.db import DbSession
from webinar.models import RecordingSlide


def listed(db: DbSession, recording_id: int) -> list[RecordingSlide]:
    """The slides by number; `starts_seconds` is null while nobody said when."""
    return list(
        db.scalars(
            select(RecordingSlide)
            .where(RecordingSlide.recording_id == recording_id)
            .order_by(RecordingSlide.number)
        )
    )
