"""The address in mails that ends mails of one kind: one press, no account, nothing told."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import NOW, make_user
from tests.conftest import SECRET
from webinar.db import DbSession
from webinar.domain.mail_marks import stop_token
from webinar.domain.mail_wishes import MailTopic, WishSource
from webinar.models import MailWish, User
from webinar.services import mail_wishes


@pytest.fixture
def reader(db: DbSession) -> User:
    user = make_user(db, "anna@example.net", name="Dr Anna Keller")
    db.commit()
    return user


def address(user: User, topic: MailTopic = MailTopic.REMINDER_HOUR) -> str:
    return f"/unsubscribe/{stop_token(SECRET, user.id, topic)}"


def wishes(db: DbSession) -> list[tuple[int, MailTopic, bool, str]]:
    db.rollback()
    return [
        (wish.user_id, wish.topic, wish.is_wanted, wish.source)
        for wish in db.scalars(select(MailWish))
    ]


def test_a_mail_program_ends_mails_of_a_kind_by_one_press(
    app: Flask, client: FlaskClient, db: DbSession, reader: User
) -> None:
    # As RFC 8058, 3.2 says: no cookie, no referrer, this body. Forged forms are looked for.
    app.config["WTF_CSRF_ENABLED"] = True

    answer = client.post(address(reader), data={"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert wishes(db) == [(reader.id, MailTopic.REMINDER_HOUR, False, WishSource.ONE_CLICK.value)]


def test_pressing_twice_is_pressing_once(client: FlaskClient, db: DbSession, reader: User) -> None:
    client.post(address(reader))
    again = client.post(address(reader))

    assert again.status_code == 200
    assert len(wishes(db)) == 1


def test_opening_the_address_changes_nothing_and_tells_nothing_of_the_person(
    client: FlaskClient, db: DbSession, reader: User
) -> None:
    page = client.get(address(reader))

    assert page.status_code == 200
    assert "Stop mails of this kind" in page.text
    assert "An hour before a session" in page.text
    assert [word for word in ("Anna", "Keller", "anna@example.net") if word in page.text] == []
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == (
        "no-store",
        "no-referrer",
    )
    assert wishes(db) == []


def test_who_pressed_by_mistake_gets_them_again(
    client: FlaskClient, db: DbSession, reader: User
) -> None:
    client.post(address(reader))
    page = client.post(address(reader), data={"again": "1"})

    assert "You get these mails again" in page.text
    assert wishes(db)[0][2]


def test_an_address_with_a_letter_changed_is_none(
    client: FlaskClient, db: DbSession, reader: User
) -> None:
    right = address(reader)
    wrong = right[:-3] + ("A" if right[-3] != "A" else "B") + right[-2:]

    answers = [client.get(wrong).status_code, client.post(wrong).status_code]

    assert answers == [404, 404]
    assert wishes(db) == []


def test_of_somebody_who_is_gone_nothing_is_said(
    client: FlaskClient, db: DbSession, reader: User
) -> None:
    reader.erased_at = NOW
    db.commit()

    of_gone = client.get(address(reader))
    of_nobody = client.get("/unsubscribe/x")

    assert of_gone.status_code == 404
    assert of_nobody.status_code == 404


def test_what_was_ended_is_not_sent(client: FlaskClient, db: DbSession, reader: User) -> None:
    client.post(address(reader, MailTopic.RECORDING))
    db.rollback()

    assert mail_wishes.wishes_of(db, reader.id)[MailTopic.RECORDING] is False
