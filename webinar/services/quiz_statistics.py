"""How the questions of a test did: for their authors, and for the report afterwards."""

from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.quiz import Given, ItemStatistics, remarks_on, statistics_of
from webinar.models import TestAttempt, TestItem


@dataclass(frozen=True, kw_only=True)
class QuizStatistics:
    """First tries of people. Later tries follow what was read after the first: they say less."""

    people: int
    mean_share: Fraction | None
    """The mean share of right answers; None while nobody has tried."""
    items: dict[int, ItemStatistics]
    remarks: dict[int, list[str]]
    """By item: what its author should look at, in sentences."""


def of_session(db: DbSession, session_id: int) -> QuizStatistics:
    """The figures of a session's test; retired questions have theirs, too."""
    items = list(db.scalars(select(TestItem).where(TestItem.session_id == session_id)))
    right = {item.id: item.correct_option for item in items}
    papers = []
    shares = []
    first_tries = db.execute(
        select(TestAttempt.answers, TestAttempt.correct, TestAttempt.of).where(
            TestAttempt.session_id == session_id, TestAttempt.number == 1
        )
    )
    for answers, correct, of in first_tries:
        given = {int(item): int(option) for item, option in answers if int(item) in right}
        papers.append(
            Given(given, frozenset(item for item, option in given.items() if right[item] == option))
        )
        if of:
            shares.append(Fraction(correct, of))
    found = {item.id: statistics_of(item.id, len(item.options), papers) for item in items}
    return QuizStatistics(
        people=len(papers),
        mean_share=sum(shares, Fraction(0)) / len(shares) if shares else None,
        items=found,
        remarks={item.id: remarks_on(found[item.id], item.correct_option) for item in items},
    )
