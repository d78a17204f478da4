"""Credit that waits: the clock writes once, two days before the deadline, where it still helps."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests.builders import make_user
from tests.evidence import make_ended_session, make_grant
from webinar.db import DbSession
from webinar.domain.case import PENDING
from webinar.domain.credit import Reason
from webinar.models import AccreditationGrant, CreditDecision, Delivery, User, WebinarSession
from webinar.services import credit_reminders

DAY = timedelta(days=1)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    return make_ended_session(db)


@pytest.fixture
def grant(db: DbSession, session: WebinarSession) -> AccreditationGrant:
    return make_grant(db, session, "eaccme-3.0-live", "0.5")


@pytest.fixture
def due_at(session: WebinarSession) -> datetime:
    return session.ends_at + 14 * DAY


def decide(
    db: DbSession,
    grant: AccreditationGrant,
    *,
    due_at: datetime | None,
    reason: Reason = Reason.PENDING_EVALUATION,
    user: User | None = None,
) -> User:
    user = user or make_user(db)
    db.add(
        CreditDecision(
            session_id=grant.session_id,
            user_id=user.id,
            grant_id=grant.id,
            policy_id=grant.policy_id,
            revision=0,
            credit=Decimal(0),
            reason=reason,
            explanation="Waits.",
            next_step="Fill in the evaluation.",
            due_at=due_at,
            seconds_counted=2700,
            window_seconds=2700,
            inputs={},
            inputs_hash="",
            decided_at=grant.session.ends_at,
        )
    )
    db.flush()
    return user


def mailed(db: DbSession) -> list[tuple[int, int]]:
    rows = db.execute(select(Delivery.user_id, Delivery.revision).order_by(Delivery.id))
    return [(user_id, revision) for user_id, revision in rows]


def test_the_clock_writes_once_two_days_before_the_deadline(
    db: DbSession, grant: AccreditationGrant, due_at: datetime
) -> None:
    user = decide(db, grant, due_at=due_at)

    owed = [
        credit_reminders.remind_due(db, now=due_at - timedelta(hours=hours))
        for hours in range(72, -24, -1)
    ]

    assert owed.index(1) == 72 - 48
    assert sum(owed) == 1
    assert mailed(db) == [(user.id, 0)]


@pytest.mark.parametrize("reason", sorted(set(Reason) - PENDING))
def test_who_can_do_nothing_is_left_alone(
    db: DbSession, grant: AccreditationGrant, due_at: datetime, reason: Reason
) -> None:
    decide(db, grant, due_at=due_at, reason=reason)

    assert credit_reminders.remind_due(db, now=due_at - DAY) == 0


def test_what_has_no_deadline_is_not_pressed_for(
    db: DbSession, grant: AccreditationGrant, due_at: datetime
) -> None:
    decide(db, grant, due_at=None)

    assert credit_reminders.remind_due(db, now=due_at - DAY) == 0


@pytest.mark.parametrize(("days_before", "again"), [(4, 0), (6, 1)])
def test_who_was_reminded_by_hand_is_left_alone_for_three_days(
    db: DbSession,
    session: WebinarSession,
    grant: AccreditationGrant,
    due_at: datetime,
    days_before: int,
    again: int,
) -> None:
    user, officer = decide(db, grant, due_at=due_at), make_user(db)
    by_hand = due_at - days_before * DAY
    credit_reminders.send(db, session, [user.id], actor_id=officer.id, now=by_hand)

    owed = credit_reminders.remind_due(db, now=due_at - 2 * DAY)

    assert owed == again
    assert len(mailed(db)) == 1 + again


def test_two_bodies_that_wait_are_one_mail(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, due_at: datetime
) -> None:
    other = make_grant(db, session, "ama-pra-live", "1")
    user = decide(db, grant, due_at=due_at)
    decide(db, other, due_at=due_at + timedelta(hours=3), user=user)

    assert credit_reminders.remind_due(db, now=due_at - DAY) == 1
    assert mailed(db) == [(user.id, 0)]


def test_many_are_owed_in_turns(db: DbSession, grant: AccreditationGrant, due_at: datetime) -> None:
    for _ in range(5):
        decide(db, grant, due_at=due_at)

    now = due_at - DAY

    assert [credit_reminders.remind_due(db, now=now, limit=2) for _ in range(4)] == [2, 2, 1, 0]
