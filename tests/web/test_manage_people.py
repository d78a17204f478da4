"""Who is trusted with what: invited, given, taken, in a browser without scripts."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import make_society, make_user
from tests.queries import counted
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.models import Delivery, User, UserRole

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

INVITATION = {
    "name": "Dr Eva Lang",
    "email": "eva@example.net",
    "role": "organiser",
    "society": "eso",
}


@pytest.fixture
def admin(db: DbSession) -> User:
    user = make_user(db, "admin@example.net", name="Ada Admin", roles=(Role.ADMINISTRATOR,))
    make_society(db, "eso")
    db.commit()
    return user


@pytest.fixture
def desk(admin: User, signed_in_as: Callable[[User], FlaskClient]) -> FlaskClient:
    return signed_in_as(admin)


def roles_of_eva(db: DbSession) -> tuple[int, frozenset[Role]]:
    user = db.scalars(select(User).where(User.email == "eva@example.net")).one()
    db.refresh(user, ["grants"])
    found = (user.id, user.roles)
    # What only reads holds SQLite too, and the pages have to write.
    db.rollback()
    return found


def token_of_last_mail(db: DbSession) -> str:
    details = db.scalars(select(Delivery.details).order_by(Delivery.id.desc())).first()
    db.rollback()
    assert details is not None
    return str(details["token"])


def test_only_administrators_see_people(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    user = make_user(db, roles=(Role.ORGANISER, Role.ACCREDITATION_OFFICER))
    db.commit()

    assert signed_in_as(user).get("/manage/people/").status_code == 403


def test_an_invited_organiser_comes_in_by_one_press_and_tells_who_they_are(
    app: Flask, db: DbSession, desk: FlaskClient
) -> None:
    sent = desk.post("/manage/people/invite", data=INVITATION, follow_redirects=True)
    stranger = app.test_client()
    path = f"/sign-in/{token_of_last_mail(db)}"

    asked = stranger.get(path)
    came = stranger.post(path)
    account = stranger.get(came.location)
    told = stranger.post(
        "/my/account",
        data={
            "name": "Dr Eva Lang",
            "country": "AT",
            "profession": "physician",
            "zone": "Europe/Vienna",
        },
    )

    assert "A mail to eva@example.net is on its way." in sent.text
    assert "Take up your role" in asked.text
    assert (came.status_code, came.location) == (303, "/my/account")
    assert "Tell us your country and your profession" in account.text
    assert '<option value="" selected>Choose</option>' in account.text
    assert told.status_code == 303
    assert stranger.get("/manage/sessions/").status_code == 200
    assert stranger.get(path).status_code == 410


def test_a_wrong_invitation_keeps_what_was_typed(db: DbSession, desk: FlaskClient) -> None:
    answer = desk.post("/manage/people/invite", data={**INVITATION, "email": "eva"})

    assert answer.status_code == 422
    assert 'value="Dr Eva Lang"' in answer.text
    assert "Check their e-mail: it looks like name@hospital.org." in answer.text


def test_a_moderator_for_every_society_is_refused_beside_the_field(desk: FlaskClient) -> None:
    typed = {**INVITATION, "role": "moderator", "society": ""}

    answer = desk.post("/manage/people/invite", data=typed)

    assert answer.status_code == 422
    assert '<p class="field-error" id="f-society-error">' in answer.text


def test_an_invitation_is_repeated_and_withdrawn(db: DbSession, desk: FlaskClient) -> None:
    desk.post("/manage/people/invite", data=INVITATION)
    first = token_of_last_mail(db)
    page = f"/manage/people/{roles_of_eva(db)[0]}"

    repeated = desk.post(f"{page}/resend", follow_redirects=True)
    second = token_of_last_mail(db)
    withdrawn = desk.post(f"{page}/withdraw", follow_redirects=True)

    assert "A new link for eva@example.net is on its way" in repeated.text
    assert first != second
    assert "The invitation of Dr Eva Lang is withdrawn." in withdrawn.text
    assert roles_of_eva(db)[1] == {Role.PARTICIPANT}


def test_a_role_is_given_and_taken_for_one_society(db: DbSession, desk: FlaskClient) -> None:
    make_user(db, "eva@example.net")
    db.commit()
    page, role = f"/manage/people/{roles_of_eva(db)[0]}", {"role": "organiser", "society": "eso"}

    given = desk.post(f"{page}/give", data=role, follow_redirects=True)
    held = roles_of_eva(db)[1]
    taken = desk.post(f"{page}/take", data=role, follow_redirects=True)

    assert "has the role now, and is told by mail" in given.text
    assert held == {Role.PARTICIPANT, Role.ORGANISER}
    assert "does not have that role any more" in taken.text
    assert roles_of_eva(db)[1] == {Role.PARTICIPANT}


def test_the_last_administrator_is_kept(db: DbSession, desk: FlaskClient, admin: User) -> None:
    path = f"/manage/people/{admin.id}/take"
    db.rollback()

    answer = desk.post(path, data={"role": "administrator", "society": ""})

    assert answer.status_code == 409
    assert "Make somebody else an administrator first." in answer.text


def test_an_administrator_who_steps_back_is_led_to_their_own_page(
    db: DbSession, desk: FlaskClient, admin: User
) -> None:
    make_user(db, roles=(Role.ADMINISTRATOR,))
    db.commit()
    path = f"/manage/people/{admin.id}/take"
    db.rollback()

    answer = desk.post(path, data={"role": "administrator", "society": ""})

    assert (answer.status_code, answer.location) == (303, "/my/")


def test_the_list_asks_the_same_few_questions_for_any_number_of_people(
    app: Flask, db: DbSession, desk: FlaskClient
) -> None:
    societies = [make_society(db) for _ in range(3)]
    for number in range(40):
        user = make_user(db, verified=number % 2 == 0)
        user.grants += [UserRole(role=Role.ORGANISER, society_id=one.id) for one in societies]
    db.commit()

    with counted(app.extensions["engine"]) as asked:
        answer = desk.get("/manage/people/")

    assert answer.status_code == 200
    assert len([one for one in asked if one.startswith("SELECT")]) <= 12
