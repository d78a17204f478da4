"""A database that is away, slow or full of others: clean answers, and later all is well."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError

from config import Config
from tests.builders import make_user
from tests.web.evening import Evening, make_evening
from tests.web.test_beats import beat, get_pass, recorded_session, viewer
from tests.web.test_media_doors import HOT
from webinar import db as db_module
from webinar.app import create_app
from webinar.db import DbSession, limit_statements, open_db, read_db
from webinar.models import User
from webinar.web import database_trouble
from webinar.web.access import public

SignIn = Callable[[User], FlaskClient]
POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@contextmanager
def away(url: str) -> Iterator[None]:
    """Nobody is let into this database meanwhile, and who was in is put out."""
    address, _, name = url.replace("+psycopg", "").rpartition("/")
    with psycopg.connect(f"{address}/postgres", autocommit=True) as door:
        door.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        door.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            " AND application_name = 'webinar'",
            [name],
        )
        try:
            yield
        finally:
            door.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@pytest.fixture
def evening(app: Flask, db: DbSession) -> Evening:
    return make_evening(app, db)


@POSTGRESQL
def test_pages_forms_and_scripts_are_told_to_come_back_and_then_all_is_well(
    config: Config, evening: Evening, db: DbSession, client: FlaskClient, signed_in_as: SignIn
) -> None:
    somebody = make_user(db)
    db.commit()
    signed_in = signed_in_as(somebody)
    asked = (
        lambda: client.get("/"),
        lambda: client.get("/sessions/?q=anything"),
        lambda: signed_in.get("/my/"),
        lambda: signed_in.post("/sessions/whatever/register"),
        lambda: client.post("/sign-in", data={"email": "a@example.org", "password": "x"}),
        lambda: signed_in.get("/my/", headers={"Accept": "application/json"}),
        lambda: client.get("/calendar/all.ics"),
        lambda: signed_in_as(evening.watcher).get(HOT[0]),
    )
    before = [ask().status_code for ask in asked]
    db.close()

    with away(config.DATABASE_URL):
        answers = [ask() for ask in asked]
    after = [ask().status_code for ask in asked]

    assert [answer.status_code for answer in answers] == [503] * len(asked)
    assert {answer.headers["Retry-After"] for answer in answers} == {"5", "300"}
    assert "The database does not answer just now" in answers[2].get_data(as_text=True)
    assert answers[5].json == {
        "error": "The database does not answer just now; nothing you sent was half-stored. "
        "Wait a few seconds, then try again.",
        "status": 503,
    }
    assert after == before


def put_out(url: str, db: DbSession) -> None:
    """End this one's connection, as a database does that is killed."""
    address, _, _name = url.replace("+psycopg", "").rpartition("/")
    number = db.scalar(text("SELECT pg_backend_pid()"))
    with psycopg.connect(f"{address}/postgres", autocommit=True) as door:
        door.execute("SELECT pg_terminate_backend(%s, 5000)", [number])


@POSTGRESQL
def test_a_page_that_is_ready_is_answered_although_the_database_went_away_behind_it(
    app: Flask, config: Config
) -> None:
    @app.get("/ready")
    @public
    def ready() -> str:
        put_out(config.DATABASE_URL, g.db)
        return "all of it"

    client = app.test_client()

    answers = [client.get("/ready") for _ in range(2)]

    assert [(one.status_code, one.text) for one in answers] == [(200, "all of it")] * 2


@POSTGRESQL
@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (ZeroDivisionError(), 500, "Something broke on our side"),
        (OperationalError("", {}, psycopg.OperationalError("it is lost")), 503, "Not just now"),
        (DataError("", {}, psycopg.DataError("too large")), 400, "That cannot be read"),
    ],
)
def test_an_error_has_its_page_although_the_database_went_away_with_it(
    app: Flask, config: Config, error: Exception, status: int, title: str
) -> None:
    @app.get("/breaks")
    @public
    def breaks() -> str:
        put_out(config.DATABASE_URL, g.db)
        raise error

    app.testing = False
    client = app.test_client()

    answer = client.get("/breaks")

    assert answer.status_code == status
    assert title in answer.text
    assert client.get("/sessions/").status_code == 200


@POSTGRESQL
def test_a_beat_is_never_called_durable_while_the_database_is_away(
    config: Config, db: DbSession, signed_in_as: SignIn
) -> None:
    session = recorded_session(db)
    person = viewer(db, session)
    client = signed_in_as(person)
    token = get_pass(client, session, "recorded")
    db.close()

    with away(config.DATABASE_URL):
        answer = client.post("/beats", json=beat(token, [0, 0, 1000], wait=0))
    later = client.post("/beats", json=beat(token, [0, 0, 1000], seq=1))

    assert (answer.status_code, answer.json["durable"]) == (200, -1)
    assert (later.status_code, later.json["durable"]) == (200, 1)


@POSTGRESQL
def test_a_page_that_asks_too_much_is_ended_but_a_command_takes_its_time(
    config: Config, compiled_templates: object
) -> None:
    app = create_app(replace(config, STATEMENT_SECONDS=1, DATABASE_POOL=1))

    @app.get("/slow")
    @public
    def slow() -> str:
        with read_db() as db:
            return str(db.scalar(text("SELECT pg_sleep(20)")))

    answer = app.test_client().get("/slow")
    with open_db() as db:  # the very connection the page has used
        limit = db.scalar(text("SHOW statement_timeout"))
    app.extensions["engine"].dispose()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "too long" in answer.get_data(as_text=True)
    assert limit == "0"


@POSTGRESQL
def test_a_limit_outlives_a_rollback(config: Config) -> None:
    engine = db_module.connect(config.DATABASE_URL)
    limit_statements(7)
    try:
        with open_db() as db:
            db.execute(text("SELECT 1"))
            db.rollback()
            limit = db.scalar(text("SHOW statement_timeout"))
    finally:
        limit_statements(0)
        engine.dispose()

    assert limit == "7s"


@POSTGRESQL
def test_whoever_finds_every_connection_taken_is_told_to_come_back(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_module, "POOL_SECONDS", 0.1)
    app = create_app(replace(config, DATABASE_POOL=1))
    client = app.test_client()

    with app.extensions["engine"].connect():
        answer = client.get("/sessions/")
    later = client.get("/sessions/")
    app.extensions["engine"].dispose()

    assert (answer.status_code, later.status_code) == (503, 200)


@POSTGRESQL
def test_what_the_address_of_the_database_says_goes_before_ours(config: Config) -> None:
    engine = db_module.connect(
        f"{config.DATABASE_URL}?application_name=mine&options=-csearch_path%3Dpublic"
    )
    with open_db() as db:
        said = [
            db.scalar(text(f"SHOW {name}"))
            for name in ("application_name", "search_path", "tcp_keepalives_idle")
        ]
    engine.dispose()

    assert said == ["mine", "public", "10"]


@SQLITE
def test_a_program_newer_than_its_schema_is_broken_and_not_told_to_wait(
    config: Config, tmp_path: Path
) -> None:
    empty = replace(config, DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    app = create_app(empty)

    answer = app.test_client().get("/sessions/")
    app.extensions["engine"].dispose()

    assert answer.status_code == 500


def test_only_troubles_that_pass_are_worth_waiting_for() -> None:
    class Cancelled(Exception):
        sqlstate = "57014"

    class ReadOnly(Exception):
        sqlstate = "25006"

    found = [
        type(database_trouble.refusal_for(error)).__name__
        for error in (
            OperationalError("SELECT", {}, Cancelled()),
            OperationalError("UPDATE", {}, ReadOnly()),
            OperationalError("UPDATE", {}, Exception("attempt to write a readonly database")),
            OperationalError("SELECT", {}, Exception("database is locked")),
            OperationalError("SELECT", {}, Exception("no such table: user")),
            ProgrammingError("SELECT", {}, Exception("syntax")),
            ValueError("ours"),
        )
    ]

    assert found == ["TooLong", "ReadOnlyNow", "ReadOnlyNow", "Away", *["NoneType"] * 3]
