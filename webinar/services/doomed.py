"""What the files of a destroyed recording are called, in every store."""

from dataclasses import dataclass

from sqlalchemy import select

from webinar.db import DbSession
from webinar.models import Broadcast, ExternalRoom, MediaSegment, Recording, Upload


@dataclass(frozen=True)
class Doomed:
    """What the files of a destroyed recording are called."""

    recording_id: int
    public_id: str
    broadcast: str
    """Its public id; "" if it was imported."""
    broadcast_id: int
    segments: frozenset[str]
    """Names of the ciphertext that stays for a while; empty once it is deleted."""
    uploads: frozenset[str]
    """Public ids of the videos that were sent for it: plain, whole or in part."""
    rooms: frozenset[int]
    """Rooms of others it may be fetched from at this moment."""


def doomed_of(db: DbSession, recording_id: int) -> Doomed:
    """What its files are called."""
    recording = db.get_one(Recording, recording_id)
    broadcast = db.scalar(select(Broadcast).where(Broadcast.session_id == recording.session_id))
    names = (
        select(MediaSegment.name).where(MediaSegment.recording_id == recording.id)
        if recording.media_deleted_at is None
        else None
    )
    return Doomed(
        recording_id=recording.id,
        public_id=recording.public_id,
        broadcast=broadcast.public_id if broadcast else "",
        broadcast_id=broadcast.id if broadcast else 0,
        segments=frozenset(db.scalars(names)) if names is not None else frozenset(),
        uploads=frozenset(
            db.scalars(select(Upload.public_id).where(Upload.session_id == recording.session_id))
        ),
        rooms=frozenset(
            db.scalars(
                select(ExternalRoom.id).where(ExternalRoom.session_id == recording.session_id)
            )
        ),
    )
