"""The copy of one's data, and the end of an account, through the browser's eyes."""

import io
import json
import zipfile
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import make_registration, make_session, make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.models import Delivery, User
from webinar.services import passwords

SignIn = Callable[[User], FlaskClient]
PASSWORD = "six words make a good one"
EMAIL = "anna@example.net"


@pytest.fixture
def anna(db: DbSession) -> User:
    user = make_user(db, EMAIL)
    user.password_hash = passwords.hash_of(PASSWORD)
    make_registration(db, make_session(db), user)
    db.commit()
    return user


def again(db: DbSession, user: User) -> User:
    db.rollback()
    db.expire_all()
    return db.get_one(User, user.id)


def test_the_account_page_leads_to_the_copy_and_to_the_end(
    signed_in_as: SignIn, anna: User
) -> None:
    page = signed_in_as(anna).get("/my/account").text

    assert 'href="/my/account/data.zip"' in page
    assert 'href="/my/account/delete"' in page


def test_the_copy_is_a_file_with_a_list_for_each_kind(signed_in_as: SignIn, anna: User) -> None:
    answer = signed_in_as(anna).get("/my/account/data.zip")

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert json.loads(archive.read("user.json"))[0]["email"] == EMAIL
        assert len(json.loads(archive.read("registration.json"))) == 1
        assert json.loads(archive.read("session.json"))[0]["title"].startswith("Sentinel")
        assert EMAIL in archive.read("README.txt").decode()
        assert "password_hash" not in json.loads(archive.read("user.json"))[0]


def test_nobody_gets_it_without_signing_in(client: FlaskClient) -> None:
    assert client.get("/my/account/data.zip").status_code == 302
    assert client.post("/my/account/delete").status_code == 302


def test_who_types_the_e_mail_and_the_password_is_gone(
    signed_in_as: SignIn, db: DbSession, anna: User
) -> None:
    client, other_browser = signed_in_as(anna), signed_in_as(anna)

    answer = client.post("/my/account/delete", data={"email": EMAIL, "password": PASSWORD})

    assert (answer.status_code, answer.location) == (303, "/")
    assert "Your account is deleted." in client.get("/").text
    assert client.get("/my/").status_code == 302
    assert other_browser.get("/my/").status_code == 302
    assert again(db, anna).erased_at is not None


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"email": EMAIL, "password": "wrong"}, "This is not your password."),
        ({"email": EMAIL}, "This is not your password."),
        ({"email": "b@example.net", "password": PASSWORD}, "This is not the e-mail"),
        ({"email": EMAIL, "proof": "made up"}, "This is not your password."),
    ],
)
def test_who_does_not_show_that_it_is_theirs_is_told_so(
    signed_in_as: SignIn, db: DbSession, anna: User, typed: dict[str, str], said: str
) -> None:
    answer = signed_in_as(anna).post("/my/account/delete", data=typed)

    assert answer.status_code == 422
    assert said in answer.text
    assert again(db, anna).erased_at is None


def test_who_has_no_password_comes_by_a_link(
    signed_in_as: SignIn, db: DbSession, anna: User
) -> None:
    anna.password_hash = None
    db.commit()
    client = signed_in_as(anna)
    before = client.get("/my/account/delete").text
    asked = client.post("/my/account/delete/link")
    token = db.scalars(select(Delivery)).one().details["token"]
    db.commit()
    led = client.post(f"/sign-in/{token}").location
    page = client.get(led).text
    proof = led.partition("proof=")[2]

    refused = client.post("/my/account/delete", data={"email": EMAIL})
    gone = client.post("/my/account/delete", data={"email": EMAIL, "proof": proof})

    assert asked.location == "/my/account/delete"
    assert "Delete my account</button>" not in before
    assert "so no password is needed" in page
    assert f'value="{proof}"' in page
    assert (refused.status_code, gone.status_code) == (422, 303)
    assert again(db, anna).erased_at is not None


def test_the_only_administrator_is_told_what_to_do_first(
    signed_in_as: SignIn, db: DbSession
) -> None:
    user = make_user(db, EMAIL, roles=(Role.ADMINISTRATOR,))
    user.password_hash = passwords.hash_of(PASSWORD)
    db.commit()

    answer = signed_in_as(user).post(
        "/my/account/delete", data={"email": EMAIL, "password": PASSWORD}
    )

    assert answer.status_code == 409
    assert "Make somebody else one first." in answer.text
    assert again(db, user).erased_at is None


def test_the_page_says_what_goes_and_what_stays(signed_in_as: SignIn, anna: User) -> None:
    page = signed_in_as(anna).get("/my/account/delete").text

    assert "What goes" in page
    assert "What stays, and why" in page
    assert "What you watched goes 10 years after the session." in page
