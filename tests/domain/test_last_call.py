"""The last second to join for each credit, held against trying every second."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import CaseFacts, Grant, TestResult, decide
from webinar.domain.last_call import Enough, LastCall, best, enough, last_calls
from webinar.domain.policy import Award, CreditPolicy, Rounding
from webinar.domain.span import Span

EVENING = Span(0, 45 * 60)


def proportional(
    unit: int = 30, credit: str = "0.5", rounding: Rounding = Rounding.FLOOR
) -> CreditPolicy:
    return CreditPolicy(
        name="proportional",
        version=1,
        mode=ViewingMode.LIVE,
        body="Body",
        unit_minutes=unit,
        credit_per_unit=Decimal(credit),
        rounding=rounding,
    )


def flat(share: str, mode: ViewingMode = ViewingMode.LIVE) -> CreditPolicy:
    return CreditPolicy(
        name="flat",
        version=1,
        mode=mode,
        body="Body",
        award=Award.FLAT,
        min_presence=Fraction(share),
    )


def grant(credits: str = "1", mode: ViewingMode = ViewingMode.LIVE) -> Grant:
    return Grant(credits=Decimal(credits), mode=mode)


def test_eaccme_gives_half_a_credit_to_who_joins_by_half_past_and_no_second_later() -> None:
    assert last_calls(proportional(), grant("0.5"), EVENING) == (LastCall(Decimal("0.5"), 15 * 60),)


def test_eighty_per_cent_of_forty_five_minutes_is_joined_by_nine_past() -> None:
    assert last_calls(flat("0.8"), grant(), EVENING) == (LastCall(Decimal(1), 9 * 60),)


def test_ninety_per_cent_ends_between_two_minutes() -> None:
    assert last_calls(flat("0.9"), grant(), EVENING) == (LastCall(Decimal(1), 4 * 60 + 30),)


def test_quarters_to_the_nearest_have_a_last_call_each() -> None:
    policy = proportional(15, "0.25", Rounding.NEAREST_HALF_UP)

    assert last_calls(policy, grant("0.75"), EVENING) == (
        LastCall(Decimal("0.75"), 7 * 60 + 30),
        LastCall(Decimal("0.5"), 22 * 60 + 30),
        LastCall(Decimal("0.25"), 37 * 60 + 30),
    )


def test_a_session_too_short_for_the_body_has_no_last_call() -> None:
    assert last_calls(proportional(60, "1"), grant(), EVENING) == ()


def test_when_it_is_too_late_for_the_most_the_less_is_left() -> None:
    policy = proportional(15, "0.25", Rounding.NEAREST_HALF_UP)

    calls = last_calls(policy, grant("0.75"), EVENING, since=10 * 60)

    assert calls == (
        LastCall(Decimal("0.5"), 22 * 60 + 30),
        LastCall(Decimal("0.25"), 37 * 60 + 30),
    )
    assert best(calls) == calls[0]


def test_who_was_there_before_may_come_back_later() -> None:
    calls = last_calls(flat("0.8"), grant(), EVENING, since=20 * 60, watched=[Span(0, 18 * 60)])

    assert calls == (LastCall(Decimal(1), 27 * 60),)


def test_what_is_earned_already_needs_nobody_to_come_back() -> None:
    calls = last_calls(flat("0.8"), grant(), EVENING, since=40 * 60, watched=[Span(0, 36 * 60)])

    assert calls == (LastCall(Decimal(1), EVENING.end),)


@pytest.mark.parametrize("since", [40 * 60, 45 * 60, 60 * 60])
def test_too_late_is_too_late(since: int) -> None:
    assert last_calls(proportional(), grant("0.5"), EVENING, since=since) == ()
    assert best(()) is None


def test_an_outage_is_no_time_one_could_have_been_there() -> None:
    calls = last_calls(flat("0.8"), grant(), EVENING, outages=[Span(0, 10 * 60)])

    # 80 % of 35 minutes are 28: from 17:00 on.
    assert calls == (LastCall(Decimal(1), 17 * 60),)


def test_a_recording_says_how_much_of_it_each_credit_takes() -> None:
    recorded = CreditPolicy(
        name="quarters",
        version=1,
        mode=ViewingMode.RECORDED,
        body="Body",
        unit_minutes=15,
        credit_per_unit=Decimal("0.25"),
    )

    assert enough(flat("0.9", ViewingMode.RECORDED), grant(mode=ViewingMode.RECORDED), 2700) == (
        Enough(Decimal(1), 2430),
    )
    assert enough(recorded, grant("0.5", ViewingMode.RECORDED), 2700) == (
        Enough(Decimal("0.25"), 900),
        Enough(Decimal("0.5"), 1800),
    )


def tried(policy: CreditPolicy, grant: Grant, join: int, end: int) -> Decimal:
    return decide(
        policy,
        CaseFacts(
            mode=ViewingMode.LIVE,
            window=Span(0, end),
            evidence=(Span(join, end),) if join < end else (),
            grant=grant,
            checks_answered=9,
            checks_issued=9,
            test=TestResult(correct=1, of=1),
            evaluation=True,
            identifier=True,
        ),
    ).credit


@settings(max_examples=40, deadline=None)
@given(
    minutes=st.integers(1, 12),
    more=st.integers(0, 59),
    unit=st.integers(1, 5),
    share=st.fractions(0, 1, max_denominator=20),
    is_flat=st.booleans(),
    rounding=st.sampled_from(Rounding),
    credits=st.sampled_from(["0.25", "1", "3"]),
)
def test_every_second_tried_one_by_one_says_the_same(
    minutes: int,
    more: int,
    unit: int,
    share: Fraction,
    is_flat: bool,
    rounding: Rounding,
    credits: str,
) -> None:
    policy = CreditPolicy(
        name="any",
        version=1,
        mode=ViewingMode.LIVE,
        body="Body",
        award=Award.FLAT if is_flat else Award.PROPORTIONAL,
        unit_minutes=unit,
        credit_per_unit=Decimal("0.5"),
        rounding=rounding,
        min_presence=share,
    )
    end = minutes * 60 + more
    latest: dict[Decimal, int] = {}
    for join in range(end + 1):
        latest[tried(policy, grant(credits), join, end)] = join

    calls = last_calls(policy, grant(credits), Span(0, end))

    expected = {credit: join for credit, join in latest.items() if credit > 0}
    assert {call.credit: call.by for call in calls} == expected
    assert [call.credit for call in calls] == sorted(expected, reverse=True)
