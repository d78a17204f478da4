"""A session with its recording, its people and their cookies, for benchmarks of its media."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from config import Config
from tests.builders import make_registration, make_user
from tests.evidence import make_ended_session, make_recording
from webinar.app import create_app
from webinar.db import open_db
from webinar.domain.rendition import Rendition
from webinar.models import MediaSegment, Recording, User
from webinar.tools import media_shelf

SECRET = "a secret of the benchmarks, long enough"


@dataclass(frozen=True)
class Evening:
    """What the askers need to know."""

    public_id: str
    session_id: int
    cookies: tuple[str, ...]
    segments: tuple[str, ...]


def prepare(config: Config, *, viewers: int, segments: int, segment_bytes: int) -> Evening:
    """A recording that is open, with one key and `segments` of so many bytes each."""
    app = create_app(config)
    shelf = media_shelf(config)
    now = datetime.now(UTC)
    with open_db() as db:
        session = make_ended_session(db)
        recording = make_recording(db, session, closes_at=now + timedelta(days=1))
        recording.opens_at = now
        shelf.keys.create(recording.public_id, 0)
        names = []
        for number in range(segments):
            row = segment_row(recording, number, filmed_at=now, size=segment_bytes)
            db.add(row)
            shelf.storage.put(row.name, secrets.token_bytes(segment_bytes))
            names.append(row.name.rpartition("/")[2])
        people = [make_user(db) for _ in range(viewers)]
        for person in people:
            make_registration(db, session, person)
        db.commit()
        cookies = tuple(cookie_of(app, person) for person in people)
        evening = Evening(recording.public_id, session.id, cookies, tuple(names))
    app.extensions["engine"].dispose()
    return evening


def segment_row(
    recording: Recording, number: int, *, filmed_at: datetime, size: int, seconds: float = 1.0
) -> MediaSegment:
    """A row as the packager writes it."""
    name = f"recordings/{recording.public_id}/main-{number:06d}-{secrets.token_hex(4)}.ts"
    return MediaSegment(
        recording_id=recording.id,
        rendition=Rendition.MAIN,
        sequence=number,
        take=0,
        key_number=0,
        iv=secrets.token_hex(16),
        duration_seconds=seconds,
        take_offset_seconds=number * seconds,
        programme_time=filmed_at,
        size=size,
        name=name,
    )


def cookie_of(app: Flask, person: User) -> str:
    """The header line of a browser in which this person is signed in."""
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    signed = serializer.dumps({"_user_id": person.get_id(), "_fresh": True})
    return f"Cookie: {app.config['SESSION_COOKIE_NAME']}={signed}"
