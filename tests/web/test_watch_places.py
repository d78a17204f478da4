"""What a player tells and asks while it is open: its place, the window, what is shown."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import make_registration, make_user
from tests.web.evening import BASE, Evening, make_evening
from webinar.db import DbSession
from webinar.models import Recording, User, WebinarSession
from webinar.services import watch_places
from webinar.services.editions import edition_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def evening(app: Flask, db: DbSession) -> Evening:
    return make_evening(app, db)


def door(evening: Evening) -> str:
    return f"/sessions/{evening.session_public_id}/recording/place"


def recording(db: DbSession, evening: Evening) -> Recording:
    return db.get_one(Recording, evening.recording_id, populate_existing=True)


def place_of(db: DbSession, evening: Evening, person: User) -> float | None:
    db.rollback()
    place = watch_places.of_person(db, evening.recording_id, person.id)
    return place.seconds if place else None


def test_a_stranger_is_asked_to_sign_in_and_learns_nothing(
    evening: Evening, client: FlaskClient
) -> None:
    answers = [client.get(door(evening)), client.post(door(evening), json={"seconds": 1})]

    assert [answer.status_code for answer in answers] == [302, 401]


def test_without_a_place_in_the_session_there_is_none_in_its_recording(
    evening: Evening, db: DbSession, signed_in_as: SignIn
) -> None:
    other = make_user(db)
    db.commit()
    client = signed_in_as(other)

    answers = [client.get(door(evening)), client.post(door(evening), json={"seconds": 1})]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert place_of(db, evening, other) is None


def test_from_the_second_it_closes_the_answer_is_that_it_closed(
    evening: Evening, db: DbSession, signed_in_as: SignIn
) -> None:
    with time_machine.travel(evening.closes_at - timedelta(seconds=1), tick=False):
        before = signed_in_as(evening.watcher).post(door(evening), json={"seconds": 1})
    with time_machine.travel(evening.closes_at, tick=False):
        client = signed_in_as(evening.watcher)
        after = [client.get(door(evening)), client.post(door(evening), json={"seconds": 2})]

    assert before.status_code == 200
    assert [answer.status_code for answer in after] == [410, 410]
    assert place_of(db, evening, evening.watcher) == 1


@pytest.mark.parametrize(
    "sent",
    [
        '{"seconds": -1}',
        '{"seconds": 1e300}',
        '{"seconds": NaN}',
        '{"seconds": Infinity}',
        '{"seconds": "1"}',
        '{"seconds": true}',
        '{"seconds": 1, "age_seconds": -5}',
        '{"seconds": 1, "age_seconds": NaN}',
        '{"seconds": 1, "age_seconds": 1e12}',
        f'{{"seconds": 1{"0" * 400}}}',
        "[1]",
        "no JSON",
        "",
    ],
)
def test_what_is_no_place_is_refused_with_a_sentence(
    evening: Evening, db: DbSession, signed_in_as: SignIn, sent: str
) -> None:
    answer = signed_in_as(evening.watcher).post(
        door(evening), data=sent, content_type="application/json"
    )

    assert 400 <= answer.status_code < 500
    assert answer.json is not None
    assert answer.json["error"].endswith(".")
    assert place_of(db, evening, evening.watcher) is None


def test_nobody_is_ever_shown_the_place_of_another(
    evening: Evening, db: DbSession, signed_in_as: SignIn
) -> None:
    other = make_user(db)
    make_registration(db, db.get_one(WebinarSession, evening.session_id), other)
    db.commit()
    mine, theirs = signed_in_as(evening.watcher), signed_in_as(other)

    mine.post(door(evening), json={"seconds": 3})
    before = theirs.get(door(evening)).json
    theirs.post(door(evening), json={"seconds": 1})
    page = theirs.get(f"/sessions/{evening.session_public_id}/recording").text

    assert before is not None
    assert (before["seconds"], before["age_seconds"]) == (None, None)
    assert place_of(db, evening, evening.watcher) == 3
    assert 'data-place=\'{"age_seconds": ' in page
    assert '"seconds": 1.0}' in page


@pytest.mark.parametrize(
    ("kept", "generation"), [([[0, 2000]], 0), (None, 1)], ids=["a cut", "a better file"]
)
def test_after_a_cut_or_a_better_file_the_door_and_the_playlists_tell_an_open_page(
    evening: Evening,
    db: DbSession,
    signed_in_as: SignIn,
    kept: list[list[int]] | None,
    generation: int,
) -> None:
    client = signed_in_as(evening.watcher)
    lists = [f"{BASE}/recording.m3u8", *(f"{BASE}/{r}/recording.m3u8" for r in ("main", "low"))]
    old = client.get(door(evening)).json["edition"]  # type: ignore[index]
    first = [client.get(f"{each}?edition={old}").status_code for each in lists]

    row = recording(db, evening)
    row.kept, row.generation = kept, generation
    db.commit()
    new = client.post(door(evening), json={"seconds": 1}).json["edition"]  # type: ignore[index]
    refused = [client.get(f"{each}?edition={old}") for each in lists]
    fresh = client.get(f"/sessions/{evening.session_public_id}/recording").text

    assert first == [200, 200, 200]
    assert old != new == edition_of(recording(db, evening))
    assert [answer.status_code for answer in refused] == [409, 409, 409]
    assert refused[0].text == (
        "The recording was edited meanwhile. Reload the page; it goes on where you were.\n"
    )
    assert f'data-edition="{new}"' in fresh
    assert f'data-playlist="{BASE}/recording.m3u8?edition={new}"' in fresh


def test_the_pictures_to_choose_from_are_of_the_same_edition(
    evening: Evening, db: DbSession, signed_in_as: SignIn
) -> None:
    edition = edition_of(recording(db, evening))

    master = signed_in_as(evening.watcher).get(f"{BASE}/recording.m3u8?edition={edition}").text

    assert [line for line in master.splitlines() if not line.startswith("#")] == [
        f"{BASE}/main/recording.m3u8?edition={edition}",
        f"{BASE}/low/recording.m3u8?edition={edition}",
    ]


def test_after_the_window_a_stale_page_is_told_of_the_window_first(
    evening: Evening, signed_in_as: SignIn
) -> None:
    with time_machine.travel(evening.closes_at, tick=False):
        answer = signed_in_as(evening.watcher).get(f"{BASE}/recording.m3u8?edition=another")

    assert answer.status_code == 410
