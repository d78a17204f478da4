"""Beats through the real application, its writer and a real database of each kind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from tests.builders import make_registration, make_session, make_user
from webinar.db import DbSession
from webinar.domain.attendance import PlaySegment
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import Recording, User, ViewingPass, WatchSegment, WebinarSession
from webinar.web import beat_store
from webinar.web.beats import MAX_BYTES

SignIn = Callable[[User], FlaskClient]
Json = dict[str, Any]


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def live_session(db: DbSession) -> WebinarSession:
    return make_session(
        db, starts_at=datetime.now(UTC) - timedelta(minutes=20), status=SessionStatus.LIVE
    )


def recorded_session(
    db: DbSession, *, seconds: float = 2700, closes_in: timedelta = timedelta(days=30)
) -> WebinarSession:
    session = make_session(db, starts_at=an_hour_ago(), status=SessionStatus.ENDED)
    db.add(
        Recording(
            public_id=f"rec{session.id}",
            session_id=session.id,
            state=RecordingState.PUBLISHED,
            duration_seconds=seconds,
            opens_at=an_hour_ago(),
            closes_at=datetime.now(UTC) + closes_in,
            created_at=an_hour_ago(),
        )
    )
    return session


def viewer(db: DbSession, session: WebinarSession) -> User:
    user = make_user(db)
    make_registration(db, session, user)
    db.commit()
    return user


def get_pass(client: FlaskClient, session: WebinarSession, mode: str) -> str:
    answer = client.post(f"/sessions/{session.public_id}/pass", json={"mode": mode})
    assert answer.status_code == 200, answer.json
    token: str = answer.json["pass"]
    return token


@pytest.fixture
def recorded(db: DbSession) -> WebinarSession:
    return recorded_session(db)


@pytest.fixture
def token(db: DbSession, recorded: WebinarSession, signed_in_as: SignIn) -> str:
    return get_pass(signed_in_as(viewer(db, recorded)), recorded, "recorded")


def beat(token: str, *segments: list[int], seq: int = 0, wait: int = 1) -> Json:
    return {"pass": token, "seq": seq, "wait": wait, "segments": list(segments)}


def stored(db: DbSession) -> list[tuple[int, int, int, int]]:
    rows = db.scalars(select(WatchSegment).order_by(WatchSegment.pass_id, WatchSegment.number))
    found = [(row.number, row.from_ms, row.to_ms, row.seq) for row in rows]
    db.commit()
    return found


def test_a_beat_that_waits_is_in_the_database_when_it_is_answered(
    client: FlaskClient, db: DbSession, token: str
) -> None:
    answer = client.post("/beats", json=beat(token, [0, 0, 8_000], seq=3))

    assert answer.status_code == 200
    assert answer.json["durable"] == 3
    assert stored(db) == [(0, 0, 8_000, 3)]


def test_who_leaves_is_answered_at_once_where_as_many_wait_as_may(
    client: FlaskClient, db: DbSession, token: str
) -> None:
    store = beat_store.BeatStore(client.application.extensions["engine"], None, most_who_wait=0)
    pass_id = db.scalars(select(ViewingPass.id)).one()
    db.commit()

    store.add(pass_id, 0, [PlaySegment(0, 0, 8)], datetime.now(UTC))
    told = store.wait_for(pass_id, 0)
    store.close()

    assert told == beat_store.UNKNOWN
    assert stored(db) == [(0, 0, 8_000, 0)]


def test_a_beat_that_does_not_wait_is_never_called_durable_before_it_is(
    client: FlaskClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beat_store, "GATHER_SECONDS", 60)

    at_once = client.post("/beats", json=beat(token, [0, 0, 8_000], seq=0, wait=0)).json
    in_the_end = client.post("/beats", json=beat(token, seq=1)).json

    assert (at_once["durable"], in_the_end["durable"]) == (-1, 1)


def test_a_late_beat_is_not_called_durable_because_a_later_one_is(
    client: FlaskClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post("/beats", json=beat(token, [0, 2_000, 3_000], seq=7))
    monkeypatch.setattr(beat_store, "GATHER_SECONDS", 60)

    late = client.post("/beats", json=beat(token, [0, 0, 3_000], seq=4, wait=0)).json
    in_the_end = client.post("/beats", json=beat(token, seq=8)).json

    assert (late["durable"], in_the_end["durable"]) == (3, 8)


def test_a_segment_only_grows_whatever_the_order_in_which_beats_come(
    client: FlaskClient, db: DbSession, token: str
) -> None:
    client.post("/beats", json=beat(token, [0, 2_000, 9_000], seq=2))
    client.post("/beats", json=beat(token, [0, 2_000, 6_000], seq=1))
    client.post("/beats", json=beat(token, [0, 1_000, 5_000], seq=0))

    assert stored(db) == [(0, 1_000, 9_000, 2)]


def test_a_beat_sent_twice_is_stored_once(client: FlaskClient, db: DbSession, token: str) -> None:
    first = client.post("/beats", json=beat(token, [0, 0, 5_000], seq=1)).json
    second = client.post("/beats", json=beat(token, [0, 0, 5_000], seq=1)).json

    assert (first["durable"], second["durable"]) == (1, 1)
    assert stored(db) == [(0, 0, 5_000, 1)]


def test_the_answer_says_when_the_recording_closes_and_what_time_it_is(
    client: FlaskClient, db: DbSession, token: str
) -> None:
    before = datetime.now(UTC)

    answer = client.post("/beats", json=beat(token)).json

    closes_at = db.scalars(select(Recording.closes_at)).one()
    assert datetime.fromisoformat(answer["closes_at"]) == closes_at
    assert before <= datetime.fromisoformat(answer["now"]) <= datetime.now(UTC)


def test_live_beats_count_in_programme_time(
    client: FlaskClient, db: DbSession, signed_in_as: SignIn
) -> None:
    session = live_session(db)
    token = get_pass(signed_in_as(viewer(db, session)), session, "live")
    filmed = int(datetime.now(UTC).timestamp() * 1000) - 6_000

    answer = client.post("/beats", json=beat(token, [0, filmed, filmed + 4_000]))

    assert answer.json["durable"] == 0
    assert answer.json["closes_at"] is None
    assert stored(db) == [(0, filmed, filmed + 4_000, 0)]


@pytest.mark.parametrize("change", [(0, "B"), (40, "-"), (111, "A" * 5)])
def test_a_forged_pass_is_refused(
    client: FlaskClient, db: DbSession, token: str, change: tuple[int, str]
) -> None:
    place, letters = change
    forged = token[:place] + letters + token[place + 1 :]

    answer = client.post("/beats", json=beat(forged, [0, 0, 5_000]))

    assert (answer.status_code, answer.json["code"]) == (401, "pass_forged")
    assert stored(db) == []


def test_a_beat_without_a_pass_is_refused(client: FlaskClient) -> None:
    answer = client.post("/beats", json={"seq": 0, "segments": []})

    assert (answer.status_code, answer.json["code"]) == (401, "pass_missing")


@pytest.mark.parametrize(
    ("segments", "status", "code"),
    [
        ([[0, 0, 120_000]], 403, "too_fast"),
        ([[0, 0, 9_000], [1, 100_000, 109_000]], 403, "too_fast"),
        ([[0, 2_690_000, 2_790_000]], 403, "outside"),
        ([[0, -5, 1_000]], 400, "malformed"),
        ([[0, 5_000, 1_000]], 400, "malformed"),
        ([[-1, 0, 1_000]], 400, "malformed"),
        ([[0, 0, 10**15]], 400, "malformed"),
        ([[0, 0, 10**400]], 400, "malformed"),
        ([[0, 0.5, 1_000]], 400, "malformed"),
        ([[True, 0, 1_000]], 400, "malformed"),
        ([[0, 0, True]], 400, "malformed"),
        ([[0, 0]], 400, "malformed"),
        (["0,0,1"], 400, "malformed"),
        ({"0": [0, 1]}, 400, "malformed"),
        ([[number, 0, 1] for number in range(65)], 400, "too_many_segments"),
    ],
)
def test_a_beat_that_cannot_be_true_stores_nothing(
    client: FlaskClient, db: DbSession, token: str, segments: object, status: int, code: str
) -> None:
    answer = client.post("/beats", json=beat(token) | {"segments": segments})

    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.json["error"].endswith(".")
    assert stored(db) == []


@pytest.mark.parametrize("seq", [-1, 2**31, 1.5, "1", None, True])
def test_a_beat_counts_from_zero(client: FlaskClient, token: str, seq: object) -> None:
    answer = client.post("/beats", json=beat(token) | {"seq": seq})

    assert (answer.status_code, answer.json["code"]) == (400, "malformed")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 9_000])
def test_what_is_no_json_object_is_refused(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/beats", data=body)

    assert (answer.status_code, answer.json["code"]) == (400, "malformed")


def test_a_beat_that_is_too_long_is_not_read(client: FlaskClient) -> None:
    answer = client.post("/beats", data=b" " * (MAX_BYTES + 1))

    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_beats_are_posted(client: FlaskClient) -> None:
    assert client.get("/beats").status_code == 405


def test_after_the_window_a_pass_is_gone_and_nothing_more_is_stored(
    client: FlaskClient, db: DbSession, signed_in_as: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = recorded_session(db, closes_in=timedelta(hours=1))
    token = get_pass(signed_in_as(viewer(db, session)), session, "recorded")
    closes_at = db.scalars(select(Recording.closes_at)).one()
    db.commit()

    with time_machine.travel(closes_at, tick=False):
        answer = client.post("/beats", json=beat(token, [0, 0, 1_000]))

    assert (answer.status_code, answer.json["code"]) == (410, "pass_expired")
    assert stored(db) == []


def test_beats_under_a_pass_whose_person_was_erased_do_not_hold_up_the_others(
    client: FlaskClient, db: DbSession, recorded: WebinarSession, signed_in_as: SignIn, token: str
) -> None:
    other = get_pass(signed_in_as(viewer(db, recorded)), recorded, "recorded")
    gone = db.scalars(select(ViewingPass).order_by(ViewingPass.user_id)).first()
    db.delete(gone)
    db.commit()

    client.post("/beats", json=beat(token, [0, 0, 5_000], wait=0))
    answer = client.post("/beats", json=beat(other, [0, 0, 5_000]))

    assert answer.json["durable"] == 0
    assert stored(db) == [(0, 0, 5_000, 0)]


def test_nothing_is_acknowledged_while_the_database_is_away_and_nothing_is_lost(
    client: FlaskClient, db: DbSession, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beat_store, "WAIT_SECONDS", 0.3)
    really_store = beat_store.store_segments
    is_away = True

    def store(session: DbSession, touched: list[Any], *, now: datetime) -> None:
        if is_away:
            raise OperationalError("INSERT", None, Exception("the server is away"))
        really_store(session, touched, now=now)

    monkeypatch.setattr(beat_store, "store_segments", store)

    while_away = client.post("/beats", json=beat(token, [0, 0, 5_000], seq=0)).json["durable"]
    is_away = False
    monkeypatch.setattr(beat_store, "WAIT_SECONDS", 10)
    when_back = client.post("/beats", json=beat(token, [1, 6_000, 7_000], seq=1)).json["durable"]

    assert (while_away, when_back) == (-1, 1)
    assert stored(db) == [(0, 0, 5_000, 0), (1, 6_000, 7_000, 1)]


def test_everything_else_reaches_the_pages(client: FlaskClient) -> None:
    assert client.get("/beats/").status_code == 404


def test_who_has_no_place_gets_no_pass(
    db: DbSession, recorded: WebinarSession, signed_in_as: SignIn
) -> None:
    stranger = make_user(db)
    db.commit()

    answer = signed_in_as(stranger).post(
        f"/sessions/{recorded.public_id}/pass", json={"mode": "recorded"}
    )

    assert answer.status_code == 403
    assert answer.json["error"].startswith("Register for this session first")


def test_after_the_end_there_is_no_pass_for_the_live_session(
    db: DbSession, recorded: WebinarSession, signed_in_as: SignIn
) -> None:
    client = signed_in_as(viewer(db, recorded))

    answer = client.post(f"/sessions/{recorded.public_id}/pass", json={"mode": "live"})

    assert answer.status_code == 410


@pytest.mark.parametrize("wanted", [{}, {"mode": "both"}, {"mode": 1}, [], None])
def test_a_pass_is_for_one_of_two_modes(
    db: DbSession, recorded: WebinarSession, signed_in_as: SignIn, wanted: object
) -> None:
    client = signed_in_as(viewer(db, recorded))

    answer = client.post(f"/sessions/{recorded.public_id}/pass", json=wanted)

    assert answer.status_code == 400


def test_the_page_is_told_what_counts_and_which_parts(
    db: DbSession, recorded: WebinarSession, signed_in_as: SignIn
) -> None:
    client = signed_in_as(viewer(db, recorded))
    token = get_pass(client, recorded, "recorded")
    client.post("/beats", json=beat(token, [0, 0, 4_000], [1, 2_000, 5_000], [2, 60_000, 62_000]))

    answer = client.get(f"/sessions/{recorded.public_id}/presence?mode=recorded").json

    assert answer == {
        "words": "0:07 counted",
        "countedSeconds": 7,
        "totalSeconds": 2700,
        "parts": [[0, 5], [60, 62]],
        "check": None,
    }
