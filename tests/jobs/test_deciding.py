from decimal import Decimal

import pytest
from sqlalchemy import func, select

from config import Config
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant
from webinar.db import DbSession
from webinar.domain.credit import Reason
from webinar.jobs import deciding
from webinar.jobs.toolbox import Toolbox
from webinar.models import Certificate, CreditDecision, CreditPolicy, Delivery


def test_the_clock_decides_for_everybody_who_was_there_and_then_rests(
    db: DbSession, config: Config
) -> None:
    tools = Toolbox.from_config(config)
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    people = [make_attendee(db, session) for _ in range(3)]
    db.commit()

    for _ in range(2):
        deciding.decide_due(tools, AFTER)

    decisions = db.execute(
        select(CreditDecision.user_id, CreditDecision.reason, CreditDecision.credit)
    ).all()
    assert sorted(tuple(row) for row in decisions) == [
        (user.id, Reason.OK, Decimal("0.75")) for user in people
    ]
    assert db.scalar(select(func.count()).select_from(Certificate)) == 3
    assert db.scalar(select(func.count()).select_from(Delivery)) == 3


def test_more_people_than_one_transaction_takes_are_all_decided(
    db: DbSession, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = Toolbox.from_config(config)
    session = make_ended_session(db)
    make_grant(db, session, "esmo-mora-live", "1")
    for _ in range(5):
        make_attendee(db, session, end=60)
    db.commit()
    monkeypatch.setattr(deciding, "PEOPLE_AT_ONCE", 2)

    deciding.decide_due(tools, AFTER)

    reasons = db.scalars(select(CreditDecision.reason)).all()
    assert reasons == [Reason.BELOW_PRESENCE] * 5


def test_one_case_that_cannot_be_decided_does_not_hold_up_the_others(
    db: DbSession, config: Config
) -> None:
    tools = Toolbox.from_config(config)
    broken, sound = make_ended_session(db), make_ended_session(db)
    grant = make_grant(db, broken, "ama-pra-live", "0.75")
    grant.policy = CreditPolicy(name="broken", version=1, data={}, created_at=AFTER)
    make_grant(db, sound, "esmo-mora-live", "1")
    make_attendee(db, broken)
    user = make_attendee(db, sound)
    db.commit()

    deciding.decide_due(tools, AFTER)

    assert db.scalars(select(CreditDecision.user_id)).all() == [user.id]
