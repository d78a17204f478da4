"""The short test about a session: what is asked, when one may try, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import Conflict, DomainError, NotFound, NotYet
from webinar.domain.evidence_chain import LinkKind, NewLink
from webinar.domain.policy import TestFeedback
from webinar.domain.quiz import needed, strictest
from webinar.domain.wording import deadline
from webinar.models import TestAttempt, TestItem, TestPaper, User, WebinarSession
from webinar.services import presences, quiz_papers
from webinar.services.evidence import chain
from webinar.services.evidence.digests import of_attempt
from webinar.services.grants import offers_of
from webinar.services.quiz_papers import Question

SENT_TWICE = timedelta(minutes=1)


class AttemptsUsedUp(Conflict):
    """The policy allows no further attempt."""


class TooSoon(NotYet):
    """The policy wants a pause between attempts."""


class HandedIn(Conflict):
    """These questions were answered before, otherwise."""


class AnswersMissing(DomainError):
    """Some questions have no answer; `questions` are their ids."""

    def __init__(self, numbers: list[int], questions: list[int]) -> None:
        words = ", ".join(str(number) for number in numbers)
        super().__init__(f"Answer every question. Still open: {words}.")
        self.numbers = numbers
        self.questions = questions


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What the session's accreditors ask of the test; the strictest counts."""

    pass_correct: int | None
    """Right answers needed; None if taking it is enough."""
    of: int
    attempts_left: int | None
    """None: as many as one likes."""
    next_at: datetime | None
    """Not before; None: now."""
    passed: bool
    feedback: TestFeedback

    @property
    def is_over(self) -> bool:
        """True if there is no try to come."""
        return self.passed or self.attempts_left == 0

    @property
    def may_try(self) -> bool:
        """True if a try may be taken now."""
        return not self.is_over and self.next_at is None


@dataclass(frozen=True, kw_only=True)
class Remark:
    """What a person is told about one of their answers; "" is what they are not told."""

    number: int
    text: str
    is_right: bool
    hint: str = ""
    comment: str = ""
    right_answer: str = ""


def questions_of(db: DbSession, session_id: int) -> list[Question]:
    """The bank of questions in the author's order; none if there is no test."""
    return [
        Question(item.id, item.text, tuple(item.options))
        for item in quiz_papers.bank_of(db, session_id)
    ]


def attempts_of(db: DbSession, session_id: int, user_id: int) -> list[TestAttempt]:
    """A person's tries, the first first."""
    return list(
        db.scalars(
            select(TestAttempt)
            .where(TestAttempt.session_id == session_id, TestAttempt.user_id == user_id)
            .order_by(TestAttempt.number)
        )
    )


def conditions_for(
    db: DbSession, session: WebinarSession, user_id: int, *, now: datetime
) -> Conditions:
    """How many must be right, and whether and when this person may try again."""
    of = quiz_papers.how_many(db, session.id)
    tries = attempts_of(db, session.id, user_id)
    rules = [offer.rules for offer in offers_of(db, session.id) if offer.rules.test_required]
    marks = [mark for mark in (rule.pass_mark for rule in rules) if mark is not None]
    limits = [rule.max_attempts for rule in rules if rule.max_attempts is not None]
    waits = [rule.retry_wait_hours for rule in rules]
    next_at = None
    if tries and waits:
        next_at = tries[-1].taken_at + timedelta(hours=float(max(waits)))
    return Conditions(
        pass_correct=needed(marks, of),
        of=of,
        attempts_left=max(min(limits) - len(tries), 0) if limits else None,
        next_at=next_at if next_at is not None and next_at > now else None,
        # A try is held against as many questions as it asked, however many are asked today.
        passed=any(attempt.correct >= (needed(marks, attempt.of) or 0) for attempt in tries),
        feedback=strictest([rule.test_feedback for rule in rules]),
    )


def take(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    *,
    answers: Mapping[int, int],
    now: datetime,
) -> TestAttempt:
    """Store a try: item id -> option as the author counts them, from 0. Raises what says why not.

    What the person's paper does not ask is left out.
    """
    db.get_one(User, user_id, with_for_update=True)  # two presses at once are one after the other
    paper = quiz_papers.open_paper(db, session.id, user_id, now=now)
    if paper is None:
        raise NotFound("There is no test for this session.")
    return _store(db, session, user_id, paper, answers, now=now)


def hand_in(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    paper_id: int,
    *,
    places: Mapping[int, int],
    now: datetime,
) -> TestAttempt:
    """Store a try on this paper: item id -> place of the answer as it was shown, from 0.

    The same answers again right after, a form sent twice, are the same try.
    """
    db.get_one(User, user_id, with_for_update=True)
    paper = quiz_papers.paper_of(db, session.id, user_id, paper_id)
    if paper is None:
        raise NotFound("These questions are not yours. Open the test again.")
    answers = quiz_papers.options_chosen(paper, places)
    for attempt in attempts_of(db, session.id, user_id):
        if attempt.number == paper.number:
            given = [[item_id, answers.get(item_id)] for item_id, _ in attempt.answers]
            if attempt.answers == given and now - attempt.taken_at < SENT_TWICE:
                return attempt
            raise HandedIn("You have handed in these questions already; your first answers count.")
    return _store(db, session, user_id, paper, answers, now=now)


def remarks_on(db: DbSession, attempt: TestAttempt, conditions: Conditions) -> list[Remark]:
    """What is told about a try, as the policies say. What is right only when all tries are over."""
    if conditions.feedback is TestFeedback.NOTHING:
        return []
    chosen = {int(item_id): int(option) for item_id, option in attempt.answers}
    items = {
        item.id: item
        for item in db.scalars(
            select(TestItem).where(TestItem.id.in_(chosen)).order_by(TestItem.id)
        )
    }
    teaches = conditions.feedback is TestFeedback.COMMENTS
    remarks = []
    for number, (item_id, option) in enumerate(chosen.items(), start=1):
        item = items.get(item_id)
        if item is None:
            continue
        is_right = option == item.correct_option
        remarks.append(
            Remark(
                number=number,
                text=item.text,
                is_right=is_right,
                hint="" if is_right else item.hint,
                comment=item.comment if teaches else "",
                right_answer=(
                    item.options[item.correct_option]
                    if teaches and conditions.is_over and not is_right
                    else ""
                ),
            )
        )
    return remarks


def _store(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    paper: TestPaper,
    answers: Mapping[int, int],
    *,
    now: datetime,
) -> TestAttempt:
    presences.ensure_seen(db, session, user_id, what="test", now=now)
    items = quiz_papers.items_on(db, paper)
    if not items or len(items) < len(paper.questions):
        # Removed while they lay on the table: a shorter test, or none, is no test passed.
        raise Conflict("The questions were changed meanwhile. Open the test again.")
    missing = [
        (number, item.id)
        for number, item in enumerate(items, start=1)
        if not 0 <= answers.get(item.id, -1) < len(item.options)
    ]
    if missing:
        numbers, questions = zip(*missing, strict=True)
        raise AnswersMissing(list(numbers), list(questions))
    _ensure_may_try(conditions_for(db, session, user_id, now=now), session)
    attempt = TestAttempt(
        session_id=session.id,
        user_id=user_id,
        number=paper.number,
        answers=[[item.id, answers[item.id]] for item in items],
        correct=sum(answers[item.id] == item.correct_option for item in items),
        of=len(items),
        taken_at=now,
    )
    db.add(attempt)
    db.flush()
    link = NewLink(LinkKind.ATTEMPT, str(attempt.id), of_attempt(attempt))
    chain.append(db, session.id, [link], now=now)
    return attempt


def _ensure_may_try(conditions: Conditions, session: WebinarSession) -> None:
    if conditions.passed:
        raise Conflict("You have passed this test; there is nothing more to do.")
    if conditions.attempts_left == 0:
        raise AttemptsUsedUp("All attempts at this test are used up.")
    if conditions.next_at is not None:
        raise TooSoon(
            f"You can try again from {deadline(conditions.next_at, session.zone)}. "
            "Use the time to watch the recording once more."
        )
