"""Which forms of a recording there are to choose from."""

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.rendition import Rendition
from webinar.models import MediaSegment, Recording


def offered(db: DbSession, recording: Recording) -> tuple[Rendition, ...]:
    """The renditions with at least one segment that is served; none before the first picture."""
    asked = [
        select(MediaSegment.recording_id)
        .where(
            MediaSegment.recording_id == recording.id,
            MediaSegment.rendition == rendition,
            MediaSegment.generation == recording.generation,
        )
        .exists()
        for rendition in Rendition
    ]
    found = db.execute(select(*asked)).one()
    return tuple(one for one, is_there in zip(Rendition, found, strict=True) if is_there)
