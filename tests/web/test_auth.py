"""Accounts through the browser's eyes: register, prove, sign in, and all that goes wrong."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from tests.builders import make_series, make_session, make_user
from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, SignInLink, User
from webinar.services import accounts, passwords, registrations
from webinar.web.auth import BUSY_RETRY_SECONDS

PASSWORD = "six words make a good one"
SOON = datetime.now(UTC) + timedelta(days=3)
FORM = {
    "name": "Dr Anna Keller",
    "email": "anna@example.net",
    "country": "CH",
    "profession": "physician",
    "password": PASSWORD,
}


def register(client: FlaskClient, **changes: str) -> tuple[int, str]:
    answer = client.post("/register", data=FORM | changes)
    return answer.status_code, answer.location or ""


def token_in_the_mail(db: DbSession) -> str:
    last = select(Delivery).order_by(Delivery.id.desc()).limit(1)
    token = str(db.scalars(last).one().details["token"])
    db.commit()
    return token


def kinds(db: DbSession) -> list[str]:
    found = list(db.scalars(select(Delivery.kind).order_by(Delivery.id)))
    db.commit()
    return found


def may_see_my_page(client: FlaskClient) -> bool:
    return client.get("/my/").status_code == 200


def with_password(db: DbSession) -> User:
    user = make_user(db, "anna@example.net")
    user.password_hash = passwords.hash_of(PASSWORD)
    db.commit()
    return user


def test_a_new_person_registers_proves_their_email_and_is_in(
    client: FlaskClient, db: DbSession
) -> None:
    answer = register(client)
    before = may_see_my_page(client)
    path = f"/verify-email/{token_in_the_mail(db)}"
    page = client.get(path)
    pressed = client.post(path)

    assert answer == (303, "/check-mail?after=register")
    assert not before
    assert page.status_code == 200
    assert page.text.count("<form") == page.text.count('action="/sign-out"') + 1
    assert (pressed.status_code, pressed.location) == (303, "/my/")
    assert may_see_my_page(client)


def test_a_known_email_gets_the_very_same_answer_as_a_new_one(
    client: FlaskClient, db: DbSession
) -> None:
    make_user(db, "known@example.net", name="Prof Known")
    db.commit()

    new = client.post("/register", data=FORM | {"email": "new@example.net"})
    known = client.post("/register", data=FORM | {"email": "Known@example.net"})

    assert (known.status_code, known.location, known.text) == (
        new.status_code,
        new.location,
        new.text,
    )
    assert kinds(db) == ["verify_email", "already_registered"]
    assert db.scalars(select(User.name).where(User.email == "known@example.net")).one() == (
        "Prof Known"
    )


def test_a_form_with_mistakes_comes_back_with_all_that_was_typed(
    client: FlaskClient, db: DbSession
) -> None:
    answer = client.post(
        "/register", data=FORM | {"email": "anna@nowhere", "country": "", "password": "short"}
    )

    assert answer.status_code == 422
    assert "Check your e-mail: it looks like name@hospital.org." in answer.text
    assert "Choose your country from the list." in answer.text
    assert "A password has between 10 and 200 characters" in answer.text
    assert 'value="Dr Anna Keller"' in answer.text
    assert "short" not in answer.text.split("f-password")[-1].split(">")[0]
    assert db.scalars(select(User)).all() == []


def test_opening_a_link_any_number_of_times_does_not_use_it_up(
    client: FlaskClient, db: DbSession
) -> None:
    make_user(db, "anna@example.net")
    db.commit()
    client.post("/sign-in/link", data={"email": "anna@example.net"})
    path = f"/sign-in/{token_in_the_mail(db)}"

    scanned = [client.get(path).status_code, client.head(path).status_code]
    signed_in_by_looking = may_see_my_page(client)
    pressed = client.post(path)

    assert scanned == [200, 200]
    assert not signed_in_by_looking
    assert pressed.status_code == 303
    assert may_see_my_page(client)


def test_the_button_works_over_tls_with_the_guard_against_forged_forms(
    app: Flask, client: FlaskClient, db: DbSession
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    user = make_user(db, "anna@example.net")
    token = accounts.sign_in_token(db, user, now=datetime.now(UTC))
    db.commit()
    address = f"https://localhost/sign-in/{token}"

    page = client.get(address).text
    field = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert field is not None
    forged = client.post(address, headers={"Referer": address})
    pressed = client.post(
        address, data={"csrf_token": field.group(1)}, headers={"Referer": address}
    )

    assert forged.status_code == 400
    assert "nothing was changed" in forged.text
    assert pressed.status_code == 303


def test_a_used_link_says_so_and_offers_a_new_one(client: FlaskClient, db: DbSession) -> None:
    make_user(db, "anna@example.net")
    db.commit()
    client.post("/sign-in/link", data={"email": "anna@example.net"})
    path = f"/sign-in/{token_in_the_mail(db)}"
    client.post(path)
    client.post("/sign-out")

    answers = [client.get(path), client.post(path)]

    assert [answer.status_code for answer in answers] == [410, 410]
    assert "This link does not work any more" in answers[0].text
    assert 'action="/sign-in/link"' in answers[0].text
    assert not may_see_my_page(client)


def test_an_expired_link_and_an_invented_one_are_told_the_same(
    client: FlaskClient, db: DbSession
) -> None:
    register(client)
    token = token_in_the_mail(db)
    past = datetime.now(UTC) - timedelta(seconds=1)
    db.execute(update(SignInLink).values(expires_at=past))
    db.commit()

    expired, invented = client.post(f"/verify-email/{token}"), client.get("/verify-email/x")

    assert (expired.status_code, invented.status_code) == (410, 410)
    assert expired.headers["Cache-Control"] == "no-store"
    assert expired.headers["Referrer-Policy"] == "same-origin"
    assert db.scalars(select(User.verified_at)).one() is None


def test_asking_for_a_link_never_says_who_has_an_account(
    client: FlaskClient, db: DbSession
) -> None:
    make_user(db, "anna@example.net")
    db.commit()

    known = client.post("/sign-in/link", data={"email": "anna@example.net"})
    unknown = client.post("/sign-in/link", data={"email": "nobody@example.net"})

    assert (known.status_code, known.location) == (303, "/check-mail")
    assert (unknown.status_code, unknown.location) == (303, "/check-mail")
    assert kinds(db) == ["sign_in_link"]


def test_a_password_signs_in_for_four_weeks_with_one_cookie(
    client: FlaskClient, db: DbSession
) -> None:
    with_password(db)

    answer = client.post("/sign-in", data={"email": "ANNA@example.net ", "password": PASSWORD})

    cookies = answer.headers.getlist("Set-Cookie")
    assert (answer.status_code, answer.location) == (303, "/my/")
    assert [cookie.split("=")[0] for cookie in cookies] == ["webinar"]
    assert "HttpOnly" in cookies[0]
    assert "SameSite=Lax" in cookies[0]
    assert "Expires=" in cookies[0]
    assert may_see_my_page(client)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("anna@example.net", "not the password"),
        ("nobody@example.net", PASSWORD),
        ("not an address", PASSWORD),
        ("anna@example.net", ""),
    ],
)
def test_whatever_is_wrong_with_a_sign_in_the_answer_is_one(
    client: FlaskClient, db: DbSession, email: str, password: str
) -> None:
    with_password(db)

    answer = client.post("/sign-in", data={"email": email, "password": password})

    assert answer.status_code == 422
    assert "This e-mail and this password do not belong together." in answer.text
    assert not may_see_my_page(client)


def test_an_unproved_email_gets_its_link_again_and_nobody_in(
    client: FlaskClient, db: DbSession
) -> None:
    register(client)

    answer = client.post("/sign-in", data={"email": "anna@example.net", "password": PASSWORD})

    assert (answer.status_code, answer.location) == (303, "/check-mail?after=register")
    assert kinds(db) == ["verify_email", "verify_email"]
    assert not may_see_my_page(client)


def test_signing_out_forgets_the_person(
    signed_in_as: Callable[[User], FlaskClient], db: DbSession
) -> None:
    user = make_user(db)
    db.commit()
    client = signed_in_as(user)

    answer = client.post("/sign-out")

    assert (answer.status_code, answer.location) == (303, "/")
    assert not may_see_my_page(client)


def test_ending_all_sign_ins_ends_the_others_but_not_this_one(
    signed_in_as: Callable[[User], FlaskClient], db: DbSession
) -> None:
    user = make_user(db)
    db.commit()
    here, elsewhere = signed_in_as(user), signed_in_as(user)

    here.post("/my/account/sign-ins")

    assert may_see_my_page(here)
    assert not may_see_my_page(elsewhere)


def test_who_registers_from_a_session_has_the_place_once_the_email_is_proved(
    client: FlaskClient, db: DbSession
) -> None:
    session = make_session(db, starts_at=SOON)
    db.commit()

    sent_away = client.post(f"/sessions/{session.public_id}/register")
    form = client.get(sent_away.location)
    register(client, next=f"/sessions/{session.public_id}/register")
    pressed = client.post(f"/verify-email/{token_in_the_mail(db)}")

    user = db.scalars(select(User)).one()
    assert sent_away.location == f"/register?next=/sessions/{session.public_id}/register"
    assert "Your place is kept" in form.text
    assert pressed.location == f"/sessions/{session.public_id}"
    assert registrations.is_registered(db, session.id, user.id)


def test_the_register_button_of_a_session_page_means_a_place(
    client: FlaskClient, db: DbSession
) -> None:
    form = client.get("/register?next=/sessions/abc12345")

    assert 'name="next" value="/sessions/abc12345/register"' in form.text


def test_a_place_in_a_series_is_kept_over_signing_in(client: FlaskClient, db: DbSession) -> None:
    user = with_password(db)
    series = make_series(db)
    db.commit()

    answer = client.post(
        "/sign-in",
        data={
            "email": user.email,
            "password": PASSWORD,
            "next": f"/series/{series.slug}/register",
        },
    )

    assert answer.location == f"/series/{series.slug}"
    assert registrations.is_registered_for_series(db, series.id, user.id)


def test_who_asks_for_a_place_that_is_gone_is_signed_in_all_the_same(
    client: FlaskClient, db: DbSession
) -> None:
    user = with_password(db)
    session = make_session(db, starts_at=SOON, status=SessionStatus.CANCELLED)
    db.commit()

    answer = client.post(
        "/sign-in",
        data={
            "email": user.email,
            "password": PASSWORD,
            "next": f"/sessions/{session.public_id}/register",
        },
    )

    assert answer.location == "/my/"
    assert "This session is cancelled." in client.get("/my/").text


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "/\t/evil.example",
        "//[",
        "javascript:alert(1)",
        "/" + "x" * 300,
    ],
)
def test_signing_in_never_leads_to_another_site(
    client: FlaskClient, db: DbSession, elsewhere: str
) -> None:
    with_password(db)

    answer = client.post(
        "/sign-in", data={"email": "anna@example.net", "password": PASSWORD, "next": elsewhere}
    )

    assert answer.location == "/my/"


def test_signing_in_leads_to_the_page_that_was_wanted(client: FlaskClient, db: DbSession) -> None:
    with_password(db)

    sent_away = client.get("/my/account")
    answer = client.post(
        "/sign-in",
        data={"email": "anna@example.net", "password": PASSWORD, "next": "/my/account"},
    )

    assert sent_away.location == "/sign-in?next=/my/account"
    assert answer.location == "/my/account"


def test_many_mails_to_one_address_are_stopped_whoever_has_it(client: FlaskClient) -> None:
    answers = [
        client.post("/sign-in/link", data={"email": "anna@example.net"}).status_code
        for _ in range(4)
    ]
    another = client.post("/sign-in/link", data={"email": "ben@example.net"})

    assert answers == [303, 303, 303, 429]
    assert another.status_code == 303


def test_guessing_passwords_is_stopped(client: FlaskClient) -> None:
    answers = [
        client.post(
            "/sign-in", data={"email": "anna@example.net", "password": f"guess number {number}"}
        ).status_code
        for number in range(11)
    ]

    assert answers == [422] * 10 + [429]


def test_too_many_at_once_are_told_when_to_come_back(client: FlaskClient) -> None:
    with passwords.slot(), passwords.slot(), passwords.slot(), passwords.slot():
        answer = client.post("/sign-in", data={"email": "anna@example.net", "password": PASSWORD})

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == str(BUSY_RETRY_SECONDS)
    assert "Wait a few seconds, then try again." in answer.text


def test_people_who_are_signed_in_need_no_forms(
    signed_in_as: Callable[[User], FlaskClient], db: DbSession
) -> None:
    user = make_user(db)
    db.commit()
    client = signed_in_as(user)

    assert client.get("/register").location == "/my/"
    assert client.get("/sign-in?next=/sessions/").location == "/sessions/"


def test_an_erased_account_lets_nobody_in(
    signed_in_as: Callable[[User], FlaskClient], db: DbSession
) -> None:
    user = make_user(db, "anna@example.net")
    token = accounts.sign_in_token(db, user, now=datetime.now(UTC))
    user.erased_at = datetime.now(UTC)
    db.commit()
    client = signed_in_as(user)

    assert not may_see_my_page(client)
    assert client.post(f"/sign-in/{token}").status_code == 410
