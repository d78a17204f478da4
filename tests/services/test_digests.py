"""The digest of the week: to subscribers alone, on their Monday, of their topics."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from tests import sending
from tests.builders import NOW, make_registration, make_session, make_topic, make_user
from webinar.db import DbSession
from webinar.domain.letter import Dropped, Letter, MailKind
from webinar.domain.mail_wishes import MailTopic, WishSource
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, User
from webinar.services import digests, mail_wishes

# Monday 23 November 2026, 07:00 in Zurich, which is 01:00 in New York.
MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def subscriber(db: DbSession, **facts: str) -> User:
    user = make_user(db, **facts)
    mail_wishes.set_wish(db, user.id, MailTopic.DIGEST, True, source=WishSource.PAGE, now=NOW)
    return user


def read(db: DbSession, user: User, *, now: datetime = MONDAY) -> Letter | Dropped:
    digests.owe_due(db, now=MONDAY)
    delivery = db.scalars(select(Delivery).where(Delivery.user_id == user.id)).one()
    outcome = sending.letter_for(db, delivery, now=now)
    assert isinstance(outcome, Letter | Dropped)
    return outcome


def titles(letter: Letter | Dropped) -> list[str]:
    assert isinstance(letter, Letter)
    assert letter.digest is not None
    return [session.title for session in letter.digest.sessions]


def test_only_who_asked_for_it_gets_it_and_once_a_week(db: DbSession) -> None:
    make_user(db)
    user = subscriber(db)

    owed = [digests.owe_due(db, now=MONDAY + hour * timedelta(hours=1)) for hour in range(3)]

    assert owed == [1, 0, 0]
    assert db.scalars(select(Delivery.user_id)).all() == [user.id]
    assert digests.owe_due(db, now=MONDAY + 7 * DAY) == 1


def test_each_gets_it_on_their_own_monday_morning(db: DbSession) -> None:
    here, there = subscriber(db), subscriber(db, zone="America/New_York")

    digests.owe_due(db, now=MONDAY)
    first = db.scalars(select(Delivery.user_id)).all()
    digests.owe_due(db, now=MONDAY + timedelta(hours=6))

    assert first == [here.id]
    assert db.scalars(select(Delivery.user_id).order_by(Delivery.id)).all() == [here.id, there.id]


def test_more_subscribers_than_fit_are_owed_in_turns(db: DbSession) -> None:
    for _ in range(5):
        subscriber(db)

    assert [digests.owe_due(db, now=MONDAY, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_it_holds_the_announced_sessions_of_the_week_in_order(db: DbSession) -> None:
    user = subscriber(db)
    make_session(db, title="Friday", starts_at=MONDAY + 4 * DAY)
    make_session(db, title="Tuesday", starts_at=MONDAY + DAY)
    make_session(db, title="Not announced", status=SessionStatus.DRAFT)
    make_session(db, title="Cancelled", status=SessionStatus.CANCELLED)
    make_session(db, title="Next week", starts_at=MONDAY + 7 * DAY)
    make_session(db, title="Last night", starts_at=MONDAY - timedelta(hours=8))

    assert titles(read(db, user)) == ["Tuesday", "Friday"]


def test_the_week_is_the_readers(db: DbSession) -> None:
    # Sunday 29 November, 23:30 in Zurich, is Monday in Tokyo.
    late = datetime(2026, 11, 29, 22, 30, tzinfo=UTC)
    make_session(db, title="Wednesday", starts_at=MONDAY + 2 * DAY)
    make_session(db, title="Late on Sunday", starts_at=late)

    assert titles(read(db, subscriber(db))) == ["Wednesday", "Late on Sunday"]
    assert titles(read(db, subscriber(db, zone="Asia/Tokyo"))) == ["Wednesday"]


def test_topics_let_through_what_is_of_them_or_below(db: DbSession) -> None:
    user = subscriber(db)
    breast, staging, urology = make_topic(db), make_topic(db), make_topic(db)
    staging.parent_id = breast.id
    make_session(db, title="Staging", topics=(staging,))
    make_session(db, title="Prostate", topics=(urology,))
    make_session(db, title="Of nothing")
    mail_wishes.set_digest_topics(db, user.id, [breast.id])

    letter = read(db, user)

    assert titles(letter) == ["Staging"]
    assert isinstance(letter, Letter)
    assert letter.digest is not None
    assert letter.digest.topics == (breast.name,)


def test_a_topic_that_was_merged_goes_on_in_the_other(db: DbSession) -> None:
    user, old, new = subscriber(db), make_topic(db), make_topic(db)
    old.merged_into_id = new.id
    make_session(db, title="Goes on", topics=(new,))
    mail_wishes.set_digest_topics(db, user.id, [old.id])

    assert titles(read(db, user)) == ["Goes on"]


def test_it_says_where_the_reader_has_a_place(db: DbSession) -> None:
    user = subscriber(db)
    mine, other = make_session(db), make_session(db)
    make_registration(db, mine, user)

    letter = read(db, user)

    assert isinstance(letter, Letter)
    assert letter.digest is not None
    assert letter.digest.taken == {mine.public_id}
    assert other.public_id not in letter.digest.taken


@pytest.mark.parametrize(
    ("now", "because"),
    [
        (MONDAY, "there is no session of theirs this week"),
        (MONDAY + 7 * DAY, "the week is over"),
    ],
)
def test_an_empty_week_and_a_week_that_is_over_send_nothing(
    db: DbSession, now: datetime, because: str
) -> None:
    assert read(db, subscriber(db), now=now) == Dropped(because)


def test_an_erased_person_gets_none(db: DbSession) -> None:
    subscriber(db).erased_at = NOW
    db.flush()

    assert digests.owe_due(db, now=MONDAY) == 0
    assert db.scalars(select(Delivery.kind)).all() == []


def test_two_clocks_cannot_owe_the_same_week_twice(db: DbSession) -> None:
    user = subscriber(db)
    digests.owe_due(db, now=MONDAY)

    rows = db.execute(select(Delivery.kind, Delivery.user_id, Delivery.subject_id)).all()

    assert [tuple(row) for row in rows] == [(MailKind.WEEKLY_DIGEST.value, user.id, 202648)]
