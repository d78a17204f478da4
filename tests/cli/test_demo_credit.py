"""What the demonstration season shows of credit, and that all of it can be worked out again."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.demo.people import PARTICIPANT, person
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import Reason
from webinar.domain.review import AppealState, CorrectionState, MatchedBy
from webinar.models import (
    Appeal,
    AttentionCheck,
    AuditorDoor,
    CreditCorrection,
    CreditDecision,
    ImportedVisit,
    Incident,
    PostEventReport,
    SessionQuiz,
    TestAttempt,
    TestItem,
    WebinarSession,
)
from webinar.services.evidence import reviews, verifying
from webinar.services.reports import post_event


@pytest.fixture
def loaded(app: Flask) -> Iterator[Flask]:
    """The quick season, on a Monday whose oldest past evening was not four weeks ago."""
    with time_machine.travel(datetime(2026, 11, 2, 12, tzinfo=UTC)):
        result = app.test_cli_runner().invoke(args=["demo", "load", "--quick"])
        assert result.exit_code == 0, result.output
        yield app


def test_the_season_shows_what_an_officer_does_and_comes_out_again(
    loaded: Flask, db: DbSession
) -> None:
    # An outage, and an appeal that carries its evidence.
    assert len(db.scalars(select(Incident)).all()) == 1
    appeal = db.scalars(select(Appeal)).one()
    assert appeal.user_id == person(db, PARTICIPANT).id
    assert appeal.state is AppealState.OPEN
    assert appeal.picture["evidence"] is not None

    # One correction waits for its second person, one was approved and gave credit.
    found = {row.state: row for row in db.scalars(select(CreditCorrection))}
    assert set(found) == {CorrectionState.PROPOSED, CorrectionState.APPROVED}
    assert found[CorrectionState.PROPOSED].appeal_id == appeal.id
    corrected = found[CorrectionState.APPROVED]
    assert corrected.proposed_by_id != corrected.decided_by_id

    # Attention checks, most of them answered.
    put, answered = db.execute(
        select(func.count(AttentionCheck.id), func.count(AttentionCheck.answered_at))
    ).one()
    assert put > answered > put // 2

    # A test that draws from a bank, and tries that differ.
    tried = db.scalars(select(TestAttempt)).all()
    assert len(tried) > 5
    assert len({attempt.correct for attempt in tried}) > 1
    quiz = db.get_one(SessionQuiz, tried[0].session_id)
    bank = select(func.count(TestItem.id)).where(TestItem.session_id == quiz.session_id)
    assert (quiz.draw, db.scalar(bank)) == (5, 8)

    # Who came by another program: known by the address, and two under one name who are not.
    visits = db.scalars(select(ImportedVisit)).all()
    waiting = [visit for visit in visits if visit.matched_by is MatchedBy.NOBODY]
    assert len(waiting) == 2
    assert len({visit.name for visit in waiting}) == 1
    figures = reviews.figures(db, [waiting[0].import_id])[waiting[0].import_id]
    assert (figures.known, figures.waiting) == (len(visits) - 2, 2)

    # Faculty credit, reports, and a door.
    taught = db.scalars(
        select(CreditDecision).where(CreditDecision.is_latest, CreditDecision.reason == Reason.OK)
    ).all()
    assert [one.credit for one in taught if one.grant.mode is ViewingMode.FACULTY] != []
    signed = db.scalars(
        select(PostEventReport).where(
            PostEventReport.signed_at.is_not(None), PostEventReport.sent_at.is_(None)
        )
    ).all()
    assert len(signed) == 1
    assert post_event.owed(db, society_ids=None, now=datetime.now(UTC)) != []
    assert len(db.scalars(select(AuditorDoor)).all()) == 1

    # Everything stored is as it was vouched for, and every decision comes out again.
    sessions = [
        db.get_one(WebinarSession, number).public_id
        for number in verifying.sessions_with_evidence(db)
    ]
    db.rollback()
    runner = loaded.test_cli_runner()
    verified = runner.invoke(args=["evidence", "verify"])
    assert verified.output == f"{len(sessions)} sessions checked, findings: 0.\n"
    assert len(sessions) == 4
    for session in sessions:
        replayed = runner.invoke(args=["credits", "replay", session])
        assert replayed.output == "Every decision comes out as it is stored.\n"
