from decimal import Decimal
from fractions import Fraction

import pytest

from webinar.domain.attendance import ViewingMode
from webinar.domain.policy import CreditPolicy


def test_ratios_are_read_exactly_as_written():
    policy = CreditPolicy.from_data("p", 3, {"mode": "live", "award": "flat", "min_presence": 0.8})

    assert policy.threshold == Fraction(4, 5)
    assert policy.version == 3


def test_the_accreditor_is_called_by_the_policys_name_when_the_data_does_not_say():
    assert CreditPolicy.from_data("mine", 1, {"mode": "live"}).body == "mine"


@pytest.mark.parametrize(
    ("data", "threshold"),
    [
        ({"mode": "live"}, Fraction(0)),
        ({"mode": "live", "award": "flat"}, Fraction(4, 5)),
        ({"mode": "recorded", "award": "flat"}, Fraction(9, 10)),
        ({"mode": "recorded", "award": "flat", "min_coverage": 0.0}, Fraction(0)),
        ({"mode": "live", "min_presence": 0.5, "min_coverage": 0.6}, Fraction(3, 5)),
    ],
)
def test_the_threshold_is_the_stated_one_or_the_default_of_its_kind(data, threshold):
    assert CreditPolicy.from_data("p", 1, data).threshold == threshold


def test_a_live_policy_takes_evaluations_for_28_days_and_a_recorded_one_until_its_clock_ends():
    assert CreditPolicy.from_data("p", 1, {"mode": "live"}).evaluation_deadline_days == 28
    assert CreditPolicy.from_data("p", 1, {"mode": "recorded"}).evaluation_deadline_days is None
    unlimited = {"mode": "live", "evaluation_deadline_days": None}
    assert CreditPolicy.from_data("p", 1, unlimited).evaluation_deadline_days is None


def test_short_spellings_stand_for_the_long_ones():
    policy = CreditPolicy.from_data("p", 1, {"mode": "live", "test_deadline_h": 72})

    assert policy.test_deadline_hours == 72


def test_notes_on_sources_are_kept_and_decide_nothing():
    policy = CreditPolicy.from_data("p", 1, {"mode": "live", "rounding_src": "I"})

    assert policy.sources == ("rounding: I",)
    assert policy.mode is ViewingMode.LIVE


def test_pass_correct_of_is_a_share():
    data = {"mode": "recorded", "pass_correct": 4, "pass_of": 6}

    assert CreditPolicy.from_data("p", 1, data).pass_mark == Fraction(2, 3)


def test_credit_is_decimal():
    policy = CreditPolicy.from_data("p", 1, {"mode": "live", "credit_per_unit": 0.25})

    assert policy.credit_per_unit == Decimal("0.25")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"mode": "live", "colour": 1}, "policy p: unknown field 'colour'"),
        ({}, "policy p: 'mode' is missing: live or recorded"),
        ({"mode": None}, "policy p: 'mode' is missing: live or recorded"),
        ({"mode": "both"}, "policy p: 'both' cannot be the 'mode'"),
        ({"mode": "live", "award": ""}, "policy p: '' cannot be the 'award'"),
        ({"mode": "live", "unit_minutes": 0}, "policy p: 0 cannot be the 'unit_minutes'"),
        ({"mode": "live", "unit_minutes": 1.5}, "policy p: 1.5 cannot be the 'unit_minutes'"),
        ({"mode": "live", "unit_minutes": True}, "policy p: True cannot be the 'unit_minutes'"),
        ({"mode": "live", "min_presence": 1.1}, "policy p: 1.1 cannot be the 'min_presence'"),
        ({"mode": "live", "min_presence": -1}, "policy p: -1 cannot be the 'min_presence'"),
        (
            {"mode": "live", "max_per_day": float("nan")},
            "policy p: nan cannot be the 'max_per_day'",
        ),
        ({"mode": "live", "max_playback_rate": 0}, "policy p: 0 cannot be the 'max_playback_rate'"),
        ({"mode": "live", "once": 1}, "policy p: 1 cannot be the 'once'"),
        ({"mode": "live", "pass_of": 6}, "policy p: pass_correct and pass_of go together"),
        (
            {"mode": "live", "pass_of": 6, "pass_correct": 7},
            "policy p: pass_correct cannot exceed pass_of",
        ),
        (
            {"mode": "live", "pass_of": 6, "pass_correct": 4, "pass_ratio": 0.5},
            "policy p: pass_ratio or pass_correct, not both",
        ),
        ({"mode": "live", "cap": "none"}, "policy p: cap can only be 'grant', not 'none'"),
    ],
)
def test_a_policy_that_cannot_be_read_is_refused_by_the_name_of_its_field(data, sentence):
    with pytest.raises(ValueError, match=r".") as refused:
        CreditPolicy.from_data("p", 1, data)

    assert str(refused.value) == sentence
