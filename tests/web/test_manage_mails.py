"""The organisers' pages about mails: found, looked at, sent again, previewed; never a secret."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from tests.builders import NOW, make_registration, make_session, make_society, make_user
from webinar.db import DbSession, read_db
from webinar.domain.access import Role
from webinar.domain.letter import MailKind
from webinar.domain.mail_wishes import AddressTrouble
from webinar.models import Delivery, MailTrouble, User, UserRole, WebinarSession

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    return make_session(db)


@pytest.fixture
def organiser(db: DbSession, session: WebinarSession) -> User:
    user = make_user(db, name="Dr Olga Organiser")
    user.grants.append(UserRole(role=Role.ORGANISER, society_id=session.society_id))
    db.commit()
    return user


@pytest.fixture
def person(db: DbSession, session: WebinarSession) -> User:
    user = make_user(db, "anna@example.net")
    make_registration(db, session, user)
    db.commit()
    return user


@pytest.fixture
def lost(db: DbSession, session: WebinarSession, person: User) -> Delivery:
    delivery = Delivery(
        kind=MailKind.SESSION_REMINDER.value,
        user_id=person.id,
        subject_id=session.id,
        details={},
        created_at=datetime.now(UTC),
        attempts=1,
        dropped_because="refused by the mail server",
        last_error="550 no such mailbox",
    )
    db.add(delivery)
    db.commit()
    return delivery


def test_a_person_is_found_by_a_part_of_the_name(
    signed_in_as: SignIn, organiser: User, person: User
) -> None:
    client = signed_in_as(organiser)

    assert f"/manage/mails/people/{person.id}" in client.get("/manage/mails/?words=kell").text
    assert "Nobody who takes part with you" in client.get("/manage/mails/?words=zzz").text


@pytest.mark.usefixtures("lost")
def test_what_did_not_arrive_stands_on_all_three_pages(
    signed_in_as: SignIn, organiser: User, person: User, session: WebinarSession
) -> None:
    client = signed_in_as(organiser)

    for address in (
        "/manage/mails/",
        f"/manage/mails/people/{person.id}",
        f"/manage/sessions/{session.public_id}/mails",
    ):
        page = client.get(address).text
        assert "550 no such mailbox" in page
        assert "Send again" in page


def test_sending_again_owes_the_mail(
    signed_in_as: SignIn, organiser: User, person: User, lost: Delivery
) -> None:
    answer = signed_in_as(organiser).post(f"/manage/mails/{lost.id}/again")

    assert answer.location == f"/manage/mails/people/{person.id}"
    with read_db() as fresh:
        assert fresh.get_one(Delivery, lost.id).due_at is not None


def test_people_and_mails_of_others_are_not_there(
    signed_in_as: SignIn, db: DbSession, person: User, lost: Delivery
) -> None:
    other = make_user(db)
    other.grants.append(UserRole(role=Role.ORGANISER, society_id=make_society(db).id))
    db.commit()
    client = signed_in_as(other)

    assert client.get(f"/manage/mails/people/{person.id}").status_code == 404
    assert client.post(f"/manage/mails/{lost.id}/again").status_code == 404
    assert "anna@example.net" not in client.get("/manage/mails/?words=anna").text
    assert "550 no such mailbox" not in client.get("/manage/mails/").text


def test_no_secret_of_a_mail_is_shown(signed_in_as: SignIn, db: DbSession, person: User) -> None:
    administrator = make_user(db, roles=(Role.ADMINISTRATOR,))
    db.add(
        Delivery(
            kind=MailKind.SIGN_IN_LINK.value,
            user_id=person.id,
            subject_id=1,
            details={"token": "the-secret-of-the-link"},
            created_at=NOW,
            due_at=NOW,
            attempts=0,
        )
    )
    db.commit()

    page = signed_in_as(administrator).get(f"/manage/mails/people/{person.id}").text

    assert "Link to sign in" in page
    assert "the-secret-of-the-link" not in page


def test_trouble_with_an_address_is_said(
    signed_in_as: SignIn, db: DbSession, organiser: User, person: User
) -> None:
    db.add(
        MailTrouble(
            user_id=person.id,
            trouble=AddressTrouble.RETURNED,
            email=person.email,
            returned=1,
            detail="550 5.1.1 no such mailbox",
            since=NOW,
            last_at=NOW,
        )
    )
    db.commit()

    page = signed_in_as(organiser).get(f"/manage/mails/people/{person.id}").text

    assert "Mail to this address comes back" in page
    assert "550 5.1.1 no such mailbox" in page


@pytest.mark.parametrize("kind", MailKind)
def test_every_kind_can_be_looked_at_in_both_themes(
    signed_in_as: SignIn, organiser: User, kind: MailKind
) -> None:
    client = signed_in_as(organiser)

    page = client.get(f"/manage/mails/preview/{kind}")
    light = client.get(f"/manage/mails/preview/{kind}/light")
    dark = client.get(f"/manage/mails/preview/{kind}/dark")

    assert (page.status_code, light.status_code, dark.status_code) == (200, 200, 200)
    assert f"/manage/mails/preview/{kind}" in client.get("/manage/mails/preview/").text
    assert "@media not all" in light.text
    assert "@media all" in dark.text
    for answer in (light, dark):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert "prefers-color-scheme" not in answer.text


def test_what_is_no_kind_and_no_theme_is_not_found(signed_in_as: SignIn, organiser: User) -> None:
    client = signed_in_as(organiser)

    assert client.get("/manage/mails/preview/nonsense").status_code == 404
    assert client.get("/manage/mails/preview/sign_in_link/blue").status_code == 404


def test_participants_see_none_of_it(signed_in_as: SignIn, person: User) -> None:
    client = signed_in_as(person)

    assert client.get("/manage/mails/").status_code == 403
    assert client.get("/manage/mails/preview/").status_code == 403
