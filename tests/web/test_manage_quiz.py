"""The short test of a session, as it is written in the browser."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import NOW, make_session, make_user
from tests.evidence import make_test
from webinar.db import DbSession
from webinar.models import AuditEvent, SessionQuiz, TestAttempt, TestItem, WebinarSession

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
    query = select(TestItem).order_by(TestItem.position, TestItem.id)
    found = list(db.scalars(query, execution_options={"populate_existing": True}))
    db.commit()
    return found


def three(db: DbSession, session: WebinarSession) -> list[TestItem]:
    made = make_test(db, session, questions=3)
    db.commit()
    return made


def take(db: DbSession, session: WebinarSession, answers: dict[int, int]) -> None:
    """A first try; the third option is right."""
    db.add(
        TestAttempt(
            session_id=session.id,
            user_id=make_user(db).id,
            number=1,
            answers=[[item, option] for item, option in answers.items()],
            correct=sum(option == 2 for option in answers.values()),
            of=len(answers),
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


def test_a_question_somebody_answered_is_retired_and_can_be_asked_again(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    first = three(db, session)[0].id
    take(db, session, {first: 2})

    page = officer.get(path_of(session)).text
    retired = officer.post(path_of(session, f"/{first}/remove"), follow_redirects=True).text
    kept = [(item.id, item.retired_at is None) for item in items(db)]
    officer.post(path_of(session, f"/{first}/restore"))

    assert "Retire the question" in page
    assert "The question is retired: it is asked no more" in retired
    assert "1 retired question" in retired
    assert (first, False) in kept
    assert [item.text for item in items(db)] == ["Question 2?", "Question 3?", "Question 1?"]
    assert db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all() == [
        "test question retired",
        "test question restored",
    ]


def test_new_words_of_an_answered_question_are_a_new_question(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    first = three(db, session)[0].id
    take(db, session, {first: 2})

    page = officer.post(path_of(session, f"/{first}"), data=ITEM, follow_redirects=True).text

    old, new, *_ = items(db)
    assert "The new question is asked from now on." in page
    assert (old.id, old.text, old.retired_at is None) == (first, "Question 1?", False)
    assert (new.text, new.retired_at) == (ITEM["text"], None)


def test_hint_and_comment_change_even_when_it_was_answered(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    first = three(db, session)[0].id
    take(db, session, {first: 2})
    same = {"text": "Question 1?", "option-0": "Yes", "option-1": "No", "right": "2"}
    same |= {"option-2": "It depends", "comment": "Better said.", "hint": "slides 3 to 5"}

    officer.post(path_of(session, f"/{first}"), data=same)

    found = items(db)[0]
    assert (found.id, found.comment, found.hint) == (first, "Better said.", "slides 3 to 5")
    assert found.retired_at is None


@pytest.mark.parametrize(
    ("form", "draw"),
    [
        ({"how": "some", "draw": "2"}, 2),
        ({"how": "some", "draw": "3"}, 3),
        ({"how": "all", "draw": "2"}, None),
    ],
)
def test_so_many_questions_are_drawn(
    db: DbSession,
    officer: FlaskClient,
    session: WebinarSession,
    form: dict[str, str],
    draw: int | None,
) -> None:
    three(db, session)

    page = officer.post(path_of(session, "/draw"), data=form, follow_redirects=True)

    assert page.status_code == 200
    quiz = db.get(SessionQuiz, session.id)
    assert (quiz.draw if quiz else None) == draw


@pytest.mark.parametrize("draw", ["0", "4", "", "-1", "²", "many"])
def test_a_number_that_cannot_be_drawn_is_refused(
    db: DbSession, officer: FlaskClient, session: WebinarSession, draw: str
) -> None:
    three(db, session)

    answer = officer.post(path_of(session, "/draw"), data={"how": "some", "draw": draw})

    assert answer.status_code == 422
    assert "Draw 1 to 3 questions" in answer.text or "as a whole number" in answer.text
    assert db.get(SessionQuiz, session.id) is None


def test_the_page_says_how_a_question_did(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    first, second, third = (item.id for item in three(db, session))
    for option in (2, 2, 2, 0):
        take(db, session, {first: option, second: 2, third: 1})

    page = " ".join(officer.get(path_of(session)).text.split())

    assert "4 people have taken this test" in page
    assert "75 % of 4 people found the right answer." in page
    assert "Few answers yet: do not read much into it." in page
    assert "Discrimination" not in page.split("Discrimination compares")[1]


def test_a_question_of_another_session_is_not_found(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    other = three(db, make_session(db))[0].id

    assert officer.get(path_of(session, f"/{other}")).status_code == 404
    assert officer.post(path_of(session, f"/{other}/remove")).status_code == 404
