"""What viewers must not get by asking for addresses that no page of theirs names."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import make_session, make_society, make_user
from tests.web.evening import BASE, Evening, make_evening
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.media_gate import NotRegistered
from webinar.models import Recording, RecordingSlide, User, UserRole, WebinarSession
from webinar.services import recordings

SignIn = Callable[[User], FlaskClient]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LIVE = (f"{BASE}/live.m3u8", *(f"{BASE}/{one}/live.m3u8" for one in ("main", "low", "audio")))


@pytest.fixture
def evening(app: Flask, db: DbSession) -> Evening:
    return make_evening(app, db)


@pytest.fixture
def viewer(evening: Evening, signed_in_as: SignIn) -> FlaskClient:
    return signed_in_as(evening.watcher)


def keep_only(db: DbSession, evening: Evening, spans: list[list[int]]) -> None:
    db.get_one(Recording, evening.recording_id).kept = spans
    db.commit()


def test_what_was_cut_out_is_not_listed_among_the_last_seconds_of_the_evening(
    db: DbSession, evening: Evening, viewer: FlaskClient
) -> None:
    keep_only(db, evening, [[0, 2000]])

    lists = [viewer.get(url) for url in (*LIVE, f"{BASE}/main/recording.m3u8")]

    assert [each.status_code for each in lists] == [404, 404, 404, 404, 200]
    assert not any("-000003-" in each.text for each in lists)


def test_a_slide_that_is_not_shown_is_given_to_nobody_who_counts_up(
    db: DbSession, evening: Evening, viewer: FlaskClient
) -> None:
    shown = db.query(RecordingSlide).one()
    for number, starts in ((2, None), (3, 3.5)):
        db.add(
            RecordingSlide(
                recording_id=evening.recording_id,
                number=number,
                starts_seconds=starts,
                name=shown.name,
            )
        )
    keep_only(db, evening, [[0, 2000]])

    seen = [viewer.get(f"{BASE}/slides/{number}.jpg").status_code for number in (1, 2, 3)]

    assert seen == [200, 404, 404]


def test_an_organiser_of_another_society_has_no_place_by_that(
    db: DbSession, app: Flask, evening: Evening, signed_in_as: SignIn
) -> None:
    session = db.get_one(WebinarSession, evening.session_id)
    session.society = make_society(db)
    other = make_session(db, society=make_society(db))
    statuses = []
    for society_id in (other.society_id, session.society_id, None):
        organiser = make_user(db)
        organiser.grants.append(UserRole(role=Role.ORGANISER, society_id=society_id))
        db.commit()
        client = signed_in_as(organiser)
        urls = (evening.page, *evening.urls)
        statuses.append({client.get(url).status_code for url in urls})
        if society_id == other.society_id:
            with pytest.raises(NotRegistered):
                recordings.ensure_place(db, session, organiser.id)

    assert statuses == [{403}, {200}, {200}]
