"""BigBlueButton as its documentation says, against a server that checks every signature itself."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest

from tests.builders import STARTS_AT
from tests.rooms.fake_bigbluebutton import (
    SECRET,
    FakeBigBlueButton,
    hook_body,
    hook_checksum,
    is_signed,
    xml,
)
from tests.rooms.listening import Asked, Reply
from webinar.domain.rooms import (
    HookCall,
    HookRefused,
    HookUnreadable,
    KnownRoom,
    RemoteRecording,
    RoomEventKind,
    RoomMissing,
    RoomPlan,
    RoomRole,
    RoomTrouble,
    Visitor,
)
from webinar.rooms.bigbluebutton import BigBlueButton
from webinar.rooms.bigbluebutton_xml import parsed

HOOK = "https://webinar.example/hooks/bigbluebutton/room1"
PLAN = RoomPlan(
    public_id="room1",
    title="Sentinel nodes & “axillary” surgery",
    starts_at=STARTS_AT,
    ends_at=STARTS_AT,
    zone="Europe/Zurich",
    records=True,
    back_url="https://webinar.example/sessions/x/live",
    hook_url=HOOK,
)
VIEWER = Visitor(reference="opaque1", shown_name="Participant 4821", role=RoomRole.VIEWER)
JOINED = json.dumps(
    {
        "data": {
            "type": "event",
            "id": "user-joined",
            "attributes": {
                "meeting": {"internal-meeting-id": "i", "external-meeting-id": "room1"},
                "user": {
                    "internal-user-id": "w_1",
                    "external-user-id": "opaque1",
                    "name": "Participant 4821",
                    "role": "VIEWER",
                },
            },
            "event": {"ts": 1_795_713_301_500},
        }
    }
)


@pytest.fixture
def service(bbb: FakeBigBlueButton) -> BigBlueButton:
    return BigBlueButton(bbb.api, SECRET)


def room_of(service: BigBlueButton, plan: RoomPlan = PLAN) -> KnownRoom:
    made = service.create(plan, now=STARTS_AT)
    return KnownRoom(
        public_id=plan.public_id,
        remote_id=made.remote_id,
        address="",
        facts=made.facts,
        secrets=made.secrets,
    )


def call(body: bytes, query: Mapping[str, str], address: str = HOOK) -> HookCall:
    return HookCall(address=address, query=query, headers={}, body=body)


def test_the_checksum_is_the_one_printed_in_the_documentation() -> None:
    service = BigBlueButton("https://bbb.example/bigbluebutton/", SECRET, algorithm="sha1")

    address = service.signed(
        "create",
        {
            "name": "Test Meeting",
            "meetingID": "abc123",
            "attendeePW": "111222",
            "moderatorPW": "333444",
        },
    )

    assert address == (
        "https://bbb.example/bigbluebutton/api/create?name=Test+Meeting&meetingID=abc123"
        "&attendeePW=111222&moderatorPW=333444"
        "&checksum=1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17"
    )


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_each_hash_of_the_specification_signs(algorithm: str) -> None:
    service = BigBlueButton("https://bbb.example/bigbluebutton/api", SECRET, algorithm=algorithm)

    query = urlsplit(service.signed("getMeetings", {})).query

    assert is_signed("getMeetings", query)


def test_a_room_is_made_view_only_and_its_viewers_unseen(
    service: BigBlueButton, bbb: FakeBigBlueButton
) -> None:
    room_of(service)

    made = bbb.calls("create")[0]

    assert made["name"] == PLAN.title
    assert {name: made[name] for name in VIEW_ONLY} == VIEW_ONLY


VIEW_ONLY = {
    "record": "true",
    "autoStartRecording": "true",
    "allowStartStopRecording": "false",
    "webcamsOnlyForModerator": "true",
    "muteOnStart": "true",
    "allowModsToUnmuteUsers": "false",
    "lockSettingsDisableCam": "true",
    "lockSettingsDisableMic": "true",
    "lockSettingsDisablePrivateChat": "true",
    "lockSettingsDisablePublicChat": "true",
    "lockSettingsDisableNote": "true",
    "lockSettingsHideUserList": "true",
    "lockSettingsLockOnJoin": "true",
    "lockSettingsLockOnJoinConfigurable": "false",
    "guestPolicy": "ALWAYS_ACCEPT",
    "meta_endCallbackUrl": f"{HOOK}/ended",
    "meta_bbb-recording-ready-url": HOOK,
}


def test_making_it_twice_is_once(service: BigBlueButton, bbb: FakeBigBlueButton) -> None:
    first, second = (service.create(PLAN, now=STARTS_AT) for _ in range(2))

    assert first == second
    assert bbb.hooks == {"room1": HOOK}


def test_a_server_without_webhooks_makes_rooms_all_the_same(
    service: BigBlueButton, bbb: FakeBigBlueButton
) -> None:
    bbb.has_webhooks = False

    assert service.create(PLAN, now=STARTS_AT).facts["hook"] == ""


def test_a_viewer_comes_in_locked_under_a_neutral_name(
    service: BigBlueButton, bbb: FakeBigBlueButton
) -> None:
    room = room_of(service)

    entry = service.join_url(room, VIEWER, now=STARTS_AT)
    inside = httpx.get(entry.address, trust_env=False)
    said = parse_qs(urlsplit(entry.address).query)

    assert inside.text == "<html>in the room</html>"
    assert (said["role"], said["userID"], said["fullName"]) == (
        ["VIEWER"],
        ["opaque1"],
        ["Participant 4821"],
    )
    assert bbb.meetings["room1"].attendees == {"opaque1": "Participant 4821"}


def test_a_changed_link_opens_nothing(service: BigBlueButton, bbb: FakeBigBlueButton) -> None:
    address = service.join_url(room_of(service), VIEWER, now=STARTS_AT).address

    answer = httpx.get(address.replace("VIEWER", "MODERATOR"), trust_env=False)

    assert "checksumError" in answer.text
    assert bbb.meetings["room1"].attendees == {}


@pytest.mark.parametrize("role", [RoomRole.PRESENTER, RoomRole.MODERATOR])
def test_faculty_comes_in_as_moderators(service: BigBlueButton, role: RoomRole) -> None:
    speaker = Visitor(reference="o2", shown_name="Prof Elena Marchetti", role=role)

    address = service.join_url(room_of(service), speaker, now=STARTS_AT).address

    assert parse_qs(urlsplit(address).query)["role"] == ["MODERATOR"]


def test_a_wrong_secret_is_said_in_words(bbb: FakeBigBlueButton) -> None:
    service = BigBlueButton(bbb.api, "another secret that is wrong, but long enough")

    with pytest.raises(RoomTrouble, match="check WEBINAR_BBB_SECRET"):
        service.create(PLAN, now=STARTS_AT)

    assert bbb.meetings == {}


def test_a_server_that_is_away_is_said_in_words() -> None:
    service = BigBlueButton("http://127.0.0.1:9/bigbluebutton/", SECRET)

    with pytest.raises(RoomTrouble) as trouble:
        service.create(PLAN, now=STARTS_AT)

    assert str(trouble.value) == "BigBlueButton cannot be reached (ConnectError)."


def test_the_standing_names_who_is_inside(service: BigBlueButton, bbb: FakeBigBlueButton) -> None:
    room = room_of(service)
    httpx.get(service.join_url(room, VIEWER, now=STARTS_AT).address, trust_env=False)

    inside = service.standing(room, now=STARTS_AT)
    service.end(room, now=STARTS_AT)
    afterwards = service.standing(room, now=STARTS_AT)

    assert inside is not None
    assert (inside.is_there, inside.people, inside.was_used) == (True, ("opaque1",), True)
    assert afterwards is not None
    assert not afterwards.is_there


def test_ending_twice_is_once(service: BigBlueButton) -> None:
    room = room_of(service)

    service.end(room, now=STARTS_AT)
    service.end(room, now=STARTS_AT)


def test_recordings_are_found_fetched_and_deleted(
    service: BigBlueButton, bbb: FakeBigBlueButton, tmp_path: Path
) -> None:
    room = room_of(service)
    bbb.record("rec1", seconds=90)
    bbb.video = b"a film" * 1000

    found = service.recordings(room, now=STARTS_AT)
    signs: list[None] = []
    service.download(
        found[0], tmp_path / "film.mp4", alive=lambda: signs.append(None), now=STARTS_AT
    )
    service.delete_recording(room, found[0], now=STARTS_AT)

    assert found == (
        RemoteRecording(
            remote_id="rec1",
            address=f"{bbb.url}/playback/video/rec1/video-0.m4v",
            seconds=90.0,
            is_ready=True,
        ),
    )
    assert (tmp_path / "film.mp4").read_bytes() == bbb.video
    assert signs != []
    assert bbb.deleted == ["rec1"]


def test_a_recording_on_its_way_is_not_ready_and_slides_alone_are_no_video(
    service: BigBlueButton, bbb: FakeBigBlueButton
) -> None:
    bbb.record("rec1", state="processing")
    bbb.record("rec2", form="presentation")

    found = service.recordings(room_of(service), now=STARTS_AT)

    assert [(one.is_ready, one.address != "") for one in found] == [(False, True), (True, False)]


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE r [<!ENTITY a "b">]><response><returncode>SUCCESS</returncode></response>',
        b'<?xml version="1.0"?><!doctype r SYSTEM "file:///etc/passwd"><response/>',
        "<!DOCTYPE r><response/>".encode("utf-16"),
        b"<html>502 Bad Gateway",
        b"",
    ],
)
def test_xml_with_declarations_or_no_xml_is_not_read(body: bytes) -> None:
    with pytest.raises(RoomTrouble):
        parsed(body)


def test_what_it_does_not_know_is_told_apart(bbb: FakeBigBlueButton) -> None:
    service = BigBlueButton(bbb.api, SECRET)
    missing = KnownRoom(public_id="x", remote_id="x", address="", facts={}, secrets={})

    standing = service.standing(missing, now=STARTS_AT)

    assert standing is not None
    assert not standing.is_there
    assert issubclass(RoomMissing, RoomTrouble)


def test_events_with_a_right_checksum_are_read(service: BigBlueButton) -> None:
    body = hook_body(JOINED)

    heard = service.handle_webhook(
        call(body, {"checksum": hook_checksum(HOOK, body)}), now=STARTS_AT
    )

    assert [
        (event.kind, event.remote_room, event.person, event.connection, event.at)
        for event in heard.events
    ] == [
        (
            RoomEventKind.JOINED,
            "room1",
            "opaque1",
            "w_1",
            datetime.fromtimestamp(1_795_713_301.5, UTC),
        )
    ]


@pytest.mark.parametrize(
    "checksum",
    [
        "0" * 40,
        "",
        "ä" * 40,
        hook_checksum(HOOK, hook_body(JOINED), "another secret"),
        hook_checksum(HOOK.replace("room1", "room2"), hook_body(JOINED)),
        hook_checksum(HOOK, hook_body()),
    ],
)
def test_events_with_a_wrong_checksum_are_refused(service: BigBlueButton, checksum: str) -> None:
    with pytest.raises(HookRefused):
        service.handle_webhook(call(hook_body(JOINED), {"checksum": checksum}), now=STARTS_AT)


def ready(claims: Mapping[str, str], key: str = SECRET, algorithm: str = "HS256") -> bytes:
    return urlencode(
        {"signed_parameters": jwt.encode(dict(claims), key, algorithm=algorithm)}
    ).encode()


def test_a_signed_word_that_the_recording_is_ready_is_believed(service: BigBlueButton) -> None:
    body = ready({"meeting_id": "room1", "record_id": "rec1"})

    heard = service.handle_webhook(call(body, {}), now=STARTS_AT)

    assert [(event.kind, event.remote_room) for event in heard.events] == [
        (RoomEventKind.RECORDED, "room1")
    ]


@pytest.mark.parametrize(
    "body",
    [
        ready({"meeting_id": "room1"}, key="", algorithm="none"),
        ready({"meeting_id": "room1"}, key="another secret, but long enough for HS256"),
        ready({"meeting_id": "room1"}, key=SECRET * 3, algorithm="HS512"),
        urlencode({"signed_parameters": "no.token.atall"}).encode(),
        b"",
        b"event=%5B%5D",
    ],
)
def test_a_badly_signed_word_is_refused(service: BigBlueButton, body: bytes) -> None:
    with pytest.raises(HookRefused):
        service.handle_webhook(call(body, {}), now=STARTS_AT)


@pytest.mark.parametrize(
    "body",
    [
        hook_body("not json"),
        hook_body(JOINED.replace("1795713301500", '"soon"')),
        b"\xff\xfe",
        b"event=" + b"[" * 20_000,
    ],
)
def test_signed_nonsense_is_said_to_be_nonsense(service: BigBlueButton, body: bytes) -> None:
    with pytest.raises(HookUnreadable):
        service.handle_webhook(call(body, {"checksum": hook_checksum(HOOK, body)}), now=STARTS_AT)


def test_an_answer_without_end_is_cut_off(bbb: FakeBigBlueButton) -> None:
    class Endless(FakeBigBlueButton):
        def answer(self, asked: Asked) -> Reply:
            return Reply(body=xml(returncode="SUCCESS", message="x" * 5_000_000))

    with Endless() as server, pytest.raises(RoomTrouble, match="sent more than"):
        BigBlueButton(server.api, SECRET).create(PLAN, now=STARTS_AT)
