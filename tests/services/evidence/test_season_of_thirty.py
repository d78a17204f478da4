"""A season decided, then decided again from what is stored: nothing comes out otherwise."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from tests.builders import make_registration, make_user
from tests.evidence import make_ended_session, make_grant, make_recording, watch
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.models import (
    AccreditationGrant,
    CreditDecision,
    CreditPolicy,
    EvaluationGiven,
    Identifier,
    TestAttempt,
    User,
    WebinarSession,
)
from webinar.services import credits

URL = "https://webinar.example"
FIRST = datetime(2026, 1, 8, 17, 15, tzinfo=UTC)
LIVE = [
    ("eaccme-3.0-live", "0.5"),
    ("ama-pra-live", "0.75"),
    ("esmo-mora-live", "1"),
    ("de-laek-live", "1"),
    ("it-ecm-sync", "2"),
    ("uk-rcp-live", "1"),
]
SESSIONS, PEOPLE = 30, 12


@pytest.fixture
def season(db: DbSession) -> list[WebinarSession]:
    """Thirty evenings: who came when, watched what afterwards and handed in what is drawn."""
    chance = random.Random(20261122)  # noqa: S311 -- no secret
    people = [make_user(db) for _ in range(PEOPLE)]
    for person in chance.sample(people, 4):
        db.add(
            Identifier(user_id=person.id, kind="EFN", value="802760000000009", consented_at=FIRST)
        )
    return [evening(db, chance, people, week) for week in range(SESSIONS)]


def evening(db: DbSession, chance: random.Random, people: list[User], week: int) -> WebinarSession:
    session = make_ended_session(db)
    session.starts_at = session.actual_started_at = FIRST + timedelta(weeks=week)
    session.ends_at = session.actual_ended_at = session.starts_at + timedelta(minutes=45)
    for policy, granted in chance.sample(LIVE, 3):
        make_grant(db, session, policy, granted, body=policy)
    make_grant(db, session, "acoe-distance", "1", body="acoe-distance")
    make_recording(db, session, closes_at=session.ends_at + timedelta(days=181))
    for person in chance.sample(people, chance.randint(6, PEOPLE)):
        make_registration(db, session, person)
        attend(db, chance, session, person)
        hand_in(db, chance, session, person)
    db.flush()
    return session


def attend(db: DbSession, chance: random.Random, session: WebinarSession, person: User) -> None:
    for _ in range(chance.choice((0, 1, 1, 2))):
        start = chance.randint(0, 1500)
        watch(db, session, person, ViewingMode.LIVE, start, chance.randint(start + 60, 2700))
    for number in range(chance.choice((0, 0, 1, 3))):
        start = chance.randint(0, 900)
        opened = session.ends_at + timedelta(days=1, hours=number)
        end = chance.randint(start + 300, 2700)
        watch(db, session, person, ViewingMode.RECORDED, start, end, at=opened)


def hand_in(db: DbSession, chance: random.Random, session: WebinarSession, person: User) -> None:
    if chance.random() < 0.6:
        late = timedelta(days=chance.choice((0, 3, 30)))
        db.add(
            EvaluationGiven(
                session_id=session.id, user_id=person.id, given_at=session.ends_at + late
            )
        )
    for number in range(1, chance.choice((1, 2, 3))):
        db.add(
            TestAttempt(
                session_id=session.id,
                user_id=person.id,
                number=number,
                answers=[],
                correct=chance.randint(2, 5),
                of=5,
                taken_at=session.ends_at + timedelta(hours=chance.choice((1, 71, 80)) * number),
            )
        )


def decide_all(db: DbSession, season: list[WebinarSession], *, after: timedelta) -> int:
    """How many revisions were written."""
    return sum(
        len(credits.decide_session(db, one.id, public_url=URL, now=one.ends_at + after))
        for one in season
    )


def differences(db: DbSession, season: list[WebinarSession]) -> list[str]:
    found = [one for session in season for one in credits.replay(db, session.id)]
    found += [one for session in season for one in credits.unsupported(db, session.id)]
    return [one.words for one in found]


def new_version(db: DbSession, name: str, **change: object) -> CreditPolicy:
    old = db.scalars(select(CreditPolicy).where(CreditPolicy.name == name)).one()
    fresh = CreditPolicy(
        name=name,
        version=old.version + 1,
        data={**old.data, **change},
        created_at=FIRST,
        approved_at=FIRST,
    )
    db.add(fresh)
    db.flush()
    return fresh


def test_a_season_replays_without_a_difference(db: DbSession, season: list[WebinarSession]) -> None:
    first = decide_all(db, season, after=timedelta(minutes=10))
    later = decide_all(db, season, after=timedelta(days=40))
    reasons = set(db.scalars(select(CreditDecision.reason).distinct()))

    assert first > 400
    assert later > 50
    assert len(reasons) >= 7
    assert differences(db, season) == []
    assert decide_all(db, season, after=timedelta(days=40)) == 0


def test_old_decisions_stay_when_a_policy_gets_a_new_version(
    db: DbSession, season: list[WebinarSession]
) -> None:
    decide_all(db, season, after=timedelta(days=40))
    before = db.scalar(select(func.count()).select_from(CreditDecision))
    stricter = new_version(db, "esmo-mora-live", min_presence=1.0)

    untouched = decide_all(db, season, after=timedelta(days=41))
    moved = db.scalars(
        select(AccreditationGrant)
        .join(CreditPolicy, CreditPolicy.id == AccreditationGrant.policy_id)
        .where(CreditPolicy.name == "esmo-mora-live")
        .order_by(AccreditationGrant.id)
    ).first()
    assert moved is not None
    moved.policy = stricter
    db.flush()
    under_the_new = decide_all(db, season, after=timedelta(days=42))
    revisions = db.scalars(
        select(CreditDecision).where(
            CreditDecision.grant_id == moved.id, CreditDecision.revision > 0
        )
    ).all()

    assert untouched == 0
    assert under_the_new == len(revisions) > 0
    assert {one.policy_id for one in revisions} == {stricter.id}
    assert db.scalar(select(func.count()).select_from(CreditDecision)) == before + under_the_new
    assert differences(db, season) == []
