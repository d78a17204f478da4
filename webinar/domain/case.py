"""The facts of a case and the words of its outcome: what the rules of credit speak about."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from webinar.domain.attendance import ViewingMode
from webinar.domain.span import Span


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
MODE_NAMES: dict[ViewingMode, str] = {
    ViewingMode.LIVE: "the live session",
    ViewingMode.RECORDED: "the recording",
    ViewingMode.FACULTY: "presenting",
}
BEFORE_COUNTING = frozenset(
    {
        Reason.NO_GRANT,
        Reason.CREDIT_WINDOW_CLOSED,
        Reason.DUPLICATE_ACTIVITY,
        Reason.PENDING_IDENTIFIER,
        Reason.SESSION_TOO_SHORT,
    }
)
"""Reasons that hold whatever was counted."""


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

    Window, evidence, corrections and outages are seconds on one clock: Unix seconds for a live
    session, seconds of the media for a recording, seconds from 0 for what faculty presented.
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
    outages: tuple[Span[int], ...] = ()
    """Stretches declared as incidents; the policy says what becomes of them."""
    added: tuple[Span[int], ...] = ()
    removed: tuple[Span[int], ...] = ()
    """Presence given and taken by corrections; what is in both is taken."""
    checks_waived: bool = False
    papers_until_hours: Fraction | None = None
    """By a correction: what is handed in up to so many hours after the end is in time."""
    presented: bool = False
    """Presented in the session, for which the same body gives faculty credit."""
    is_repeat: bool = False
    """The talk has earned faculty credit before."""


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
