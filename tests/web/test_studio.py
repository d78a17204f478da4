"""The studio's door and its chunks: durable, once, in order, from the right people."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import (
    make_faculty,
    make_moderated,
    make_registration,
    make_session,
    make_user,
)
from webinar.db import DbSession, open_db
from webinar.domain.session import FacultyPart
from webinar.models import Broadcast, User, WebinarSession
from webinar.services import broadcasts
from webinar.tools import media_shelf

SignIn = Callable[[User], FlaskClient]
HEADER = b"\x1a\x45\xdf\xa3" + b"first piece of a webm"


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    starts_at = datetime.now(UTC) + timedelta(minutes=5)
    session = make_moderated(db, make_session(db, starts_at=starts_at))
    db.commit()
    return session


@pytest.fixture
def studio(db: DbSession, session: WebinarSession, signed_in_as: SignIn) -> FlaskClient:
    speaker = make_user(db)
    make_faculty(db, session, user=speaker)
    db.commit()
    return signed_in_as(speaker)


def go_live(studio: FlaskClient, session: WebinarSession) -> str:
    base = f"/studio/{session.public_id}"
    assert studio.post(f"{base}/live", json={}).status_code == 200
    opened = studio.post(f"{base}/takes", json={"seconds_ago": 0}).get_json()
    assert opened == {"take": 0, "open": True, "next": 0}
    return f"{base}/takes/0/chunks"


def test_the_studio_says_beforehand_that_a_moderator_is_missing(
    db: DbSession, studio: FlaskClient, session: WebinarSession
) -> None:
    moderated = studio.get(f"/studio/{session.public_id}").text
    session.faculty = [m for m in session.faculty if m.part is not FacultyPart.MODERATOR]
    db.commit()

    alone = studio.get(f"/studio/{session.public_id}").text
    refused = studio.post(f"/studio/{session.public_id}/live", json={})

    words = "Nobody moderates this session yet"
    assert (words in moderated, words in alone) == (False, True)
    assert refused.status_code == 422
    assert "Ask the organiser to name one" in refused.get_json()["error"]


def test_chunks_are_stored_in_order_and_twice_is_once(
    app: Flask, db: DbSession, studio: FlaskClient, session: WebinarSession
) -> None:
    chunks = go_live(studio, session)

    first = studio.put(f"{chunks}/0", data=HEADER)
    again = studio.put(f"{chunks}/0", data=HEADER)
    second = studio.put(f"{chunks}/1", data=b"more")

    assert [a.get_json() for a in (first, again, second)] == [
        {"stored": 0, "next": 1},
        {"stored": 0, "next": 1},
        {"stored": 1, "next": 2},
    ]
    broadcast = broadcasts.of_session(db, session)
    assert isinstance(broadcast, Broadcast)
    config = app.extensions["config"]
    takes = media_shelf(config).takes
    assert takes.path(broadcast.public_id, 0).read_bytes() == HEADER + b"more"


@pytest.mark.parametrize(
    ("seq", "data", "status"),
    [(1, b"too early", 409), (0, b"no video", 422), (0, b"", 422)],
    ids=["out of order", "not a video", "empty"],
)
def test_a_wrong_chunk_is_refused_with_a_sentence(
    studio: FlaskClient, session: WebinarSession, seq: int, data: bytes, status: int
) -> None:
    chunks = go_live(studio, session)

    answer = studio.put(f"{chunks}/{seq}", data=data, headers={"Accept": "application/json"})

    assert answer.status_code == status
    assert answer.get_json()["error"].endswith(".")


def test_other_bytes_under_the_same_number_are_refused(
    studio: FlaskClient, session: WebinarSession
) -> None:
    chunks = go_live(studio, session)
    studio.put(f"{chunks}/0", data=HEADER)

    answer = studio.put(f"{chunks}/0", data=HEADER + b"other")

    assert answer.status_code == 409


def test_a_closed_take_gets_no_new_chunk_but_a_stored_one_is_acknowledged_again(
    studio: FlaskClient, session: WebinarSession
) -> None:
    chunks = go_live(studio, session)
    studio.put(f"{chunks}/0", data=HEADER)
    studio.post(f"/studio/{session.public_id}/takes", json={"seconds_ago": 0})

    late = studio.put(f"{chunks}/1", data=b"late")
    again = studio.put(f"{chunks}/0", data=HEADER)

    assert (late.status_code, again.status_code) == (409, 200)


class SlowBody(io.BytesIO):
    """A body that is still on its way while something else happens."""

    def __init__(self, content: bytes, meanwhile: Callable[[], object]) -> None:
        super().__init__(content)
        self.meanwhile = meanwhile

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        happen, self.meanwhile = self.meanwhile, lambda: None
        happen()
        return super().readinto(buffer)

    def read(self, size: int | None = -1) -> bytes:
        happen, self.meanwhile = self.meanwhile, lambda: None
        happen()
        return super().read(size)


def test_a_piece_that_arrives_after_its_take_was_closed_is_not_acknowledged(
    studio: FlaskClient, session: WebinarSession
) -> None:
    chunks = go_live(studio, session)

    def close_take() -> None:
        with open_db.begin() as other:
            broadcast = broadcasts.of_session(other, session)
            assert broadcast is not None
            broadcasts.stop(other, session.id, user_id=None, now=datetime.now(UTC))

    late = studio.put(
        f"{chunks}/0", input_stream=SlowBody(HEADER, close_take), content_length=len(HEADER)
    )

    assert late.status_code == 409


def test_a_slow_sender_keeps_nobody_else_from_writing(
    studio: FlaskClient, session: WebinarSession
) -> None:
    go_live(studio, session)
    written: list[int] = []

    def write() -> None:
        with open_db.begin() as other:
            written.append(make_user(other).id)

    body = b'{"seconds_ago": 0}'
    answer = studio.post(
        f"/studio/{session.public_id}/takes",
        input_stream=SlowBody(body, write),
        content_length=len(body),
        content_type="application/json",
    )

    assert (answer.status_code, len(written)) == (201, 1)


def test_a_chunk_over_the_limit_is_refused(studio: FlaskClient, session: WebinarSession) -> None:
    chunks = go_live(studio, session)

    answer = studio.put(f"{chunks}/0", data=HEADER + bytes(64 * 1024 * 1024))

    assert answer.status_code == 413


def test_a_participant_cannot_open_the_studio(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    stranger = make_user(db)
    db.commit()
    client = signed_in_as(stranger)
    base = f"/studio/{session.public_id}"

    answers = [
        client.get(base),
        client.post(f"{base}/live", json={}),
        client.post(f"{base}/takes", json={}),
        client.put(f"{base}/takes/0/chunks/0", data=HEADER),
        client.post(f"{base}/stop", json={}),
        client.get(f"{base}/questions"),
        client.get(f"{base}/state"),
        client.post(f"{base}/break", json={"on": True}),
        client.post(f"{base}/hand-over", json={"to": None}),
    ]

    assert [a.status_code for a in answers] == [403] * 9


def test_a_presenter_who_does_not_moderate_sees_no_questions(
    studio: FlaskClient, session: WebinarSession
) -> None:
    answer = studio.get(f"/studio/{session.public_id}/questions")

    assert answer.status_code == 403


def test_nothing_is_stored_before_going_live(studio: FlaskClient, session: WebinarSession) -> None:
    answer = studio.post(f"/studio/{session.public_id}/takes", json={"seconds_ago": 0})

    assert answer.status_code == 409


@pytest.mark.parametrize("sent", [[], {"seconds_ago": "soon"}, {"seconds_ago": True}, 7])
def test_a_new_take_that_says_nonsense_is_refused(
    studio: FlaskClient, session: WebinarSession, sent: object
) -> None:
    go_live(studio, session)

    answer = studio.post(f"/studio/{session.public_id}/takes", json=sent)

    assert answer.status_code == 422
    assert answer.get_json()["error"].startswith("Send how many seconds ago")


def test_a_question_that_is_no_form_is_refused(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    person = make_user(db)
    make_registration(db, session, person)
    db.commit()

    answer = signed_in_as(person).post(
        f"/sessions/{session.public_id}/questions", json=["not", "a", "form"]
    )

    assert answer.status_code == 422
    assert answer.get_json()["error"] == "Write your question first."


def test_the_moderator_reads_a_question_without_a_name_and_ticks_it_off(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    moderator, person = make_user(db), make_user(db, name="Dr Ágnes Szűcs")
    make_faculty(db, session, FacultyPart.MODERATOR, user=moderator)
    make_registration(db, session, person)
    db.commit()
    studio, watcher = signed_in_as(moderator), signed_in_as(person)
    studio.post(f"/studio/{session.public_id}/live", json={})
    asked = {"text": "Which margin do you accept?", "key": "a" * 32}

    first = watcher.post(f"/sessions/{session.public_id}/questions", json=asked)
    again = watcher.post(f"/sessions/{session.public_id}/questions", json=asked)
    seen = studio.get(f"/studio/{session.public_id}/questions").text
    ticked = studio.post(
        f"/studio/{session.public_id}/questions/{first.get_json()['id']}", data={"answered": "1"}
    ).text

    assert first.get_json() == again.get_json()
    assert seen.count("Which margin do you accept?") == 1
    assert "Szűcs" not in seen
    assert "question-answered" not in seen
    assert "question-answered" in ticked
