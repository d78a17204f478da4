"""Wishes about mail: kept, asked, and the latest word holds."""

import pytest
from sqlalchemy import select

from tests.builders import NOW, make_topic, make_user
from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.domain.mail_wishes import MailTopic, WishSource
from webinar.models import MailWish
from webinar.services import mail_wishes

PAGE = WishSource.PAGE


def test_who_said_nothing_gets_reminders_and_no_digest(db: DbSession) -> None:
    user = make_user(db)

    assert mail_wishes.wants(db, user.id, MailKind.SESSION_REMINDER)
    assert not mail_wishes.wants(db, user.id, MailKind.WEEKLY_DIGEST)


def test_the_latest_word_holds(db: DbSession) -> None:
    user = make_user(db)

    for is_wanted in (False, True, False):
        mail_wishes.set_wish(db, user.id, MailTopic.REMINDER_DAY, is_wanted, source=PAGE, now=NOW)

    assert not mail_wishes.wants(db, user.id, MailKind.SESSION_TOMORROW)
    assert mail_wishes.wants(db, user.id, MailKind.SESSION_REMINDER)
    assert len(db.scalars(select(MailWish)).all()) == 1


def test_refusing_everything_leaves_what_is_necessary(db: DbSession) -> None:
    user = make_user(db)

    mail_wishes.refuse_all(db, user.id, source=WishSource.COMPLAINT, now=NOW)

    assert set(mail_wishes.wishes_of(db, user.id).values()) == {False}
    assert mail_wishes.wants(db, user.id, MailKind.SESSION_CANCELLED)
    assert mail_wishes.wants(db, user.id, MailKind.SIGN_IN_LINK)


def test_many_people_are_asked_at_once(db: DbSession) -> None:
    people = [make_user(db) for _ in range(4)]
    mail_wishes.set_wish(db, people[0].id, MailTopic.DIGEST, True, source=PAGE, now=NOW)
    mail_wishes.set_wish(db, people[1].id, MailTopic.RECORDING, False, source=PAGE, now=NOW)
    ids = [user.id for user in people]

    assert mail_wishes.unwanted(db, MailKind.RECORDING_PUBLISHED, ids) == {ids[1]}
    assert mail_wishes.unwanted(db, MailKind.WEEKLY_DIGEST, ids) == set(ids[1:])
    assert mail_wishes.unwanted(db, MailKind.SIGN_IN_LINK, ids) == set()


def test_topics_of_the_digest_replace_those_before(db: DbSession) -> None:
    user, first, second = make_user(db), make_topic(db), make_topic(db)

    mail_wishes.set_digest_topics(db, user.id, [first.id, second.id])
    mail_wishes.set_digest_topics(db, user.id, [second.id, 999_999])

    assert mail_wishes.digest_topics(db, user.id) == {second.id}


@pytest.mark.parametrize("topic", MailTopic)
def test_every_topic_can_be_switched_off_and_on(db: DbSession, topic: MailTopic) -> None:
    user = make_user(db)

    mail_wishes.set_wish(db, user.id, topic, False, source=PAGE, now=NOW)
    off = mail_wishes.wishes_of(db, user.id)[topic]
    mail_wishes.set_wish(db, user.id, topic, True, source=PAGE, now=NOW)

    assert (off, mail_wishes.wishes_of(db, user.id)[topic]) == (False, True)
