"""What a session of so many minutes earns at each body, and what more time for questions changes.

Whoever is there from the first second to the last, passes the test and fills in the evaluation:
the rules of `domain.credit` decide about that person, so the page and the certificate agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import CaseFacts, Decision, Grant, TestResult, decide
from webinar.domain.errors import DomainError
from webinar.domain.figures import plain_credit
from webinar.domain.policy import Award, CreditPolicy
from webinar.domain.span import Span
from webinar.domain.wording import plural

MORE_MINUTES = 15
LONGEST_MINUTES = 12 * 60
MOST = Decimal(999)


class ImpossibleLength(DomainError):
    """No session is as short or as long as that."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One rule: what the session earns, and what it would with more minutes of questions."""

    policy: CreditPolicy
    credit: Decimal
    with_more: Decimal
    next_minutes: int | None
    """The shortest length that earns more than now; None if none up to twelve hours does."""
    explanation: str

    @property
    def is_flat(self) -> bool:
        """True if the body says for each session what it is worth: the figure is the usual one."""
        return self.policy.award is Award.FLAT

    @property
    def gain(self) -> Decimal:
        """What the questions add."""
        return self.with_more - self.credit


def simulate(
    minutes_talk: int,
    minutes_questions: int,
    policies: Iterable[CreditPolicy],
    *,
    more: int = MORE_MINUTES,
) -> list[Line]:
    """What each rule gives for the talk with its questions, in the order given.

    Discussion counts as the talk does: what is announced is the window. Raises ImpossibleLength.
    """
    minutes = minutes_talk + minutes_questions
    if minutes_talk <= 0 or minutes_questions < 0 or minutes > LONGEST_MINUTES:
        raise ImpossibleLength(
            f"A session lasts from 1 to {LONGEST_MINUTES} minutes, its questions included."
        )
    return [_line(policy, minutes, more) for policy in policies]


def outcome(policy: CreditPolicy, minutes: int) -> Decision:
    """The decision for somebody who was there all the time and did all that is asked."""
    seconds = minutes * 60
    granted = policy.credit_per_unit if policy.award is Award.FLAT else MOST
    facts = CaseFacts(
        mode=policy.mode,
        window=Span(0, seconds),
        evidence=(Span(0, seconds),),
        grant=Grant(credits=granted, mode=policy.mode),
        wall_seconds=seconds if policy.mode is ViewingMode.RECORDED else None,
        checks_answered=policy.min_checks_answered,
        test=TestResult(correct=1, of=1),
        evaluation=True,
        identifier=True,
    )
    return decide(policy, facts)


def gain_words(line: Line) -> str:
    """What more time changes, in a sentence: "15 more minutes: 1 instead of 0"."""
    if line.gain > 0:
        return f"{plain_credit(line.with_more)} instead of {plain_credit(line.credit)}"
    if line.next_minutes is None:
        return "no more"
    return f"no more; {plural(line.next_minutes, 'minute')} in all would earn more"


def _line(policy: CreditPolicy, minutes: int, more: int) -> Line:
    now = outcome(policy, minutes)
    return Line(
        policy=policy,
        credit=now.credit,
        with_more=outcome(policy, min(minutes + more, LONGEST_MINUTES)).credit,
        next_minutes=_next(policy, minutes, now.credit),
        explanation=now.explanation,
    )


def _next(policy: CreditPolicy, minutes: int, credit: Decimal) -> int | None:
    if outcome(policy, LONGEST_MINUTES).credit <= credit:
        return None
    low, high = minutes, LONGEST_MINUTES
    # Credit never falls with time, so the first length that earns more is found by halving.
    while high - low > 1:
        middle = (low + high) // 2
        if outcome(policy, middle).credit > credit:
            high = middle
        else:
            low = middle
    return high
