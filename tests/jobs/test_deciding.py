from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from config import Config
from tests.builders import make_registration, make_user
from tests.evidence import (
    AFTER,
    make_attendee,
    make_ended_session,
    make_grant,
    make_recording,
    watch,
)
from tests.services.test_credits import evaluate, pass_test
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import Reason
from webinar.jobs import deciding
from webinar.jobs.toolbox import Toolbox
from webinar.models import (
    Certificate,
    CreditDecision,
    CreditPolicy,
    Delivery,
    MediaSegment,
    Recording,
)
from webinar.services import credits, parked, recording_edits, redeciding


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


def test_after_a_cut_the_clock_decides_anew_for_whoever_watched_the_recording(
    db: DbSession, config: Config
) -> None:
    tools = Toolbox.from_config(config)
    session = make_ended_session(db)
    recording = make_recording(db, session, closes_at=AFTER + timedelta(days=90))
    for number in range(3):
        add_segment(db, recording, number, seconds=900)
    make_grant(db, session, "acoe-distance", "1")
    user, organiser = make_user(db), make_user(db)
    make_registration(db, session, user)
    pass_test(db, session, user, at=AFTER)
    evaluate(db, session, user)
    watch(db, session, user, ViewingMode.RECORDED, 0, 1000, at=AFTER)
    credits.decide_session(db, session.id, public_url="http://localhost", now=AFTER)
    db.commit()
    deciding.decide_due(tools, AFTER + timedelta(days=1))
    whole = recording_edits.kept_now(recording)

    recording_edits.trim(
        db,
        recording.id,
        shown_from=0,
        shown_to=900_000,
        seen=whole,
        actor_id=organiser.id,
        now=AFTER + timedelta(days=2),
    )
    db.commit()
    deciding.decide_due(tools, AFTER + timedelta(days=2))

    reasons = db.scalars(select(CreditDecision.reason).order_by(CreditDecision.id)).all()
    assert reasons == [Reason.BELOW_PRESENCE, Reason.OK]
    assert redeciding.changed(db) == []


def add_segment(db: DbSession, recording: Recording, number: int, *, seconds: float) -> None:
    db.add(
        MediaSegment(
            recording_id=recording.id,
            sequence=number,
            take=0,
            key_number=0,
            iv="0" * 32,
            duration_seconds=seconds,
            take_offset_seconds=seconds * number,
            programme_time=AFTER,
            size=9,
            name=f"recordings/x/main-{number:06d}.ts",
        )
    )


def test_a_case_that_cannot_be_decided_waits_and_is_decided_once_its_grant_is_mended(
    db: DbSession, config: Config
) -> None:
    tools = Toolbox.from_config(config)
    session = make_ended_session(db)
    grant = make_grant(db, session, "ama-pra-live", "0.75")
    sound = grant.policy
    grant.policy = CreditPolicy(name="broken", version=1, data={}, created_at=AFTER)
    user = make_attendee(db, session)
    db.commit()
    deciding.decide_due(tools, AFTER)
    what = f"{deciding.DECIDING}{session.id}"
    assert parked.waiting(db, what, now=AFTER) == {user.id}
    db.rollback()

    grant.policy = sound
    redeciding.mark_held(db, session.id, now=AFTER)
    db.commit()
    deciding.decide_due(tools, AFTER)

    assert db.scalars(select(CreditDecision.reason)).all() == [Reason.OK]
    assert parked.known(db, what) == set()


def test_a_case_that_failed_is_tried_again_by_itself(db: DbSession, config: Config) -> None:
    tools = Toolbox.from_config(config)
    session = make_ended_session(db)
    grant = make_grant(db, session, "ama-pra-live", "0.75")
    sound = grant.policy
    grant.policy = CreditPolicy(name="broken", version=1, data={}, created_at=AFTER)
    make_attendee(db, session)
    db.commit()
    deciding.decide_due(tools, AFTER)
    grant.policy = sound
    db.commit()

    deciding.decide_due(tools, AFTER + parked.FIRST_WAIT - timedelta(seconds=1))
    assert db.scalars(select(CreditDecision.reason)).all() == []
    db.rollback()
    deciding.decide_due(tools, AFTER + parked.FIRST_WAIT)

    assert db.scalars(select(CreditDecision.reason)).all() == [Reason.OK]
