"""The questions drawn for one try of one person: they stay the same until they are answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from secrets import SystemRandom

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from webinar.db import DbSession
from webinar.domain.quiz import draw, shuffled
from webinar.models import SessionQuiz, TestAttempt, TestItem, TestPaper


@dataclass(frozen=True)
class Question:
    """A question as it is shown: what is right is not part of it."""

    id: int
    text: str
    options: tuple[str, ...]


def bank_of(db: DbSession, session_id: int) -> list[TestItem]:
    """The questions that may be asked, in the author's order; retired ones are not."""
    return list(
        db.scalars(
            select(TestItem)
            .where(TestItem.session_id == session_id, TestItem.retired_at.is_(None))
            .order_by(TestItem.position, TestItem.id)
        )
    )


def how_many(db: DbSession, session_id: int) -> int:
    """How many questions one try asks; 0 without a test."""
    bank = len(bank_of(db, session_id))
    quiz = db.get(SessionQuiz, session_id)
    return bank if quiz is None or quiz.draw is None else min(quiz.draw, bank)


def open_paper(
    db: DbSession,
    session_id: int,
    user_id: int,
    *,
    now: datetime,
    chance: Random = SystemRandom(),  # noqa: B008 -- it has no state to share
) -> TestPaper | None:
    """The paper of the person's next try, drawn if there is none; None without a test.

    What is asked no more is taken off the paper and something else drawn for it; the rest stays as
    it is, for it may stand on an open page.
    """
    bank = {item.id: item for item in bank_of(db, session_id)}
    if not bank:
        return None
    number = 1 + (
        db.scalar(
            select(func.max(TestAttempt.number)).where(
                TestAttempt.session_id == session_id, TestAttempt.user_id == user_id
            )
        )
        or 0
    )
    paper = _paper(db, session_id, user_id, number)
    if paper is not None and all(_still_asks(bank, question) for question in paper.questions):
        return paper
    kept = (
        [question for question in paper.questions if _still_asks(bank, question)] if paper else []
    )
    questions = kept + _drawn(db, session_id, user_id, list(bank.values()), kept, chance)
    if paper is not None:
        paper.questions, paper.drawn_at = questions, now
        db.flush()
        return paper
    paper = TestPaper(
        session_id=session_id, user_id=user_id, number=number, questions=questions, drawn_at=now
    )
    try:
        with db.begin_nested():
            db.add(paper)
    except IntegrityError:
        # The page was opened twice at once: the other one has drawn.
        return _paper(db, session_id, user_id, number)
    return paper


def paper_of(db: DbSession, session_id: int, user_id: int, paper_id: int) -> TestPaper | None:
    """One of the person's own papers, answered or not."""
    paper = db.get(TestPaper, paper_id)
    if paper is None or (paper.session_id, paper.user_id) != (session_id, user_id):
        return None
    return paper


def questions_on(db: DbSession, paper: TestPaper) -> list[Question]:
    """The paper as it is shown."""
    items = items_on(db, paper)
    places = places_on(paper)
    return [
        Question(item.id, item.text, tuple(item.options[option] for option in places[item.id]))
        for item in items
    ]


def items_on(db: DbSession, paper: TestPaper) -> list[TestItem]:
    """What the paper asks, in its order."""
    ids = list(places_on(paper))
    found = {
        item.id: item
        for item in db.scalars(
            select(TestItem).where(TestItem.session_id == paper.session_id, TestItem.id.in_(ids))
        )
    }
    return [found[item_id] for item_id in ids if item_id in found]


def places_on(paper: TestPaper) -> dict[int, list[int]]:
    """By item: which of its options stands in which place."""
    return {int(item_id): [int(option) for option in order] for item_id, order in paper.questions}


def options_chosen(paper: TestPaper, places: Mapping[int, int]) -> dict[int, int]:
    """By item: the option behind the place that was chosen; what is no place is left out."""
    orders = places_on(paper)
    return {
        item_id: orders[item_id][place]
        for item_id, place in places.items()
        if item_id in orders and 0 <= place < len(orders[item_id])
    }


def _drawn(
    db: DbSession,
    session_id: int,
    user_id: int,
    bank: list[TestItem],
    kept: list[list[object]],
    chance: Random,
) -> list[list[object]]:
    """What is asked beside the questions that are on the paper already."""
    before = db.scalars(
        select(TestAttempt.answers).where(
            TestAttempt.session_id == session_id, TestAttempt.user_id == user_id
        )
    )
    asked = {int(item_id) for answers in before for item_id, _ in answers}
    on_paper = {item_id for item_id, _ in kept}
    items = {item.id: item for item in bank if item.id not in on_paper}
    count = max(how_many(db, session_id) - len(kept), 0)
    return [
        [item_id, shuffled(items[item_id].options, chance)]
        for item_id in draw(list(items), count, asked, chance)
    ]


def _still_asks(bank: Mapping[int, TestItem], question: list[object]) -> bool:
    item_id, order = question
    item = bank.get(item_id) if isinstance(item_id, int) else None
    return item is not None and isinstance(order, list) and len(order) == len(item.options)


def _paper(db: DbSession, session_id: int, user_id: int, number: int) -> TestPaper | None:
    return db.scalars(
        select(TestPaper).where(
            TestPaper.session_id == session_id,
            TestPaper.user_id == user_id,
            TestPaper.number == number,
        )
    ).one_or_none()
