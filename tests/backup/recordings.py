"""A recording that lies there with all that belongs to it."""

from config import Config
from tests.builders import make_user
from tests.evidence import AFTER, make_ended_session
from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.models import MediaSegment, RecordingCaption
from webinar.services import recordings
from webinar.tools import media_shelf


def published(db: DbSession, config: Config) -> str:
    """A recording that can be watched: two segments, keys, a poster and captions."""
    session = make_ended_session(db)
    recording = recordings.begin_import(db, session.id, now=AFTER)
    recording.state = RecordingState.PUBLISHED
    recording.opens_at, recording.closes_at = session.ends_at, AFTER.replace(year=2027)
    db.flush()
    shelf = media_shelf(config)
    folder = f"recordings/{recording.public_id}"
    for number in range(2):
        name = f"{folder}/main-{number:06d}-aa.ts"
        shelf.keys.create(recording.public_id, number)
        shelf.storage.put(name, b"noise" * 10)
        db.add(
            MediaSegment(
                recording_id=recording.id,
                sequence=number,
                take=0,
                key_number=number,
                iv="0" * 32,
                duration_seconds=2.0,
                take_offset_seconds=2.0 * number,
                programme_time=session.starts_at,
                size=50,
                name=name,
            )
        )
    shelf.storage.put(f"{folder}/poster.jpg", b"a picture")
    captions = f"{folder}/captions/en.vtt"
    shelf.storage.put(captions, b"WEBVTT")
    db.add(
        RecordingCaption(
            recording_id=recording.id,
            language="en",
            label="English",
            name=captions,
            cues=0,
            made_by_id=make_user(db).id,
            made_at=AFTER,
            changed_at=AFTER,
        )
    )
    db.commit()
    return recording.public_id
