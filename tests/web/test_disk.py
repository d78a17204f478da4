"""What is said while the server's disk is nearly full."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from tests.builders import make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.models import User

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MORE_THAN_ANY_DISK = 2**40  # megabytes


def test_a_full_disk_is_told_to_organisers_and_to_whoever_watches_the_service(
    app: Flask,
    config: Config,
    db: DbSession,
    signed_in_as: Callable[[User], FlaskClient],
) -> None:
    client = signed_in_as(make_user(db, roles=(Role.ORGANISER,)))
    db.commit()
    words = "disk is nearly full"

    app.extensions["config"] = replace(config, LOW_DISK_MEGABYTES=0)
    before = words in client.get("/manage/").text, word_of_the_disk(client)
    app.extensions["config"] = replace(config, LOW_DISK_MEGABYTES=MORE_THAN_ANY_DISK)
    after = words in client.get("/manage/").text, word_of_the_disk(client)

    assert before == (False, "ok")
    assert after == (True, "low")


def word_of_the_disk(client: FlaskClient) -> str:
    answer: dict[str, str] = client.get("/readyz").json or {}
    return answer["disk"]
