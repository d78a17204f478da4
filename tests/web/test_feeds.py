"""Calendar feeds over HTTP, as programs that poll for years see them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from config import Config
from tests.builders import (
    make_registration,
    make_series,
    make_session,
    make_society,
    make_topic,
    make_user,
)
from tests.calendar.kit.judge import ExpectedEvent, judge_feed, judge_single
from tests.calendar.kit.polling import judge_http
from tests.queries import counted
from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.models import FeedState, User, WebinarSession
from webinar.services import links
from webinar.services.feeds import refresh
from webinar.tools import calendar_tool


@pytest.fixture
def announce(db: DbSession, config: Config) -> Callable[..., WebinarSession]:
    """Render a session's entry as its services do, and commit."""

    def rendered(session: WebinarSession) -> WebinarSession:
        refresh(db, session, calendar=calendar_tool(config), now=datetime.now(UTC))
        db.commit()
        return session

    return rendered


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The application behind a real HTTP server."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def in_days(days: int) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)


def zurich_evening(day: date) -> datetime:
    """18:15 in Zurich, by the rule of directive 2000/84/EC, written out here a second time."""

    def last_sunday(month: int) -> date:
        last = date(day.year, month, 31)
        return last - timedelta(days=last.isoweekday() % 7)

    summer = last_sunday(3) <= day < last_sunday(10)
    return datetime.combine(day, time(16 if summer else 17, 15), UTC)


def titles(content: bytes) -> list[str]:
    lines = content.decode().splitlines()
    return [line.removeprefix("SUMMARY:") for line in lines if line.startswith("SUMMARY:")]


def test_a_season_over_both_clock_changes_is_right_in_every_feed(
    address: str,
    client: FlaskClient,
    db: DbSession,
    announce: Callable[[WebinarSession], WebinarSession],
) -> None:
    society, topic = make_society(db, "school"), make_topic(db, "breast")
    series = make_series(db, "grandrounds", society=society)
    first = datetime.now(UTC).date() - timedelta(days=120)
    days = [first + timedelta(days=7 * week) for week in range(68)]
    expected = []
    for number, day in enumerate(days):
        starts = zurich_evening(day)
        session = make_session(
            db, starts_at=starts, series=series, topics=(topic,), title=f"Evening, number {number}"
        )
        announce(session)
        summary, status = session.title, "CONFIRMED"
        if number == 30:
            session.moved_from = session.starts_at
            starts += timedelta(days=1, hours=2)
            session.starts_at, session.ends_at = starts, starts + timedelta(minutes=45)
            announce(session)
        if number == 40:
            session.status = SessionStatus.CANCELLED
            announce(session)
            summary, status = f"Cancelled: {session.title}", "CANCELLED"
        expected.append(ExpectedEvent(starts, starts + timedelta(minutes=45), summary, status))
    make_session(db, starts_at=in_days(20), series=series, status=SessionStatus.DRAFT)
    db.commit()

    for path in (
        "/calendar/all.ics",
        "/calendar/series/grandrounds.ics",
        "/calendar/topics/breast.ics",
        "/calendar/societies/school.ics",
    ):
        assert judge_feed(client.get(path).data, expected) == []
    assert judge_http(f"{address}/calendar/series/grandrounds.ics") == []


def test_a_single_file_is_right_and_offered_for_opening(
    address: str,
    client: FlaskClient,
    db: DbSession,
    announce: Callable[[WebinarSession], WebinarSession],
) -> None:
    session = announce(make_session(db, starts_at=in_days(3)))
    path = f"/calendar/sessions/{session.public_id}.ics"

    response = client.get(path)

    assert (
        judge_single(
            response.data, ExpectedEvent(session.starts_at, session.ends_at, session.title)
        )
        == []
    )
    assert (
        response.headers["Content-Disposition"]
        == f"attachment; filename=session-{session.public_id}.ics"
    )
    assert judge_http(f"{address}{path}") == []


def test_an_empty_feed_is_a_calendar_without_events(address: str, client: FlaskClient) -> None:
    response = client.get("/calendar/all.ics")

    assert response.status_code == 200
    assert judge_feed(response.data, []) == []
    assert judge_http(f"{address}/calendar/all.ics") == []


def test_a_personal_feed_shows_what_its_person_registered_for(
    address: str,
    client: FlaskClient,
    db: DbSession,
    announce: Callable[[WebinarSession], WebinarSession],
) -> None:
    anna, token = person_with_feed(db)
    mine = announce(make_session(db, starts_at=in_days(3), title="Mine"))
    announce(make_session(db, starts_at=in_days(4), title="Not mine"))
    given_up = announce(make_session(db, starts_at=in_days(5), title="Given up"))
    make_registration(db, mine, anna)
    make_registration(db, given_up, anna).cancelled_at = in_days(0)
    db.commit()

    response = client.get(f"/calendar/personal/{token}.ics")

    assert judge_feed(response.data, [ExpectedEvent(mine.starts_at, mine.ends_at, "Mine")]) == []
    assert response.data.count(b"TRANSP:OPAQUE") == 1
    assert response.headers["Cache-Control"] == "private, max-age=300"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert judge_http(f"{address}/calendar/personal/{token}.ics") == []


def person_with_feed(db: DbSession) -> tuple[User, str]:
    token = links.new_token()
    anna = make_user(db)
    anna.feed_token_hash = links.hash_of(token)
    db.commit()
    return anna, token


def test_a_personal_feed_says_no_referrer_on_304_too(client: FlaskClient, db: DbSession) -> None:
    _, token = person_with_feed(db)
    tag = client.get(f"/calendar/personal/{token}.ics").headers["ETag"]

    response = client.get(f"/calendar/personal/{token}.ics", headers={"If-None-Match": tag})

    assert response.status_code == 304
    assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        "/calendar/series/nothing.ics",
        "/calendar/topics/nothing.ics",
        "/calendar/societies/nothing.ics",
        "/calendar/sessions/nothing.ics",
        "/calendar/personal/nothing.ics",
        "/calendar/nothing",
        "/calendar/some/thing.html",
    ],
)
def test_an_unknown_calendar_is_answered_in_words_not_with_a_page(
    client: FlaskClient, path: str
) -> None:
    response = client.get(path)

    assert response.status_code == 404
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.text.startswith("There is no such ") or response.text.startswith(
        "There is no calendar called "
    )


def test_a_draft_has_no_file(client: FlaskClient, db: DbSession) -> None:
    session = make_session(db, starts_at=in_days(3), status=SessionStatus.DRAFT)
    session.ical_public = "BEGIN:VEVENT\r\nEND:VEVENT\r\n"  # announced once, then taken back
    db.commit()

    assert client.get(f"/calendar/sessions/{session.public_id}.ics").status_code == 404
    assert titles(client.get("/calendar/all.ics").data) == []


def test_a_signed_in_browser_gets_the_same_bytes_and_no_cookie(
    client: FlaskClient,
    db: DbSession,
    signed_in_as: Callable[[User], FlaskClient],
    announce: Callable[[WebinarSession], WebinarSession],
) -> None:
    announce(make_session(db, starts_at=in_days(3)))
    anna = make_user(db)
    db.commit()
    browser = signed_in_as(anna)
    with browser.session_transaction() as cookie:
        cookie.permanent = True
        cookie["_remember"] = "set"

    response = browser.get("/calendar/all.ics")

    assert response.data == client.get("/calendar/all.ics").data
    assert response.headers.getlist("Set-Cookie") == []
    assert "Vary" not in response.headers


def test_last_modified_rises_when_a_session_leaves_the_feed(
    client: FlaskClient,
    db: DbSession,
    announce: Callable[[WebinarSession], WebinarSession],
) -> None:
    announce(make_session(db, starts_at=in_days(3), title="Stays"))
    leaving = announce(make_session(db, starts_at=in_days(4), title="Leaves"))
    before = client.get("/calendar/all.ics")
    leaving.status = SessionStatus.DRAFT
    db.commit()

    after = client.get(
        "/calendar/all.ics", headers={"If-Modified-Since": before.headers["Last-Modified"]}
    )

    assert after.status_code == 200
    assert titles(after.data) == ["Stays"]
    assert after.last_modified is not None
    assert before.last_modified is not None
    assert after.last_modified > before.last_modified


def test_what_comes_back_counts_as_a_change_too(
    client: FlaskClient,
    db: DbSession,
    announce: Callable[[WebinarSession], WebinarSession],
) -> None:
    session = announce(make_session(db, starts_at=in_days(3)))
    seen = [client.get("/calendar/all.ics")]
    for status in (SessionStatus.DRAFT, SessionStatus.PUBLISHED):
        session.status = status
        db.commit()
        seen.append(client.get("/calendar/all.ics"))

    assert seen[0].data == seen[2].data
    assert seen[0].headers["ETag"] == seen[2].headers["ETag"]
    instants = [response.last_modified for response in seen]
    assert instants == sorted(set(instants))


def test_a_renamed_series_is_a_changed_feed(
    client: FlaskClient,
    db: DbSession,
) -> None:
    series = make_series(db, "grandrounds")
    db.commit()
    before = client.get("/calendar/series/grandrounds.ics").headers["ETag"]
    series.name = "e-Grand Rounds, new"
    db.commit()

    after = client.get("/calendar/series/grandrounds.ics", headers={"If-None-Match": before})

    assert after.status_code == 200
    assert b"\r\nNAME:e-Grand Rounds\\, new\r\n" in after.data


def test_an_unchanged_feed_is_answered_from_one_row_and_writes_nothing(
    app: Flask,
    client: FlaskClient,
    db: DbSession,
    announce: Callable[[WebinarSession], WebinarSession],
) -> None:
    for days in range(1, 30):
        announce(make_session(db, starts_at=in_days(days)))
    tag = client.get("/calendar/all.ics").headers["ETag"]

    with counted(app.extensions["engine"]) as statements:
        response = client.get("/calendar/all.ics", headers={"If-None-Match": tag})

    assert response.status_code == 304
    assert [statement.split()[0] for statement in statements] == ["SELECT"]


def test_a_first_poll_notes_what_the_feed_is(client: FlaskClient, db: DbSession) -> None:
    response = client.get("/calendar/all.ics")

    state = db.get_one(FeedState, "all")
    assert response.headers["ETag"] == f'"{state.etag}"'
    assert response.last_modified == state.changed_at


@contextmanager
def renamed(app: Flask, table: str, name: str) -> Iterator[None]:
    """The table cannot be found meanwhile; the next test finds it again."""
    with app.extensions["engine"].begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")
    try:
        yield
    finally:
        with app.extensions["engine"].begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {table}")


def test_a_broken_database_is_a_503_in_words(
    app: Flask, client: FlaskClient, db: DbSession
) -> None:
    with renamed(app, "feed_state", "gone"):
        response = client.get("/calendar/all.ics")

    assert response.status_code == 503
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert int(response.headers["Retry-After"]) > 0
