from datetime import timedelta

from tests import sending
from tests.builders import NOW, make_user
from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.models import Delivery, User
from webinar.services import deliveries

MINUTE = timedelta(minutes=1)
MEANWHILE = deliveries.LEASE - timedelta(seconds=1)


def owe(db: DbSession, user: User, *, revision: int = 0) -> Delivery:
    return deliveries.queue(
        db,
        MailKind.SESSION_MOVED,
        user_id=user.id,
        subject_id=1,
        due_at=NOW,
        revision=revision,
        now=NOW,
    )


def claimed(db: DbSession, delivery: Delivery) -> Delivery:
    found = sending.claim(db, delivery.id, now=NOW)
    assert found is not None
    return found


def test_a_mail_is_owed_once_for_each_revision(db: DbSession) -> None:
    user = make_user(db)

    first, same, second = owe(db, user), owe(db, user), owe(db, user, revision=1)

    assert same.id == first.id
    assert second.id != first.id
    assert deliveries.next_revision(db, MailKind.SESSION_MOVED, user_id=user.id, subject_id=1) == 2


def test_only_one_of_two_gets_a_delivery_until_its_lease_is_over(db: DbSession) -> None:
    delivery = owe(db, make_user(db))

    first = sending.claim(db, delivery.id, now=NOW)
    second = sending.claim(db, delivery.id, now=NOW + MEANWHILE)
    due_meanwhile = deliveries.due(db, now=NOW + MEANWHILE, limit=10)
    third = sending.claim(db, delivery.id, now=NOW + deliveries.LEASE)

    assert first is not None
    assert second is None
    assert due_meanwhile == []
    assert third is not None
    assert third.attempts == 2


def test_a_sent_mail_is_not_due_any_more_and_forgets_its_secret(db: DbSession) -> None:
    user = make_user(db)
    delivery = deliveries.queue(
        db,
        "sign_in_link",
        user_id=user.id,
        subject_id=1,
        due_at=NOW,
        details={"token": "secret"},
        now=NOW,
    )

    sending.mark_sent(db, claimed(db, delivery), now=NOW)
    db.expire_all()

    assert deliveries.due(db, now=NOW + timedelta(days=9), limit=10) == []
    assert delivery.sent_at == NOW
    assert delivery.details == {}


def test_who_lost_the_lease_cannot_write_any_more(db: DbSession) -> None:
    delivery = owe(db, make_user(db))
    slow = claimed(db, delivery)
    db.expunge(slow)
    quick = sending.claim(db, delivery.id, now=NOW + deliveries.LEASE)
    assert quick is not None

    wrote = deliveries.mark_failed(db, slow, error="timed out", now=NOW + deliveries.LEASE)

    assert not wrote
    assert sending.mark_sent(db, quick, now=NOW + deliveries.LEASE)


def test_a_failed_mail_is_tried_again_after_longer_and_longer_waits(db: DbSession) -> None:
    delivery = owe(db, make_user(db))
    waits, now = [], NOW
    for _ in range(deliveries.TRIES):
        found = sending.claim(db, delivery.id, now=now)
        assert found is not None
        deliveries.mark_failed(db, found, error="451 later", now=now)
        db.expire_all()
        if delivery.due_at is not None:
            waits.append((delivery.due_at - now) // MINUTE)
            now = delivery.due_at

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]
    assert delivery.due_at is None
    assert delivery.dropped_because == "not sent after 12 tries"
    assert delivery.last_error == "451 later"
