"""The rules of credit, written a second time: slow, obvious, second by second.

Nothing of `webinar.domain.credit`, `counting` or `span` is used on this side: seconds are members
of sets, amounts are Fractions, and the order of the rules is the one accreditors are told.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import (
    CaseFacts,
    CreditPolicy,
    Grant,
    GrantStatus,
    Reason,
    TestResult,
    decide,
    hash_of_inputs,
)
from webinar.domain.policy import Award, OutageRule, Rounding
from webinar.domain.replay import facts_of, record_of
from webinar.domain.span import Span

START = datetime(2026, 11, 26, 17, 15, tzinfo=UTC)


def seconds_of(spans: Iterable[Span[int]]) -> set[int]:
    return {second for span in spans for second in range(span.start, span.end)}


def stretches_of(seconds: set[int]) -> list[set[int]]:
    """Runs of seconds that follow one another."""
    runs: list[set[int]] = []
    for second in sorted(seconds):
        if runs and second - 1 in runs[-1]:
            runs[-1].add(second)
        else:
            runs.append({second})
    return runs


def count_by_hand(
    policy: CreditPolicy, facts: CaseFacts, *, as_if_undeclared: bool = False
) -> tuple[set[int], set[int]]:
    """The seconds that count, and those that are asked for."""
    window = set(range(facts.window.start, facts.window.end))
    taken = seconds_of(facts.removed)
    there = ((seconds_of(facts.evidence) | seconds_of(facts.added)) - taken) & window
    down = seconds_of(facts.outages) & window
    if as_if_undeclared:
        return there, window
    if policy.outage is OutageRule.EXCLUDED:
        return there - down, window - down
    if policy.outage is OutageRule.NOTHING:
        return there, window
    forgiven: set[int] = set()
    for outage in stretches_of(down):
        first, last = min(outage), max(outage)
        at_start, at_end = first - 1 not in window, last + 1 not in window
        was_before = any(second in there for second in range(first - 120, first))
        is_back = any(second in there for second in range(last + 1, last + 121))
        if at_start and at_end:
            continue
        if (at_start or was_before) and (at_end or is_back):
            forgiven |= outage
    return (there | forgiven) - taken, window


def least_share(policy: CreditPolicy) -> Fraction:
    said = [share for share in (policy.min_presence, policy.min_coverage) if share is not None]
    if said:
        return max(said)
    if policy.award is Award.PROPORTIONAL or policy.mode is ViewingMode.FACULTY:
        return Fraction(0)
    return Fraction(8, 10) if policy.mode is ViewingMode.LIVE else Fraction(9, 10)


def last_hour(said: Fraction | None, given_by_correction: Fraction | None) -> Fraction | None:
    if said is None:
        return None
    if given_by_correction is None or given_by_correction < said:
        return said
    return given_by_correction


def test_by_hand(policy: CreditPolicy, facts: CaseFacts) -> Reason | None:
    last = last_hour(policy.test_deadline_hours, facts.papers_until_hours)
    now = facts.hours_since_end
    if facts.test is None:
        is_over = last is not None and now is not None and now > last
        return Reason.TEST_LATE if is_over else Reason.PENDING_TEST
    right, of = facts.test.correct, facts.test.of
    if policy.pass_correct is not None and policy.pass_of is not None:
        if right * policy.pass_of < policy.pass_correct * of:
            return Reason.TEST_FAILED
    elif policy.pass_ratio is not None and Fraction(right) < policy.pass_ratio * of:
        return Reason.TEST_FAILED
    if last is not None and facts.test.hours_after_end > last:
        return Reason.TEST_LATE
    return None


test_by_hand.__test__ = False  # a rule, not a test of ours


def evaluation_by_hand(policy: CreditPolicy, facts: CaseFacts) -> Reason | None:
    days = policy.evaluation_deadline_days
    last = last_hour(None if days is None else Fraction(24) * days, facts.papers_until_hours)
    if facts.evaluation:
        came = facts.evaluation_hours_after_end
        is_late = last is not None and came is not None and came > last
        return Reason.EVALUATION_LATE if is_late else None
    now = facts.hours_since_end
    is_over = last is not None and now is not None and now > last
    return Reason.EVALUATION_LATE if is_over else Reason.PENDING_EVALUATION


def decide_by_hand(policy: CreditPolicy, facts: CaseFacts) -> tuple[Reason, Fraction, int, int]:
    """The reason, the credit, the seconds that count and those asked for."""
    there, asked = count_by_hand(policy, facts)
    if policy.outage is OutageRule.EXCLUDED:
        # Declaring an outage takes nothing from anybody.
        otherwise = count_by_hand(policy, facts, as_if_undeclared=True)
        gains = gain_by_hand(policy, facts, *otherwise), gain_by_hand(policy, facts, there, asked)
        if gains[0] > gains[1]:
            there, asked = otherwise
    reason = refuse_by_hand(policy, facts, there, asked)
    if reason is not None:
        return reason, Fraction(0), len(there), len(asked)
    credit = amount_by_hand(policy, facts, there)
    reason = Reason.OK if credit > 0 else Reason.ZERO_AFTER_ROUNDING_OR_CAP
    return reason, credit, len(there), len(asked)


def gain_by_hand(
    policy: CreditPolicy, facts: CaseFacts, there: set[int], asked: set[int]
) -> Fraction:
    """What this way of counting comes to, whatever else is missing; -1 if it is not enough."""
    if presence_by_hand(policy, facts, there, asked) is not None:
        return Fraction(-1)
    return amount_by_hand(policy, facts, there)


def amount_by_hand(policy: CreditPolicy, facts: CaseFacts, there: set[int]) -> Fraction:
    most = Fraction(facts.grant.credits)
    if policy.award is Award.FLAT:
        credit = most
    else:
        unit = Fraction(60 * policy.unit_minutes)
        units, rest = 0, Fraction(len(there))
        while rest >= unit:
            units, rest = units + 1, rest - unit
        if policy.rounding is Rounding.NEAREST_HALF_UP and 2 * rest >= unit:
            units += 1
        credit = min(units * Fraction(policy.credit_per_unit), most)
    if policy.max_per_day is not None:
        left = Fraction(policy.max_per_day) - Fraction(facts.earned_today)
        credit = min(credit, max(left, Fraction(0)))
    return credit


def refuse_by_hand(
    policy: CreditPolicy, facts: CaseFacts, there: set[int], asked: set[int]
) -> Reason | None:
    grant = facts.grant
    if grant.status is not GrantStatus.GRANTED:
        return Reason.NO_GRANT
    if grant.mode is not policy.mode or facts.mode is not policy.mode:
        return Reason.NO_GRANT
    at = facts.credit_at
    if at is not None and grant.credit_from is not None and at < grant.credit_from:
        return Reason.CREDIT_WINDOW_CLOSED
    if at is not None and grant.credit_until is not None and at >= grant.credit_until:
        return Reason.CREDIT_WINDOW_CLOSED
    if facts.presented or facts.is_repeat or (policy.once and facts.already_credited):
        return Reason.DUPLICATE_ACTIVITY
    if policy.requires_identifier is not None and not facts.identifier:
        return Reason.PENDING_IDENTIFIER
    refused = presence_by_hand(policy, facts, there, asked)
    if refused is not None:
        return refused
    if policy.test_required:
        refused = test_by_hand(policy, facts)
        if refused is not None:
            return refused
    return evaluation_by_hand(policy, facts) if policy.evaluation_required else None


def presence_by_hand(
    policy: CreditPolicy, facts: CaseFacts, there: set[int], asked: set[int]
) -> Reason | None:
    if facts.window.end - facts.window.start < 60 * policy.min_session_minutes:
        return Reason.SESSION_TOO_SHORT
    if facts.mode is ViewingMode.FACULTY and not there:
        return Reason.BELOW_PRESENCE
    if not asked and facts.outages and seconds_of(facts.outages) & seconds_of([facts.window]):
        return Reason.BELOW_PRESENCE
    if Fraction(len(there)) < least_share(policy) * len(asked):
        return Reason.BELOW_PRESENCE
    if facts.wall_seconds is not None and facts.wall_seconds < policy.min_wall_ratio * len(asked):
        return Reason.BELOW_PRESENCE
    answered = Fraction(facts.checks_answered)
    enough = answered >= policy.min_checks_answered
    enough = enough and answered >= policy.min_checks_ratio * facts.checks_issued
    if not enough and not facts.checks_waived:
        return Reason.CHECKS_MISSING
    return None


# What is drawn: short sessions, so that a second more or less often decides.

SHARES = st.sampled_from(["0", "0.25", "0.5", "0.75", "0.8", "0.9", "0.333"]).map(Fraction)
HOURS = st.sampled_from(["0", "1", "24", "48.5", "72", "96", "672", "673"]).map(Fraction)
CREDITS = st.sampled_from(["0", "0.25", "0.5", "0.75", "1", "1.5", "2", "6"]).map(Decimal)
MODES = st.sampled_from(list(ViewingMode))


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


@st.composite
def policies(draw: st.DrawFn) -> CreditPolicy:
    by_number = draw(st.booleans())
    of = draw(st.integers(1, 6))
    return CreditPolicy(
        name="drawn",
        version=1,
        mode=draw(MODES),
        body="BODY",
        award=draw(st.sampled_from(Award)),
        unit_minutes=draw(st.sampled_from([1, 2, 5, 15])),
        credit_per_unit=draw(CREDITS),
        rounding=draw(st.sampled_from(Rounding)),
        min_presence=draw(maybe(SHARES)),
        min_coverage=draw(maybe(SHARES)),
        min_checks_answered=draw(st.sampled_from([0, 0, 0, 1, 2])),
        min_checks_ratio=draw(st.sampled_from([Fraction(0), Fraction(0), Fraction(2, 3)])),
        min_session_minutes=draw(st.sampled_from([0, 0, 0, 0, 0, 10])),
        outage=draw(st.sampled_from(OutageRule)),
        min_wall_ratio=draw(st.sampled_from([Fraction(0), Fraction(1, 2)])),
        test_required=draw(st.booleans()),
        pass_ratio=None if by_number else draw(maybe(SHARES)),
        pass_correct=draw(st.integers(0, of)) if by_number else None,
        pass_of=of if by_number else None,
        test_deadline_hours=draw(maybe(HOURS)),
        evaluation_required=draw(st.booleans()),
        evaluation_deadline_days=draw(st.sampled_from([None, 1, 3, 28])),
        max_per_day=draw(maybe(CREDITS)),
        once=draw(st.booleans()),
        requires_identifier=draw(st.sampled_from([None, None, "EFN"])),
    )


@st.composite
def spans(draw: st.DrawFn, *, around: Span[int], most: int) -> tuple[Span[int], ...]:
    """Stretches that begin and end in and around the window, often on its borders."""
    edge = st.sampled_from([around.start, around.end, around.start + 300])
    place = st.integers(around.start - 150, around.end + 150) | edge
    pairs = draw(st.lists(st.tuples(place, place), max_size=most))
    return tuple(Span(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1])


@st.composite
def cases(draw: st.DrawFn, policy: CreditPolicy) -> CaseFacts:
    base = draw(st.sampled_from([0, 1_795_713_300]))
    window = Span(base, base + draw(st.sampled_from([600, 0, 1, 60, 299, 540, 900, 1201])))
    of = draw(st.integers(1, 6))
    # Most cases have what is asked for first, or few would get to the rules that come last.
    usually = st.integers(1, 16).map(lambda drawn: drawn != 13)
    ground = spans(around=window, most=4)
    evidence = draw(ground)
    if draw(usually):
        nearly = draw(st.integers(0, 1))
        evidence = (*evidence, Span(window.start, max(window.start, window.end - nearly)))
    result = TestResult(correct=draw(st.integers(0, of)), of=of, hours_after_end=draw(HOURS))
    return CaseFacts(
        mode=policy.mode if draw(usually) else draw(MODES),
        window=window,
        evidence=evidence,
        grant=Grant(
            credits=draw(CREDITS),
            mode=policy.mode if draw(usually) else draw(MODES),
            status=GrantStatus.GRANTED if draw(usually) else draw(st.sampled_from(GrantStatus)),
            credit_from=None if draw(usually) else START,
            credit_until=None if draw(usually) else START + timedelta(hours=1),
        ),
        credit_at=draw(
            st.sampled_from(
                [None, START, START + timedelta(minutes=59), START + timedelta(hours=1)]
            )
        ),
        hours_since_end=draw(maybe(HOURS)),
        wall_seconds=draw(maybe(st.integers(0, 1300))),
        checks_answered=draw(st.integers(0, 3)),
        checks_issued=draw(st.integers(0, 3)),
        test=result if draw(usually) else None,
        evaluation=draw(st.booleans()),
        evaluation_hours_after_end=draw(maybe(HOURS)),
        identifier=draw(usually),
        already_credited=not draw(usually),
        earned_today=draw(CREDITS),
        outages=draw(spans(around=window, most=3)),
        added=draw(spans(around=window, most=2)),
        removed=draw(spans(around=window, most=2)) if draw(st.booleans()) else (),
        checks_waived=not draw(usually),
        papers_until_hours=draw(st.sampled_from([None, None, Fraction(49), Fraction(700)])),
        presented=not draw(usually),
        is_repeat=not draw(usually),
    )


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_two_hands_come_to_the_same_decision(data: st.DataObject) -> None:
    policy = data.draw(policies())
    facts = data.draw(cases(policy))

    decision = decide(policy, facts)

    assert (
        decision.reason,
        Fraction(decision.credit),
        decision.seconds_counted,
        decision.window_seconds,
    ) == decide_by_hand(policy, facts)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_was_kept_is_decided_as_it_was(data: st.DataObject) -> None:
    policy = data.draw(policies())
    facts = data.draw(cases(policy))

    kept = facts_of(record_of(facts))

    assert decide(policy, kept) == decide(policy, facts)
    assert hash_of_inputs(policy, kept) == hash_of_inputs(policy, facts)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_correction_that_gives_presence_never_costs_credit(data: st.DataObject) -> None:
    policy = data.draw(policies())
    facts = data.draw(cases(policy))
    more = data.draw(spans(around=facts.window, most=2))
    given_more = CaseFacts(**{**vars(facts), "added": (*facts.added, *more)})

    assert decide(policy, facts).credit <= decide(policy, given_more).credit


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_an_outage_that_is_declared_never_costs_credit(data: st.DataObject) -> None:
    policy = data.draw(policies())
    facts = data.draw(cases(policy))
    undeclared = CaseFacts(**{**vars(facts), "outages": ()})

    assert decide(policy, undeclared).credit <= decide(policy, facts).credit
