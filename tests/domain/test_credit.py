import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import (
    CaseFacts,
    CreditPolicy,
    Decision,
    Grant,
    GrantStatus,
    Reason,
    TestResult,
    decide,
    hash_of_inputs,
)
from webinar.domain.policy import Award
from webinar.domain.span import Span

DATA = Path(__file__).parents[1] / "data" / "cme"
POLICIES = {
    name: CreditPolicy.from_data(name, 1, data)
    for name, data in json.loads((DATA / "policies.json").read_text()).items()
    if name != "_note"
}
VECTORS = json.loads((DATA / "vectors.json").read_text())["vectors"]
EVENING = Span(0, 2700)


def facts_of(vector: dict) -> CaseFacts:
    policy = POLICIES[vector["policy"]]
    test = vector.get("test")
    return CaseFacts(
        mode=policy.mode,
        window=Span(*vector["window"]),
        evidence=tuple(Span(*interval) for interval in vector["intervals"]),
        grant=Grant(credits=Decimal(str(vector["grant"])), mode=policy.mode),
        checks_answered=vector.get("checks_answered", 0),
        test=test
        and TestResult(
            correct=test["correct"],
            of=test["of"],
            hours_after_end=Fraction(test["hours_after_end"]),
        ),
        evaluation=vector.get("evaluation", False),
        identifier="identifier" in vector,
        already_credited=vector.get("already_credited", False),
        earned_today=Decimal(vector.get("earned_today", 0)),
    )


def everything_wrong(mode: ViewingMode = ViewingMode.LIVE) -> CaseFacts:
    return CaseFacts(
        mode=mode,
        window=Span(0, 600),
        evidence=(),
        grant=Grant(
            credits=Decimal(0),
            mode=mode,
            status=GrantStatus.NONE,
            credit_until=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        credit_at=datetime(2026, 1, 1, tzinfo=UTC),
        already_credited=True,
        hours_since_end=Fraction(1),
    )


def watched(seconds: int, **changes: object) -> CaseFacts:
    facts = CaseFacts(
        mode=ViewingMode.LIVE,
        window=EVENING,
        evidence=(Span(0, seconds),),
        grant=Grant(credits=Decimal(1), mode=ViewingMode.LIVE),
        evaluation=True,
    )
    return replace(facts, **changes)


STRICT = CreditPolicy.from_data(
    "strict",
    1,
    {
        "mode": "live",
        "award": "flat",
        "body": "SOCIETY",
        "min_presence": 0.8,
        "min_checks_answered": 2,
        "min_session_minutes": 45,
        "test_required": True,
        "pass_ratio": 0.75,
        "test_deadline_hours": 72,
        "evaluation_required": True,
        "evaluation_deadline_days": 28,
        "requires_identifier": "EFN",
        "max_per_day": 6,
    },
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_every_published_example_comes_out_as_written(vector):
    decision = decide(POLICIES[vector["policy"]], facts_of(vector))

    assert decision.credit == Decimal(str(vector["expect_credit"]))
    assert decision.reason == vector["expect_reason"]


def test_mending_one_thing_after_another_meets_the_rules_in_their_order():
    right = TestResult(correct=3, of=4, hours_after_end=Fraction(72))
    mended = everything_wrong()
    steps = [
        {"grant": replace(mended.grant, status=GrantStatus.GRANTED)},
        {"credit_at": datetime(2025, 12, 31, tzinfo=UTC)},
        {"already_credited": False},
        {"identifier": True},
        {"window": EVENING},
        {"evidence": (Span(0, 2160),)},
        {"checks_answered": 2},
        {"test": replace(right, correct=2, hours_after_end=Fraction(73))},
        {"test": replace(right, hours_after_end=Fraction(73))},
        {"test": right},
        {"evaluation": True, "evaluation_hours_after_end": Fraction(28 * 24 + 1)},
        {"evaluation_hours_after_end": Fraction(28 * 24)},
        {"grant": Grant(credits=Decimal(1), mode=ViewingMode.LIVE)},
    ]

    reasons = [decide(STRICT, mended).reason]
    for step in steps:
        mended = replace(mended, **step)
        reasons.append(decide(STRICT, mended).reason)

    assert reasons == [
        Reason.NO_GRANT,
        Reason.CREDIT_WINDOW_CLOSED,
        Reason.DUPLICATE_ACTIVITY,
        Reason.PENDING_IDENTIFIER,
        Reason.SESSION_TOO_SHORT,
        Reason.BELOW_PRESENCE,
        Reason.CHECKS_MISSING,
        Reason.PENDING_TEST,
        Reason.TEST_FAILED,
        Reason.TEST_LATE,
        Reason.PENDING_EVALUATION,
        Reason.EVALUATION_LATE,
        Reason.ZERO_AFTER_ROUNDING_OR_CAP,
        Reason.OK,
    ]


@pytest.mark.parametrize(
    ("status", "explanation"),
    [
        (GrantStatus.NONE, "There is no accreditation by EACCME for this activity."),
        (GrantStatus.APPLIED, "Accreditation by EACCME has been applied for and is not decided."),
        (GrantStatus.REFUSED, "EACCME refused accreditation for this activity."),
        (GrantStatus.WITHDRAWN, "The accreditation by EACCME was withdrawn."),
    ],
)
def test_only_a_granted_accreditation_earns_credit(status, explanation):
    policy = replace(POLICIES["eaccme-3.0-live"], body="EACCME")
    facts = watched(2700, grant=Grant(credits=Decimal(1), mode=ViewingMode.LIVE, status=status))

    decision = decide(policy, facts)

    assert decision.reason is Reason.NO_GRANT
    assert decision.explanation == explanation
    assert decision.is_pending is False


def test_a_live_grant_never_serves_the_recording():
    policy = replace(POLICIES["eaccme-3.0-live"], body="EACCME")

    decision = decide(policy, watched(2700, mode=ViewingMode.RECORDED))

    assert decision.reason is Reason.NO_GRANT
    assert decision.explanation == (
        "This accreditation by EACCME is for the live session and does not serve the recording."
    )


def test_a_grant_of_the_other_mode_does_not_serve_the_policy():
    grant = Grant(credits=Decimal(1), mode=ViewingMode.RECORDED)

    assert decide(POLICIES["eaccme-3.0-live"], watched(2700, grant=grant)).reason is Reason.NO_GRANT


@pytest.mark.parametrize(
    ("minute", "reason"),
    [
        (14, Reason.CREDIT_WINDOW_CLOSED),
        (15, Reason.OK),
        (29, Reason.OK),
        (30, Reason.CREDIT_WINDOW_CLOSED),
    ],
)
def test_the_credit_clock_runs_from_its_first_instant_to_before_its_last(minute, reason):
    grant = Grant(
        credits=Decimal(1),
        mode=ViewingMode.LIVE,
        credit_from=datetime(2026, 11, 26, 17, 15, tzinfo=UTC),
        credit_until=datetime(2026, 11, 26, 17, 30, tzinfo=UTC),
    )
    at = datetime(2026, 11, 26, 17, minute, tzinfo=UTC)

    decision = decide(POLICIES["ama-pra-live"], watched(2700, grant=grant, credit_at=at))

    assert decision.reason is reason


def test_the_closed_credit_clock_is_told_with_its_hour():
    grant = Grant(
        credits=Decimal(1),
        mode=ViewingMode.LIVE,
        credit_until=datetime(2026, 11, 26, 17, 30, tzinfo=UTC),
    )
    at = datetime(2026, 11, 26, 18, tzinfo=UTC)

    decision = decide(STRICT, watched(2700, grant=grant, credit_at=at))

    assert decision.explanation == (
        "SOCIETY gave credit until 2026-11-26 17:30 UTC; watching stays possible, without credit."
    )


def test_an_activity_may_count_twice_where_the_policy_says_so():
    policy = replace(POLICIES["ama-pra-live"], once=False)

    assert decide(policy, watched(2700, already_credited=True)).credit == Decimal("0.75")


def test_the_sentence_of_a_proportional_award_has_the_numbers_in_it():
    policy = replace(POLICIES["eaccme-3.0-live"], body="EACCME")

    decision = decide(policy, watched(2610))

    assert decision == Decision(
        credit=Decimal("0.5"),
        reason=Reason.OK,
        explanation=(
            "43:30 of 45:00 counted; EACCME gives 0.5 per 30 minutes, whole units only: 0.5 credit."
        ),
        seconds_counted=2610,
        window_seconds=2700,
    )


def test_an_outage_does_not_break_a_unit_that_was_full_without_it():
    policy = CreditPolicy(
        name="unit",
        version=1,
        mode=ViewingMode.LIVE,
        body="BODY",
        award=Award.PROPORTIONAL,
        unit_minutes=45,
        credit_per_unit=Decimal(1),
    )
    everything = watched(2700, outages=(Span(600, 720),))
    rest = replace(everything, evidence=(Span(0, 600), Span(720, 2700)))

    assert decide(policy, everything) == Decision(
        credit=Decimal(1),
        reason=Reason.OK,
        explanation=(
            "45:00 of 45:00 counted; BODY gives 1 per 45 minutes, whole units only: 1 credit. "
            "An outage of 2:00 was left in the session: so you get more."
        ),
        seconds_counted=2700,
        window_seconds=2700,
    )
    assert decide(policy, rest).explanation == (
        "43:00 of 43:00 counted; BODY gives 1 per 45 minutes, whole units only: no credit. "
        "An outage of 2:00 was taken out of the session."
    )


def test_a_grant_below_the_units_is_named_as_the_limit():
    policy = replace(POLICIES["ama-pra-live"], body="AMA PRA")
    grant = Grant(credits=Decimal("0.50"), mode=ViewingMode.LIVE)

    decision = decide(policy, watched(2700, grant=grant))

    assert decision.credit == Decimal("0.5")
    assert decision.explanation == (
        "45:00 of 45:00 counted; AMA PRA gives 0.25 per 15 minutes, to the nearest unit, "
        "and granted 0.5 for this session: 0.5 credit."
    )


def test_the_daily_limit_leaves_what_is_left_of_the_day():
    policy = replace(POLICIES["uk-rcp-live"], body="UK Federation")
    grant = Grant(credits=Decimal(2), mode=ViewingMode.LIVE)

    decision = decide(policy, watched(2700, grant=grant, earned_today=Decimal("6.5")))

    assert decision.credit == Decimal("1.5")
    assert decision.explanation == (
        "45:00 of 45:00 counted; UK Federation gives 2 credits from 36:00 (80 %), "
        "at most 8 a day, of which 6.5 already earned: 1.5 credits."
    )


def test_a_day_already_over_its_limit_never_gives_less_than_nothing():
    decision = decide(POLICIES["uk-rcp-live"], watched(2700, earned_today=Decimal(9)))

    assert decision.credit == Decimal(0)
    assert decision.reason is Reason.ZERO_AFTER_ROUNDING_OR_CAP


def test_one_second_short_is_never_shown_as_the_threshold():
    policy = replace(POLICIES["esmo-mora-live"], body="ESMO-MORA")

    decision = decide(policy, watched(2159))

    assert decision.explanation == (
        "35:59 of 45:00 counted (79.9 %); ESMO-MORA needs 36:00 (80 %): 0:01 short."
    )
    assert decision.next_step is None


def test_a_recording_half_seen_says_how_much_more_to_watch():
    recorded = {"mode": ViewingMode.RECORDED}
    facts = watched(1350, grant=Grant(credits=Decimal(1), **recorded), **recorded)

    assert decide(POLICIES["acoe-distance"], facts).next_step == (
        "Watch 18:00 more that you have not seen yet."
    )


def test_a_policy_may_ask_for_time_on_the_clock_beside_coverage():
    policy = replace(POLICIES["esmo-mora-live"], body="SOCIETY", min_wall_ratio=Fraction(1, 2))

    decision = decide(policy, watched(2700, wall_seconds=1349))

    assert decision.reason is Reason.BELOW_PRESENCE
    assert decision.explanation == ("The recording ran for 22:29; SOCIETY needs 50 % of 45:00.")
    assert decide(policy, watched(2700, wall_seconds=1350)).reason is Reason.OK


def test_a_share_of_attention_checks_is_rounded_up_to_whole_checks():
    policy = replace(POLICIES["esmo-mora-live"], min_checks_ratio=Fraction(3, 4))

    assert decide(policy, watched(2700, checks_issued=3, checks_answered=2)).explanation == (
        "You answered 2 attention checks; esmo-mora-live needs 3."
    )
    assert decide(policy, watched(2700, checks_issued=3, checks_answered=3)).reason is Reason.OK


def test_what_is_pending_says_what_to_do_and_until_when():
    here = watched(2700, checks_answered=2, evaluation=False)
    identified = replace(here, identifier=True)
    tested = replace(identified, test=TestResult(correct=4, of=4))

    pending = [decide(STRICT, facts) for facts in (here, identified, tested)]

    assert [decision.is_pending for decision in pending] == [True, True, True]
    assert [decision.next_step for decision in pending] == [
        "Enter your EFN in your profile.",
        "Take the test within 72 hours of the end.",
        "Fill in the evaluation within 28 days of the end.",
    ]


def test_what_has_no_deadline_is_asked_for_without_one():
    recorded = {"mode": ViewingMode.RECORDED}
    facts = watched(2700, grant=Grant(credits=Decimal(1), **recorded), evaluation=False, **recorded)
    tested = replace(facts, test=TestResult(correct=0, of=5), hours_since_end=Fraction(4000))

    assert decide(POLICIES["acoe-distance"], facts).next_step == "Take the test."
    assert decide(POLICIES["acoe-distance"], tested).next_step == "Fill in the evaluation."


def test_a_deadline_that_passes_turns_pending_into_late():
    here = watched(2700, checks_answered=2, identifier=True, evaluation=False)
    after_test = replace(here, hours_since_end=Fraction(73))
    after_evaluation = replace(
        here, test=TestResult(correct=4, of=4), hours_since_end=Fraction(28 * 24 + 1)
    )

    decisions = [decide(STRICT, after_test), decide(STRICT, after_evaluation)]

    assert [decision.reason for decision in decisions] == [
        Reason.TEST_LATE,
        Reason.EVALUATION_LATE,
    ]
    assert [decision.is_pending for decision in decisions] == [False, False]


def test_a_failed_test_may_be_tried_again_until_its_deadline():
    failed = watched(2700, checks_answered=2, identifier=True, test=TestResult(correct=2, of=4))

    decision = decide(STRICT, failed)
    too_late = decide(STRICT, replace(failed, hours_since_end=Fraction(73)))

    assert decision.explanation == "You have 2 of 4 answers right; SOCIETY needs 3."
    assert decision.next_step == "Take the test again if an attempt is left."
    assert too_late.next_step is None


def test_a_test_cannot_have_more_right_answers_than_questions():
    with pytest.raises(ValueError, match="5 of 4"):
        TestResult(correct=5, of=4)


POLICY_NAMES = st.sampled_from(sorted(POLICIES))
SPANS = st.lists(
    st.tuples(st.integers(-600, 4000), st.integers(0, 3000)).map(lambda p: Span(p[0], sum(p))),
    max_size=8,
)


def case(policy: CreditPolicy, spans: list[Span[int]], credits: Decimal) -> CaseFacts:
    return CaseFacts(
        mode=policy.mode,
        window=EVENING,
        evidence=tuple(spans),
        grant=Grant(credits=credits, mode=policy.mode),
        checks_answered=1,
        test=TestResult(correct=4, of=4),
        evaluation=True,
        identifier=True,
    )


@given(POLICY_NAMES, SPANS, st.decimals(0, 12, places=2), st.randoms())
def test_repeating_and_shuffling_evidence_changes_neither_decision_nor_hash(
    name, spans, credits, random
):
    policy = POLICIES[name]
    again = spans + spans
    random.shuffle(again)

    once, twice = case(policy, spans, credits), case(policy, again, credits)

    assert decide(policy, once) == decide(policy, twice)
    assert hash_of_inputs(policy, once) == hash_of_inputs(policy, twice)


@given(POLICY_NAMES, SPANS, st.decimals(0, 12, places=2))
def test_credit_never_exceeds_the_grant_and_is_never_negative(name, spans, credits):
    policy = POLICIES[name]

    assert 0 <= decide(policy, case(policy, spans, credits)).credit <= credits


@given(POLICY_NAMES, SPANS, st.tuples(st.integers(0, 2000), st.integers(0, 700)))
def test_more_evidence_never_gives_less_credit(name, spans, extra):
    policy = POLICIES[name]
    more = [*spans, Span(extra[0], extra[0] + extra[1])]

    less_credit = decide(policy, case(policy, spans, Decimal(2))).credit

    assert less_credit <= decide(policy, case(policy, more, Decimal(2))).credit


def test_the_hash_of_the_inputs_is_the_same_for_ever():
    policy = CreditPolicy.from_data("eaccme", 1, {"mode": "live", "credit_per_unit": 1.0})

    assert hash_of_inputs(policy, watched(2700)) == (
        "66204a0dcebee6589bff7ffbde079c262bd970c268b1162f3ded6c8b0d69d23d"
    )


def test_the_hash_changes_with_each_input_and_not_with_notes_on_sources():
    policy, facts = POLICIES["acoe-distance"], watched(2700)

    same = hash_of_inputs(replace(policy, sources=()), facts)
    others = {
        hash_of_inputs(replace(policy, version=2), facts),
        hash_of_inputs(policy, replace(facts, evaluation=False)),
        hash_of_inputs(policy, replace(facts, credit_at=datetime(2026, 1, 1, tzinfo=UTC))),
        hash_of_inputs(policy, replace(facts, evidence=(Span(0, 2699),))),
        hash_of_inputs(policy, replace(facts, hours_since_end=Fraction(1, 3))),
    }

    assert same == hash_of_inputs(policy, facts)
    assert len(others - {same}) == 5


def test_one_and_one_point_zero_have_the_same_hash():
    one = replace(watched(2700), earned_today=Decimal("1"))
    one_point_zero = replace(watched(2700), earned_today=Decimal("1.0"))

    assert hash_of_inputs(STRICT, one) == hash_of_inputs(STRICT, one_point_zero)
