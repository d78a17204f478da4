"""The tus protocol as its text asks, and who may send a video."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from config import Config
from tests.builders import NOW, make_session, make_society, make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.domain.upload import UploadState
from webinar.media.uploads import UploadStore
from webinar.models import Recording, Upload, User, UserRole, WebinarSession
from webinar.services import uploads

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TUS = {"Tus-Resumable": "1.0.0", "Accept": "application/json"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """One that is over and has no recording."""
    session = make_session(
        db, starts_at=NOW - timedelta(days=40), status=SessionStatus.ENDED, society=make_society(db)
    )
    db.commit()
    return session


@pytest.fixture
def client(
    app: Flask,
    db: DbSession,
    session: WebinarSession,
    signed_in_as: Callable[[User], FlaskClient],
) -> FlaskClient:
    """An organiser of the society whose session it is."""
    app.extensions["config"] = replace(app.extensions["config"], LOW_DISK_MEGABYTES=0)
    user = make_user(db)
    user.grants.append(UserRole(role=Role.ORGANISER, society_id=session.society_id))
    db.commit()
    return signed_in_as(user)


def address(session: WebinarSession) -> str:
    return f"/manage/sessions/{session.public_id}/recording/uploads"


def begin(
    client: FlaskClient, session: WebinarSession, *, length: int, name: str = "talk.mp4"
) -> TestResponse:
    metadata = f"filename {base64.b64encode(name.encode()).decode()},filetype dmlkZW8vbXA0"
    headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata}
    return client.post(address(session), headers=headers)


def send(client: FlaskClient, path: str, offset: int, data: bytes, **more: str) -> TestResponse:
    headers = {**PIECE, "Upload-Offset": str(offset), **more}
    return client.patch(path, headers=headers, data=data)


def row(db: DbSession, session: WebinarSession) -> Upload:
    db.expire_all()
    found = uploads.latest(db, session.id)
    assert found is not None
    return found


def store_of(config: Config) -> UploadStore:
    return UploadStore(config.DATA_DIR.resolve())


def test_the_server_says_what_it_can_do(client: FlaskClient, session: WebinarSession) -> None:
    answer = client.options(address(session))

    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,termination,checksum"
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha256,sha1"
    assert answer.headers["Tus-Max-Size"] == str(4096 * 1024 * 1024)


def test_pieces_of_any_size_arrive_whole_and_wait_for_the_worker(
    client: FlaskClient, db: DbSession, session: WebinarSession, config: Config
) -> None:
    video = secrets.token_bytes(5_000_001)
    begun = begin(client, session, length=len(video), name="Grand round.mp4")
    path = begun.headers["Location"]
    answers = [
        send(client, path, 0, video[:1]),
        send(client, path, 1, video[1:4_900_000]),
        client.head(path, headers=TUS),
        send(client, path, 4_900_000, video[4_900_000:]),
        client.head(path, headers=TUS),
    ]

    assert begun.status_code == 201
    assert [answer.status_code for answer in answers] == [204, 204, 200, 204, 200]
    assert [answer.headers["Upload-Offset"] for answer in answers] == [
        "1",
        "4900000",
        "4900000",
        "5000001",
        "5000001",
    ]
    assert {answer.headers["Tus-Resumable"] for answer in answers} == {"1.0.0"}
    assert answers[2].headers["Cache-Control"] == "no-store"
    upload = row(db, session)
    assert (upload.state, upload.file_name) == (UploadState.WAITING, "Grand round.mp4")
    assert store_of(config).path(upload.public_id).read_bytes() == video


def test_a_piece_at_another_offset_is_refused_and_changes_nothing(
    client: FlaskClient, session: WebinarSession
) -> None:
    path = begin(client, session, length=100).headers["Location"]
    send(client, path, 0, b"first")

    answers = [send(client, path, offset, b"again") for offset in (0, 4, 6)]

    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert client.head(path, headers=TUS).headers["Upload-Offset"] == "5"


def test_more_than_was_announced_is_refused(client: FlaskClient, session: WebinarSession) -> None:
    path = begin(client, session, length=4).headers["Location"]

    assert send(client, path, 0, b"12345").status_code == 413
    assert client.head(path, headers=TUS).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
def test_a_piece_with_a_wrong_sum_is_thrown_away(
    algorithm: str, client: FlaskClient, session: WebinarSession
) -> None:
    path = begin(client, session, length=100).headers["Location"]
    digest = base64.b64encode(hashlib.new(algorithm, b"right").digest()).decode()
    stated = {"Upload-Checksum": f"{algorithm} {digest}"}

    wrong = send(client, path, 0, b"wrong", **stated)
    right = send(client, path, 0, b"right", **stated)

    assert (wrong.status_code, right.status_code) == (460, 204)
    assert client.head(path, headers=TUS).headers["Upload-Offset"] == "5"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Upload-Offset": "-1"}, 400),
        ({"Upload-Offset": "٣"}, 400),
        ({"Upload-Offset": ""}, 400),
        ({"Upload-Checksum": "md5 1B2M2Y8AsgTpgAmY7PhCfg=="}, 400),
        ({"Upload-Checksum": "sha1 not base64"}, 400),
        ({"Content-Type": "application/octet-stream"}, 415),
    ],
)
def test_a_piece_that_is_not_understood_is_refused(
    headers: dict[str, str], status: int, client: FlaskClient, session: WebinarSession
) -> None:
    path = begin(client, session, length=100).headers["Location"]
    sent = {**PIECE, "Upload-Offset": "0"} | headers

    answer = client.patch(
        path, headers={k: v.encode().decode("latin-1") for k, v in sent.items()}, data=b"x"
    )

    assert answer.status_code == status
    assert answer.headers["Tus-Resumable"] == "1.0.0"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"Upload-Length": "0"}, 422),
        ({"Upload-Length": "ten"}, 400),
        ({"Upload-Defer-Length": "1"}, 400),
        ({"Upload-Length": str(4096 * 1024 * 1024 + 1)}, 413),
        ({"Upload-Length": "5", "Upload-Metadata": "filename not-base64"}, 400),
    ],
)
def test_an_upload_that_cannot_be_is_not_begun(
    headers: dict[str, str],
    status: int,
    client: FlaskClient,
    db: DbSession,
    session: WebinarSession,
) -> None:
    answer = client.post(address(session), headers={**TUS, **headers})

    assert answer.status_code == status
    assert db.scalars(select(Upload)).all() == []


def test_names_that_lead_elsewhere_are_shown_by_their_last_part(
    client: FlaskClient, db: DbSession, session: WebinarSession
) -> None:
    begin(client, session, length=5, name="..\\..\\etc/pass\x00wd\n.mp4")

    assert row(db, session).file_name == "passwd.mp4"


def test_a_session_has_one_upload_at_a_time(client: FlaskClient, session: WebinarSession) -> None:
    path = begin(client, session, length=5).headers["Location"]

    second = begin(client, session, length=6)
    client.delete(path, headers=TUS)
    third = begin(client, session, length=6)

    assert second.status_code == 409
    assert "talk.mp4" in second.get_json()["error"]
    assert third.status_code == 201


def test_a_withdrawn_upload_is_gone_with_its_bytes(
    client: FlaskClient, db: DbSession, session: WebinarSession, config: Config
) -> None:
    path = begin(client, session, length=100).headers["Location"]
    send(client, path, 0, b"plain bytes of a talk")

    answers = [
        client.delete(path, headers=TUS),
        client.head(path, headers=TUS),
        send(client, path, 21, b"more"),
        client.delete(path, headers=TUS),
    ]

    assert [answer.status_code for answer in answers] == [204, 410, 410, 410]
    assert row(db, session).state is UploadState.WITHDRAWN
    assert store_of(config).names() == []


def test_while_the_disk_is_low_an_upload_waits(
    app: Flask, client: FlaskClient, session: WebinarSession
) -> None:
    path = begin(client, session, length=100).headers["Location"]
    plenty = app.extensions["config"]

    app.extensions["config"] = replace(plenty, LOW_DISK_MEGABYTES=2**40)
    refused = send(client, path, 0, b"x")
    app.extensions["config"] = plenty
    again = send(client, path, 0, b"x")

    assert refused.status_code == 507
    assert "nearly full" in refused.get_json()["error"]
    assert again.status_code == 204


def test_a_file_larger_than_the_room_is_refused_before_it_is_sent(
    app: Flask, client: FlaskClient, session: WebinarSession
) -> None:
    app.extensions["config"] = replace(app.extensions["config"], LOW_DISK_MEGABYTES=2**40)

    answer = begin(client, session, length=5)

    assert answer.status_code == 507
    assert "Ask the administrator" in answer.get_json()["error"]


def test_a_piece_needs_the_token_against_forged_requests(
    app: Flask, client: FlaskClient, session: WebinarSession
) -> None:
    path = begin(client, session, length=3_000_000).headers["Location"]
    app.config["WTF_CSRF_ENABLED"] = True
    page = client.get(f"/manage/sessions/{session.public_id}/recording/upload").text
    token = page.partition('name="csrf-token" content="')[2].partition('"')[0]

    without = send(client, path, 0, b"x" * 2_000_000)
    with_token = send(client, path, 0, b"x" * 2_000_000, **{"X-CSRFToken": token})

    assert (without.status_code, with_token.status_code) == (400, 204)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (RecordingState.RECORDING, 422),
        (RecordingState.READY, 201),
        (RecordingState.PUBLISHED, 201),
        (RecordingState.CLOSED, 422),
        (RecordingState.DESTROYED, 422),
    ],
)
def test_a_recording_that_is_there_can_be_replaced_while_it_is_open(
    state: RecordingState,
    status: int,
    client: FlaskClient,
    db: DbSession,
    session: WebinarSession,
) -> None:
    db.add(Recording(public_id="rec1", session_id=session.id, state=state, created_at=NOW))
    db.commit()

    assert begin(client, session, length=5).status_code == status


def test_a_session_to_come_takes_no_video(
    client: FlaskClient, db: DbSession, session: WebinarSession
) -> None:
    session.ends_at = NOW + timedelta(days=40_000)
    db.commit()

    answer = begin(client, session, length=5)
    page = client.get(f"/manage/sessions/{session.public_id}/recording/upload")

    assert answer.status_code == 422
    assert "has not ended yet" in page.text


def test_nobody_of_another_society_sends_a_video(
    client: FlaskClient, db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    theirs = make_session(db, starts_at=NOW - timedelta(days=40), status=SessionStatus.ENDED)
    participant = make_user(db)
    db.commit()

    assert begin(client, theirs, length=5).status_code == 403
    assert begin(signed_in_as(participant), theirs, length=5).status_code == 403


def test_an_upload_is_reached_by_its_own_session_only(
    client: FlaskClient, db: DbSession, session: WebinarSession
) -> None:
    path = begin(client, session, length=5).headers["Location"]
    beside = make_session(db, status=SessionStatus.ENDED)
    beside.society_id = session.society_id
    db.commit()

    elsewhere = path.replace(session.public_id, beside.public_id)

    assert client.head(elsewhere, headers=TUS).status_code == 404


def test_the_page_says_how_far_the_upload_is(client: FlaskClient, session: WebinarSession) -> None:
    state = f"/manage/sessions/{session.public_id}/recording/upload/state"
    before = client.get(state).get_json()
    path = begin(client, session, length=100).headers["Location"]
    send(client, path, 0, b"x" * 40)

    during = client.get(state).get_json()

    assert before == {"state": "none"}
    assert (during["state"], during["received"], during["length"]) == ("uploading", 40, 100)
    assert path.endswith(during["id"])


class FillingDisk(BytesIO):
    """A body during which the disk becomes nearly full, after so many bytes of it."""

    def __init__(self, app: Flask, data: bytes, *, after: int) -> None:
        super().__init__(data)
        self.app, self.after = app, after

    def readinto(self, buffer: bytearray) -> int:
        count = super().readinto(buffer)
        if self.tell() >= self.after:
            full = replace(self.app.extensions["config"], LOW_DISK_MEGABYTES=2**40)
            self.app.extensions["config"] = full
        return count


def test_a_piece_of_gigabytes_does_not_fill_the_disk_that_broadcasts_need(
    app: Flask, client: FlaskClient, db: DbSession, session: WebinarSession
) -> None:
    size = 12 * 1024 * 1024
    path = begin(client, session, length=size).headers["Location"]

    answer = client.patch(
        path,
        headers={**PIECE, "Upload-Offset": "0", "Content-Length": str(size)},
        input_stream=FillingDisk(app, bytes(size), after=5 * 1024 * 1024),
    )

    assert answer.status_code == 507
    assert int(client.head(path, headers=TUS).headers["Upload-Offset"]) < size
