"""The studio over HTTP: pieces that go wrong on the way, two presenters, what its state says."""

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from tests.builders import make_faculty, make_session, make_user
from webinar.db import DbSession
from webinar.domain.session import FacultyPart
from webinar.models import Question, User, WebinarSession

SignIn = Callable[[User], FlaskClient]
HEADER = b"\x1a\x45\xdf\xa3" + b"first piece of a webm"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    session = make_session(db, starts_at=datetime.now(UTC) + timedelta(minutes=5))
    db.commit()
    return session


def person(db: DbSession, session: WebinarSession, part: FacultyPart, name: str) -> User:
    user = make_user(db, name=name)
    make_faculty(db, session, part, user=user)
    db.commit()
    return user


@pytest.fixture
def presenter(db: DbSession, session: WebinarSession) -> User:
    return person(db, session, FacultyPart.PRESENTER, "Prof Elena Marchetti")


@pytest.fixture
def moderator(db: DbSession, session: WebinarSession) -> User:
    return person(db, session, FacultyPart.MODERATOR, "Dr Jonas Weber")


@pytest.fixture
def base(session: WebinarSession) -> str:
    return f"/studio/{session.public_id}"


@pytest.fixture
def studio(
    signed_in_as: SignIn, presenter: User, moderator: User, base: str, session: WebinarSession
) -> FlaskClient:
    studio = signed_in_as(presenter)
    assert studio.post(f"{base}/live", json={}).status_code == 200
    return studio


def opened(client: FlaskClient, base: str, key: str, **more: object) -> dict[str, object]:
    answer = client.post(f"{base}/takes", json={"seconds_ago": 1, "client_key": key, **more})
    return {"status": answer.status_code, **answer.get_json()}


def digest(data: bytes) -> dict[str, str]:
    return {
        "Content-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"
    }


def test_a_reloaded_studio_learns_where_its_take_stopped(studio: FlaskClient, base: str) -> None:
    first = opened(studio, base, "aaaaaaaaaaaa-1")
    studio.put(f"{base}/takes/0/chunks/0", data=HEADER)
    studio.put(f"{base}/takes/0/chunks/1", data=b"more")

    again = opened(studio, base, "aaaaaaaaaaaa-1")
    after = opened(studio, base, "aaaaaaaaaaaa-2")
    closed = opened(studio, base, "aaaaaaaaaaaa-1")

    assert first == {"status": 201, "take": 0, "open": True, "next": 0}
    assert again == {"status": 201, "take": 0, "open": True, "next": 2}
    assert after == {"status": 201, "take": 1, "open": True, "next": 0}
    assert closed == {"status": 201, "take": 0, "open": False, "next": 2}


@pytest.mark.parametrize("key", ["", "short", "x" * 60, 7, "aaaaaaaaaaaa-1/../2"])
def test_a_take_with_a_name_that_is_none_is_refused(
    studio: FlaskClient, base: str, key: object
) -> None:
    answer = studio.post(f"{base}/takes", json={"seconds_ago": 0, "client_key": key})

    assert answer.status_code == 422


def test_a_piece_that_was_damaged_on_the_way_is_asked_for_again(
    studio: FlaskClient, base: str
) -> None:
    opened(studio, base, "aaaaaaaaaaaa-1")
    whole = digest(HEADER)

    damaged = studio.put(f"{base}/takes/0/chunks/0", data=HEADER[:-1] + b"X", headers=whole)
    nonsense = studio.put(
        f"{base}/takes/0/chunks/0", data=HEADER, headers={"Content-Digest": "sha-256=:no:"}
    )
    again = studio.put(f"{base}/takes/0/chunks/0", data=HEADER, headers=whole)

    assert (damaged.status_code, nonsense.status_code) == (400, 400)
    assert again.get_json() == {"stored": 0, "next": 1}


def test_a_piece_from_another_broadcast_finds_no_take(
    db: DbSession, studio: FlaskClient, presenter: User, base: str, signed_in_as: SignIn
) -> None:
    opened(studio, base, "aaaaaaaaaaaa-1")
    other = make_session(db, starts_at=datetime.now(UTC) + timedelta(minutes=5))
    db.commit()
    foreign = studio.put(f"/studio/{other.public_id}/takes/0/chunks/0", data=HEADER)
    make_faculty(db, other, FacultyPart.MODERATOR, user=presenter)
    db.commit()

    not_live = studio.put(f"/studio/{other.public_id}/takes/0/chunks/0", data=HEADER)
    unknown = studio.put(f"{base}/takes/7/chunks/0", data=HEADER)

    assert (foreign.status_code, not_live.status_code, unknown.status_code) == (403, 409, 404)


def test_a_new_codec_begins_a_new_take(studio: FlaskClient, base: str) -> None:
    opened(studio, base, "aaaaaaaaaaaa-1")
    studio.put(f"{base}/takes/0/chunks/0", data=HEADER)
    opened(studio, base, "aaaaaaaaaaaa-2")

    mp4 = studio.put(f"{base}/takes/1/chunks/0", data=b"\x00\x00\x00\x18ftypmp42")
    stale = studio.put(f"{base}/takes/0/chunks/1", data=b"late")

    assert (mp4.status_code, stale.status_code) == (200, 409)


def test_two_presenters_at_once_are_told_and_the_second_must_confirm(
    studio: FlaskClient, base: str, moderator: User, signed_in_as: SignIn
) -> None:
    opened(studio, base, "aaaaaaaaaaaa-1")
    studio.put(f"{base}/takes/0/chunks/0", data=HEADER)
    second = signed_in_as(moderator)

    seen = second.get(f"{base}/state").get_json()
    refused = opened(second, base, "bbbbbbbbbbbb-1")
    meant = opened(second, base, "bbbbbbbbbbbb-1", take_over=True)
    first_again = studio.put(f"{base}/takes/0/chunks/1", data=b"more")

    assert seen["sender"] == "Prof Elena Marchetti"
    assert refused["status"] == 409
    assert refused["error"] == (
        "The presenter is sending right now. Take over only if that is agreed."
    )
    assert refused["sending"] is True
    assert meant["take"] == 1
    assert first_again.status_code == 409


def test_the_state_says_break_and_hand_over(
    db: DbSession, studio: FlaskClient, base: str, moderator: User, signed_in_as: SignIn
) -> None:
    second = signed_in_as(moderator)
    before = second.get(f"{base}/state").get_json()

    on = studio.post(f"{base}/break", json={"on": True})
    asked = studio.post(f"{base}/hand-over", json={"to": moderator.id})
    during = second.get(f"{base}/state").get_json()
    nonsense = [
        studio.post(f"{base}/break", json={"on": "yes"}).status_code,
        studio.post(f"{base}/hand-over", json={"to": "him"}).status_code,
    ]

    assert (on.status_code, asked.status_code) == (200, 200)
    assert (before["break"], before["handed_to_me"], before["sender"]) == (False, False, None)
    assert (during["break"], during["handed_to_me"], during["handed_to"]) == (
        True,
        True,
        "Dr Jonas Weber",
    )
    assert nonsense == [422, 422]


def test_the_speaker_reads_what_the_moderator_passes_on_until_it_is_answered(
    db: DbSession,
    session: WebinarSession,
    studio: FlaskClient,
    base: str,
    moderator: User,
    signed_in_as: SignIn,
) -> None:
    asking = make_user(db, name="Dr Ágnes Szűcs")
    question = Question(
        session_id=session.id,
        user_id=asking.id,
        client_key="q" * 32,
        text="Which margin do you accept?",
        asked_at=datetime.now(UTC),
    )
    db.add(question)
    db.commit()
    desk = signed_in_as(moderator)

    before = studio.get(f"{base}/passed-on").text
    refused = studio.post(f"{base}/questions/{question.id}/pass-on", data={"passed_on": "1"})
    queue = desk.post(f"{base}/questions/{question.id}/pass-on", data={"passed_on": "1"}).text
    passed = studio.get(f"{base}/passed-on").text
    desk.post(f"{base}/questions/{question.id}", data={"answered": "1"})
    after = studio.get(f"{base}/passed-on").text

    assert refused.status_code == 403
    assert "with the speaker" in queue
    assert [text.count("Which margin") for text in (before, passed, after)] == [0, 1, 0]
    assert "Szűcs" not in passed
