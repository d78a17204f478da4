"""A packaged segment as a row: media knows no tables, tables know no media."""

from webinar.media.segments import PackagedSegment
from webinar.models import MediaSegment


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
