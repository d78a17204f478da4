"""One address for everybody, whichever room lies behind it; nobody's name goes through it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.builders import STARTS_AT, make_user
from tests.rooms.conftest import EARLY, Evening
from tests.rooms.fake_bigbluebutton import FakeBigBlueButton
from tests.rooms.fake_zoom import FakeZoom
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.rooms import RoomProvider, RoomState
from webinar.jobs import rooms as clock
from webinar.jobs.toolbox import Toolbox
from webinar.models import ExternalRoom, RoomGuest, User
from webinar.services import room_guests, rooms

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SignIn = Callable[[User], FlaskClient]


def choose(
    db: DbSession, evening: Evening, provider: RoomProvider, address: str = ""
) -> ExternalRoom:
    room = rooms.plan(
        db,
        evening.session.id,
        provider=provider,
        address=address,
        records=True,
        actor_id=evening.organiser.id,
        now=EARLY - timedelta(days=1),
    )
    db.commit()
    return room


def knock(client: FlaskClient, evening: Evening, *, now: datetime = EARLY) -> TestResponse:
    with time_machine.travel(now, tick=False):
        return client.get(f"/sessions/{evening.session.public_id}/room")


def guests(db: DbSession) -> list[RoomGuest]:
    db.expire_all()
    found = list(db.scalars(select(RoomGuest).order_by(RoomGuest.id)))
    db.commit()
    return found


def test_a_viewer_is_led_in_under_a_number(
    db: DbSession, evening: Evening, tools: Toolbox, bbb: FakeBigBlueButton, signed_in_as: SignIn
) -> None:
    choose(db, evening, RoomProvider.BIGBLUEBUTTON)
    clock.tend(tools, EARLY)

    answer = knock(signed_in_as(evening.viewer), evening)
    inside = httpx.get(answer.location, trust_env=False)

    guest = guests(db)[0]
    assert (answer.status_code, inside.text) == (302, "<html>in the room</html>")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert next(iter(bbb.meetings.values())).attendees == {guest.remote_id: guest.pseudonym}
    assert guest.pseudonym.startswith("Participant ")
    assert "Keller" not in answer.location
    assert "anna" not in answer.location


def test_coming_back_is_coming_as_the_same_guest(
    db: DbSession, evening: Evening, tools: Toolbox, signed_in_as: SignIn
) -> None:
    choose(db, evening, RoomProvider.BIGBLUEBUTTON)
    clock.tend(tools, EARLY)
    client = signed_in_as(evening.viewer)

    first, second = (knock(client, evening).location for _ in range(2))

    assert first == second
    assert len(guests(db)) == 1


def test_the_faculty_comes_by_name(
    db: DbSession, evening: Evening, tools: Toolbox, signed_in_as: SignIn
) -> None:
    choose(db, evening, RoomProvider.BIGBLUEBUTTON)
    clock.tend(tools, EARLY)

    said = [
        parse_qs(urlsplit(knock(signed_in_as(person), evening).location).query)
        for person in (evening.presenter, evening.moderator)
    ]

    assert [(one["fullName"], one["role"]) for one in said] == [
        (["Prof Elena Marchetti"], ["MODERATOR"]),
        (["Dr Jonas Weber"], ["MODERATOR"]),
    ]


def test_who_has_no_place_is_asked_to_register(
    db: DbSession, evening: Evening, tools: Toolbox, signed_in_as: SignIn
) -> None:
    choose(db, evening, RoomProvider.BIGBLUEBUTTON)
    clock.tend(tools, EARLY)
    stranger = make_user(db)
    db.commit()

    answer = knock(signed_in_as(stranger), evening)

    assert answer.status_code == 403
    assert guests(db) == []


def test_before_it_opens_the_door_says_when(
    db: DbSession, evening: Evening, signed_in_as: SignIn
) -> None:
    choose(db, evening, RoomProvider.BIGBLUEBUTTON)
    client = signed_in_as(evening.viewer)

    long_before = knock(client, evening, now=STARTS_AT - timedelta(hours=3))
    soon = knock(client, evening, now=STARTS_AT - timedelta(minutes=31))

    assert "The room opens at 17:45 CET" in long_before.text
    assert (long_before.status_code, "Refresh" in long_before.headers) == (200, False)
    assert soon.headers["Refresh"] == "20"
    assert guests(db) == []


def test_without_a_room_the_door_leads_to_the_live_page(
    db: DbSession, evening: Evening, signed_in_as: SignIn
) -> None:
    answer = knock(signed_in_as(evening.viewer), evening)

    assert answer.location == f"/sessions/{evening.session.public_id}/live"


def test_a_room_swapped_at_the_last_minute_changes_nobodys_link(
    db: DbSession, evening: Evening, tools: Toolbox, bbb: FakeBigBlueButton, signed_in_as: SignIn
) -> None:
    choose(db, evening, RoomProvider.BIGBLUEBUTTON)
    clock.tend(tools, EARLY)
    client = signed_in_as(evening.viewer)
    before = knock(client, evening).location

    swapped = choose(db, evening, RoomProvider.ADDRESS, "https://rooms.example/j/123?pwd=x")
    clock.tend(tools, STARTS_AT - timedelta(minutes=2))
    after = knock(client, evening, now=STARTS_AT - timedelta(minutes=2)).location
    db.expire_all()

    assert urlsplit(before).netloc == urlsplit(bbb.url).netloc
    assert after == "https://rooms.example/j/123?pwd=x"
    assert [room.state for room in rooms.of_session(db, evening.session)] == [
        RoomState.OPEN,
        RoomState.LEFT,
    ]
    assert bbb.meetings == {}  # who was inside has been sent back to our door
    assert swapped.public_id not in before


def test_the_door_closes_when_the_end_is_asked_for(
    db: DbSession, evening: Evening, tools: Toolbox, bbb: FakeBigBlueButton, signed_in_as: SignIn
) -> None:
    choose(db, evening, RoomProvider.BIGBLUEBUTTON)
    clock.tend(tools, EARLY)
    rooms.ask_to_end(db, evening.session.id, actor_id=evening.organiser.id, now=EARLY)
    db.commit()
    client = signed_in_as(evening.viewer)

    at_once = knock(client, evening)
    clock.tend(tools, EARLY + timedelta(seconds=5))
    later = knock(client, evening)

    assert "The room has ended" in at_once.text
    assert "The room has ended" in later.text
    assert bbb.meetings == {}


def test_zoom_registers_a_person_once_and_the_way_in_is_sealed(
    db: DbSession,
    evening: Evening,
    tools: Toolbox,
    zoom_server: FakeZoom,
    signed_in_as: SignIn,
) -> None:
    choose(db, evening, RoomProvider.ZOOM)
    clock.tend(tools, EARLY - timedelta(minutes=60))
    clock.tend(tools, EARLY)
    client = signed_in_as(evening.viewer)

    first, second = (knock(client, evening).location for _ in range(2))

    guest = guests(db)[0]
    assert first == second
    assert list(zoom_server.registrants) == ["reg_0"]
    assert guest.remote_id == "reg_0"
    assert guest.sealed is not None
    assert "http" not in guest.sealed
    assert "tk=reg_0" in first
    sent = next(iter(zoom_server.registrants.values()))
    assert f"{sent['first_name']} {sent['last_name']}" == guest.pseudonym
    assert "anna" not in sent["email"]


def test_who_becomes_a_presenter_comes_as_one(
    db: DbSession,
    evening: Evening,
    tools: Toolbox,
    zoom_server: FakeZoom,
    signed_in_as: SignIn,
) -> None:
    choose(db, evening, RoomProvider.ZOOM)
    clock.tend(tools, EARLY)
    client = signed_in_as(evening.viewer)
    knock(client, evening)
    evening.session.faculty[0].user_id = evening.viewer.id
    evening.session.faculty[0].name = "Dr Anna Keller"
    db.commit()

    answer = knock(client, evening)

    assert answer.location == zoom_server.panelists[0]["join_url"]
    assert zoom_server.panelists[0]["name"] == "Dr Anna Keller"


def test_a_provider_that_is_away_is_no_error_page(
    db: DbSession,
    evening: Evening,
    tools: Toolbox,
    zoom_server: FakeZoom,
    signed_in_as: SignIn,
) -> None:
    choose(db, evening, RoomProvider.ZOOM)
    clock.tend(tools, EARLY)
    administrator = make_user(db, roles=(Role.ADMINISTRATOR,))
    db.commit()
    zoom_server.is_broken = True

    answer = knock(signed_in_as(administrator), evening)

    assert answer.status_code == 503
    assert "The room does not answer" in answer.text


def test_no_two_guests_of_a_room_have_the_same_name(db: DbSession, evening: Evening) -> None:
    room = choose(db, evening, RoomProvider.BIGBLUEBUTTON)
    for _ in range(150):
        room_guests.guest_for(db, room, make_user(db).id, now=EARLY)
    db.commit()

    names = [guest.pseudonym for guest in guests(db)]
    assert len(names) == len(set(names)) == 150
