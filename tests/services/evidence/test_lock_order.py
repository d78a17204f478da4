"""Two who decide about the same people at once wait for each other, and never both.

Only PostgreSQL lets two write at once.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.builders import NOW, make_user
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant
from webinar.db import DbSession, open_db
from webinar.domain.attendance import ViewingMode
from webinar.domain.evidence_chain import LinkKind, NewLink
from webinar.domain.review import CorrectionKind
from webinar.domain.span import Span
from webinar.models import AttentionCheck, CreditCorrection, EvidenceLink, User, WebinarSession
from webinar.services import redeciding
from webinar.services.evidence import chain, checks, corrections, incidents
from webinar.services.evidence.corrections import Change

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
URL = "https://webinar.example"
LINK = NewLink(LinkKind.DECISION, "1", "0" * 64)
WAITS = 1.0  # seconds: so long somebody is surely waiting


def beside(
    other: Callable[[DbSession], object],
    first: Callable[[DbSession], object],
    then: Callable[[DbSession], object],
) -> None:
    """`other` in a transaction of its own, between the two steps of this one."""

    def run() -> None:
        with open_db.begin() as db:
            other(db)

    with ThreadPoolExecutor(1) as pool, open_db() as db:
        first(db)
        running = pool.submit(run)
        with pytest.raises(TimeoutError):
            running.result(timeout=WAITS)
        then(db)
        db.commit()
        running.result(timeout=30)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    return session


@pytest.fixture
def person(db: DbSession, session: WebinarSession) -> User:
    return make_attendee(db, session)


def test_a_correction_is_approved_while_the_clock_decides(
    db: DbSession, session: WebinarSession, person: User
) -> None:
    first_officer, second_officer = make_user(db), make_user(db)
    start = int(session.starts_at.timestamp())
    correction = corrections.propose(
        db,
        session,
        person.id,
        Change(
            kind=CorrectionKind.REMOVE_PRESENCE,
            mode=ViewingMode.LIVE,
            span=Span(start, start + 60),
        ),
        reason="He was seen elsewhere.",
        actor_id=first_officer.id,
        now=AFTER,
    )
    db.commit()
    number, session_id, user_id, approver = (
        correction.id,
        session.id,
        person.id,
        second_officer.id,
    )
    db.rollback()

    beside(
        lambda other: corrections.approve(
            other,
            other.get_one(CreditCorrection, number),
            actor_id=approver,
            public_url=URL,
            now=AFTER,
        ),
        lambda clock: hold(clock, user_id),
        lambda clock: chain.append(clock, session_id, [LINK], now=AFTER),
    )

    assert kinds(db) == ["decision", "correction", "certificate", "decision"]


def test_a_check_is_answered_while_the_clock_decides(
    db: DbSession, session: WebinarSession, person: User
) -> None:
    db.add(
        AttentionCheck(
            id="c" * 32,
            session_id=session.id,
            user_id=person.id,
            mode=ViewingMode.LIVE,
            number=1,
            planned_second=300,
            issued_at=NOW,
            expires_at=NOW + timedelta(seconds=105),
        )
    )
    db.commit()
    session_id, user_id = session.id, person.id
    db.rollback()

    def answer_and_decide(other: DbSession) -> None:
        checks.answer(other, session_id, user_id, "c" * 32, now=NOW)
        hold(other, user_id)

    beside(
        answer_and_decide,
        lambda clock: hold(clock, user_id),
        lambda clock: chain.append(clock, session_id, [LINK], now=AFTER),
    )

    assert kinds(db) == ["decision", "check"]


def test_an_outage_is_declared_while_a_report_is_taken_in(
    db: DbSession, session: WebinarSession
) -> None:
    officer = make_user(db)
    db.commit()
    session_id, officer_id = session.id, officer.id
    span = Span(session.starts_at, session.starts_at + timedelta(minutes=5))
    db.rollback()

    beside(
        lambda other: incidents.declare(
            other,
            other.get_one(WebinarSession, session_id),
            span,
            what="The line was down.",
            actor_id=officer_id,
            now=AFTER,
        ),
        lambda report: chain.append(report, session_id, [LINK], now=AFTER),
        lambda report: redeciding.mark_held(report, session_id, now=AFTER),
    )

    assert kinds(db) == ["decision", "incident"]


def hold(db: DbSession, user_id: int) -> None:
    """As every decision begins."""
    db.scalars(select(User.id).where(User.id == user_id).with_for_update(key_share=True)).all()


def kinds(db: DbSession) -> list[str]:
    return [
        kind.value for kind in db.scalars(select(EvidenceLink.kind).order_by(EvidenceLink.number))
    ]
