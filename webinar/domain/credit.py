"""Evidence, grant, test and evaluation into credit: one pure function, exact to the second."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil

from webinar.domain.attendance import ViewingMode
from webinar.domain.canonical import canonical_json
from webinar.domain.figures import hours_in_words, minutes_and_seconds, percent, plain_credit
from webinar.domain.policy import Award, Rounding
from webinar.domain.policy import CreditPolicy as CreditPolicy  # credit's vocabulary has one door
from webinar.domain.span import Span, clip, covered_seconds


class GrantStatus(StrEnum):
    """Where an accreditor's decision stands. Only `granted` earns credit."""

    NONE = "none"
    APPLIED = "applied"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Reason(StrEnum):
    """Why a decision came out as it did, in the order in which the rules are tried."""

    NO_GRANT = "no_grant"
    CREDIT_WINDOW_CLOSED = "credit_window_closed"
    DUPLICATE_ACTIVITY = "duplicate_activity"
    PENDING_IDENTIFIER = "pending_identifier"
    SESSION_TOO_SHORT = "session_too_short"
    BELOW_PRESENCE = "below_presence"
    CHECKS_MISSING = "checks_missing"
    PENDING_TEST = "pending_test"
    TEST_FAILED = "test_failed"
    TEST_LATE = "test_late"
    PENDING_EVALUATION = "pending_evaluation"
    EVALUATION_LATE = "evaluation_late"
    OK = "ok"
    ZERO_AFTER_ROUNDING_OR_CAP = "zero_after_rounding_or_cap"


PENDING = frozenset({Reason.PENDING_IDENTIFIER, Reason.PENDING_TEST, Reason.PENDING_EVALUATION})


@dataclass(frozen=True, kw_only=True)
class Grant:
    """An accreditor's word on one activity in one mode: at most so many credits."""

    credits: Decimal
    mode: ViewingMode
    status: GrantStatus = GrantStatus.GRANTED
    reference: str = ""
    credit_from: datetime | None = None
    credit_until: datetime | None = None
    """The credit clock, half-open; None leaves that side open."""


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """The best test attempt; hours from the end of the session, or of the watching."""

    __test__ = False  # pytest takes every class called Test... for tests

    correct: int
    of: int
    hours_after_end: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if not 0 <= self.correct <= self.of:
            raise ValueError(f"a test cannot have {self.correct} of {self.of} answers right")


@dataclass(frozen=True, kw_only=True)
class CaseFacts:
    """All that is known of one person, one activity and one grant.

    Window and evidence are seconds on one clock: Unix seconds for a live session,
    seconds of the media for a recording.
    """

    mode: ViewingMode
    window: Span[int]
    evidence: tuple[Span[int], ...]
    grant: Grant
    credit_at: datetime | None = None
    """The instant held against the credit clock: a live session's start, a watching's end."""
    hours_since_end: Fraction | None = None
    """When the question is asked; lets what is still missing become too late."""
    wall_seconds: int | None = None
    checks_answered: int = 0
    checks_issued: int = 0
    test: TestResult | None = None
    evaluation: bool = False
    evaluation_hours_after_end: Fraction | None = None
    identifier: bool = False
    already_credited: bool = False
    earned_today: Decimal = Decimal(0)

    @property
    def window_seconds(self) -> int:
        return self.window.end - self.window.start

    @property
    def seconds_counted(self) -> int:
        """Seconds inside the window covered at least once, whatever the number of devices."""
        return covered_seconds(clip(self.evidence, self.window))


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the rules say, in a number, a code and a sentence."""

    credit: Decimal
    reason: Reason
    explanation: str
    seconds_counted: int
    window_seconds: int
    next_step: str | None = None

    @property
    def is_pending(self) -> bool:
        """True while something the person can still do is missing: not a zero."""
        return self.reason in PENDING


@dataclass(frozen=True)
class _Refusal:
    reason: Reason
    explanation: str
    next_step: str | None = None


def decide(policy: CreditPolicy, facts: CaseFacts) -> Decision:
    """Apply the policy; the first rule that is not met names the reason."""
    refusal = (
        _grant_refusal(policy, facts)
        or _person_refusal(policy, facts)
        or _presence_refusal(policy, facts)
        or _test_refusal(policy, facts)
        or _evaluation_refusal(policy, facts)
    )
    if refusal is None:
        return _amount(policy, facts)
    return Decision(
        credit=Decimal(0),
        reason=refusal.reason,
        explanation=refusal.explanation,
        seconds_counted=facts.seconds_counted,
        window_seconds=facts.window_seconds,
        next_step=refusal.next_step,
    )


def hash_of_inputs(policy: CreditPolicy, facts: CaseFacts) -> str:
    """SHA-256 over the canonical JSON of all inputs; evidence enters as its union.

    The same ground in another order or in other pieces has the same hash, and so
    have 1 and 1.0; notes on sources do not enter.
    """
    document = canonical_json({"policy": policy, "facts": facts})
    return hashlib.sha256(document.encode()).hexdigest()


def _grant_refusal(policy: CreditPolicy, facts: CaseFacts) -> _Refusal | None:
    grant, body = facts.grant, policy.body
    if grant.status is GrantStatus.APPLIED:
        return _Refusal(
            Reason.NO_GRANT,
            f"Accreditation by {body} has been applied for and is not decided.",
            f"Nothing to do: when {body} decides, your credit is worked out again.",
        )
    if grant.status is not GrantStatus.GRANTED:
        words = {
            GrantStatus.NONE: f"There is no accreditation by {body} for this activity.",
            GrantStatus.REFUSED: f"{body} refused accreditation for this activity.",
            GrantStatus.WITHDRAWN: f"The accreditation by {body} was withdrawn.",
        }
        return _Refusal(Reason.NO_GRANT, words[grant.status])
    if not (grant.mode == policy.mode == facts.mode):
        return _Refusal(
            Reason.NO_GRANT,
            f"This accreditation by {body} is for {_mode_words(grant.mode)} and does not "
            f"serve {_mode_words(facts.mode)}.",
        )
    at = facts.credit_at
    if at is not None and grant.credit_from is not None and at < grant.credit_from:
        return _Refusal(
            Reason.CREDIT_WINDOW_CLOSED,
            f"{body} gives credit from {grant.credit_from:%Y-%m-%d %H:%M} UTC only.",
        )
    if at is not None and grant.credit_until is not None and at >= grant.credit_until:
        return _Refusal(
            Reason.CREDIT_WINDOW_CLOSED,
            f"{body} gave credit until {grant.credit_until:%Y-%m-%d %H:%M} UTC; "
            "watching stays possible, without credit.",
        )
    return None


def _person_refusal(policy: CreditPolicy, facts: CaseFacts) -> _Refusal | None:
    if policy.once and facts.already_credited:
        return _Refusal(
            Reason.DUPLICATE_ACTIVITY,
            f"You already hold {policy.body} credit for this activity; it counts once, "
            "live or recorded.",
        )
    if policy.requires_identifier is not None and not facts.identifier:
        return _Refusal(
            Reason.PENDING_IDENTIFIER,
            f"{policy.body} needs your {policy.requires_identifier}; your credit "
            "is held, not lost.",
            f"Enter your {policy.requires_identifier} in your profile.",
        )
    return None


def _presence_refusal(policy: CreditPolicy, facts: CaseFacts) -> _Refusal | None:
    seconds, window = facts.seconds_counted, facts.window_seconds
    if window < policy.min_session_minutes * 60:
        return _Refusal(
            Reason.SESSION_TOO_SHORT,
            f"The session lasted {minutes_and_seconds(window)}; {policy.body} gives credit "
            f"from {policy.min_session_minutes} minutes.",
        )
    if seconds < policy.threshold * window:
        needed = ceil(policy.threshold * window)
        missing = minutes_and_seconds(needed - seconds)
        return _Refusal(
            Reason.BELOW_PRESENCE,
            f"{_counted(facts)} ({percent(Fraction(seconds, window))}); {policy.body} needs "
            f"{minutes_and_seconds(needed)} ({percent(policy.threshold)}): {missing} short.",
            f"Watch {missing} more that you have not seen yet."
            if facts.mode is ViewingMode.RECORDED
            else None,
        )
    if facts.wall_seconds is not None and facts.wall_seconds < policy.min_wall_ratio * window:
        return _Refusal(
            Reason.BELOW_PRESENCE,
            f"The recording ran for {minutes_and_seconds(facts.wall_seconds)}; {policy.body} "
            f"needs {percent(policy.min_wall_ratio)} of {minutes_and_seconds(window)}.",
        )
    checks = max(policy.min_checks_answered, ceil(policy.min_checks_ratio * facts.checks_issued))
    if facts.checks_answered < checks:
        return _Refusal(
            Reason.CHECKS_MISSING,
            f"You answered {facts.checks_answered} attention checks; {policy.body} needs {checks}.",
        )
    return None


def _test_refusal(policy: CreditPolicy, facts: CaseFacts) -> _Refusal | None:
    if not policy.test_required:
        return None
    deadline, test = policy.test_deadline_hours, facts.test
    over = _is_over(facts.hours_since_end, deadline)
    if test is None:
        if over:
            return _Refusal(
                Reason.TEST_LATE,
                f"{policy.body} needs the test within {_deadline(deadline)} of the end; "
                "it was not taken in time.",
            )
        until = "" if deadline is None else f" within {_deadline(deadline)} of the end"
        return _Refusal(
            Reason.PENDING_TEST,
            f"{_counted(facts)}; {policy.body} gives the credit after the test.",
            f"Take the test{until}.",
        )
    mark = policy.pass_mark
    if mark is not None and test.correct < mark * test.of:
        needed = ceil(mark * test.of)
        return _Refusal(
            Reason.TEST_FAILED,
            f"You have {test.correct} of {test.of} answers right; {policy.body} needs {needed}.",
            None if over else "Take the test again if an attempt is left.",
        )
    if _is_over(test.hours_after_end, deadline):
        return _Refusal(
            Reason.TEST_LATE,
            f"You took the test more than {_deadline(deadline)} after the end, later than "
            f"{policy.body} allows.",
        )
    return None


def _evaluation_refusal(policy: CreditPolicy, facts: CaseFacts) -> _Refusal | None:
    if not policy.evaluation_required:
        return None
    days = policy.evaluation_deadline_days
    deadline = None if days is None else Fraction(days * 24)
    asked_at = facts.evaluation_hours_after_end if facts.evaluation else facts.hours_since_end
    if _is_over(asked_at, deadline):
        return _Refusal(
            Reason.EVALUATION_LATE,
            f"{policy.body} needs the evaluation within {days} days of the end; "
            "it did not come in time.",
        )
    if facts.evaluation:
        return None
    until = "" if days is None else f" within {days} days of the end"
    return _Refusal(
        Reason.PENDING_EVALUATION,
        f"{_counted(facts)}; {policy.body} gives the credit after the evaluation.",
        f"Fill in the evaluation{until}.",
    )


def _amount(policy: CreditPolicy, facts: CaseFacts) -> Decision:
    granted = facts.grant.credits
    if policy.award is Award.FLAT:
        credit = granted
        rule = f"{policy.body} gives {_credits(granted)}"
        if policy.threshold > 0:
            needed = ceil(policy.threshold * facts.window_seconds)
            rule += f" from {minutes_and_seconds(needed)} ({percent(policy.threshold)})"
    else:
        units = Fraction(facts.seconds_counted, policy.unit_minutes * 60)
        whole = units if policy.rounding is Rounding.FLOOR else units + Fraction(1, 2)
        credit = policy.credit_per_unit * int(whole)
        how = "whole units only" if policy.rounding is Rounding.FLOOR else "to the nearest unit"
        rule = (
            f"{policy.body} gives {plain_credit(policy.credit_per_unit)} per "
            f"{policy.unit_minutes} minutes, {how}"
        )
        if credit > granted:
            credit = granted
            rule += f", and granted {plain_credit(granted)} for this session"
    if policy.max_per_day is not None:
        left = max(policy.max_per_day - facts.earned_today, Decimal(0))
        if credit > left:
            credit = left
            rule += (
                f", at most {plain_credit(policy.max_per_day)} a day, of which "
                f"{plain_credit(facts.earned_today)} already earned"
            )
    if policy.award is Award.PROPORTIONAL or credit != granted:
        rule += f": {_credits(credit)}"
    return Decision(
        credit=credit,
        reason=Reason.OK if credit > 0 else Reason.ZERO_AFTER_ROUNDING_OR_CAP,
        explanation=f"{_counted(facts)}; {rule}.",
        seconds_counted=facts.seconds_counted,
        window_seconds=facts.window_seconds,
    )


def _is_over(hours: Fraction | None, deadline: Fraction | None) -> bool:
    return hours is not None and deadline is not None and hours > deadline


def _counted(facts: CaseFacts) -> str:
    counted = minutes_and_seconds(facts.seconds_counted)
    return f"{counted} of {minutes_and_seconds(facts.window_seconds)} counted"


def _credits(credit: Decimal) -> str:
    if credit == 0:
        return "no credit"
    return f"{plain_credit(credit)} credit{'s' if credit > 1 else ''}"


def _deadline(hours: Fraction | None) -> str:
    return "the deadline" if hours is None else hours_in_words(hours)


def _mode_words(mode: ViewingMode) -> str:
    return "the live session" if mode is ViewingMode.LIVE else "the recording"
