"""The short test about a session: what is asked, when one may try, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import Conflict, DomainError, NotFound, NotYet
from webinar.domain.wording import deadline
from webinar.models import TestAttempt, TestItem, User, WebinarSession
from webinar.services import presences
from webinar.services.grants import offers_of


class AttemptsUsedUp(Conflict):
    """The policy allows no further attempt."""


class TooSoon(NotYet):
    """The policy wants a pause between attempts."""


class AnswersMissing(DomainError):
    """Some questions have no answer."""

    def __init__(self, numbers: list[int]) -> None:
        words = ", ".join(str(number) for number in numbers)
        super().__init__(f"Answer every question. Still open: {words}.")
        self.numbers = numbers


@dataclass(frozen=True)
class Question:
    """A question as it is shown: what is right is not part of it."""

    id: int
    text: str
    options: tuple[str, ...]


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


def questions_of(db: DbSession, session_id: int) -> list[Question]:
    """The session's questions in their order; none if there is no test."""
    return [Question(item.id, item.text, tuple(item.options)) for item in _items(db, session_id)]


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
    of = len(_items(db, session.id))
    tries = attempts_of(db, session.id, user_id)
    rules = [offer.rules for offer in offers_of(db, session.id) if offer.rules.test_required]
    marks = [mark for mark in (rule.pass_mark for rule in rules) if mark is not None]
    limits = [rule.max_attempts for rule in rules if rule.max_attempts is not None]
    waits = [rule.retry_wait_hours for rule in rules]
    next_at = None
    if tries and waits:
        next_at = tries[-1].taken_at + timedelta(hours=float(max(waits)))
    needed = None if not marks else -(-of * max(marks).numerator // max(marks).denominator)
    return Conditions(
        pass_correct=needed,
        of=of,
        attempts_left=max(min(limits) - len(tries), 0) if limits else None,
        next_at=next_at if next_at is not None and next_at > now else None,
        passed=any(attempt.correct >= (needed or 0) for attempt in tries),
    )


def take(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    *,
    answers: Mapping[int, int],
    now: datetime,
) -> TestAttempt:
    """Store a try: item id -> chosen option, from 0. Raises what says why not.

    The same answers again right after, a form sent twice, are the same try.
    """
    db.get_one(User, user_id, with_for_update=True)  # two presses at once are one after the other
    items = _items(db, session.id)
    if not items:
        raise NotFound("There is no test for this session.")
    presences.ensure_seen(db, session, user_id, what="test", now=now)
    missing = [
        number
        for number, item in enumerate(items, start=1)
        if not 0 <= answers.get(item.id, -1) < len(item.options)
    ]
    if missing:
        raise AnswersMissing(missing)
    given = [[item.id, answers[item.id]] for item in items]
    tries = attempts_of(db, session.id, user_id)
    if tries and tries[-1].answers == given and now - tries[-1].taken_at < timedelta(minutes=1):
        return tries[-1]
    _ensure_may_try(conditions_for(db, session, user_id, now=now), session)
    attempt = TestAttempt(
        session_id=session.id,
        user_id=user_id,
        number=len(tries) + 1,
        answers=given,
        correct=sum(answers[item.id] == item.correct_option for item in items),
        of=len(items),
        taken_at=now,
    )
    db.add(attempt)
    db.flush()
    return attempt


def comments_on(db: DbSession, attempt: TestAttempt) -> list[tuple[int, str, bool, str]]:
    """(number, question, whether it was right, comment) of a try, for after it."""
    chosen = {int(item_id): int(option) for item_id, option in attempt.answers}
    return [
        (number, item.text, chosen.get(item.id) == item.correct_option, item.comment)
        for number, item in enumerate(_items(db, attempt.session_id), start=1)
        if item.id in chosen
    ]


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


def _items(db: DbSession, session_id: int) -> list[TestItem]:
    return list(
        db.scalars(
            select(TestItem)
            .where(TestItem.session_id == session_id)
            .order_by(TestItem.position, TestItem.id)
        )
    )
