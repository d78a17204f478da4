"""Webhooks at their public addresses: believed by signature, once, for their own room."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.builders import STARTS_AT
from tests.rooms.conftest import EARLY, Evening
from tests.rooms.fake_bigbluebutton import FakeBigBlueButton, hook_body, hook_checksum
from tests.rooms.fake_zoom import joined, plain, signed
from tests.rooms.test_bigbluebutton import ready
from webinar.db import DbSession
from webinar.domain.rooms import RoomProvider, RoomState
from webinar.jobs import rooms as clock
from webinar.jobs.toolbox import Toolbox
from webinar.models import ExternalRoom, RoomGuest, RoomNotice, RoomVisit
from webinar.services import room_guests, rooms
from webinar.web.hooks import LARGEST

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

FORM = "application/x-www-form-urlencoded"


def opened(
    db: DbSession, evening: Evening, tools: Toolbox, provider: RoomProvider
) -> tuple[ExternalRoom, RoomGuest]:
    """An open room with one guest."""
    room = rooms.plan(
        db,
        evening.session.id,
        provider=provider,
        records=True,
        actor_id=evening.organiser.id,
        now=EARLY,
    )
    db.commit()
    clock.tend(tools, EARLY)
    db.refresh(room)
    guest = room_guests.guest_for(db, room, evening.viewer.id, now=EARLY)
    db.commit()
    return room, guest


def bbb_event(kind: str, room: str, person: str, at: datetime, connection: str = "w_1") -> str:
    return json.dumps(
        {
            "data": {
                "id": kind,
                "attributes": {
                    "meeting": {"external-meeting-id": room},
                    "user": {"internal-user-id": connection, "external-user-id": person},
                },
                "event": {"ts": round(at.timestamp() * 1000)},
            }
        }
    )


def send_bbb(client: FlaskClient, room: ExternalRoom, *events: str) -> TestResponse:
    path = f"/hooks/bigbluebutton/{room.public_id}"
    body = hook_body(*events)
    checksum = hook_checksum(f"http://localhost{path}", body)
    with time_machine.travel(STARTS_AT, tick=False):
        return client.post(f"{path}?checksum={checksum}", data=body, content_type=FORM)


def send_zoom(client: FlaskClient, body: bytes, now: datetime = STARTS_AT) -> TestResponse:
    with time_machine.travel(now, tick=False):
        return client.post(
            "/hooks/zoom", data=body, headers=signed(body, now), content_type="application/json"
        )


def visits(db: DbSession) -> list[tuple[int | None, datetime, datetime | None]]:
    db.expire_all()
    found = [
        (visit.guest_id, visit.joined_at, visit.left_at)
        for visit in db.scalars(select(RoomVisit).order_by(RoomVisit.joined_at))
    ]
    db.commit()
    return found


def after(seconds: int) -> datetime:
    return STARTS_AT + timedelta(seconds=seconds)


def test_coming_and_going_is_kept_as_a_visit(
    db: DbSession, evening: Evening, tools: Toolbox, client: FlaskClient
) -> None:
    room, guest = opened(db, evening, tools, RoomProvider.BIGBLUEBUTTON)

    came = send_bbb(
        client, room, bbb_event("user-joined", room.remote_id, guest.remote_id, after(10))
    )
    went = send_bbb(
        client, room, bbb_event("user-left", room.remote_id, guest.remote_id, after(700))
    )

    assert (came.status_code, went.status_code) == (200, 200)
    assert visits(db) == [(guest.id, after(10), after(700))]


def test_two_devices_and_a_return_are_visits_of_their_own(
    db: DbSession, evening: Evening, tools: Toolbox, client: FlaskClient
) -> None:
    room, guest = opened(db, evening, tools, RoomProvider.BIGBLUEBUTTON)
    person = (room.remote_id, guest.remote_id)

    send_bbb(client, room, bbb_event("user-joined", *person, after(0)))
    send_bbb(client, room, bbb_event("user-joined", *person, after(60), "w_2"))
    send_bbb(client, room, bbb_event("user-left", *person, after(100)))
    send_bbb(client, room, bbb_event("user-joined", *person, after(200)))
    send_bbb(client, room, bbb_event("user-left", *person, after(300)))

    assert visits(db) == [
        (guest.id, after(0), after(100)),
        (guest.id, after(60), None),
        (guest.id, after(200), after(300)),
    ]


def test_reports_in_the_wrong_order_make_the_same_visit(
    db: DbSession, evening: Evening, tools: Toolbox, client: FlaskClient
) -> None:
    room, guest = opened(db, evening, tools, RoomProvider.BIGBLUEBUTTON)

    send_bbb(client, room, bbb_event("user-left", room.remote_id, guest.remote_id, after(90)))
    send_bbb(client, room, bbb_event("user-joined", room.remote_id, guest.remote_id, after(30)))

    assert visits(db) == [(guest.id, after(30), after(90))]


def test_the_same_report_again_does_nothing(
    db: DbSession, evening: Evening, tools: Toolbox, client: FlaskClient
) -> None:
    room, guest = opened(db, evening, tools, RoomProvider.BIGBLUEBUTTON)
    event = bbb_event("user-joined", room.remote_id, guest.remote_id, after(10))

    answers = [send_bbb(client, room, event).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    assert len(visits(db)) == 1
    assert len(db.scalars(select(RoomNotice)).all()) == 1


def test_reports_of_another_room_are_refused(
    db: DbSession, evening: Evening, tools: Toolbox, client: FlaskClient
) -> None:
    room, guest = opened(db, evening, tools, RoomProvider.BIGBLUEBUTTON)

    named_otherwise = send_bbb(
        client, room, bbb_event("user-joined", "another", guest.remote_id, after(10))
    )
    body = hook_body(bbb_event("user-joined", room.remote_id, guest.remote_id, after(10)))
    for_another = hook_checksum("http://localhost/hooks/bigbluebutton/another", body)
    path = f"/hooks/bigbluebutton/{room.public_id}?checksum={for_another}"
    sent_on = client.post(path, data=body, content_type=FORM)

    assert (named_otherwise.status_code, sent_on.status_code) == (401, 401)
    assert visits(db) == []


@pytest.mark.parametrize("query", ["", "?checksum=", f"?checksum={'0' * 40}"])
def test_what_is_not_signed_is_refused(
    db: DbSession, evening: Evening, tools: Toolbox, client: FlaskClient, query: str
) -> None:
    room, _guest = opened(db, evening, tools, RoomProvider.BIGBLUEBUTTON)

    answer = client.post(
        f"/hooks/bigbluebutton/{room.public_id}{query}", data=hook_body(), content_type=FORM
    )

    assert answer.status_code == 401
    assert db.scalars(select(RoomNotice)).all() == []


@pytest.mark.parametrize("path", ["/hooks/bigbluebutton/x", "/hooks/zoom"])
def test_what_is_too_large_is_not_read(client: FlaskClient, path: str) -> None:
    answers = [
        client.post(path, data=b"x" * size, content_type=kind).status_code
        for size in (LARGEST + 1, 2_000_000)
        for kind in ("application/json", FORM)
    ]

    assert answers == [413, 413, 413, 413]


def test_a_recording_that_is_ready_is_fetched_at_once(
    db: DbSession, evening: Evening, tools: Toolbox, client: FlaskClient
) -> None:
    room, _guest = opened(db, evening, tools, RoomProvider.BIGBLUEBUTTON)
    path = f"/hooks/bigbluebutton/{room.public_id}"

    right = client.post(path, data=ready({"meeting_id": room.remote_id}), content_type=FORM)
    unsigned = client.post(
        path, data=ready({"meeting_id": room.remote_id}, "", "none"), content_type=FORM
    )
    of_another = client.post(path, data=ready({"meeting_id": "another"}), content_type=FORM)
    db.refresh(room)

    assert (right.status_code, unsigned.status_code, of_another.status_code) == (200, 401, 401)
    assert room.facts["work"]["recording"]["tries"] == 0


def test_an_unsigned_end_is_only_a_hint(
    db: DbSession, evening: Evening, tools: Toolbox, client: FlaskClient, bbb: FakeBigBlueButton
) -> None:
    room, _guest = opened(db, evening, tools, RoomProvider.BIGBLUEBUTTON)
    path = f"/hooks/bigbluebutton/{room.public_id}/ended?meetingID={room.remote_id}"
    over = evening.session.ends_at

    with time_machine.travel(over, tick=False):
        lied = client.get(path)
        unknown = client.get("/hooks/bigbluebutton/nothing/ended")
    clock.tend(tools, over)
    db.refresh(room)
    after_a_lie = room.state
    rooms.put_fact(room, "used", True)
    db.commit()
    bbb.forget(room.remote_id)
    with time_machine.travel(over, tick=False):
        client.get(path)
    clock.tend(tools, over)
    db.refresh(room)

    assert (lied.status_code, unknown.status_code) == (204, 204)
    assert after_a_lie is RoomState.OPEN
    assert room.state is RoomState.ENDED


def test_zoom_reports_who_comes_and_goes(
    db: DbSession, evening: Evening, tools: Toolbox, client: FlaskClient
) -> None:
    room, _made = opened(db, evening, tools, RoomProvider.ZOOM)
    clock.tend(tools, EARLY + timedelta(minutes=1))
    guest = db.scalars(select(RoomGuest).where(RoomGuest.sealed.is_not(None))).one()
    db.commit()

    send_zoom(client, joined(room.remote_id, guest.remote_id, "7", "2026-11-26T17:15:02Z"))
    gone = joined(room.remote_id, guest.remote_id, "7", "2026-11-26T17:50:00Z", event="left")
    answers = [send_zoom(client, gone).status_code for _ in range(2)]
    namesake = send_zoom(client, joined(room.remote_id, "", "8", "2026-11-26T17:20:00Z"))

    assert [*answers, namesake.status_code] == [200, 200, 200]
    assert visits(db) == [
        (
            guest.id,
            datetime(2026, 11, 26, 17, 15, 2, tzinfo=UTC),
            datetime(2026, 11, 26, 17, 50, tzinfo=UTC),
        ),
        (None, datetime(2026, 11, 26, 17, 20, tzinfo=UTC), None),
    ]
    kept = " ".join(str(notice.body) for notice in db.scalars(select(RoomNotice)))
    assert "someone@example.net" not in kept


def test_zoom_asks_whether_we_know_the_secret(client: FlaskClient) -> None:
    body = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": "p"}})

    answer = send_zoom(client, body.encode())

    assert (answer.status_code, answer.json["plainToken"]) == (200, "p")  # type: ignore[index]


def test_zoom_without_signature_too_old_or_from_the_future_is_refused(
    client: FlaskClient,
) -> None:
    body = plain("webinar.ended", "98", STARTS_AT)
    headers = [
        {},
        signed(body, STARTS_AT - timedelta(minutes=6)),
        signed(body, STARTS_AT + timedelta(minutes=6)),
        signed(body, STARTS_AT, "another secret"),
    ]

    with time_machine.travel(STARTS_AT, tick=False):
        answers = [
            client.post("/hooks/zoom", data=body, headers=sent).status_code for sent in headers
        ]

    assert answers == [401, 401, 401, 401]


def test_webinars_that_are_not_ours_leave_no_trace(db: DbSession, client: FlaskClient) -> None:
    answer = send_zoom(client, joined("12345", "reg_1", "7", "2026-11-26T17:15:02Z"))

    assert answer.status_code == 200
    assert db.scalars(select(RoomNotice)).all() == []


def test_a_webinar_that_ends_long_before_its_hour_may_start_again(
    db: DbSession, evening: Evening, tools: Toolbox, client: FlaskClient
) -> None:
    room, _guest = opened(db, evening, tools, RoomProvider.ZOOM)
    early, late = STARTS_AT + timedelta(minutes=5), evening.session.ends_at

    send_zoom(client, plain("webinar.ended", room.remote_id, early), early)
    db.refresh(room)
    then = room.state
    db.commit()
    send_zoom(client, plain("webinar.ended", room.remote_id, late), late)
    db.refresh(room)

    assert (then, room.state) == (RoomState.OPEN, RoomState.ENDED)


def test_no_hook_sets_a_cookie(client: FlaskClient) -> None:
    answer = client.post("/hooks/zoom", data=b"{}")

    assert "Set-Cookie" not in answer.headers
