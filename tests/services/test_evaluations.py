"""Evaluations: every question of the form, and no way from an answer to a person."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from tests.builders import make_faculty
from tests.evidence import AFTER, make_attendee, make_ended_session
from webinar.db import DbSession
from webinar.domain.person import FormRefused
from webinar.domain.session import FacultyPart
from webinar.models import EvaluationAnswers, EvaluationGiven, WebinarSession
from webinar.services import evaluations

FORM = {
    "objective-1": "5",
    "objective-2": "4",
    "relevance": "5",
    "speaker-1": "4",
    "quality": "3",
    "bias": "yes",
    "bias_words": "One brand name too many.",
    "practice": "not_yet",
    "practice_words": "Fewer dissections.",
    "barriers": "No scanner on Fridays.",
    "topics": "Rare tumours",
    "remarks": "Thank you",
}


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    session = make_ended_session(db)
    make_faculty(db, session, FacultyPart.PRESENTER, name="Prof Elena Marchetti")
    db.refresh(session)
    return session


def give(db: DbSession, session: WebinarSession, remark: str, at: datetime = AFTER) -> None:
    user = make_attendee(db, session)
    form = {**FORM, "remarks": remark}
    answers = evaluations.read(form, evaluations.asked_of(session))
    evaluations.give(db, session, user.id, answers=answers, now=at)
    db.commit()


def test_the_form_asks_all_an_accreditor_wants_to_hear_of(
    db: DbSession, session: WebinarSession
) -> None:
    give(db, session, "Thank you")

    assert db.scalars(select(EvaluationAnswers.answers)).one() == {
        "objectives": ["5", "4"],
        "relevance": "5",
        "speakers": ["4"],
        "quality": "3",
        "bias": "yes",
        "bias_words": "One brand name too many.",
        "practice": "not_yet",
        "practice_words": "Fewer dissections.",
        "barriers": "No scanner on Fridays.",
        "topics": "Rare tumours",
        "remarks": "Thank you",
        "objectives_asked": ["Say when to dissect.", "Know the trials."],
        "speakers_asked": ["Prof Elena Marchetti"],
    }


@pytest.mark.parametrize("name", sorted(set(FORM) - {"practice_words", "barriers", "topics"}))
def test_what_must_be_answered_is_asked_for_by_its_field(
    session: WebinarSession, name: str
) -> None:
    form = {key: value for key, value in FORM.items() if key != name}
    asked = evaluations.asked_of(session)

    if name == "remarks":
        assert evaluations.read(form, asked).remarks == ""
    else:
        with pytest.raises(FormRefused) as refused:
            evaluations.read(form, asked)
        assert set(refused.value.problems) == {name}


@pytest.mark.parametrize("name", ["bias_words", "practice_words", "barriers", "topics", "remarks"])
def test_a_text_that_is_too_long_is_refused(session: WebinarSession, name: str) -> None:
    with pytest.raises(FormRefused) as refused:
        evaluations.read({**FORM, name: "x" * 2001}, evaluations.asked_of(session))

    assert set(refused.value.problems) == {name}


def test_mixing_keeps_every_answer_and_gives_each_another_number(
    db: DbSession, session: WebinarSession
) -> None:
    for number in range(6):
        give(db, session, f"remark {number}")
    before = set(db.scalars(select(EvaluationAnswers.id)))

    mixed = evaluations.mix(db, now=AFTER + timedelta(hours=1))
    db.commit()

    rows = db.execute(select(EvaluationAnswers.id, EvaluationAnswers.answers)).all()
    assert mixed == 6
    assert sorted(answers["remarks"] for _, answers in rows) == [f"remark {n}" for n in range(6)]
    assert before.isdisjoint({each for each, _ in rows})
    assert db.scalar(select(func.count()).select_from(EvaluationGiven)) == 6


def test_what_was_mixed_and_got_no_new_answer_is_left_alone(
    db: DbSession, session: WebinarSession
) -> None:
    give(db, session, "Thank you")
    before = db.scalars(select(EvaluationAnswers.id)).one()

    mixed = evaluations.mix(db, now=AFTER + timedelta(days=2))

    assert mixed == 0
    assert db.scalars(select(EvaluationAnswers.id)).one() == before


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_no_transaction_tells_whose_answers_they_are(
    db: DbSession, session: WebinarSession
) -> None:
    for number in range(3):
        give(db, session, f"remark {number}")

    evaluations.mix(db, now=AFTER + timedelta(hours=1))
    db.commit()

    wrote = set(db.scalars(text("SELECT xmin::text FROM evaluation_answers")))
    gave = set(db.scalars(text("SELECT xmin::text FROM evaluation_given")))
    assert len(wrote) == 1
    assert wrote.isdisjoint(gave)
