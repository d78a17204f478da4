"""Zoom as its documentation says, against a server that checks every token and signs by itself."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders import STARTS_AT
from tests.rooms.fake_zoom import (
    ACCOUNT,
    CLIENT,
    WEBHOOK_SECRET,
    FakeZoom,
    joined,
    plain,
    signed,
)
from webinar.domain.rooms import (
    HookCall,
    HookRefused,
    HookUnreadable,
    KnownRoom,
    RoomEventKind,
    RoomPlan,
    RoomRole,
    RoomTrouble,
    Visitor,
)
from webinar.rooms.zoom import Zoom
from webinar.rooms.zoom_api import ZoomAccount, in_path

NOW = STARTS_AT
PLAN = RoomPlan(
    public_id="room1",
    title="Sentinel nodes",
    starts_at=STARTS_AT,
    ends_at=STARTS_AT + timedelta(minutes=45),
    zone="Europe/Zurich",
    records=True,
    back_url="https://webinar.example/sessions/x/live",
    hook_url="https://webinar.example/hooks/zoom",
)
VIEWER = Visitor(reference="opaque1", shown_name="Participant 4821", role=RoomRole.VIEWER)


def service_of(server: FakeZoom, secret: str = CLIENT[1]) -> Zoom:
    return Zoom(
        ZoomAccount(
            url=server.url,
            account_id=ACCOUNT,
            client_id=CLIENT[0],
            client_secret=secret,
            webhook_secret=WEBHOOK_SECRET,
        )
    )


@pytest.fixture
def service(zoom_server: FakeZoom) -> Zoom:
    return service_of(zoom_server)


def room_of(service: Zoom) -> KnownRoom:
    made = service.create(PLAN, now=NOW)
    return KnownRoom(
        public_id="room1", remote_id=made.remote_id, address="", facts=made.facts, secrets={}
    )


def call(body: bytes, headers: Mapping[str, str]) -> HookCall:
    return HookCall(address="", query={}, headers=headers, body=body)


def test_a_webinar_is_made_at_its_hour_and_zoom_writes_to_nobody(
    service: Zoom, zoom_server: FakeZoom
) -> None:
    room = room_of(service)

    made = zoom_server.webinars[room.remote_id]
    settings = made["settings"]

    assert (made["type"], made["start_time"], made["duration"], made["timezone"]) == (
        5,
        "2026-11-26T17:15:00Z",
        45,
        "Europe/Zurich",
    )
    assert isinstance(settings, dict)
    assert settings["auto_recording"] == "cloud"
    assert settings["registrants_confirmation_email"] is False
    assert settings["registrants_email_notification"] is False
    assert settings["panelists_invitation_email_notification"] is False
    assert settings["show_share_button"] is False


def test_a_token_serves_until_its_hour_is_over(service: Zoom, zoom_server: FakeZoom) -> None:
    room = room_of(service)
    service.end(room, now=NOW + timedelta(minutes=58))
    tokens = [zoom_server.tokens]
    service.end(room, now=NOW + timedelta(minutes=59))
    tokens.append(zoom_server.tokens)

    assert tokens == [1, 2]


def test_a_token_taken_back_early_is_replaced_once(service: Zoom, zoom_server: FakeZoom) -> None:
    room = room_of(service)
    zoom_server.valid_token = "taken back"

    service.end(room, now=NOW)

    assert (zoom_server.tokens, zoom_server.ended) == (2, [room.remote_id])


def test_wrong_credentials_are_said_in_words(zoom_server: FakeZoom) -> None:
    with pytest.raises(RoomTrouble, match="check the WEBINAR_ZOOM settings"):
        service_of(zoom_server, secret="wrong").create(PLAN, now=NOW)


def test_a_viewer_is_a_registrant_without_name_or_address(
    service: Zoom, zoom_server: FakeZoom
) -> None:
    room = room_of(service)

    entry = service.join_url(room, VIEWER, now=NOW)

    assert zoom_server.registrants == {
        "reg_0": {
            "email": "opaque1@participants.invalid",
            "first_name": "Participant",
            "last_name": "4821",
        }
    }
    assert (entry.remote_id, entry.is_kept) == ("reg_0", True)
    assert entry.address == f"{zoom_server.url}/w/{room.remote_id}?tk=reg_0"


def test_a_presenter_is_a_panelist_and_the_moderator_the_host(
    service: Zoom, zoom_server: FakeZoom
) -> None:
    room = room_of(service)
    names = ("Prof Elena Marchetti", "Dr Jonas Weber")
    presenter = Visitor(reference="o2", shown_name=names[0], role=RoomRole.PRESENTER)
    moderator = Visitor(reference="o3", shown_name=names[1], role=RoomRole.MODERATOR)

    panelist = service.join_url(room, presenter, now=NOW)
    host = service.join_url(room, moderator, now=NOW)

    assert [(one["name"], one["email"]) for one in zoom_server.panelists] == [
        ("Prof Elena Marchetti", "o2@participants.invalid")
    ]
    assert (panelist.is_kept, host.is_kept) == (True, False)
    assert host.address.endswith("?zak=x")


def report(registrant: str, user: str, start: str, end: str, name: str = "") -> dict[str, str]:
    return {
        "id": "",
        "user_id": user,
        "name": name,
        "user_email": "",
        "join_time": start,
        "leave_time": end,
        "registrant_id": registrant,
    }


def test_the_report_is_read_to_its_last_page_of_every_run(
    service: Zoom, zoom_server: FakeZoom
) -> None:
    room = room_of(service)
    zoom_server.runs = ["/run//1==", "run-2=="]
    zoom_server.reports = {
        "/run//1==": [
            report(f"reg_{n}", str(n), "2026-11-26T17:15:00Z", "2026-11-26T17:20:00Z")
            for n in range(5)
        ],
        "run-2==": [report("reg_0", "9", "2026-11-26T17:25:00Z", "2026-11-26T18:00:00Z")],
    }

    visits = service.attendance(room, now=NOW)

    assert [visit.person for visit in visits] == [
        "reg_0",
        "reg_1",
        "reg_2",
        "reg_3",
        "reg_4",
        "reg_0",
    ]
    assert visits[-1].left_at == datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
    assert len({visit.remote_event for visit in visits}) == 6


def test_namesakes_and_people_without_a_number_stay_apart(
    service: Zoom, zoom_server: FakeZoom
) -> None:
    room = room_of(service)
    zoom_server.runs = ["run"]
    times = ("2026-11-26T17:15:00Z", "2026-11-26T17:20:00Z")
    zoom_server.reports = {
        "run": [
            report("reg_0", "1", *times, name="Anna Keller"),
            report("reg_1", "2", *times, name="Anna Keller"),
            report("", "3", *times, name="Anna Keller"),
        ]
    }

    visits = service.attendance(room, now=NOW)

    assert [visit.person for visit in visits] == ["reg_0", "reg_1", ""]


def test_who_is_still_inside_waits_for_the_next_report(
    service: Zoom, zoom_server: FakeZoom
) -> None:
    room = room_of(service)
    zoom_server.runs = ["run"]
    zoom_server.reports = {"run": [report("reg_0", "1", "2026-11-26T17:15:00Z", "")]}

    assert service.attendance(room, now=NOW) == ()


@pytest.mark.parametrize(
    ("identifier", "written"),
    [
        ("abc==", "abc%3D%3D"),
        ("a/b==", "a%2Fb%3D%3D"),
        ("/ab==", "%252Fab%253D%253D"),
        ("a//b", "a%252F%252Fb"),
        ("98000000000", "98000000000"),
    ],
)
def test_slashes_of_a_run_are_written_twice_over_where_zoom_wants_it(
    identifier: str, written: str
) -> None:
    assert in_path(identifier) == written


def files(server: FakeZoom, *, status: str = "completed") -> list[dict[str, object]]:
    times = {
        "recording_start": "2026-11-26T17:15:00Z",
        "recording_end": "2026-11-26T17:55:00Z",
        "status": status,
    }
    address = f"{server.url}/rec/"
    return [
        {**times, "file_type": "M4A", "download_url": f"{address}sound"},
        {
            **times,
            "file_type": "MP4",
            "recording_type": "active_speaker",
            "download_url": f"{address}face",
        },
        {
            **times,
            "file_type": "MP4",
            "recording_type": "shared_screen_with_speaker_view",
            "download_url": f"{address}best",
        },
    ]


def test_the_best_video_of_a_run_is_fetched_and_everything_deleted(
    service: Zoom, zoom_server: FakeZoom, tmp_path: Path
) -> None:
    room = room_of(service)
    zoom_server.runs = ["run==", "not recorded"]
    zoom_server.recordings = {"run==": files(zoom_server)}
    zoom_server.video = b"a film"

    found = service.recordings(room, now=NOW)
    service.download(found[0], tmp_path / "film.mp4", alive=lambda: None, now=NOW)
    service.delete_recording(room, found[0], now=NOW)
    deletion = zoom_server.asked[-1]

    assert [(one.address, one.seconds, one.is_ready) for one in found] == [
        (f"{zoom_server.url}/rec/best", 2400.0, True)
    ]
    assert (tmp_path / "film.mp4").read_bytes() == b"a film"
    assert (zoom_server.deleted, deletion.query) == (["run=="], "action=delete")


def test_a_recording_that_is_processed_is_not_ready(service: Zoom, zoom_server: FakeZoom) -> None:
    room = room_of(service)
    zoom_server.runs = ["run"]
    zoom_server.recordings = {"run": files(zoom_server, status="processing")}

    assert [one.is_ready for one in service.recordings(room, now=NOW)] == [False]


def test_people_who_join_and_leave_are_read_by_their_number(service: Zoom) -> None:
    body = joined("98", "reg_7", "16778240", "2026-11-26T17:15:02Z")

    heard = service.handle_webhook(call(body, signed(body, NOW)), now=NOW)

    event = heard.events[0]
    assert (event.kind, event.remote_room, event.person, event.connection, event.at) == (
        RoomEventKind.JOINED,
        "98",
        "reg_7",
        "run-1==/16778240",
        datetime(2026, 11, 26, 17, 15, 2, tzinfo=UTC),
    )


@pytest.mark.parametrize("minutes", [5, -5])
def test_five_minutes_either_way_are_believed(service: Zoom, minutes: int) -> None:
    body = plain("webinar.started", "98", NOW)

    heard = service.handle_webhook(
        call(body, signed(body, NOW + timedelta(minutes=minutes))), now=NOW
    )

    assert [event.kind for event in heard.events] == [RoomEventKind.STARTED]


BODY = plain("webinar.ended", "98", NOW)
SIGNED = signed(BODY, NOW)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "not signed"),
        ({"x-zm-signature": SIGNED["x-zm-signature"]}, "not signed"),
        ({"x-zm-request-timestamp": SIGNED["x-zm-request-timestamp"]}, "not signed"),
        (signed(BODY, NOW - timedelta(seconds=301)), "too old"),
        (signed(BODY, NOW + timedelta(seconds=301)), "from the future"),
        (signed(BODY, NOW, secret="another"), "signature is wrong"),
        (signed(BODY + b" ", NOW), "signature is wrong"),
        ({**SIGNED, "x-zm-signature": "v0="}, "signature is wrong"),
        ({**SIGNED, "x-zm-signature": "ä"}, "signature is wrong"),
        ({**SIGNED, "x-zm-request-timestamp": "now"}, "no time"),
        ({**SIGNED, "x-zm-request-timestamp": "9" * 40}, "no time"),
        (
            {**SIGNED, "x-zm-request-timestamp": str(int(NOW.timestamp()) + 1)},
            "signature is wrong",
        ),
    ],
)
def test_what_cannot_prove_itself_is_refused(
    service: Zoom, headers: Mapping[str, str], words: str
) -> None:
    with pytest.raises(HookRefused, match=words):
        service.handle_webhook(call(BODY, headers), now=NOW)


def test_the_same_report_sent_later_has_the_same_digest(service: Zoom) -> None:
    later = NOW + timedelta(minutes=3)

    first = service.handle_webhook(call(BODY, SIGNED), now=NOW)
    again = service.handle_webhook(call(BODY, signed(BODY, later)), now=later)

    assert first.digest == again.digest


def test_zoom_is_answered_when_it_asks_whether_we_know_the_secret(service: Zoom) -> None:
    body = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8v"}})

    heard = service.handle_webhook(call(body.encode(), signed(body.encode(), NOW)), now=NOW)

    expected = hmac.new(WEBHOOK_SECRET.encode(), b"qgg8v", hashlib.sha256).hexdigest()
    assert heard.answer == {"plainToken": "qgg8v", "encryptedToken": expected}


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"[" * 50_000,
        joined("98", "reg_1", "1", "yesterday"),
        b'{"event": "webinar.started", "payload": {"object": {"id": "98"}}}',
    ],
)
def test_signed_nonsense_is_said_to_be_nonsense(service: Zoom, body: bytes) -> None:
    with pytest.raises(HookUnreadable):
        service.handle_webhook(call(body, signed(body, NOW)), now=NOW)
