"""The studio's panel for OBS, and what the RTMP server in front asks."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from tests.builders import make_faculty, make_moderated, make_session, make_user
from webinar.db import DbSession
from webinar.domain.session import FacultyPart
from webinar.domain.streaming import Source
from webinar.models import Broadcast, StreamKey, User, WebinarSession
from webinar.services import broadcasts


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, SRT_PORTS="9000-9001", RTMP_URL="rtmp://live.example/ingest")


@pytest.fixture
def session(db: DbSession, app: Flask) -> WebinarSession:
    return make_moderated(db, make_session(db, starts_at=datetime.now(UTC) + timedelta(minutes=5)))


@pytest.fixture
def studio(
    db: DbSession, session: WebinarSession, signed_in_as: Callable[[User], FlaskClient]
) -> FlaskClient:
    speaker = make_user(db)
    make_faculty(db, session, user=speaker, part=FacultyPart.PRESENTER)
    db.commit()
    return signed_in_as(speaker)


def panel(session: WebinarSession) -> str:
    return f"/studio/{session.public_id}/streams"


def rtmp_key(studio: FlaskClient, session: WebinarSession) -> tuple[str, str]:
    page = studio.post(panel(session), data={"source": "rtmp"}).text
    found = re.search(r'value="([0-9a-f]+)\?token=([\w-]+)"', page)
    assert found is not None
    return found[1], found[2]


def test_an_address_is_shown_once(studio: FlaskClient, session: WebinarSession) -> None:
    made = studio.post(panel(session), data={"source": "srt"}).text
    again = studio.get(panel(session)).text

    found = re.search(r"srt://localhost:9000\?passphrase=(\w+)&amp;pbkeylen=16", made)
    assert found is not None
    assert found[1] not in again
    assert "waiting for OBS" in again


def test_only_the_faculty_of_the_session_makes_and_sees_ways_in(
    db: DbSession, session: WebinarSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    stranger = signed_in_as(make_user(db))
    db.commit()

    assert stranger.get(panel(session)).status_code == 403
    assert stranger.post(panel(session), data={"source": "srt"}).status_code == 403
    assert stranger.post(f"{panel(session)}/1/revoke").status_code == 403


def test_what_the_server_does_not_take_is_refused_with_a_sentence(
    db: DbSession, studio: FlaskClient, session: WebinarSession
) -> None:
    answer = studio.post(panel(session), data={"source": "browser"})

    assert "This server does not take that." in answer.text
    assert db.query(StreamKey).count() == 0


def test_sending_from_obs_before_anything_comes_in_is_refused_with_a_sentence(
    studio: FlaskClient, session: WebinarSession
) -> None:
    studio.post(f"/studio/{session.public_id}/live", json={})
    page = studio.post(panel(session), data={"source": "rtmp"}).text
    number = re.search(r"streams/(\d+)/revoke", page)
    assert number is not None

    answer = studio.post(f"{panel(session)}/{number[1]}/use")

    assert "Start streaming in OBS first." in answer.text


def test_the_rtmp_server_is_told_who_may_send(
    client: FlaskClient, studio: FlaskClient, session: WebinarSession
) -> None:
    name, token = rtmp_key(studio, session)

    def asked(call: str, **fields: str) -> int:
        answer = client.post("/hooks/rtmp", data={"call": call, "clientid": "7", **fields})
        return answer.status_code

    assert asked("publish", name=name) == 403
    assert asked("publish", name=name, token="wrong") == 403
    assert asked("publish", name="other", token=token) == 403
    assert asked("publish", name=name, token=token) == 204
    assert asked("update_publish", name=name, token=token) == 204
    page = studio.get(panel(session)).text
    assert "comes in" in page
    number = re.search(r"streams/(\d+)/revoke", page)
    assert number is not None
    studio.post(f"{panel(session)}/{number[1]}/revoke")
    assert asked("update_publish", name=name, token=token) == 403
    assert asked("publish", name=name, token=token) == 403
    assert asked("publish_done", name=name, token=token) == 204
    assert asked("anything", name=name) == 404


def test_the_studio_has_the_panel_where_programs_may_send(
    studio: FlaskClient, session: WebinarSession
) -> None:
    page = studio.get(f"/studio/{session.public_id}").text

    assert f'id="streams" hx-get="{panel(session)}" hx-trigger="load"' in page


def test_asking_again_and_again_leaves_the_address_that_is_shown_once(
    studio: FlaskClient, session: WebinarSession
) -> None:
    made = studio.post(panel(session), data={"source": "srt"}).text

    before, _, polled = made.partition('<div id="stream-keys"')

    assert "Copy this now: it is shown once." in before
    assert f'hx-get="{panel(session)}" hx-trigger="every 5s" hx-select="#stream-keys"' in polled
    assert "waiting for OBS" in polled


def test_the_studio_hears_that_obs_sends(
    db: DbSession, studio: FlaskClient, session: WebinarSession
) -> None:
    studio.post(f"/studio/{session.public_id}/live", json={})
    broadcast = db.query(Broadcast).one()
    maker = db.query(User).order_by(User.id).first()
    assert maker is not None
    broadcasts.open_take(
        db, broadcast.id, user_id=maker.id, source=Source.SRT, now=datetime.now(UTC)
    )
    db.commit()

    state = studio.get(f"/studio/{session.public_id}/state").json

    assert state is not None
    assert (state["sender"], state["is_obs"]) == ("OBS", True)
    refused = studio.post(f"/studio/{session.public_id}/takes", json={})
    assert refused.json == {
        "error": "OBS is sending right now. Take over only if that is agreed.",
        "sending": True,
    }
