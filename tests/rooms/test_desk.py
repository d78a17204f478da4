"""The room of a session as its organiser chooses, swaps and ends it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from config import Config
from tests.builders import STARTS_AT, make_user
from tests.rooms.conftest import EARLY, Evening
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.rooms import AddressRefused, RoomProvider, RoomState, checked_address
from webinar.jobs import rooms as clock
from webinar.jobs.toolbox import Toolbox
from webinar.media.sealed_text import SealBroken, SealedText
from webinar.models import AuditEvent, ExternalRoom, User
from webinar.services import rooms

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def desk(db: DbSession, signed_in_as: Callable[[User], FlaskClient]) -> FlaskClient:
    user = make_user(db, roles=(Role.ORGANISER,))
    db.commit()
    return signed_in_as(user)


def there(db: DbSession, evening: Evening) -> list[tuple[RoomProvider, RoomState]]:
    db.expire_all()
    found = [(room.provider, room.state) for room in rooms.of_session(db, evening.session)]
    db.commit()
    return found


def test_a_room_is_chosen_swapped_and_given_up(
    db: DbSession, evening: Evening, desk: FlaskClient
) -> None:
    path = f"/manage/sessions/{evening.session.public_id}/room"
    with time_machine.travel(EARLY, tick=False):
        chosen = desk.post(path, data={"provider": "bigbluebutton", "records": "y"})
        page = desk.get(path).text
        desk.post(path, data={"provider": "address", "address": " https://rooms.example/j/1 "})
        swapped = there(db, evening)
        desk.post(f"{path}/leave")

    assert (chosen.status_code, chosen.location) == (303, path)
    assert f"http://localhost/sessions/{evening.session.public_id}/room" in page
    assert swapped == [
        (RoomProvider.ADDRESS, RoomState.PLANNED),
        (RoomProvider.BIGBLUEBUTTON, RoomState.LEFT),
    ]
    assert {state for _, state in there(db, evening)} == {RoomState.LEFT}
    actions = db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions == ["room chosen", "room swapped", "room left"]


def test_bad_input_keeps_what_was_typed_and_says_what_is_wrong(
    db: DbSession, evening: Evening, desk: FlaskClient
) -> None:
    path = f"/manage/sessions/{evening.session.public_id}/room"
    with time_machine.travel(EARLY, tick=False):
        nothing = desk.post(path, data={})
        plain = desk.post(path, data={"provider": "address", "address": "http://rooms.example/j/1"})

    assert nothing.status_code == plain.status_code == 422
    assert "Choose where the session takes place." in nothing.text
    assert "The address of a room begins with https://" in plain.text
    assert 'value="http://rooms.example/j/1"' in plain.text
    assert there(db, evening) == []


def test_a_session_that_is_over_gets_no_room(
    db: DbSession, evening: Evening, desk: FlaskClient
) -> None:
    path = f"/manage/sessions/{evening.session.public_id}/room"
    with time_machine.travel(STARTS_AT + timedelta(hours=3), tick=False):
        refused = desk.post(path, data={"provider": "bigbluebutton"})
        ended = desk.post(f"{path}/end")
        attendance = desk.post(f"{path}/attendance")

    assert refused.status_code == 409
    assert "This session is over." in refused.text
    assert (ended.status_code, attendance.status_code) == (404, 404)


def test_the_page_says_how_the_room_stands(
    db: DbSession, evening: Evening, desk: FlaskClient, tools: Toolbox
) -> None:
    path = f"/manage/sessions/{evening.session.public_id}/room"
    with time_machine.travel(EARLY, tick=False):
        desk.post(path, data={"provider": "zoom", "records": "y"})
        clock.tend(tools, EARLY)
        open_page = desk.get(path).text
        desk.post(f"{path}/end")
        ending = desk.get(path).text
        clock.tend(tools, EARLY)
        room = db.scalars(select(ExternalRoom)).one()
        room.problem = "Zoom asks us to wait: too many requests."
        db.commit()
        ended = desk.get(path).text
        fetched = desk.post(f"{path}/attendance")

    assert "1 person has a way in." in open_page
    assert "End it for everybody" in open_page
    assert ("Ending" in ending, "End it for everybody" in ending) == (True, False)
    assert "Zoom asks us to wait: too many requests." in ended
    assert "Fetch attendance now" in ended
    assert fetched.status_code == 303


def test_what_is_not_connected_is_not_offered(
    evening: Evening, desk: FlaskClient, config: Config
) -> None:
    desk.application.extensions["config"] = Config(
        SECRET_KEY=config.SECRET_KEY, DATABASE_URL=config.DATABASE_URL
    )
    path = f"/manage/sessions/{evening.session.public_id}/room"

    with time_machine.travel(EARLY, tick=False):
        page = desk.get(path).text
        refused = desk.post(path, data={"provider": "zoom"})

    assert "BigBlueButton and Zoom: not connected." in page
    assert refused.status_code == 422


@pytest.mark.parametrize(
    "address",
    [
        "",
        "rooms.example/j/1",
        "http://rooms.example/j/1",
        "javascript:alert(1)",
        "https://",
        "https:///j/1",
        "https://name:secret@rooms.example/",
        "https://rooms.example/ j",
        "https://rooms.example/\nLocation: x",
        "https://rooms.example\\@evil.example/",
        "https://rooms.example:port/",
        "https://rooms.example/" + "x" * 2000,
    ],
)
def test_nobody_is_sent_to_an_address_that_is_none(database_url: str, address: str) -> None:
    with pytest.raises(AddressRefused):
        checked_address(address)


def test_what_is_sealed_opens_for_its_own_thing_and_secret_alone(database_url: str) -> None:
    seal = SealedText("a secret of the tests, long enough")
    token = seal.seal("https://zoom.example/w/1?tk=x", bound_to="guest 1")

    assert seal.open(token, bound_to="guest 1") == "https://zoom.example/w/1?tk=x"
    assert "zoom" not in token
    for opener, bound_to in (
        (seal, "guest 2"),
        (SealedText("another secret, also long enough"), "guest 1"),
    ):
        with pytest.raises(SealBroken):
            opener.open(token, bound_to=bound_to)
    with pytest.raises(SealBroken):
        seal.open("damaged", bound_to="guest 1")
