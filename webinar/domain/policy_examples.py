"""Worked examples: what a version of a policy gives to people as they really come and go."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import CaseFacts, Decision, Grant, TestResult, decide
from webinar.domain.figures import minutes_and_seconds, plain_credit
from webinar.domain.policy import Award, CreditPolicy
from webinar.domain.span import Span

UNLIMITED = Decimal(999)
SESSION_SECONDS = 45 * 60
PRESENT_SECONDS = (45 * 60, 40 * 60 + 30, 36 * 60, 35 * 60 + 59, 22 * 60 + 30, 0)
"""All of it, 90 %, 80 %, a second less, half, nothing."""
IN_TIME = Fraction(1)
LATE = Fraction(1)
PASSED = TestResult(correct=1, of=1, hours_after_end=IN_TIME)


@dataclass(frozen=True, kw_only=True)
class Example:
    """Somebody who was there for so long, and what they did afterwards."""

    session_seconds: int = SESSION_SECONDS
    present_seconds: int = SESSION_SECONDS
    test: TestResult | None = PASSED
    evaluation_hours: Fraction | None = IN_TIME
    """After the end; None: not filled in."""
    identifier: bool = True
    remark: str = ""

    @property
    def words(self) -> str:
        """`36:00 of 45:00, test not taken`."""
        present = minutes_and_seconds(self.present_seconds)
        words = f"{present} of {minutes_and_seconds(self.session_seconds)}"
        return f"{words}, {self.remark}" if self.remark else words


@dataclass(frozen=True)
class Outcome:
    """What a version gives: the amount or what it waits for, and why."""

    words: str
    explanation: str


@dataclass(frozen=True)
class Compared:
    """An example under the version before, if there is one, and under the new one."""

    example: Example
    before: Outcome | None
    after: Outcome

    @property
    def changes(self) -> bool:
        """True if the new version gives something else."""
        return self.before is not None and self.before.words != self.after.words


def standard(policies: Sequence[CreditPolicy]) -> list[Example]:
    """The examples that show what these versions ask: presence, then all else that one asks."""
    examples = [Example(present_seconds=seconds) for seconds in PRESENT_SECONDS]
    examples.append(Example(session_seconds=3600, present_seconds=3600))
    if any(policy.evaluation_required for policy in policies):
        examples.append(Example(evaluation_hours=None, remark="no evaluation"))
        examples += [
            Example(
                evaluation_hours=policy.evaluation_deadline_days * 24 + LATE,
                remark=f"evaluation after {policy.evaluation_deadline_days} days and an hour",
            )
            for policy in policies
            if policy.evaluation_required and policy.evaluation_deadline_days is not None
        ]
    if any(policy.test_required for policy in policies):
        examples.append(Example(test=None, remark="no test"))
        examples += [example for policy in policies for example in _of_test(policy)]
    if any(policy.requires_identifier for policy in policies):
        examples.append(Example(identifier=False, remark="no number given"))
    return list(dict.fromkeys(examples))


def compare(
    examples: Sequence[Example], before: CreditPolicy | None, after: CreditPolicy
) -> list[Compared]:
    """Every example under both versions."""
    return [
        Compared(
            example,
            None if before is None else outcome(before, example),
            outcome(after, example),
        )
        for example in examples
    ]


def outcome(policy: CreditPolicy, example: Example) -> Outcome:
    """What the rules of credit decide about it."""
    decision = decide(policy, facts(policy, example))
    waits_for = decision.next_step if decision.is_pending else None
    return Outcome(_words(decision), waits_for or decision.explanation)


def facts(policy: CreditPolicy, example: Example) -> CaseFacts:
    """The example as a case; the grant is never what limits it."""
    granted = policy.credit_per_unit if policy.award is Award.FLAT else UNLIMITED
    is_recorded = policy.mode is ViewingMode.RECORDED
    return CaseFacts(
        mode=policy.mode,
        window=Span(0, example.session_seconds),
        evidence=(Span(0, example.present_seconds),) if example.present_seconds else (),
        grant=Grant(credits=granted, mode=policy.mode),
        hours_since_end=IN_TIME,
        wall_seconds=example.present_seconds if is_recorded else None,
        checks_answered=policy.min_checks_answered,
        test=example.test,
        evaluation=example.evaluation_hours is not None,
        evaluation_hours_after_end=example.evaluation_hours,
        identifier=example.identifier,
    )


def _of_test(policy: CreditPolicy) -> list[Example]:
    if not policy.test_required:
        return []
    of = policy.pass_of or 4
    mark = policy.pass_mark or Fraction(0)
    needed = -(-mark * of // 1)
    found = [_with_test(int(right), of) for right in (needed, needed - 1) if right >= 0]
    if policy.test_deadline_hours is not None:
        late = policy.test_deadline_hours + LATE
        result = TestResult(correct=1, of=1, hours_after_end=late)
        found.append(Example(test=result, remark=f"test after {_plain(late)} hours"))
    return found


def _with_test(right: int, of: int) -> Example:
    return Example(
        test=TestResult(correct=right, of=of, hours_after_end=IN_TIME),
        remark=f"{right} of {of} answers right",
    )


def _words(decision: Decision) -> str:
    if decision.is_pending:
        return "waits"
    return plain_credit(decision.credit)


def _plain(number: Fraction) -> str:
    return f"{float(number):g}"
