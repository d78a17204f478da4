"""The page on which people choose their mails: every switch works, and nothing else moves."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import NOW, make_faculty, make_session, make_topic, make_user
from webinar.db import DbSession, read_db
from webinar.domain.mail_wishes import TOPICS, AddressTrouble, MailTopic
from webinar.models import MailTrouble, MailWish, User
from webinar.services import mail_wishes, troubles

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SignIn = Callable[[User], FlaskClient]
ON_FROM_THE_START = [topic.value for topic, words in TOPICS.items() if words.is_default]


@pytest.fixture
def user(db: DbSession) -> User:
    user = make_user(db)
    db.commit()
    return user


def said(user: User) -> dict[MailTopic, bool]:
    with read_db() as fresh:
        rows = fresh.scalars(select(MailWish).where(MailWish.user_id == user.id))
        return {row.topic: row.is_wanted for row in rows}


def test_a_stranger_signs_in_first(client: FlaskClient) -> None:
    assert client.get("/my/mail/").status_code == 302


def test_every_topic_has_a_switch_that_stands_as_it_is(signed_in_as: SignIn, user: User) -> None:
    page = signed_in_as(user).get("/my/mail/").text

    assert page.count('role="switch"') == len(MailTopic) - 1
    assert page.count(" checked") == len(ON_FROM_THE_START) - 1
    assert "What always comes" in page


def test_only_the_faculty_has_a_switch_for_its_tasks(
    signed_in_as: SignIn, db: DbSession, user: User
) -> None:
    make_faculty(db, make_session(db), user=user)
    db.commit()

    page = signed_in_as(user).get("/my/mail/").text

    assert page.count('role="switch"') == len(MailTopic)


def test_what_is_ticked_is_kept_and_what_is_not_on_the_page_stays(
    signed_in_as: SignIn, user: User
) -> None:
    client = signed_in_as(user)

    answer = client.post("/my/mail/", data={"wants": ["reminder_hour", "digest"]})

    assert (answer.status_code, answer.location) == (303, "/my/mail/")
    assert said(user) == {
        MailTopic.REMINDER_DAY: False,
        MailTopic.RECORDING: False,
        MailTopic.RECORDING_CLOSING: False,
        MailTopic.CREDIT_REMINDER: False,
        MailTopic.DIGEST: True,
    }


def test_a_press_that_changes_nothing_writes_nothing(signed_in_as: SignIn, user: User) -> None:
    signed_in_as(user).post("/my/mail/", data={"wants": ON_FROM_THE_START})

    assert said(user) == {}


def test_the_topics_of_the_week_are_kept(signed_in_as: SignIn, db: DbSession, user: User) -> None:
    topic, other = make_topic(db), make_topic(db)
    db.commit()
    client = signed_in_as(user)

    client.post("/my/mail/", data={"wants": ["digest"], "topics": [str(topic.id), "0", "x"]})

    with read_db() as fresh:
        assert mail_wishes.digest_topics(fresh, user.id) == {topic.id}
    page = client.get("/my/mail/").text
    assert f'value="{topic.id}" checked' in page
    assert f'value="{other.id}" checked' not in page


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (AddressTrouble.RETURNED, "Mail to your address comes back"),
        (AddressTrouble.COMPLAINED, "our mail is spam"),
        (AddressTrouble.DELAYED, "delayed now and then"),
    ],
)
def test_trouble_with_the_address_is_shown_and_can_be_mended(
    signed_in_as: SignIn, db: DbSession, user: User, trouble: AddressTrouble, words: str
) -> None:
    db.add(
        MailTrouble(
            user_id=user.id,
            trouble=trouble,
            email=user.email,
            returned=1,
            detail="550 5.1.1 <no> such mailbox",
            since=NOW,
            last_at=NOW,
        )
    )
    db.commit()
    client = signed_in_as(user)

    page = client.get("/my/mail/").text
    client.post("/my/mail/address")

    assert words in page
    assert "<no>" not in page
    with read_db() as fresh:
        assert troubles.of_person(fresh, user.id) is None
