"""The short test, as a person takes it: drawn, shuffled, tried again, explained."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.builders import make_user
from tests.evidence import make_attendee, make_ended_session, make_grant, make_test
from webinar.db import DbSession
from webinar.domain.evidence_chain import LinkKind
from webinar.models import (
    AccreditationGrant,
    CreditPolicy,
    EvaluationGiven,
    EvidenceLink,
    SessionQuiz,
    TestAttempt,
    TestItem,
    TestPaper,
    User,
    WebinarSession,
)
from webinar.services import credits, quiz_items
from webinar.services.evidence.digests import DIGESTS

SignIn = Callable[[User], FlaskClient]
URL = "http://localhost"


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """Ended an hour ago by the real clock, because the pages ask it."""
    session = make_ended_session(db)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=105)
    session.starts_at = session.actual_started_at = start
    session.ends_at = session.actual_ended_at = start + timedelta(minutes=45)
    db.flush()
    return session


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def address_of(session: WebinarSession) -> str:
    return f"/sessions/{session.public_id}/test"


def with_rules(db: DbSession, session: WebinarSession, **fields: object) -> AccreditationGrant:
    """A grant whose policy says these things about the test."""
    grant = make_grant(db, session, "it-ecm-sync", "2")
    old = grant.policy
    data = {**old.data, **fields}
    grant.policy = CreditPolicy(name=old.name, version=99, data=data, created_at=old.created_at)
    db.flush()
    return grant


def paper_of(db: DbSession, page: str) -> TestPaper:
    """The paper the page shows."""
    found = re.search(r'name="paper" value="(\d+)"', page)
    assert found is not None
    paper = db.get_one(TestPaper, int(found[1]), populate_existing=True)
    db.commit()
    return paper


def filled(db: DbSession, page: str, *, right: int) -> dict[str, str]:
    """The form of the page with so many right answers, the first ones."""
    paper = paper_of(db, page)
    form = {"paper": str(paper.id)}
    for number, (item_id, order) in enumerate(paper.questions):
        correct = db.get_one(TestItem, item_id).correct_option
        option = correct if number < right else (correct + 1) % len(order)
        form[f"q{item_id}"] = str(order.index(option))
    db.commit()
    return form


def test_a_failed_test_can_be_taken_again_and_then_brings_the_credit(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_grant(db, session, "it-ecm-sync", "2")
    make_test(db, session)
    user = make_attendee(db, session)
    db.add(EvaluationGiven(session_id=session.id, user_id=user.id, given_at=datetime.now(UTC)))
    credits.decide_session(db, session.id, public_url=URL, now=datetime.now(UTC))
    db.commit()
    client, address = signed_in_as(user), address_of(session)

    first = filled(db, client.get(address).text, right=2)
    failed = client.post(address, data=first, follow_redirects=True).text
    second = filled(db, failed, right=3)
    passed = client.post(address, data=second, follow_redirects=True).text

    assert "2 of 4 answers are right" in failed
    assert "The right answer:" not in failed
    assert "2 points earned" in text_of(passed)
    query = select(TestAttempt.number, TestAttempt.correct).order_by(TestAttempt.number)
    assert [tuple(row) for row in db.execute(query)] == [(1, 2), (2, 3)]


def test_the_page_of_the_test_does_not_know_what_is_right(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_test(db, session)
    user = make_attendee(db, session)
    db.commit()

    page = signed_in_as(user).get(address_of(session)).text

    assert "Question 1?" in page
    assert "correct" not in page
    assert "trial" not in page


def test_a_reload_shows_the_same_questions_and_each_person_has_their_own_order(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_test(db, session, questions=8)
    db.add(SessionQuiz(session_id=session.id, draw=5))
    people = [make_attendee(db, session) for _ in range(6)]
    db.commit()

    pages = [signed_in_as(user).get(address_of(session)).text for user in people]
    again = signed_in_as(people[0]).get(address_of(session)).text

    papers = [paper_of(db, page) for page in pages]
    assert paper_of(db, again).id == papers[0].id
    assert paper_of(db, again).questions == papers[0].questions
    assert {len(paper.questions) for paper in papers} == {5}
    assert len({str(paper.questions) for paper in papers}) > 1
    assert "5 questions." in text_of(pages[0])
    assert "4 right answers are enough" not in text_of(pages[0])  # nobody has set a mark


@pytest.mark.parametrize("value", ["", "3", "-1", "x", "²", "99999", "9" * 20])
def test_an_open_question_is_named_and_the_rest_stays_marked(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn, value: str
) -> None:
    make_test(db, session)
    user = make_attendee(db, session)
    db.commit()
    client = signed_in_as(user)
    form = filled(db, client.get(address_of(session)).text, right=4)
    second = list(form)[2]

    answer = client.post(address_of(session), data=form | {second: value})

    assert answer.status_code == 422
    assert "Answer question 2." in text_of(answer.text)
    assert answer.text.count(" checked") == 3
    assert db.scalar(select(func.count()).select_from(TestAttempt)) == 0


def test_a_form_sent_twice_is_one_try_and_other_answers_come_too_late(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_grant(db, session, "it-ecm-sync", "2")
    make_test(db, session)
    user = make_attendee(db, session)
    db.commit()
    client = signed_in_as(user)
    page = client.get(address_of(session)).text
    form, other = filled(db, page, right=1), filled(db, page, right=4)

    twice = [client.post(address_of(session), data=form).status_code for _ in range(2)]
    changed = client.post(address_of(session), data=other)

    assert twice == [302, 302]
    assert changed.status_code == 409
    assert "your first answers count" in changed.text
    assert db.scalars(select(TestAttempt.correct)).all() == [1]


def test_the_paper_of_another_person_is_not_handed_in(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_test(db, session)
    mine, theirs = make_attendee(db, session), make_attendee(db, session)
    db.commit()
    form = filled(db, signed_in_as(theirs).get(address_of(session)).text, right=4)

    answers = [
        signed_in_as(mine).post(address_of(session), data=sent)
        for sent in (form, {**form, "paper": "no"}, {})
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert db.scalar(select(func.count()).select_from(TestAttempt)) == 0


def test_a_question_that_was_retired_meanwhile_is_not_asked(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    items = make_test(db, session)
    user = make_attendee(db, session)
    db.commit()
    client = signed_in_as(user)
    old = filled(db, client.get(address_of(session)).text, right=4)
    quiz_items.remove(db, session, items[0], actor_id=None, now=datetime.now(UTC))
    db.commit()

    page = client.get(address_of(session)).text
    late = client.post(address_of(session), data=old, follow_redirects=True)

    assert "Question 1?" not in page
    assert "3 questions." in text_of(page)
    assert "3 of 3 answers are right" in text_of(late.text)


def test_who_answers_what_was_retired_a_moment_ago_has_answered(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    items = make_test(db, session)
    user = make_attendee(db, session)
    db.commit()
    client = signed_in_as(user)
    form = filled(db, client.get(address_of(session)).text, right=4)
    quiz_items.remove(db, session, items[0], actor_id=None, now=datetime.now(UTC))
    db.commit()

    client.post(address_of(session), data=form)

    assert db.execute(select(TestAttempt.correct, TestAttempt.of)).one() == (4, 4)


def test_a_try_is_held_against_the_questions_it_asked(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_grant(db, session, "it-ecm-sync", "2")
    make_test(db, session, questions=8)
    db.add(SessionQuiz(session_id=session.id, draw=4))
    user = make_attendee(db, session)
    db.commit()
    client = signed_in_as(user)
    client.post(address_of(session), data=filled(db, client.get(address_of(session)).text, right=3))
    db.get_one(SessionQuiz, session.id).draw = 8
    db.commit()

    assert "You have passed" in client.get(address_of(session)).text


def test_a_wait_and_a_last_attempt_hold(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    with_rules(db, session, max_attempts=2, retry_wait_h=24)
    make_test(db, session)
    user = make_attendee(db, session)
    db.commit()
    client, address = signed_in_as(user), address_of(session)
    form = filled(db, client.get(address).text, right=0)

    waits = client.post(address, data=form, follow_redirects=True).text
    first = db.scalars(select(TestAttempt)).one()
    first.taken_at -= timedelta(hours=25)
    db.commit()
    again = filled(db, client.get(address).text, right=0)
    over = client.post(address, data=again, follow_redirects=True).text

    assert "You have 1 attempt left." in text_of(waits)
    assert "You can try again from" in text_of(waits)
    assert "Hand in your answers" not in waits
    assert "All attempts are used up." in text_of(over)
    assert "Hand in your answers" not in over


@pytest.mark.parametrize(
    ("feedback", "told"),
    [
        ("comments", {"Not right", "Because of trial", "Look again at: slide"}),
        ("hints", {"Not right", "Look again at: slide"}),
        ("nothing", set()),
    ],
)
def test_what_is_told_after_a_try_is_what_the_policy_says(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn, feedback: str, told: set[str]
) -> None:
    with_rules(db, session, max_attempts=2, test_feedback=feedback)
    for item in make_test(db, session):
        item.hint = f"slide {item.position + 4}"
    user = make_attendee(db, session)
    db.commit()
    client, address = signed_in_as(user), address_of(session)
    form = filled(db, client.get(address).text, right=1)

    failed = text_of(client.post(address, data=form, follow_redirects=True).text)
    last = filled(db, client.get(address).text, right=1)
    over = text_of(client.post(address, data=last, follow_redirects=True).text)

    parts = {"Not right", "Because of trial", "Look again at: slide"}
    assert {part for part in parts if part in failed} == told
    assert "The right answer:" not in failed
    assert ("The right answer: It depends" in over) == (feedback == "comments")


def test_a_try_is_vouched_for_as_it_was_answered(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_test(db, session)
    user = make_attendee(db, session)
    db.commit()
    client = signed_in_as(user)
    form = filled(db, client.get(address_of(session)).text, right=2)

    client.post(address_of(session), data=form)

    query = select(EvidenceLink).where(EvidenceLink.kind == LinkKind.ATTEMPT)
    link = db.scalars(query).one()
    digest = DIGESTS[LinkKind.ATTEMPT]
    assert digest(db, link.subject) == link.digest
    db.scalars(select(TestAttempt)).one().correct = 4
    db.flush()
    assert digest(db, link.subject) != link.digest


def test_without_questions_there_is_no_test(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    user, stranger = make_attendee(db, session), make_user(db)
    db.commit()

    assert signed_in_as(user).get(address_of(session)).status_code == 404
    assert signed_in_as(stranger).get(address_of(session)).status_code == 403


def test_questions_that_are_gone_are_no_test_passed(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_grant(db, session, "it-ecm-sync", "2")
    items = make_test(db, session)
    user = make_attendee(db, session)
    db.commit()
    client, address = signed_in_as(user), address_of(session)
    form = filled(db, client.get(address).text, right=4)
    for item in items:
        db.delete(item)
    db.commit()

    answer = client.post(address, data=form)

    assert answer.status_code == 409
    assert db.scalars(select(TestAttempt)).all() == []
