"""The window at every byte: playlist, key, segment, poster."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import make_registration, make_session, make_user
from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import MediaSegment, Recording, User
from webinar.services import recordings
from webinar.tools import media_shelf

SignIn = Callable[[User], FlaskClient]


@dataclass(frozen=True)
class Published:
    """A recording with one segment, and somebody who may watch it."""

    session_id: int
    public_id: str
    closes_at: datetime
    watcher: User
    urls: tuple[str, ...]


@pytest.fixture
def published(app: Flask, db: DbSession) -> Published:
    ended_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    session = make_session(
        db, starts_at=ended_at - timedelta(minutes=45), status=SessionStatus.ENDED
    )
    session.actual_ended_at = ended_at
    watcher = make_user(db)
    make_registration(db, session, watcher)
    recording = Recording(
        public_id="abc123",
        session=session,
        state=RecordingState.PROCESSING,
        duration_seconds=2.0,
        created_at=ended_at,
    )
    db.add(recording)
    db.flush()
    name = "recordings/abc123/000000-0011.ts"
    db.add(
        MediaSegment(
            recording_id=recording.id,
            sequence=0,
            take=0,
            key_number=0,
            iv="0" * 32,
            duration_seconds=2.0,
            take_offset_seconds=0.0,
            programme_time=session.starts_at,
            size=9,
            name=name,
        )
    )
    config = app.extensions["config"]
    shelf = media_shelf(config)
    shelf.storage.put(name, b"encrypted")
    shelf.storage.put("recordings/abc123/poster.jpg", b"picture")
    shelf.keys.create("abc123", 0)
    recordings.ready(db, recording.id, has_poster=True, now=ended_at + timedelta(minutes=1))
    db.commit()
    assert recording.closes_at is not None
    base = "/recordings/abc123"
    return Published(
        session.id,
        session.public_id,
        recording.closes_at,
        watcher,
        (
            f"{base}/recording.m3u8",
            f"{base}/keys/0",
            f"{base}/segments/000000-0011.ts",
            f"{base}/poster.jpg",
        ),
    )


def statuses(client: FlaskClient, published: Published) -> list[int]:
    return [client.get(url).status_code for url in published.urls]


def test_a_registered_person_gets_every_byte(published: Published, signed_in_as: SignIn) -> None:
    assert statuses(signed_in_as(published.watcher), published) == [200] * 4


def test_a_stranger_is_told_to_sign_in_and_gets_nothing(
    published: Published, client: FlaskClient
) -> None:
    assert statuses(client, published) == [401] * 4


def test_a_person_without_a_place_gets_nothing(
    published: Published, db: DbSession, signed_in_as: SignIn
) -> None:
    other = make_user(db)
    db.commit()

    assert statuses(signed_in_as(other), published) == [403] * 4


def test_at_the_second_it_closes_every_byte_is_gone_also_by_addresses_got_before(
    published: Published, signed_in_as: SignIn
) -> None:
    client = signed_in_as(published.watcher)

    with time_machine.travel(published.closes_at - timedelta(seconds=1), tick=False):
        before = statuses(signed_in_as(published.watcher), published)
    with time_machine.travel(published.closes_at, tick=False):
        at_closing = statuses(signed_in_as(published.watcher), published)
        page = signed_in_as(published.watcher).get(f"/sessions/{published.public_id}/recording")

    assert before == [200] * 4
    assert at_closing == [410] * 4
    assert page.status_code == 410
    assert "This recording has closed" in page.text
    assert client.get(published.urls[0]).status_code == 200


def test_an_import_in_the_making_is_nobodys(
    db: DbSession, published: Published, signed_in_as: SignIn
) -> None:
    recording = recordings.by_public_id(db, "abc123")
    recording.state = RecordingState.PROCESSING
    recording.opens_at = recording.closes_at = None
    db.commit()

    client = signed_in_as(published.watcher)

    urls = ("/recordings/abc123/live.m3u8", *published.urls)
    assert [client.get(url).status_code for url in urls] == [403] * 5


def test_the_key_is_never_kept_by_anybody(published: Published, signed_in_as: SignIn) -> None:
    client = signed_in_as(published.watcher)

    headers = [client.get(url).headers["Cache-Control"] for url in published.urls]

    assert headers == [
        "no-store",
        "no-store",
        "private, max-age=86400, immutable",
        "no-store",
    ]


def test_unknown_recordings_keys_and_names_are_404_and_no_way_out(
    published: Published, signed_in_as: SignIn
) -> None:
    client = signed_in_as(published.watcher)

    answers = [
        client.get("/recordings/unknown/recording.m3u8"),
        client.get("/recordings/abc123/keys/7"),
        client.get("/recordings/abc123/segments/..%2f..%2fkeys%2fabc123%2f000000.key"),
        client.get("/recordings/abc123/segments/.hidden"),
    ]

    assert [a.status_code for a in answers] == [404] * 4


def test_the_playlist_names_keys_and_segments_of_this_site_only(
    published: Published, signed_in_as: SignIn
) -> None:
    text = signed_in_as(published.watcher).get(published.urls[0]).text

    assert 'URI="/recordings/abc123/keys/0"' in text
    assert "\n/recordings/abc123/segments/000000-0011.ts\n" in text
    assert text.endswith("#EXT-X-ENDLIST\n")


def test_after_the_keys_are_destroyed_nothing_opens_it_again(
    app: Flask, published: Published, signed_in_as: SignIn
) -> None:
    config = app.extensions["config"]
    media_shelf(config).keys.destroy_all("abc123")

    answer = signed_in_as(published.watcher).get(published.urls[1])

    assert answer.status_code == 410
