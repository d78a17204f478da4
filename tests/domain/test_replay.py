from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import (
    CaseFacts,
    CreditPolicy,
    Grant,
    GrantStatus,
    TestResult,
    decide,
    hash_of_inputs,
)
from webinar.domain.replay import facts_of, record_of
from webinar.domain.span import Span

SHORT = CaseFacts(
    mode=ViewingMode.LIVE,
    window=Span(0, 2700),
    evidence=(Span(0, 2700),),
    grant=Grant(credits=Decimal("0.50"), mode=ViewingMode.LIVE),
)
FULL = CaseFacts(
    mode=ViewingMode.RECORDED,
    window=Span(0, 2700),
    evidence=(Span(0, 1000), Span(900, 1800), Span(2000, 2700)),
    grant=Grant(
        credits=Decimal("1"),
        mode=ViewingMode.RECORDED,
        status=GrantStatus.WITHDRAWN,
        reference="A-1",
        credit_from=datetime(2026, 11, 26, tzinfo=UTC),
        credit_until=datetime(2027, 5, 26, 17, tzinfo=UTC),
    ),
    credit_at=datetime(2027, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
    hours_since_end=Fraction(1, 3),
    wall_seconds=3000,
    checks_answered=1,
    checks_issued=2,
    test=TestResult(correct=3, of=4, hours_after_end=Fraction(71, 2)),
    evaluation=True,
    evaluation_hours_after_end=Fraction(5),
    identifier=True,
    already_credited=True,
    earned_today=Decimal("1.5"),
)
POLICY = CreditPolicy.from_data("ama", 1, {"mode": "live", "unit_minutes": 15})


def test_a_record_is_short_where_the_case_is():
    assert record_of(SHORT) == {
        "mode": "live",
        "window": [0, 2700],
        "evidence": [[0, 2700]],
        "grant": {"credits": "0.5", "mode": "live"},
    }


def test_facts_come_back_from_their_record():
    joined = replace(FULL, evidence=(Span(0, 1800), Span(2000, 2700)))

    assert facts_of(record_of(SHORT)) == SHORT
    assert facts_of(record_of(FULL)) == joined


@pytest.mark.parametrize("facts", [SHORT, FULL], ids=["short", "full"])
def test_a_case_from_its_record_has_the_same_hash_and_the_same_decision(facts):
    again = facts_of(record_of(facts))

    assert hash_of_inputs(POLICY, again) == hash_of_inputs(POLICY, facts)
    assert decide(POLICY, again) == decide(POLICY, facts)


@pytest.mark.parametrize(
    "change",
    [
        {"mode": None},
        {"mode": "seen"},
        {"window": [0]},
        {"window": 5},
        {"window": [0, 1.5]},
        {"evidence": {}},
        {"grant": []},
        {"grant": {"credits": "much", "mode": "live"}},
        {"grant": {"mode": "live"}},
        {"hours_since_end": "1/0"},
        {"credit_at": "today"},
        {"test": {"correct": 2}},
    ],
)
def test_what_is_no_record_is_refused(change):
    with pytest.raises(ValueError, match=r"."):
        facts_of(record_of(SHORT) | change)
