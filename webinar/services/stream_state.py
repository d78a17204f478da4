"""What playlists say beside their segments: how heavy each rendition is, and whether more comes."""

from dataclasses import dataclass

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.media_gate import ON_AIR
from webinar.domain.rendition import Rendition
from webinar.models import Broadcast, BroadcastTake, MediaSegment, Recording


@dataclass(frozen=True)
class Weight:
    """Bits per second of a rendition: of its heaviest segment, and on average."""

    peak: int
    average: int


def weights(db: DbSession, recording: Recording) -> dict[Rendition, Weight]:
    """Of each rendition that has a segment that is served, the whole picture first."""
    rows = db.execute(
        select(
            MediaSegment.rendition,
            func.max(MediaSegment.size * 8 / MediaSegment.duration_seconds),
            func.sum(MediaSegment.size) * 8 / func.sum(MediaSegment.duration_seconds),
        )
        .where(
            MediaSegment.recording_id == recording.id,
            MediaSegment.generation == recording.generation,
            MediaSegment.duration_seconds > 0,
        )
        .group_by(MediaSegment.rendition)
    )
    found = {rendition: Weight(round(peak), round(average)) for rendition, peak, average in rows}
    return {rendition: found[rendition] for rendition in Rendition if rendition in found}


def more_comes(db: DbSession, recording: Recording) -> bool:
    """True while a segment may still be added: it is on air, or the end is being packaged."""
    if recording.state not in ON_AIR:
        return False
    broadcast = db.scalar(select(Broadcast).where(Broadcast.session_id == recording.session_id))
    if broadcast is None or broadcast.packaged_at is not None:
        return False
    if broadcast.stopped_at is None:
        return True
    unpackaged = select(BroadcastTake.id).where(
        BroadcastTake.broadcast_id == broadcast.id, BroadcastTake.packaged_at.is_(None)
    )
    return bool(db.scalar(select(unpackaged.exists())))
