"""A better video in place of a recording: same address, window and evidence, other segments.

It is packaged beside the one that is watched, as the next generation; then the recording points
there. Whoever is in the middle of the former one sees it to its end: it stays for a day. What
belongs to no generation that is watched, was watched today or is made is swept away.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select

from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.domain.recording import RecordingState
from webinar.domain.rendition import Rendition
from webinar.domain.upload import UploadPurpose, UploadState
from webinar.models import MediaSegment, Recording, Upload
from webinar.services import audit, recordings, redeciding
from webinar.services.uploads import REPLACEABLE

SAME_LENGTH_SECONDS = 1.0
# A page that was opened before the swap goes on with the playlist it has.
FORMER_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Replacement:
    """A generation that is being packaged; its segments are numbered from `first` on."""

    recording_id: int
    public_id: str
    generation: int
    first: int
    started_at: datetime


def begin(db: DbSession, recording_id: int) -> Replacement:
    """The next generation of a recording, past whatever was broken off before."""
    recording = db.get_one(Recording, recording_id, with_for_update=True, populate_existing=True)
    _ensure_replaceable(recording)
    last, newest = db.execute(
        select(func.max(MediaSegment.sequence), func.max(MediaSegment.generation)).where(
            MediaSegment.recording_id == recording.id
        )
    ).one()
    session = recording.session
    return Replacement(
        recording_id=recording.id,
        public_id=recording.public_id,
        generation=max(recording.generation, newest or 0) + 1,
        first=0 if last is None else last + 1,
        started_at=session.actual_started_at or session.starts_at,
    )


def swap(
    db: DbSession,
    replacement: Replacement,
    *,
    has_poster: bool,
    actor_id: int | None,
    now: datetime,
) -> Recording:
    """Show the new generation from now on. What was cut is whole again if the length differs."""
    recording = db.get_one(
        Recording, replacement.recording_id, with_for_update=True, populate_existing=True
    )
    _ensure_replaceable(recording)
    before = recording.duration_seconds
    recording.generation = replacement.generation
    recording.replaced_at = now
    recording.duration_seconds = (
        db.scalar(
            select(func.sum(MediaSegment.duration_seconds)).where(
                MediaSegment.recording_id == recording.id,
                MediaSegment.generation == replacement.generation,
                MediaSegment.rendition == Rendition.MAIN,
            )
        )
        or 0.0
    )
    if abs(recording.duration_seconds - before) > SAME_LENGTH_SECONDS:
        recording.kept = None
    recording.has_poster = has_poster or recording.has_poster
    redeciding.mark_recorded(db, recording.session_id, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="recording replaced by a better file",
        subject=f"session {recording.session_id}",
        before={"seconds": round(before, 1)},
        after={"seconds": round(recording.duration_seconds, 1)},
        now=now,
    )
    if recording.state is RecordingState.READY and before == 0:
        # There was nothing to publish when the broadcast ended.
        return recordings.ready(db, recording.id, has_poster=recording.has_poster, now=now)
    return recording


def leftovers(db: DbSession, *, now: datetime) -> list[int]:
    """Ids of recordings with segments nobody watches, while no other video is packaged."""
    made = select(Upload.id).where(
        Upload.session_id == Recording.session_id,
        Upload.purpose == UploadPurpose.REPLACE,
        Upload.state == UploadState.WORKING,
    )
    return list(
        db.scalars(
            select(Recording.id)
            .join(MediaSegment, MediaSegment.recording_id == Recording.id)
            .where(_is_left_over(now), ~made.exists())
            .distinct()
        )
    )


def left_over(db: DbSession, recording_id: int, *, now: datetime) -> list[str]:
    """Names in the storage of the segments nobody watches any more."""
    return list(
        db.scalars(
            select(MediaSegment.name)
            .join(Recording, Recording.id == MediaSegment.recording_id)
            .where(Recording.id == recording_id, _is_left_over(now))
        )
    )


def forget(db: DbSession, recording_id: int, names: list[str]) -> None:
    """Forget these segments; their bytes are gone."""
    for start in range(0, len(names), 500):
        db.execute(
            delete(MediaSegment).where(
                MediaSegment.recording_id == recording_id,
                MediaSegment.name.in_(names[start : start + 500]),
            )
        )


def _ensure_replaceable(recording: Recording) -> None:
    if recording.state not in REPLACEABLE:
        raise DomainError(f"A recording that is {recording.state} cannot be replaced.")


def _is_left_over(now: datetime) -> ColumnElement[bool]:
    """Of a generation that was broken off, or was replaced long enough ago."""
    return or_(
        MediaSegment.generation > Recording.generation,
        (MediaSegment.generation < Recording.generation)
        & or_(Recording.replaced_at.is_(None), Recording.replaced_at <= now - FORMER_KEPT),
    )
