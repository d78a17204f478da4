"""Who gets past the doors in front of Flask, what may be kept, and what names lead nowhere."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from tests.builders import make_registration, make_session, make_user
from tests.web.evening import BASE, PLAIN, Evening, make_evening
from webinar.app import create_app
from webinar.db import DbSession
from webinar.domain import media_gate
from webinar.domain.access import Role
from webinar.domain.errors import DomainError
from webinar.domain.recording import RecordingState
from webinar.domain.rendition import Rendition
from webinar.domain.session import SessionStatus
from webinar.models import Broadcast, MediaSegment, Recording, User, WebinarSession
from webinar.services import accounts, media_access, recordings
from webinar.web.direct_query import DirectQuery

SignIn = Callable[[User], FlaskClient]
ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOT = (f"{BASE}/keys/0", f"{BASE}/main/live.m3u8", f"{BASE}/segments/main-000000-0011aabb.ts")


@pytest.fixture
def evening(app: Flask, db: DbSession) -> Evening:
    return make_evening(app, db)


def statuses(client: FlaskClient) -> list[int]:
    return [client.get(url).status_code for url in HOT]


@ONE_DATABASE
def test_a_person_with_a_place_gets_key_playlist_and_segment(
    evening: Evening, signed_in_as: SignIn
) -> None:
    client = signed_in_as(evening.watcher)

    key, playlist, segment = (client.get(url) for url in HOT)

    assert (key.status_code, len(key.data)) == (200, 16)
    assert (playlist.status_code, playlist.content_type) == (200, "application/vnd.apple.mpegurl")
    assert (segment.status_code, segment.content_type) == (200, "video/mp2t")


@ONE_DATABASE
def test_nobody_without_a_cookie_of_ours_gets_in(evening: Evening, client: FlaskClient) -> None:
    forged = {"Cookie": "webinar=eyJfdXNlcl9pZCI6IjEuMCJ9.abc.def; other=1"}

    answers = [client.get(url) for url in HOT] + [client.get(url, headers=forged) for url in HOT]

    assert [each.status_code for each in answers] == [401] * 6
    assert {each.headers["Cache-Control"] for each in answers} == {"no-store"}


def test_another_persons_cookie_opens_only_what_that_person_may_have(
    evening: Evening, db: DbSession, signed_in_as: SignIn
) -> None:
    other = make_user(db)
    db.commit()

    assert statuses(signed_in_as(other)) == [403] * 3


@ONE_DATABASE
def test_a_sign_in_of_five_weeks_ago_counts_for_nothing(
    evening: Evening, signed_in_as: SignIn
) -> None:
    with time_machine.travel(datetime.now(UTC) - timedelta(days=35), tick=False):
        client = signed_in_as(evening.watcher)

    assert statuses(client) == [401] * 3


def test_who_signed_out_everywhere_loses_keys_at_once_and_the_rest_within_five_seconds(
    evening: Evening, db: DbSession, signed_in_as: SignIn
) -> None:
    client = signed_in_as(evening.watcher)
    now = datetime.now(UTC)

    with time_machine.travel(now, tick=False):
        before = statuses(client)
        accounts.end_sign_ins(db, evening.watcher.id, now=now)
        db.commit()
        key_at_once = client.get(HOT[0]).status_code
    with time_machine.travel(now + timedelta(seconds=5), tick=False):
        after = statuses(client)

    assert (before, key_at_once, after) == ([200] * 3, 401, [401] * 3)


def test_who_gives_the_place_back_loses_keys_at_once_and_the_rest_within_five_seconds(
    evening: Evening, db: DbSession, signed_in_as: SignIn
) -> None:
    other = make_user(db)
    place = make_registration(db, db.get_one(WebinarSession, evening.session_id), other)
    db.commit()
    client = signed_in_as(other)
    now = datetime.now(UTC)

    with time_machine.travel(now, tick=False):
        before = statuses(client)
        place.cancelled_at = now
        db.commit()
        key_at_once = client.get(HOT[0]).status_code
    with time_machine.travel(now + timedelta(seconds=5), tick=False):
        after = statuses(client)

    assert (before, key_at_once, after) == ([200] * 3, 403, [403] * 3)


@ONE_DATABASE
def test_what_is_plain_or_opens_something_is_kept_by_nobody_and_ciphertext_by_its_person(
    evening: Evening, signed_in_as: SignIn
) -> None:
    client = signed_in_as(evening.watcher)

    kept = {url: client.get(url).headers["Cache-Control"] for url in evening.urls}

    segment = evening.segments[0]
    assert kept.pop(segment) == "private, max-age=86400, immutable"
    assert set(kept.values()) == {"no-store"}


@ONE_DATABASE
def test_a_segment_without_its_key_is_noise(evening: Evening, signed_in_as: SignIn) -> None:
    client = signed_in_as(evening.watcher)
    playlist = client.get(f"{BASE}/main/recording.m3u8").text
    iv = bytes.fromhex(playlist.partition("IV=0x")[2][:32])
    sealed = client.get(evening.segments[0]).data
    key = client.get(f"{BASE}/keys/0").data

    def opened(with_key: bytes) -> bytes:
        decryptor = Cipher(AES(with_key), CBC(iv)).decryptor()
        return decryptor.update(sealed) + decryptor.finalize()

    assert opened(key).startswith(PLAIN)
    assert PLAIN[:4] not in sealed
    assert not opened(bytes(16)).startswith(PLAIN)


PATH_TRICKS = (
    "..%2f..%2f..%2fkeys%2fabc123%2f000000.key",
    "%2e%2e/%2e%2e/keys/abc123/000000.key",
    "../../../etc/passwd",
    "..\\..\\etc\\passwd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "main-000000-0011aabb.ts%00.jpg",
    "%00",
    "main-000000-0011aabb.ts/",
    "./main-000000-0011aabb.ts",
    ".main-000000-0011aabb.ts",
    "main-000000-0011aabb",
    "main-000000-0011aabb.ts%20",
    "main-000000-0011aabb.ts%0a",
    "MAIN-000000-0011AABB.TS",
    "poster.jpg",
    "en.vtt",
    "slide-1.jpg",
    "*.ts",
    "~root.ts",
    "%c0%ae%c0%ae/x.ts",
    "%f0%9f%8e%a5.ts",
    "a" * 5_000 + ".ts",
    "",
)


@ONE_DATABASE
def test_no_name_leads_anywhere_but_to_a_segment(evening: Evening, signed_in_as: SignIn) -> None:
    client = signed_in_as(evening.watcher)

    answers = {name: client.get(f"{BASE}/segments/{name}") for name in PATH_TRICKS}

    assert {name: each.status_code for name, each in answers.items()} == dict.fromkeys(
        PATH_TRICKS, 404
    )


@ONE_DATABASE
def test_no_number_and_no_name_of_a_recording_leads_to_a_key_but_the_right_one(
    evening: Evening, signed_in_as: SignIn
) -> None:
    client = signed_in_as(evening.watcher)
    numbers = (
        "1",
        "-1",
        "00",
        "0x0",
        "0.key",
        "1e3",
        "%d9%a0",
        "9" * 7,
        "0/0",
        "..%2f0",
        "",
        "0%00",
    )
    recordings_of_nobody = (
        "ABC123",
        "abc123%00",
        "abc12",
        "..",
        "%2e%2e",
        ".",
        "a" * 300,
        "abc123 ",
    )

    wrong_numbers = {n: client.get(f"{BASE}/keys/{n}").status_code for n in numbers if n != "00"}
    wrong_names = {
        n: client.get(f"/recordings/{n}/keys/0").status_code for n in recordings_of_nobody
    }

    assert set(wrong_numbers.values()) == {404}
    assert set(wrong_names.values()) == {404}


@ONE_DATABASE
def test_the_doors_are_only_read(evening: Evening, signed_in_as: SignIn) -> None:
    client = signed_in_as(evening.watcher)

    heads = [client.head(url) for url in HOT]
    others = [client.open(url, method=m).status_code for url in HOT for m in ("POST", "DELETE")]

    assert [(each.status_code, each.data) for each in heads] == [(200, b"")] * 3
    assert set(others) == {405}


def test_the_question_in_one_row_is_answered_as_pages_answer_it(
    app: Flask, evening: Evening, db: DbSession
) -> None:
    recording = db.get_one(Recording, evening.recording_id)
    session = recording.session
    people = [evening.watcher, make_user(db), make_user(db, roles=(Role.ORGANISER,))]
    query = DirectQuery(app.extensions["engine"], media_access.question())
    window = (recording.opens_at, recording.closes_at)
    now = datetime.now(UTC)

    found, expected = [], []
    for state in RecordingState:
        recording.state = state
        is_published = state in (
            RecordingState.PUBLISHED,
            RecordingState.CLOSED,
            RecordingState.DESTROYED,
        )
        recording.opens_at, recording.closes_at = window if is_published else (None, None)
        for started_at in (None, session.starts_at):
            session.actual_started_at = started_at
            db.commit()
            for person in people:
                found.append(_by_row(query, person, now))
                expected.append(_by_pages(db, recording, person, now))

    assert found == expected
    assert set(found) == {"yes", "NotRegistered", "RecordingNotOpen", "RecordingClosed"}


def _by_row(query: DirectQuery, person: User, now: datetime) -> str:
    row = query.one({"user_id": person.id, "public_id": "abc123"})
    assert row is not None
    try:
        media_gate.decide(media_access.facts_in(row), generation=0, now=now)
    except DomainError as refusal:
        return type(refusal).__name__
    return "yes"


def _by_pages(db: DbSession, recording: Recording, person: User, now: datetime) -> str:
    try:
        if recording.state in media_gate.ON_AIR and recording.session.actual_started_at:
            recordings.ensure_place(db, recording.session, person.id)
        else:
            recordings.access(db, recording, person.id, now=now)
    except DomainError as refusal:
        return type(refusal).__name__
    return "yes"


def test_a_database_that_dropped_the_connection_is_asked_anew(app: Flask, evening: Evening) -> None:
    query = DirectQuery(app.extensions["engine"], media_access.question())
    values = {"user_id": evening.watcher.id, "public_id": "abc123"}
    first = query.one(values)
    for connection in query._idle:
        connection.close()

    assert query.one(values) == first


@ONE_DATABASE
def test_the_whole_and_the_small_picture_are_offered_and_sound_has_its_own_address(
    evening: Evening, signed_in_as: SignIn
) -> None:
    client = signed_in_as(evening.watcher)

    master = client.get(f"{BASE}/recording.m3u8").text
    audio = client.get(f"{BASE}/audio/recording.m3u8").text

    addresses = [line for line in master.splitlines() if not line.startswith("#")]
    assert [each.partition("?")[0] for each in addresses] == [
        f"{BASE}/main/recording.m3u8",
        f"{BASE}/low/recording.m3u8",
    ]
    assert "RESOLUTION=640x360" in master
    assert audio.count("/segments/audio-") == 4
    assert client.get(f"{BASE}/huge/recording.m3u8").status_code == 404
    assert client.get(f"{BASE}/huge/live.m3u8").status_code == 404


@ONE_DATABASE
def test_what_was_cut_out_is_in_no_playlist_of_any_rendition(
    evening: Evening, db: DbSession, signed_in_as: SignIn
) -> None:
    db.get_one(Recording, evening.recording_id).kept = [[0, 1000], [3000, 4000]]
    db.commit()
    client = signed_in_as(evening.watcher)

    texts = [client.get(f"{BASE}/{each}/recording.m3u8").text for each in Rendition]

    assert [text.count("#EXTINF") for text in texts] == [2, 2, 2]
    assert [text.count("#EXT-X-DISCONTINUITY\n") for text in texts] == [1, 1, 1]
    assert [f"{each}-000001" in text for each, text in zip(Rendition, texts, strict=True)] == (
        [False] * 3
    )


@ONE_DATABASE
def test_ciphertext_comes_from_elsewhere_if_the_settings_say_so_and_keys_never_do(
    config: Config, evening: Evening, signed_in_as: SignIn
) -> None:
    elsewhere = create_app(replace(config, MEDIA_URL="https://media.example.net/talks/"))
    client = elsewhere.test_client()
    here = signed_in_as(evening.watcher)
    cookie = here.get_cookie("webinar")
    assert cookie is not None
    client.set_cookie("webinar", cookie.value)

    texts = [client.get(f"{BASE}/main/{kind}.m3u8").text for kind in ("recording", "live")]
    policy = client.get("/about").headers["Content-Security-Policy"]
    elsewhere.extensions["engine"].dispose()

    segments = [line for text in texts for line in text.splitlines() if not line.startswith("#")]
    assert {line.rpartition("/")[0] for line in segments} == {
        "https://media.example.net/talks/recordings/abc123"
    }
    assert [text.count(f'URI="{BASE}/keys/0"') for text in texts] == [4, 4]
    assert "connect-src 'self' https://media.example.net;" in policy
    assert "media-src 'self' blob: https://media.example.net;" in policy


@ONE_DATABASE
def test_the_live_list_ends_when_all_that_was_sent_is_packaged(
    app: Flask, evening: Evening, db: DbSession, signed_in_as: SignIn
) -> None:
    recording = db.get_one(Recording, evening.recording_id)
    recording.state = RecordingState.RECORDING
    now = datetime.now(UTC)
    broadcast = Broadcast(public_id="b1", session_id=evening.session_id, started_at=now)
    db.add(broadcast)
    db.commit()
    client = signed_in_as(evening.watcher)

    ended = []
    for second, change in enumerate(("", "stopped_at", "packaged_at")):
        if change:
            setattr(broadcast, change, now)
            recording.state = RecordingState.PROCESSING
            db.commit()
        with time_machine.travel(now + timedelta(seconds=second), tick=False):
            ended.append("#EXT-X-ENDLIST" in client.get(f"{BASE}/main/live.m3u8").text)

    assert ended == [False, True, True]


@ONE_DATABASE
def test_before_the_first_picture_the_live_list_is_not_there_yet(
    app: Flask, db: DbSession, signed_in_as: SignIn
) -> None:
    session = make_session(db, status=SessionStatus.LIVE)
    session.actual_started_at = session.starts_at
    watcher = make_user(db)
    make_registration(db, session, watcher)
    recording = Recording(public_id="fresh", session=session, created_at=session.starts_at)
    db.add(recording)
    db.commit()
    client = signed_in_as(watcher)
    now = datetime.now(UTC)

    with time_machine.travel(now, tick=False):
        before = client.get("/recordings/fresh/live.m3u8").status_code
    db.add(_first_segment(recording))
    db.commit()
    with time_machine.travel(now + timedelta(seconds=1), tick=False):
        after = client.get("/recordings/fresh/live.m3u8").text

    # The small picture is named as well: it comes within the same second.
    assert before == 404
    assert "/recordings/fresh/low/live.m3u8" in after


@ONE_DATABASE
def test_viewers_leave_no_trace_that_another_viewer_could_see(
    evening: Evening, db: DbSession, signed_in_as: SignIn
) -> None:
    session = db.get_one(WebinarSession, evening.session_id)
    others = [make_user(db) for _ in range(5)]
    for other in others:
        make_registration(db, session, other)
    db.commit()
    client = signed_in_as(evening.watcher)
    now = datetime.now(UTC)

    with time_machine.travel(now, tick=False):
        alone = [_seen(client, url) for url in evening.urls]
    with time_machine.travel(now + timedelta(seconds=1), tick=False):
        for other in others:
            theirs = signed_in_as(other)
            assert {theirs.get(url).status_code for url in evening.urls} == {200}
    with time_machine.travel(now + timedelta(seconds=2), tick=False):
        among_others = [_seen(client, url) for url in evening.urls]
        an_other = [_seen(signed_in_as(others[0]), url) for url in evening.urls]

    assert alone == among_others == an_other


def _seen(client: FlaskClient, url: str) -> tuple[bytes, dict[str, str]]:
    answer = client.get(url)
    # Flask renews the cookie, with the time in it; each request has a number of its own.
    own = ("Set-Cookie", "X-Request-Id")
    return answer.data, {k: v for k, v in answer.headers.items() if k not in own}


def _first_segment(recording: Recording) -> MediaSegment:
    return MediaSegment(
        recording_id=recording.id,
        rendition=Rendition.MAIN,
        sequence=0,
        take=0,
        key_number=0,
        iv="0" * 32,
        duration_seconds=1.0,
        take_offset_seconds=0.0,
        programme_time=recording.created_at,
        size=190_000,
        name="recordings/fresh/main-000000-00.ts",
    )
