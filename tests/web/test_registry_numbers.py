"""People say which registry may be told of them, and take it back."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.builders import make_user
from webinar.db import DbSession
from webinar.models import Identifier, User


@pytest.fixture
def person(db: DbSession) -> User:
    user = make_user(db)
    db.commit()
    return user


@pytest.fixture
def own(person: User, signed_in_as: Callable[[User], FlaskClient]) -> FlaskClient:
    return signed_in_as(person)


def test_a_number_is_given_with_consent_and_taken_back(
    db: DbSession, person: User, own: FlaskClient
) -> None:
    licence = {"value": "123456", "state": "NY", "birth": "05-31", "consent": "y"}

    own.post("/my/numbers/pars", data=licence)
    page = own.get("/my/numbers/").text
    assert "123456" in page
    kept = db.get_one(Identifier, (person.id, "PARS")).details
    db.commit()
    assert kept == {"birth": "05-31", "state": "NY"}

    own.post("/my/numbers/pars/take-back")
    assert "123456" not in own.get("/my/numbers/").text


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"value": "802760020090329"}, "Without your consent to pass it on"),
        ({"value": "802760020090328", "consent": "y"}, "its last digit checks the others"),
    ],
)
def test_what_is_refused_says_why_and_keeps_what_was_typed(
    own: FlaskClient, data: dict[str, str], sentence: str
) -> None:
    answer = own.post("/my/numbers/efn", data=data)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert data["value"] in answer.text


def test_there_are_no_other_registries(own: FlaskClient) -> None:
    assert own.post("/my/numbers/nhs", data={}).status_code == 404


def test_a_stranger_signs_in_first(client: FlaskClient) -> None:
    assert client.get("/my/numbers/").status_code == 302
