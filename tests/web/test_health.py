"""/healthz and /readyz tell the truth."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from config import Config
from tests.builders import make_user
from tests.components.postgres import PostgresServer
from webinar.app import create_app
from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.models import TickRun
from webinar.services import deliveries, parked, processes, ticks
from webinar.tools import newest_schema


@pytest.fixture(autouse=True)
def one_tick(app: Flask) -> Iterator[None]:
    plan = ticks.plan()
    ticks.bind({"send mails that are due": 1})
    yield
    ticks.bind(plan)


def keep_the_clock(db: DbSession, *, seconds_ago: float = 1, failures: int = 0) -> None:
    """As a clock does that ran its quickest tick then."""
    moment = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    db.merge(
        TickRun(
            name="send mails that are due",
            owner="here:1:x",
            began_at=moment,
            ended_at=moment,
            succeeded_at=moment,
            failures=failures,
            milliseconds=4,
        )
    )
    db.commit()


def test_all_is_well_once_the_clock_runs(client: FlaskClient, db: DbSession) -> None:
    keep_the_clock(db)

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {
        "status": "ready",
        "database": "ok",
        "schema": "ok",
        "clock": "ok",
        "workers": "ok",
        "disk": "ok",
        "mail": "ok",
        "work": "ok",
        "releases": "ok",
    }


def no_clock(db: DbSession) -> None:
    pass


def stopped_clock(db: DbSession) -> None:
    keep_the_clock(db, seconds_ago=120)


def time_set_back_and_the_clock_dead(db: DbSession) -> None:
    keep_the_clock(db, seconds_ago=-7200)


def failing_tick(db: DbSession) -> None:
    keep_the_clock(db, failures=3)


def mail_that_waits(db: DbSession) -> None:
    keep_the_clock(db)
    now = datetime.now(UTC)
    deliveries.queue(
        db,
        MailKind.VERIFY_EMAIL,
        user_id=make_user(db).id,
        subject_id=1,
        due_at=now - timedelta(minutes=11),
        now=now - timedelta(minutes=11),
    )
    db.commit()


def work_given_up(db: DbSession) -> None:
    keep_the_clock(db)
    for _ in range(parked.TRIES):
        parked.failed(db, "closing a recording", 7, error="broken", now=datetime.now(UTC))
    db.commit()


def two_releases(db: DbSession) -> None:
    keep_the_clock(db)
    now = datetime.now(UTC)
    for number in ("1", "2"):
        processes.seen(
            db,
            owner=f"here:{number}",
            role="clock",
            host="here",
            release=number,
            started_at=now,
            now=now,
        )
    db.commit()


@pytest.mark.parametrize(
    ("plant", "part", "word"),
    [
        (no_clock, "clock", "never"),
        (stopped_clock, "clock", "stopped"),
        (time_set_back_and_the_clock_dead, "clock", "stopped"),
        (failing_tick, "clock", "failing"),
        (mail_that_waits, "mail", "late"),
        (work_given_up, "work", "parked"),
        (two_releases, "releases", "mixed"),
    ],
)
def test_what_is_not_well_is_named_while_pages_are_served(
    client: FlaskClient, db: DbSession, plant: Callable[[DbSession], None], part: str, word: str
) -> None:
    plant(db)

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["status"] == "degraded"
    assert {name: said for name, said in answer.json.items() if said != "ok"} == {
        "status": "degraded",
        part: word,
    }


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_engine_of_workers_without_any_is_named(
    app: Flask, config: Config, client: FlaskClient, db: DbSession
) -> None:
    keep_the_clock(db)
    app.extensions["config"] = replace(config, ENGINE="procrastinate")

    before = client.get("/readyz").json
    now = datetime.now(UTC)
    processes.seen(
        db, owner="here:1", role="worker", host="here", release="1", started_at=now, now=now
    )
    db.commit()
    after = client.get("/readyz").json

    assert before is not None
    assert after is not None
    assert (before["workers"], after["workers"], after["status"]) == ("none", "ok", "ready")


@pytest.mark.parametrize(
    ("revision", "status", "word"), [("0001", 503, "old"), ("9999", 200, "newer")]
)
def test_a_schema_that_is_too_old_cannot_be_served_and_a_newer_one_can(
    client: FlaskClient, db: DbSession, revision: str, status: int, word: str
) -> None:
    keep_the_clock(db)
    set_revision(db, revision)

    answer = client.get("/readyz")
    set_revision(db, newest_schema())

    assert answer.json is not None
    assert (answer.status_code, answer.json["schema"]) == (status, word)


def set_revision(db: DbSession, revision: str) -> None:
    db.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    db.commit()


def test_a_database_that_went_away_makes_it_unready_and_not_dead(
    config: Config, postgres: PostgresServer
) -> None:
    url = postgres.create_database()
    app = create_app(replace(config, DATABASE_URL=url))
    client = app.test_client()
    empty = client.get("/readyz")

    postgres.drop_database(url)
    gone, alive = client.get("/readyz"), client.get("/healthz")
    app.extensions["engine"].dispose()

    assert (empty.status_code, empty.json["schema"]) == (503, "missing")
    assert (gone.status_code, gone.json["status"], gone.json["database"]) == (
        503,
        "unready",
        "unreachable",
    )
    assert gone.headers["Retry-After"] == "5"
    assert (alive.status_code, alive.json) == (200, {"status": "ok"})
