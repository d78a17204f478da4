"""A published recording with everything that can be fetched of it, and who may fetch it."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Flask

from tests.builders import make_registration, make_session, make_user
from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.domain.rendition import Rendition
from webinar.domain.session import SessionStatus
from webinar.media.sealing import encrypt
from webinar.models import MediaSegment, Recording, RecordingCaption, RecordingSlide, User
from webinar.services import recordings
from webinar.tools import media_shelf

RECORDING = "abc123"
BASE = f"/recordings/{RECORDING}"
PLAIN = b"G" + bytes(187)
"""One packet of MPEG-TS."""
NOTHING_TO_DOWNLOAD = (
    f"{BASE}/download",
    f"{BASE}/recording.mp4",
    f"{BASE}/recording.ts",
    f"{BASE}/",
)


@dataclass(frozen=True)
class Evening:
    """The recording, when it closes, and the person who registered for it."""

    session_id: int
    session_public_id: str
    recording_id: int
    closes_at: datetime
    watcher: User
    page: str
    urls: tuple[str, ...]
    segments: tuple[str, ...]


def make_evening(app: Flask, db: DbSession, *, seconds: int = 4) -> Evening:
    """It ended an hour ago and was published a minute later; committed."""
    ended_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    session = make_session(
        db, starts_at=ended_at - timedelta(minutes=45), status=SessionStatus.ENDED
    )
    session.actual_started_at = session.starts_at
    session.actual_ended_at = ended_at
    watcher = make_user(db)
    make_registration(db, session, watcher)
    recording = Recording(
        public_id=RECORDING,
        session=session,
        state=RecordingState.PROCESSING,
        duration_seconds=float(seconds),
        created_at=ended_at,
    )
    db.add(recording)
    db.flush()
    segments = add_segments(app, db, recording, seconds=seconds)
    _add_papers(app, db, recording, watcher)
    recordings.ready(db, recording.id, has_poster=True, now=ended_at + timedelta(minutes=1))
    db.commit()
    assert recording.closes_at is not None
    urls = (
        f"{BASE}/recording.m3u8",
        f"{BASE}/live.m3u8",
        *(f"{BASE}/{rendition}/recording.m3u8" for rendition in Rendition),
        *(f"{BASE}/{rendition}/live.m3u8" for rendition in Rendition),
        f"{BASE}/keys/0",
        segments[0],
        f"{BASE}/captions/en.vtt",
        f"{BASE}/poster.jpg",
        f"{BASE}/slides/1.jpg",
    )
    page = f"/sessions/{session.public_id}/recording"
    return Evening(
        session.id,
        session.public_id,
        recording.id,
        recording.closes_at,
        watcher,
        page,
        urls,
        segments,
    )


def add_segments(
    app: Flask, db: DbSession, recording: Recording, *, seconds: int
) -> tuple[str, ...]:
    """One segment a second of each rendition, encrypted under key 0; their addresses."""
    shelf = media_shelf(app.extensions["config"])
    key = shelf.keys.create(recording.public_id, 0)
    addresses = []
    for rendition in Rendition:
        for sequence in range(seconds):
            iv = secrets.token_bytes(16)
            sealed = encrypt(PLAIN, key=key, iv=iv)
            file = f"{rendition}-{sequence:06d}-0011aabb.ts"
            name = f"recordings/{recording.public_id}/{file}"
            shelf.storage.put(name, sealed)
            db.add(
                MediaSegment(
                    recording_id=recording.id,
                    rendition=rendition,
                    sequence=sequence,
                    take=0,
                    key_number=0,
                    iv=iv.hex(),
                    duration_seconds=1.0,
                    take_offset_seconds=float(sequence),
                    programme_time=recording.session.starts_at + timedelta(seconds=sequence),
                    size=len(sealed),
                    name=name,
                )
            )
            addresses.append(f"/recordings/{recording.public_id}/segments/{file}")
    return tuple(addresses)


def _add_papers(app: Flask, db: DbSession, recording: Recording, maker: User) -> None:
    storage = media_shelf(app.extensions["config"]).storage
    folder = f"recordings/{recording.public_id}"
    storage.put(f"{folder}/poster.jpg", b"picture")
    storage.put(f"{folder}/slide-1.jpg", b"slide")
    storage.put(f"{folder}/en.vtt", b"WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nGood evening.\n")
    db.add(
        RecordingSlide(
            recording_id=recording.id, number=1, starts_seconds=0.0, name=f"{folder}/slide-1.jpg"
        )
    )
    db.add(
        RecordingCaption(
            recording_id=recording.id,
            language="en",
            label="English",
            name=f"{folder}/en.vtt",
            cues=1,
            made_by_id=maker.id,
            made_at=recording.created_at,
            changed_at=recording.created_at,
        )
    )
