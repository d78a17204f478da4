"""Credit policies: an accreditor's rules as versioned data. A change makes a new version."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction

from webinar.domain.attendance import ViewingMode


class Award(StrEnum):
    """Credit follows the minutes, or is all or nothing at a threshold."""

    PROPORTIONAL = "proportional"
    FLAT = "flat"


class Rounding(StrEnum):
    """What becomes of a part of a unit; a tie goes up."""

    FLOOR = "floor"
    NEAREST_HALF_UP = "nearest_half_up"


class CountingWindow(StrEnum):
    """Which stretch counts: as announced, or as the moderator started and stopped it."""

    SCHEDULED = "scheduled"
    ACTUAL = "actual"


class OutageRule(StrEnum):
    """What becomes of a stretch in which nothing could be seen, declared as an incident."""

    EXCLUDED = "excluded"
    """The stretch is taken out of the session: it counts for nobody and is asked of nobody."""
    CREDITED = "credited"
    """It counts for whoever was there when it began and when it ended."""
    NOTHING = "nothing"
    """The body forgives nothing: the stretch was not attended."""


class TestFeedback(StrEnum):
    """What a person is told after a try at the test, beside how many were right."""

    __test__ = False  # pytest takes every class called Test... for tests

    COMMENTS = "comments"
    """Which answers were wrong, with the comment on each question."""
    HINTS = "hints"
    """Which were wrong, and where in the session it was said; never the answer."""
    NOTHING = "nothing"


DEFAULT_PRESENCE = Fraction(4, 5)
DEFAULT_COVERAGE = Fraction(9, 10)
DEFAULT_EVALUATION_DAYS = 28
MAX_DECIMALS = 9
"""Finer figures are slips of the keyboard, and 1e-99999 as a fraction fills the memory."""


@dataclass(frozen=True, kw_only=True)
class CreditPolicy:
    """One version of one rule. Ratios are exact fractions of seconds."""

    name: str
    version: int
    mode: ViewingMode
    body: str
    """The accreditor as people know it; the policy's name where the data is silent."""
    window: CountingWindow = CountingWindow.SCHEDULED
    award: Award = Award.PROPORTIONAL
    unit_minutes: int = 60
    credit_per_unit: Decimal = Decimal(1)
    rounding: Rounding = Rounding.FLOOR
    min_presence: Fraction | None = None
    min_coverage: Fraction | None = None
    min_checks_answered: int = 0
    min_checks_ratio: Fraction = Fraction(0)
    checks_planned: int = 0
    """How many attention checks are put; 0: as many as must be answered and one more."""
    min_session_minutes: int = 0
    outage: OutageRule = OutageRule.EXCLUDED
    max_playback_rate: Fraction = Fraction(2)
    """Media seconds a viewer may cover per second of the server's clock."""
    min_wall_ratio: Fraction = Fraction(0)
    test_required: bool = False
    pass_ratio: Fraction | None = None
    pass_correct: int | None = None
    pass_of: int | None = None
    max_attempts: int | None = None
    """Kept where attempts are taken, as is the wait between them."""
    retry_wait_hours: Fraction = Fraction(0)
    test_deadline_hours: Fraction | None = None
    test_feedback: TestFeedback = TestFeedback.COMMENTS
    evaluation_required: bool = True
    evaluation_deadline_days: int | None = None
    cap: str = "grant"
    max_per_day: Decimal | None = None
    once: bool = True
    requires_identifier: str | None = None
    transfer_consent: bool = False
    """True if results go to a registry, which the person must have agreed to first."""
    retention_years: int = 6
    sources: tuple[str, ...] = field(default=(), metadata={"hashed": False})
    """Where the figures come from, as `field: source`; no rule reads them."""

    @property
    def threshold(self) -> Fraction:
        """The share of the window that must be covered: the highest one stated, or the default."""
        stated = [ratio for ratio in (self.min_presence, self.min_coverage) if ratio is not None]
        if stated:
            return max(stated)
        if self.award is Award.PROPORTIONAL or self.mode is ViewingMode.FACULTY:
            return Fraction(0)
        return DEFAULT_PRESENCE if self.mode is ViewingMode.LIVE else DEFAULT_COVERAGE

    @property
    def pass_mark(self) -> Fraction | None:
        """The share of right answers that passes; None if taking the test is enough."""
        if self.pass_correct is not None and self.pass_of is not None:
            return Fraction(self.pass_correct, self.pass_of)
        return self.pass_ratio

    @classmethod
    def from_data(cls, name: str, version: int, mapping: Mapping[str, object]) -> "CreditPolicy":
        """Read a policy as stored; ValueError names the field that is unknown or wrong."""
        values: dict[str, object] = {}
        sources: list[str] = []
        for key, value in mapping.items():
            known = SPELLINGS.get(key, key)
            if known in READERS:
                values[known] = None if value is None else _read(name, key, value)
            elif key.endswith("_src") and isinstance(value, str):
                sources.append(f"{key.removesuffix('_src')}: {value}")
            else:
                raise ValueError(f"policy {name}: unknown field {key!r}")
        if values.get("mode") is None:
            raise ValueError(f"policy {name}: 'mode' is missing: live or recorded")
        values = {
            key: value for key, value in values.items() if value is not None or key in NULLABLE
        }
        if values["mode"] is ViewingMode.LIVE:
            # A recording is watched over months: its last day is the grant's credit clock.
            values.setdefault("evaluation_deadline_days", DEFAULT_EVALUATION_DAYS)
        values.setdefault("body", name)
        policy = cls(name=name, version=version, sources=tuple(sources), **values)  # type: ignore[arg-type]
        _refuse_contradictions(policy)
        return policy


def _refuse_contradictions(policy: CreditPolicy) -> None:
    if (policy.pass_correct is None) != (policy.pass_of is None):
        raise ValueError(f"policy {policy.name}: pass_correct and pass_of go together")
    if policy.pass_correct is not None and policy.pass_of is not None:
        if policy.pass_ratio is not None:
            raise ValueError(f"policy {policy.name}: pass_ratio or pass_correct, not both")
        if not 0 <= policy.pass_correct <= policy.pass_of or policy.pass_of == 0:
            raise ValueError(f"policy {policy.name}: pass_correct cannot exceed pass_of")
    if policy.cap != "grant":
        raise ValueError(f"policy {policy.name}: cap can only be 'grant', not {policy.cap!r}")


def _read(name: str, key: str, value: object) -> object:
    try:
        return READERS[SPELLINGS.get(key, key)](value)
    except (ValueError, InvalidOperation):
        raise ValueError(f"policy {name}: {value!r} cannot be the {key!r}") from None


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _words(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def _number(value: object) -> Decimal:
    # Through text: the float 0.1 stands for the 0.1 that was written.
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError
    number = Decimal(str(value))
    if not number.is_finite() or not 0 <= number <= 1_000_000:
        raise ValueError
    if number != round(number, MAX_DECIMALS):
        raise ValueError
    return number


def _amount(value: object) -> Fraction:
    return Fraction(_number(value))


def _ratio(value: object) -> Fraction:
    ratio = _amount(value)
    if ratio > 1:
        raise ValueError
    return ratio


def _count(value: object) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError
    return int(number)


def _positive_count(value: object) -> int:
    count = _count(value)
    if count == 0:
        raise ValueError
    return count


def _positive_rate(value: object) -> Fraction:
    rate = _amount(value)
    if rate == 0:
        raise ValueError
    return rate


READERS: dict[str, Callable[[object], object]] = {
    "mode": lambda value: ViewingMode(_words(value)),
    "body": _words,
    "window": lambda value: CountingWindow(_words(value)),
    "award": lambda value: Award(_words(value)),
    "unit_minutes": _positive_count,
    "credit_per_unit": _number,
    "rounding": lambda value: Rounding(_words(value)),
    "min_presence": _ratio,
    "min_coverage": _ratio,
    "min_checks_answered": _count,
    "min_checks_ratio": _ratio,
    "checks_planned": _count,
    "outage": lambda value: OutageRule(_words(value)),
    "min_session_minutes": _count,
    "max_playback_rate": _positive_rate,
    "min_wall_ratio": _ratio,
    "test_required": _flag,
    "pass_ratio": _ratio,
    "pass_correct": _count,
    "pass_of": _positive_count,
    "max_attempts": _positive_count,
    "retry_wait_hours": _amount,
    "test_deadline_hours": _amount,
    "test_feedback": lambda value: TestFeedback(_words(value)),
    "evaluation_required": _flag,
    "evaluation_deadline_days": _count,
    "cap": _words,
    "max_per_day": _number,
    "once": _flag,
    "requires_identifier": _words,
    "transfer_consent": _flag,
    "retention_years": _count,
}

# The short names of the written rules stand for the long ones.
SPELLINGS = {
    "retry_wait_h": "retry_wait_hours",
    "test_deadline_h": "test_deadline_hours",
    "evaluation_deadline_d": "evaluation_deadline_days",
}

NULLABLE = {field.name for field in fields(CreditPolicy) if field.default is None}
