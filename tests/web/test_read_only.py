"""A replica behind the program: whatever can be looked at is shown, whoever changes is told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from tests.builders import make_registration, make_session, make_user
from tests.components.postgres import PostgresServer
from tests.components.replica import Replica
from tests.conftest import SECRET, migrate
from tests.patience import wait_for
from tests.web.test_beats import beat, get_pass, recorded_session
from webinar import db as db_module
from webinar.app import create_app
from webinar.db import open_db
from webinar.domain.access import Role
from webinar.models import User
from webinar.services import passwords
from webinar.web import database_trouble

PASSWORD = "a password of eighteen"


def configured(url: str, folder: Path, *, read_only: bool = False) -> Config:
    return Config(
        SECRET_KEY=SECRET,
        DATABASE_URL=url,
        DATA_DIR=folder / "data",
        PUBLIC_URL="http://localhost",
        READ_ONLY=read_only,
    )


def application(config: Config) -> Flask:
    app = create_app(config)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    return app


def client_of(app: Flask, user_id: str) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = user_id
        cookie["_fresh"] = True
    return client


def prepared() -> tuple[str, str, str]:
    """An administrator with a place, a session to watch, and a coming one."""
    with open_db() as db:
        user = make_user(db, "admin@example.net", roles=(Role.ADMINISTRATOR, Role.ORGANISER))
        user.password_hash = passwords.hash_of(PASSWORD)
        watched = recorded_session(db)
        coming = make_session(db, starts_at=datetime.now(UTC) + timedelta(days=3))
        make_registration(db, watched, user)
        db.commit()
        return user.get_id(), watched.public_id, coming.public_id


def addresses(app: Flask, public_id: str) -> list[str]:
    """Every page that is only read and whose address can be told from a session."""
    names = {"public_id": public_id, "path": "x", "rest": "x.ics"}
    found = []
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.arguments <= set(names):
            with app.test_request_context():
                values = {name: names[name] for name in rule.arguments}
                found.append(str(rule.build(values, append_unknown=False)[1]))  # type: ignore[index]
    return sorted(set(found) - {"/calendar/x.ics"})


@pytest.fixture
def forced(database_url: str, tmp_path: Path) -> Iterator[tuple[Flask, str, str, str]]:
    """The program with the setting, on a database that has something to show."""
    before = application(configured(database_url, tmp_path))
    made = prepared()
    before.extensions["engine"].dispose()
    app = application(configured(database_url, tmp_path, read_only=True))
    yield app, *made
    app.extensions["engine"].dispose()


def test_every_page_is_shown_although_nothing_can_be_written(
    forced: tuple[Flask, str, str, str],
) -> None:
    app, user_id, watched, _ = forced
    client = client_of(app, user_id)

    statuses = {address: client.get(address).status_code for address in addresses(app, watched)}

    assert {where for where, status in statuses.items() if status >= 500} == set()
    assert list(statuses.values()).count(200) > 40


def test_a_form_is_told_that_nothing_can_be_changed_just_now(
    forced: tuple[Flask, str, str, str],
) -> None:
    app, user_id, _, coming = forced
    client = client_of(app, user_id)

    answer = client.post(f"/sessions/{coming}/register")
    as_json = client.post(
        f"/sessions/{coming}/questions", json={"text": "Why?"}, headers={"Accept": "*/*"}
    )

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "The service can only be read just now" in answer.get_data(as_text=True)
    assert (as_json.status_code, as_json.json["status"]) == (503, 503)


def test_people_sign_in_by_password_and_out_again(forced: tuple[Flask, str, str, str]) -> None:
    app, *_ = forced
    client = app.test_client()

    signed_in = client.post("/sign-in", data={"email": "admin@example.net", "password": PASSWORD})
    mine = client.get("/my/")
    signed_out = client.post("/sign-out")

    assert [each.status_code for each in (signed_in, mine, signed_out)] == [303, 200, 303]


def test_a_beat_is_not_durable_and_stays_with_the_player(database_url: str, tmp_path: Path) -> None:
    before = application(configured(database_url, tmp_path))
    user_id, *_ = prepared()
    with open_db() as db:
        session = recorded_session(db)
        make_registration(db, session, db.get_one(User, int(user_id.partition(".")[0])))
        db.commit()
        token = get_pass(client_of(before, user_id), session, "recorded")
    before.extensions["engine"].dispose()
    app = application(configured(database_url, tmp_path, read_only=True))

    answer = app.test_client().post("/beats", json=beat(token, [0, 0, 8_000]))
    app.extensions["engine"].dispose()

    assert (answer.status_code, answer.json["durable"]) == (200, -1)


def test_what_changes_nothing_are_addresses_there_are(
    forced: tuple[Flask, str, str, str],
) -> None:
    app, *_ = forced

    assert database_trouble.CHANGE_NOTHING - set(app.view_functions) == set()


def test_a_replica_is_found_out_by_itself_and_so_is_its_promotion(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = postgres.create_database()
    migrate(url, tmp_path)
    primary = application(configured(url, tmp_path))
    user_id, watched, coming = prepared()
    primary.extensions["engine"].dispose()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        written = connection.execute("SELECT pg_current_wal_lsn()").fetchone()

    with Replica(postgres, url) as replica:
        wait_for(lambda: replica.has_caught_up(str(written[0])))
        app = application(configured(replica.url, tmp_path))
        client = client_of(app, user_id)
        statuses = {where: client.get(where).status_code for where in addresses(app, watched)}
        refused = client.post(f"/sessions/{coming}/register")
        told = db_module.is_read_only()
        replica.promote()
        taken = client.post(f"/sessions/{coming}/register")
        told_later = db_module.is_read_only()
        app.extensions["engine"].dispose()
    postgres.drop_database(url)

    assert {where for where, status in statuses.items() if status >= 500} == set()
    assert list(statuses.values()).count(200) > 40
    assert (refused.status_code, told) == (503, True)
    assert (taken.status_code, told_later) == (303, False)
