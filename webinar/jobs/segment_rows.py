"""Packaged segments as rows, and rows as where to go on: media knows no tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.rendition import Rendition
from webinar.media.sealing import Position
from webinar.media.segments import PackagedSegment
from webinar.models import MediaSegment, Recording


@dataclass(frozen=True)
class Reached:
    """Where to go on in a take, and when what was filmed before it ended (None: nothing was)."""

    positions: Mapping[Rendition, Position]
    before_take: datetime | None


def segment_row(recording_id: int, segment: PackagedSegment) -> MediaSegment:
    """The row of a segment of this recording, not yet stored."""
    return MediaSegment(
        recording_id=recording_id,
        rendition=segment.rendition,
        generation=segment.generation,
        sequence=segment.sequence,
        take=segment.take,
        key_number=segment.key_number,
        iv=segment.iv,
        duration_seconds=segment.duration_seconds,
        take_offset_seconds=segment.take_offset_seconds,
        programme_time=segment.programme_time,
        discontinuity=segment.discontinuity,
        size=segment.size,
        name=segment.name,
        sha256=segment.sha256 or None,
    )


def reached_of(db: DbSession, recording: Recording, take: int) -> Reached:
    """How far every rendition has come, in the current generation of the recording."""
    positions: dict[Rendition, Position] = {}
    newest = db.execute(
        select(MediaSegment.rendition, func.max(MediaSegment.sequence))
        .where(MediaSegment.recording_id == recording.id)
        .group_by(MediaSegment.rendition)
    ).all()
    for rendition, sequence in newest:
        last = db.get_one(MediaSegment, (recording.id, rendition, sequence))
        end = last.take_offset_seconds + last.duration_seconds if last.take == take else 0.0
        positions[rendition] = Position(end, sequence + 1)
    before = db.scalar(
        select(MediaSegment)
        .where(
            MediaSegment.recording_id == recording.id,
            MediaSegment.rendition == Rendition.MAIN,
            MediaSegment.generation == recording.generation,
            MediaSegment.take < take,
        )
        .order_by(MediaSegment.sequence.desc())
        .limit(1)
    )
    if before is None:
        return Reached(positions, None)
    return Reached(positions, before.programme_time + timedelta(seconds=before.duration_seconds))
