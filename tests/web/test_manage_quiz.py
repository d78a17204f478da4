"""The short test of a session, as it is written in the browser."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import NOW, make_session, make_user
from tests.evidence import make_test
from webinar.db import DbSession
from webinar.models import AuditEvent, TestAttempt, TestItem, WebinarSession

ITEM = {
    "text": "When is dissection left out?",
    "option-0": "Always",
    "option-1": "",
    "option-2": "After a complete response",
    "option-3": "Never",
    "option-4": "",
    "option-5": "",
    "right": "2",
    "comment": "As the trial says.",
}


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    session = make_session(db)
    db.commit()
    return session


def path_of(session: WebinarSession, rest: str = "") -> str:
    return f"/manage/sessions/{session.public_id}/test{rest}"


def items(db: DbSession) -> list[TestItem]:
    query = select(TestItem).order_by(TestItem.position)
    found = list(db.scalars(query, execution_options={"populate_existing": True}))
    db.commit()
    return found


def three(db: DbSession, session: WebinarSession) -> list[TestItem]:
    made = make_test(db, session, questions=3)
    db.commit()
    return made


def take(db: DbSession, session: WebinarSession) -> None:
    user = make_user(db)
    db.add(
        TestAttempt(
            session_id=session.id,
            user_id=user.id,
            number=1,
            answers=[],
            correct=0,
            of=3,
            taken_at=NOW,
        )
    )
    db.commit()


def test_a_question_is_added_without_its_empty_rows(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    page = officer.post(path_of(session), data=ITEM, follow_redirects=True).text

    item = items(db)[0]
    assert "The question is added." in page
    assert item.options == ["Always", "After a complete response", "Never"]
    assert (item.correct_option, item.comment) == (1, "As the trial says.")
    assert db.scalars(select(AuditEvent.action)).all() == ["test question added"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"text": ""}, "Write the question"),
        ({"right": ""}, "Say which answer is right."),
        ({"right": "1"}, "Say which answer is right."),
        ({"right": "x"}, "Say which answer is right."),
        ({"option-0": "", "option-3": ""}, "Give 2 to 6 answers to choose from."),
        ({"option-3": "always"}, "Two answers are the same."),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_and_kept_in_the_form(
    db: DbSession,
    officer: FlaskClient,
    session: WebinarSession,
    change: dict[str, str],
    sentence: str,
) -> None:
    answer = officer.post(path_of(session), data={**ITEM, **change})

    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="After a complete response"' in answer.text
    assert "As the trial says." in answer.text
    assert items(db) == []


def test_a_question_is_changed(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    path = path_of(session, f"/{three(db, session)[1].id}")

    form = officer.get(path).text
    changed = officer.post(path, data=ITEM, follow_redirects=True).text
    again = officer.post(path, data=ITEM, follow_redirects=True).text

    assert "Question 2?</textarea>" in form
    assert "The question is changed." in changed
    assert "Nothing was different" in again
    assert [item.text for item in items(db)] == ["Question 1?", ITEM["text"], "Question 3?"]


def test_questions_change_places(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    last = three(db, session)[2].id

    for to in ("earlier", "earlier", "earlier", "later", "elsewhere"):
        officer.post(path_of(session, f"/{last}/move"), data={"to": to})

    assert [item.text for item in items(db)] == ["Question 1?", "Question 3?", "Question 2?"]


def test_a_question_is_removed(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    first = three(db, session)[0].id

    page = officer.post(path_of(session, f"/{first}/remove"), follow_redirects=True).text

    assert "The question is removed." in page
    assert [item.text for item in items(db)] == ["Question 2?", "Question 3?"]


@pytest.mark.parametrize(
    ("rest", "data"),
    [
        ("", ITEM),
        ("/{id}", ITEM),
        ("/{id}/remove", {}),
        ("/{id}/move", {"to": "later"}),
    ],
)
def test_what_somebody_has_answered_stays_as_it_is(
    db: DbSession,
    officer: FlaskClient,
    session: WebinarSession,
    rest: str,
    data: dict[str, str],
) -> None:
    first = three(db, session)[0].id
    take(db, session)

    page = officer.get(path_of(session)).text
    answer = officer.post(path_of(session, rest.format(id=first)), data=data)

    assert answer.status_code == 409
    for text in (page, answer.text):
        assert "1 person has taken this test, so its questions stay as they are" in text
    assert "Add the question" not in page
    assert [item.text for item in items(db)] == ["Question 1?", "Question 2?", "Question 3?"]


def test_a_question_of_another_session_is_not_found(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    other = three(db, make_session(db))[0].id

    assert officer.get(path_of(session, f"/{other}")).status_code == 404
    assert officer.post(path_of(session, f"/{other}/remove")).status_code == 404
