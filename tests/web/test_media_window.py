"""The window at its edge: a second before, at, and a second after, at every address there is."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import make_registration, make_user
from tests.web.evening import NOTHING_TO_DOWNLOAD, Evening, make_evening
from webinar.db import DbSession
from webinar.models import User, WebinarSession, WindowExtension

SignIn = Callable[[User], FlaskClient]
SECOND = timedelta(seconds=1)


@pytest.fixture
def evening(app: Flask, db: DbSession) -> Evening:
    return make_evening(app, db)


def signed_in_before_the_end(sign_in: SignIn, user: User, evening: Evening) -> FlaskClient:
    """A sign-in lasts four weeks: one of now would not reach the end of the window."""
    with time_machine.travel(evening.closes_at - timedelta(days=1), tick=False):
        return sign_in(user)


def statuses_at(instant: datetime, client: FlaskClient, evening: Evening) -> dict[str, int]:
    with time_machine.travel(instant, tick=False):
        return {url: client.get(url).status_code for url in (evening.page, *evening.urls)}


def test_every_address_answers_until_the_window_ends_and_not_a_second_longer(
    evening: Evening, signed_in_as: SignIn
) -> None:
    client = signed_in_before_the_end(signed_in_as, evening.watcher, evening)
    end = evening.closes_at

    got_before = statuses_at(end - timedelta(days=1), client, evening)
    seen = [statuses_at(at, client, evening) for at in (end - SECOND, end, end + SECOND)]

    assert set(got_before.values()) == {200}
    assert [set(each.values()) for each in seen] == [{200}, {410}, {410}]


def test_who_has_more_time_reads_on_and_ends_at_the_second_of_their_own_end(
    evening: Evening, db: DbSession, signed_in_as: SignIn
) -> None:
    extended = make_user(db)
    own_end = evening.closes_at + timedelta(days=7)
    db.add(
        WindowExtension(
            recording_id=evening.recording_id,
            user_id=extended.id,
            closes_at=own_end,
            reason="On leave.",
            granted_by_id=evening.watcher.id,
            granted_at=evening.closes_at - timedelta(days=1),
        )
    )
    make_registration(db, evening_session(db, evening), extended)
    db.commit()
    client = signed_in_before_the_end(signed_in_as, extended, evening)
    other = signed_in_before_the_end(signed_in_as, evening.watcher, evening)

    theirs = [
        statuses_at(at, client, evening)
        for at in (evening.closes_at, own_end - SECOND, own_end, own_end + SECOND)
    ]
    others = statuses_at(evening.closes_at + SECOND, other, evening)

    assert [set(each.values()) for each in theirs] == [{200}, {200}, {410}, {410}]
    assert set(others.values()) == {410}


def test_an_open_player_is_refused_at_the_end_although_it_asked_a_moment_before(
    evening: Evening, signed_in_as: SignIn
) -> None:
    client = signed_in_before_the_end(signed_in_as, evening.watcher, evening)
    moment = timedelta(milliseconds=200)
    segment = evening.segments[0]

    with time_machine.travel(evening.closes_at - moment, tick=False) as clock:
        before = [client.get(segment).status_code, client.get(segment).status_code]
        clock.shift(moment)
        after = client.get(segment)

    assert before == [200, 200]
    assert (after.status_code, after.headers["Cache-Control"]) == (410, "no-store")
    assert "closed on" in after.text


def test_there_is_no_address_for_the_whole_as_a_file(
    evening: Evening, signed_in_as: SignIn
) -> None:
    client = signed_in_before_the_end(signed_in_as, evening.watcher, evening)

    found = []
    for at in (evening.closes_at - SECOND, evening.closes_at, evening.closes_at + SECOND):
        with time_machine.travel(at, tick=False):
            found += [client.get(url).status_code for url in NOTHING_TO_DOWNLOAD]

    assert set(found) == {404}


def evening_session(db: DbSession, evening: Evening) -> WebinarSession:
    return db.get_one(WebinarSession, evening.session_id)
