from decimal import Decimal

from sqlalchemy import update

from tests.builders import NOW, make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.models import AuditEvent
from webinar.services import audit


def test_each_event_carries_the_hash_of_the_one_before(db: DbSession) -> None:
    user = make_user(db)

    first = audit.write(db, actor_id=None, action="session ended", subject="session 1", now=NOW)
    second = audit.write(
        db,
        actor_id=user.id,
        action="session moved",
        subject="session 2",
        before={"starts_at": NOW},
        after={"credit": Decimal("0.50"), "roles": frozenset({Role.MODERATOR}), "none": None},
        reason="The speaker is ill.",
        now=NOW,
    )

    assert first.previous_hash == audit.GENESIS
    assert second.previous_hash == first.hash
    assert second.before == {"starts_at": "2026-11-20T12:00:00+00:00"}
    assert second.after == {"credit": "0.50", "roles": ["moderator"], "none": None}


def test_an_untouched_trail_is_whole_when_read_from_the_database(db: DbSession) -> None:
    for number in range(3):
        audit.write(
            db,
            actor_id=None,
            action="session ended",
            subject=f"session {number}",
            after={"at": NOW, "ratio": 0.1, "ü": [1, True]},
            now=NOW,
        )
    db.commit()
    db.expire_all()

    assert audit.first_broken(db) is None


def test_a_changed_event_is_found(db: DbSession) -> None:
    audit.write(db, actor_id=None, action="role given", subject="user 1", now=NOW)
    second = audit.write(db, actor_id=None, action="role given", subject="user 2", now=NOW)
    audit.write(db, actor_id=None, action="role given", subject="user 3", now=NOW)
    db.execute(update(AuditEvent).where(AuditEvent.id == second.id).values(subject="user 9"))
    db.commit()
    db.expire_all()

    assert audit.first_broken(db) == second.id


def test_a_removed_event_is_found_at_the_one_after_it(db: DbSession) -> None:
    audit.write(db, actor_id=None, action="role given", subject="user 1", now=NOW)
    second = audit.write(db, actor_id=None, action="role given", subject="user 2", now=NOW)
    third = audit.write(db, actor_id=None, action="role given", subject="user 3", now=NOW)
    db.delete(second)
    db.commit()

    assert audit.first_broken(db) == third.id
