"""Pages kept for visitors: the same bytes while nothing changed, and never another one's."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from tests.builders import (
    make_faculty,
    make_registration,
    make_series,
    make_session,
    make_topic,
    make_user,
)
from tests.evidence import make_grant
from tests.queries import counted
from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.models import User, WebinarSession
from webinar.services import public_version
from webinar.web.page_cache import Page, PageCache

TITLE = "Sentinel nodes after neoadjuvant therapy"
TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    """Stands still: a page says in how many minutes, and its token carries the second."""
    with time_machine.travel(datetime.now(UTC).replace(second=10, microsecond=0), tick=False):
        yield


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """Announced, in half an hour."""
    starts_at = datetime.now(UTC) + timedelta(minutes=30)
    session = make_session(
        db, series=make_series(db), topics=(make_topic(db),), starts_at=starts_at
    )
    make_faculty(db, session)
    db.commit()
    return session


def statements_of(app: Flask, client: FlaskClient, path: str) -> int:
    with counted(app.extensions["engine"]) as statements:
        assert client.get(path).status_code == 200
    return len(statements)


@pytest.mark.parametrize("path", ["/", "/sessions/", "/sessions/?view=month", "/about"])
@pytest.mark.usefixtures("session")
def test_a_kept_page_costs_one_statement(app: Flask, client: FlaskClient, path: str) -> None:
    first = client.get(path)

    again = statements_of(app, client, path)
    other = app.test_client().get(path)

    assert again == 1
    assert TOKEN.sub("", other.text) == TOKEN.sub("", first.text)
    assert other.headers["Cache-Control"] == "no-cache, private"
    assert other.headers["Vary"] == "Cookie"
    assert other.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]


CHANGES: dict[str, Callable[[DbSession, WebinarSession], object]] = {
    "a title": lambda db, session: setattr(session, "title", "Nodes, revisited"),
    "a name": lambda db, session: setattr(session.faculty[0], "name", "Dr Jan Novak"),
    "a topic": lambda db, session: setattr(session.topics[0], "name", "Nodes, revisited"),
    "a series": lambda db, session: setattr(session.series, "name", "Nodes, revisited"),
    "a state": lambda db, session: setattr(session, "status", SessionStatus.LIVE),
    "a grant": lambda db, session: make_grant(db, session, "esmo-mora-live", "1"),
    "one row less": lambda db, session: db.delete(session.faculty[0]),
    "SQL of one's own": lambda db, session: db.execute(
        text("UPDATE session SET title = 'Nodes, revisited'")
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_by_the_next_request(
    db: DbSession, client: FlaskClient, session: WebinarSession, change: str
) -> None:
    before = client.get("/sessions/").text
    CHANGES[change](db, session)
    db.flush()
    meanwhile = client.get("/sessions/").text if db.bind.dialect.name != "sqlite" else before
    db.commit()

    after = client.get("/sessions/").text

    assert meanwhile == before
    assert after != before


def test_what_nobody_sees_keeps_the_pages_and_so_does_what_is_taken_back(
    app: Flask, db: DbSession, session: WebinarSession
) -> None:
    reader = app.extensions["public_version"]
    before = public_version.current(reader)
    make_registration(db, session, make_user(db))
    db.commit()
    session.title = "Nodes, revisited"
    db.flush()
    db.rollback()

    after = public_version.current(reader)
    session.title = "Nodes, revisited"
    db.commit()

    assert before != ""
    assert after == before
    assert public_version.current(reader) != before


@pytest.mark.usefixtures("session")
def test_readers_in_two_zones_see_their_own_times(app: Flask) -> None:
    clients = []
    for zone in ("America/New_York", "Asia/Tokyo"):
        client = app.test_client()
        client.post("/zone", data={"zone": zone})
        clients.append(client)

    pages = [client.get("/sessions/").text for client in (*clients, *clients)]

    assert ["(New York)" in page for page in pages] == [True, False, True, False]
    assert ["(Tokyo)" in page for page in pages] == [False, True, False, True]


def test_who_is_signed_in_neither_fills_nor_gets_a_kept_page(
    app: Flask,
    db: DbSession,
    client: FlaskClient,
    session: WebinarSession,
    signed_in_as: Callable[[User], FlaskClient],
) -> None:
    user = make_user(db, name="Dr Maria Papadopoulou")
    make_registration(db, session, user)
    db.commit()
    person = signed_in_as(user)

    for path in ("/", f"/sessions/{session.public_id}"):
        kept_before = len(app.extensions["page_cache"])
        first = person.get(path).text
        kept_after = len(app.extensions["page_cache"])
        strangers = client.get(path).text
        again = person.get(path).text

        assert kept_after == kept_before
        assert ["Papadopoulou" in page for page in (first, strangers, again)] == [True, False, True]


@pytest.mark.usefixtures("session")
def test_a_remark_for_one_visitor_is_shown_to_nobody_else(app: Flask, client: FlaskClient) -> None:
    client.post("/sign-out")

    own = client.get("/").text
    others = app.test_client().get("/").text
    again = client.get("/").text

    assert ["You are signed out." in page for page in (own, others, again)] == [True, False, False]


@pytest.mark.usefixtures("session")
def test_each_visitor_has_a_token_that_only_their_own_cookie_makes_good(app: Flask) -> None:
    app.config.update(WTF_CSRF_ENABLED=True)
    clients = [app.test_client() for _ in range(3)]
    tokens = [TOKEN.findall(client.get("/sessions/").text)[0] for client in clients]

    own, strange = (
        clients[0].post("/zone", data={"zone": "Asia/Tokyo"}, headers={"X-CSRFToken": token})
        for token in tokens[:2]
    )

    assert len(set(tokens)) == 3
    assert (own.status_code, strange.status_code) == (204, 400)


def test_a_page_is_good_for_one_token_and_one_minute() -> None:
    cache, key = PageCache(), ("home.index", "http://localhost/?", "Europe/Zurich")
    page = Page("v1", 100, (b"page",))
    cache.keep(key, page)

    found = [cache.find(key, *asked) for asked in (("v1", 100), ("v2", 100), ("v1", 101))]

    assert found == [page, None, None]


def test_the_least_recently_used_page_makes_room() -> None:
    cache = PageCache(most_bytes=10)
    keys = [("sessions.index", f"http://localhost/sessions/?page={n}", "UTC") for n in range(3)]
    page = Page("v1", 100, (b"1234",))
    cache.keep(keys[0], page)
    cache.keep(keys[1], page)
    cache.find(keys[0], "v1", 100)

    cache.keep(keys[2], page)

    assert [cache.find(key, "v1", 100) for key in keys] == [page, None, page]
    assert (len(cache), cache.bytes) == (2, 8)
