"""Requests are numbered, told in the log, and told without anybody's secrets."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from tests.builders import make_user
from webinar import logs
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.models import User

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SECRET = "fZ3kq8Y1mWb_0Lr-7uXcVtN2oPsQ5aEd"
NAME = "Jana Nováková"
PASSWORD = "quiet harbour lantern seventy"
Log = Callable[[], str]


@pytest.fixture
def written(app: Flask) -> Iterator[Log]:
    """All that the process writes in its log, as collectors get it."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.start("json", secrets=app.extensions["config"].secrets(), to=stream)
    yield stream.getvalue
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.parametrize("path", ["/", "/healthz", "/beats", "/recordings/x/main/live.m3u8", "/no"])
def test_every_answer_carries_a_number(client: FlaskClient, path: str) -> None:
    numbers = [client.get(path).headers["X-Request-Id"] for _ in range(2)]

    assert [bool(re.fullmatch("[0-9a-f]{16}", number)) for number in numbers] == [True, True]
    assert numbers[0] != numbers[1]


@pytest.mark.parametrize(
    ("sent", "is_taken"),
    [
        ("4f1c7d0a9b3e4c5d8f60718293a4b5c6", True),
        ("2f0c9a44-5b1d-4a58-9d5e-0c6b5f6b7a10", True),
        ("short", False),
        ("x" * 65, False),
        ("jana@uni.example", False),
        ("<script>alert(1)</script>", False),
    ],
)
def test_the_number_of_a_proxy_is_taken_if_it_is_one(
    client: FlaskClient, sent: str, is_taken: bool
) -> None:
    answer = client.get("/", headers={"X-Request-Id": sent})

    assert (answer.headers["X-Request-Id"] == sent) is is_taken
    assert len(answer.headers.getlist("X-Request-Id")) == 1


def test_a_page_that_refuses_says_its_number(client: FlaskClient) -> None:
    answer = client.get("/sessions/none", headers={"X-Request-Id": "0123456789abcdef"})

    assert answer.status_code == 404
    assert "<code>0123456789abcdef</code>" in answer.text


def test_a_request_is_one_line_by_its_rule_and_not_its_path(
    client: FlaskClient, written: Log
) -> None:
    client.get(f"/sessions/{SECRET}?q=jana", headers={"X-Request-Id": "0123456789abcdef"})
    client.get("/healthz")

    [line] = [json.loads(line) for line in written().splitlines()]
    assert line.pop("milliseconds") >= 0
    del line["timestamp"]
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "webinar.web.request_ids",
        "method": "GET",
        "request": "0123456789abcdef",
        "route": "/sessions/<public_id>",
        "status": 404,
    }


def test_what_breaks_is_written_down_under_the_number_the_person_was_told(
    app: Flask, db: DbSession, written: Log
) -> None:
    make_user(db, "jana.novakova@uni.example")
    db.commit()

    def break_down(token: str) -> str:
        make_user(g.db, "jana.novakova@uni.example").name = NAME
        g.db.commit()
        return token

    app.add_url_rule("/broken/<token>", view_func=break_down, methods=["POST"])

    answer = app.test_client().post(f"/broken/{SECRET}")

    broken = [json.loads(line) for line in written().splitlines() if '"error"' in line]
    number = answer.headers["X-Request-Id"]
    assert answer.status_code == 500
    assert f"<code>{number}</code>" in answer.text
    assert [(line["event"], line["request"]) for line in broken] == [
        ("request failed: POST /broken/<token>", number)
    ]
    assert "IntegrityError" in broken[0]["exception"]
    assert_nothing_is_told(written(), "jana.novakova", "Nováková")


def test_no_address_of_the_program_tells_its_secrets_or_its_people_to_the_log(
    app: Flask,
    db: DbSession,
    client: FlaskClient,
    signed_in_as: Callable[[User], FlaskClient],
    written: Log,
) -> None:
    administrator = make_user(
        db, "jana.novakova@uni.example", roles=(Role.ADMINISTRATOR, Role.ORGANISER)
    )
    administrator.name = NAME
    db.commit()
    visitor, known = client, signed_in_as(administrator)
    form = {
        "email": "jana.novakova@uni.example",
        "name": NAME,
        "password": PASSWORD,
        "country": "CZ",
        "token": SECRET,
        "reason": f"{NAME} asked",
    }

    statuses = set()
    for rule in app.url_map.iter_rules():
        values = {
            name: 1 if type(rule._converters[name]).__name__ == "IntegerConverter" else SECRET
            for name in rule.arguments
        }
        path = app.url_map.bind("localhost").build(rule.endpoint, values)
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            for who in (visitor, known):
                sent = who.open(f"{path}?to=jana.novakova@uni.example", method=method, data=form)
                statuses.add(sent.status_code)

    assert {200, 302, 404} <= statuses
    assert '"route": "/faculty/<token>"' in written()
    assert_nothing_is_told(written(), "jana.novakova", "Nováková", SECRET, PASSWORD)


def assert_nothing_is_told(text: str, *secrets: str) -> None:
    assert [secret for secret in secrets if secret in text] == []
    assert "[parameters" not in text
