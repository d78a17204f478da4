"""What each field of a credit policy means, in words; and where two versions differ."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from webinar.domain.attendance import ViewingMode
from webinar.domain.figures import percent, plain_credit
from webinar.domain.policy import (
    Award,
    CountingWindow,
    CreditPolicy,
    OutageRule,
    Rounding,
    TestFeedback,
)

SHARE = "share"
"""One field for presence and coverage: which it is follows from the mode."""


class Kind(StrEnum):
    """How a field is typed and read."""

    WORDS = "words"
    CHOICE = "choice"
    FLAG = "flag"
    COUNT = "count"
    NUMBER = "number"
    PERCENT = "percent"


@dataclass(frozen=True, kw_only=True)
class PolicyField:
    """A field with what it means; `choices` are pairs of value and words."""

    name: str
    label: str
    meaning: str
    kind: Kind
    may_be_empty: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    value: Callable[[CreditPolicy], object] | None = None

    def of(self, policy: CreditPolicy) -> object:
        """What the policy says in this field."""
        return self.value(policy) if self.value else getattr(policy, self.name)

    def words(self, policy: CreditPolicy) -> str:
        """The same as people read it."""
        return _words(self, self.of(policy))

    def text(self, policy: CreditPolicy) -> str:
        """The same as it stands in the form."""
        value = self.of(policy)
        if value is None or value is False:
            return ""
        if self.kind is Kind.FLAG:
            return "y"
        if self.kind is Kind.PERCENT and isinstance(value, Fraction):
            return _exact(value * 100)
        if isinstance(value, Fraction | Decimal):
            return _exact(Fraction(value))
        return str(value)


@dataclass(frozen=True)
class Group:
    """Fields that are read together."""

    title: str
    words: str
    fields: tuple[PolicyField, ...]


@dataclass(frozen=True)
class Difference:
    """A field in which two versions differ, in words."""

    label: str
    before: str
    after: str


def _share(policy: CreditPolicy) -> Fraction | None:
    stated = [ratio for ratio in (policy.min_presence, policy.min_coverage) if ratio is not None]
    return max(stated, default=None)


GROUPS: tuple[Group, ...] = (
    Group(
        "What the rule is for",
        "",
        (
            PolicyField(
                name="body",
                label="Body",
                meaning="As people read it beside their credit: EACCME.",
                kind=Kind.WORDS,
            ),
            PolicyField(
                name="mode",
                label="Being there, watching afterwards, or presenting",
                meaning="A rule serves one of them, never two: bodies decide on each apart. "
                "Presenting counts by the minutes an officer confirms.",
                kind=Kind.CHOICE,
                choices=(
                    (ViewingMode.LIVE.value, "The live session"),
                    (ViewingMode.RECORDED.value, "The recording"),
                    (ViewingMode.FACULTY.value, "Presenting, as faculty"),
                ),
            ),
            PolicyField(
                name="window",
                label="Which stretch counts",
                meaning="A session announced for 18:15 to 19:00 may begin at 18:17 and end at "
                "19:05. Nothing before or after the stretch ever counts.",
                kind=Kind.CHOICE,
                choices=(
                    (CountingWindow.SCHEDULED.value, "As it was announced"),
                    (CountingWindow.ACTUAL.value, "From its real start to its real end"),
                ),
            ),
        ),
    ),
    Group(
        "How much it earns",
        "Nobody ever earns more than the credits of the grant, whatever stands here.",
        (
            PolicyField(
                name="award",
                label="Credit follows",
                meaning="By the minutes: who stays longer earns more. All or nothing: who reaches "
                "the minimum presence earns all that was granted.",
                kind=Kind.CHOICE,
                choices=(
                    (Award.PROPORTIONAL.value, "The minutes"),
                    (Award.FLAT.value, "All or nothing"),
                ),
            ),
            PolicyField(
                name="unit_minutes",
                label="Minutes in a unit",
                meaning="Credit by the minutes is counted in units: 30 at EACCME, 15 at AMA, 60 at "
                "EBAC.",
                kind=Kind.COUNT,
            ),
            PolicyField(
                name="credit_per_unit",
                label="Credit for a unit",
                meaning="What one unit earns: 0.5. If it is all or nothing: what a session is "
                "usually worth, for the simulator alone.",
                kind=Kind.NUMBER,
            ),
            PolicyField(
                name="rounding",
                label="A part of a unit",
                meaning="44 minutes in units of 30 are one unit and a part of one.",
                kind=Kind.CHOICE,
                choices=(
                    (Rounding.FLOOR.value, "Earns nothing: full units only"),
                    (Rounding.NEAREST_HALF_UP.value, "Counts to the nearest unit, half a one up"),
                ),
            ),
            PolicyField(
                name="min_session_minutes",
                label="Shortest session in minutes",
                meaning="A shorter session earns nothing, whoever stays to the end. 0: any length.",
                kind=Kind.COUNT,
            ),
            PolicyField(
                name="max_per_day",
                label="Most credit in a day",
                meaning="A person earns no more than that from this body on one day, over all "
                "sessions. Empty: no such limit.",
                kind=Kind.NUMBER,
                may_be_empty=True,
            ),
            PolicyField(
                name="once",
                label="Once for each activity",
                meaning="Who has earned this body’s credit live does not earn it again with the "
                "recording.",
                kind=Kind.FLAG,
            ),
        ),
    ),
    Group(
        "How long one has to be there",
        "",
        (
            PolicyField(
                name=SHARE,
                label="Minimum presence in percent",
                meaning="The share of the session, or of the recording, that has to be covered at "
                "least once, exact to the second: 80 % of 45:00 is 36:00, and 35:59 is too "
                "little. Empty: none if credit follows the minutes, else 80 % of a live session "
                "and 90 % of a recording.",
                kind=Kind.PERCENT,
                may_be_empty=True,
                value=_share,
            ),
            PolicyField(
                name="min_checks_answered",
                label="Attention checks to answer",
                meaning="How many of the questions “Are you still there?” need an answer. 0: none.",
                kind=Kind.COUNT,
            ),
            PolicyField(
                name="min_checks_ratio",
                label="Attention checks to answer in percent",
                meaning="The same as a share of those that were asked. 0: none.",
                kind=Kind.PERCENT,
            ),
            PolicyField(
                name="checks_planned",
                label="Attention checks that are put",
                meaning="How many times a person is asked, at moments nobody can foresee. 0: one "
                "more than must be answered, or none if none must.",
                kind=Kind.COUNT,
            ),
            PolicyField(
                name="outage",
                label="When nothing could be seen",
                meaning="What becomes of a stretch that was declared an outage: taken out of the "
                "session, credited to who was there before and after it, or not forgiven.",
                kind=Kind.CHOICE,
                choices=(
                    (OutageRule.EXCLUDED.value, "Is taken out of the session"),
                    (OutageRule.CREDITED.value, "Counts for who was there before and after"),
                    (OutageRule.NOTHING.value, "Is not forgiven"),
                ),
            ),
            PolicyField(
                name="max_playback_rate",
                label="Fastest playback",
                meaning="For recordings: how many seconds of it count for a second of watching. 2 "
                "lets double speed count, 1 does not.",
                kind=Kind.NUMBER,
            ),
            PolicyField(
                name="min_wall_ratio",
                label="Time by the clock in percent",
                meaning="For recordings: the share of its length that has to pass while it plays, "
                "whatever the speed. 0: not asked.",
                kind=Kind.PERCENT,
            ),
        ),
    ),
    Group(
        "The test",
        "",
        (
            PolicyField(
                name="test_required",
                label="A test has to be passed",
                meaning="The credit waits until the test is passed.",
                kind=Kind.FLAG,
            ),
            PolicyField(
                name="pass_ratio",
                label="Pass mark in percent",
                meaning="The share of right answers that passes, exact: at 75 %, 3 of 4 pass and "
                "7 of 10 do not. Empty, as the two below: taking the test is enough.",
                kind=Kind.PERCENT,
                may_be_empty=True,
            ),
            PolicyField(
                name="pass_correct",
                label="Or so many right answers",
                meaning="Where a body counts answers: 4 of 6. Fill in both, and no percent.",
                kind=Kind.COUNT,
                may_be_empty=True,
            ),
            PolicyField(
                name="pass_of",
                label="of so many questions",
                meaning="The number of questions that goes with it.",
                kind=Kind.COUNT,
                may_be_empty=True,
            ),
            PolicyField(
                name="max_attempts",
                label="Most tries",
                meaning="After so many the test is failed for good. Empty: as many as one likes.",
                kind=Kind.COUNT,
                may_be_empty=True,
            ),
            PolicyField(
                name="retry_wait_hours",
                label="Hours between tries",
                meaning="The wait after a failed try. 0: none.",
                kind=Kind.NUMBER,
            ),
            PolicyField(
                name="test_deadline_hours",
                label="Hours until the test is due",
                meaning="From the end of the session, or of the watching: 72 are three days. "
                "Later is too late. Empty: no deadline.",
                kind=Kind.NUMBER,
                may_be_empty=True,
            ),
            PolicyField(
                name="test_feedback",
                label="What one is told after a try",
                meaning="How many were right is always told. Hints say where in the session it "
                "was; comments explain.",
                kind=Kind.CHOICE,
                choices=(
                    (TestFeedback.COMMENTS.value, "Which were wrong, with comments"),
                    (TestFeedback.HINTS.value, "Which were wrong, and where it was said"),
                    (TestFeedback.NOTHING.value, "Nothing more"),
                ),
            ),
        ),
    ),
    Group(
        "The evaluation",
        "",
        (
            PolicyField(
                name="evaluation_required",
                label="The evaluation has to be filled in",
                meaning="The credit waits until the person has said what they thought of it.",
                kind=Kind.FLAG,
            ),
            PolicyField(
                name="evaluation_deadline_days",
                label="Days until the evaluation is due",
                meaning="From the end. Later is too late. Empty: no deadline of its own; a "
                "recording has the last day of its grant.",
                kind=Kind.COUNT,
                may_be_empty=True,
            ),
        ),
    ),
    Group(
        "The person and the papers",
        "",
        (
            PolicyField(
                name="requires_identifier",
                label="Number the person has to give",
                meaning="As they know it: EFN. Without it the credit is held, not lost. Empty: "
                "none.",
                kind=Kind.WORDS,
                may_be_empty=True,
            ),
            PolicyField(
                name="transfer_consent",
                label="Results go to a registry",
                meaning="The person has to agree to it first.",
                kind=Kind.FLAG,
            ),
            PolicyField(
                name="retention_years",
                label="Years the evidence is kept",
                meaning="AMA asks for six.",
                kind=Kind.COUNT,
            ),
        ),
    ),
)
FIELDS: tuple[PolicyField, ...] = tuple(one for group in GROUPS for one in group.fields)


def differences(before: CreditPolicy, after: CreditPolicy) -> list[Difference]:
    """The fields that say something else now, in the order of the form."""
    found = []
    for one in FIELDS:
        if one.of(before) != one.of(after):
            found.append(Difference(one.label, one.words(before), one.words(after)))
    return found


def _words(one: PolicyField, value: object) -> str:
    if value is None:
        return "not said"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if one.kind is Kind.CHOICE:
        return dict(one.choices)[str(value)]
    if one.kind is Kind.PERCENT and isinstance(value, Fraction):
        return percent(value)
    if isinstance(value, Decimal):
        return plain_credit(value)
    return _exact(value) if isinstance(value, Fraction) else str(value)


def _exact(number: Fraction) -> str:
    """A fraction that was typed as a decimal, as it was typed."""
    return plain_credit(Decimal(number.numerator) / Decimal(number.denominator))
