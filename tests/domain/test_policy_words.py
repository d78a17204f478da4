from decimal import Decimal

import pytest

from webinar.domain.policy import CreditPolicy
from webinar.domain.policy_words import amount_words, most_for, words_of

LIVE = {"mode": "live", "unit_minutes": 30, "credit_per_unit": 0.5}
FLAT = {"mode": "live", "award": "flat", "min_presence": 0.8, "evaluation_required": False}
RECORDED = {"mode": "recorded", "award": "flat", "min_coverage": 0.9}


def policy(data: dict[str, object]) -> CreditPolicy:
    return CreditPolicy.from_data("p", 1, data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            LIVE,
            "Being there live earns 0.5 credit for every full 30 minutes, up to the credit "
            "granted; it needs the evaluation within 28 days.",
        ),
        (
            {**LIVE, "evaluation_deadline_days": None},
            "Being there live earns 0.5 credit for every full 30 minutes, up to the credit "
            "granted; it needs the evaluation.",
        ),
        (
            {
                "mode": "live",
                "unit_minutes": 15,
                "credit_per_unit": 0.25,
                "rounding": "nearest_half_up",
                "evaluation_required": False,
            },
            "Being there live earns 0.25 credit for every 15 minutes, to the nearest, up to the "
            "credit granted; nothing else is needed.",
        ),
        (
            {
                "mode": "live",
                "unit_minutes": 45,
                "min_presence": 0.9,
                "evaluation_required": False,
                "requires_identifier": "EFN",
            },
            "Being there live earns 1 credit for every full 45 minutes, up to the credit "
            "granted, from 90 % of the session; it needs the person’s EFN.",
        ),
        (
            {**FLAT, "min_session_minutes": 45, "min_checks_answered": 1},
            "Being there live earns all the credit granted from 80 % of the session, if it lasts "
            "45 minutes or more; it needs an answer to 1 attention check.",
        ),
        (
            {**FLAT, "max_per_day": 8, "window": "actual"},
            "Being there live earns all the credit granted from 80 % of the session, counted "
            "from its real start to its real end, at most 8 a day; nothing else is needed.",
        ),
        (
            {**RECORDED, "test_required": True},
            "Watching the recording earns all the credit granted from 90 % of it; it needs the "
            "test (any result) and the evaluation.",
        ),
        (
            {
                **RECORDED,
                "test_required": True,
                "pass_ratio": 0.75,
                "max_attempts": 3,
                "retry_wait_hours": 24,
                "test_deadline_hours": 72,
                "min_wall_ratio": 0.5,
                "min_checks_ratio": 0.5,
            },
            "Watching the recording earns all the credit granted from 90 % of it; it needs "
            "50 % of its length by the clock, an answer to 50 % of the attention checks, the "
            "test (75 % right, within 72 hours of the end, 3 tries, 24 hours between tries) "
            "and the evaluation.",
        ),
        (
            {
                **RECORDED,
                "min_coverage": 0.0,
                "evaluation_required": False,
                "test_required": True,
                "pass_correct": 4,
                "pass_of": 6,
            },
            "Watching the recording earns all the credit granted however much is seen; it needs "
            "the test (4 of 6 right).",
        ),
    ],
)
def test_a_policy_is_said_in_one_sentence(data: dict[str, object], words: str) -> None:
    assert words_of(policy(data)) == words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            LIVE,
            "Being there live earns 0.5 ECMEC for every full 30 minutes, up to 1 ECMEC; it needs "
            "the evaluation within 28 days.",
        ),
        (
            FLAT,
            "Being there live earns 1 ECMEC from 80 % of the session; nothing else is needed.",
        ),
    ],
)
def test_with_a_grant_the_sentence_names_the_amount(data: dict[str, object], words: str) -> None:
    assert words_of(policy(data), granted=Decimal("1.00"), unit="ECMEC") == words


@pytest.mark.parametrize(
    ("amount", "unit", "words"),
    [
        ("0.50", "ECMEC", "0.5 ECMEC"),
        ("2", "ECMEC", "2 ECMEC"),
        ("1", "point", "1 point"),
        ("2", "point", "2 points"),
    ],
)
def test_an_amount_has_its_unit(amount: str, unit: str, words: str) -> None:
    assert amount_words(Decimal(amount), unit) == words


@pytest.mark.parametrize(
    ("data", "minutes", "most"),
    [
        (LIVE, 45, Decimal("0.5")),
        (LIVE, 60, Decimal("1.0")),
        (LIVE, 20, Decimal("0")),
        ({**LIVE, "rounding": "nearest_half_up"}, 45, Decimal("1.0")),
        (FLAT, 45, None),
    ],
)
def test_the_most_a_length_can_earn(
    data: dict[str, object], minutes: int, most: Decimal | None
) -> None:
    assert most_for(policy(data), minutes * 60) == most


def test_a_rule_for_presenting_says_so():
    faculty = {
        "mode": "faculty",
        "unit_minutes": 15,
        "credit_per_unit": 0.5,
        "rounding": "nearest_half_up",
        "evaluation_required": False,
    }

    assert words_of(policy(faculty)) == (
        "Presenting earns 0.5 credit for every 15 minutes, to the nearest, up to the credit "
        "granted; nothing else is needed."
    )


def test_a_flat_rule_for_presenting_asks_for_no_share_of_the_session():
    flat = policy({"mode": "faculty", "award": "flat", "evaluation_required": False})

    assert flat.threshold == 0
