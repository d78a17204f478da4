"""What a session earns at each body, as the table of the rules says."""

from decimal import Decimal

import pytest

from webinar.domain.policy import CreditPolicy
from webinar.domain.simulator import ImpossibleLength, gain_words, simulate

EACCME = CreditPolicy.from_data(
    "eaccme", 1, {"body": "EACCME", "mode": "live", "unit_minutes": 30, "credit_per_unit": 0.5}
)
AMA = CreditPolicy.from_data(
    "ama",
    1,
    {
        "mode": "live",
        "unit_minutes": 15,
        "credit_per_unit": 0.25,
        "rounding": "nearest_half_up",
        "evaluation_required": False,
    },
)
GERMANY = CreditPolicy.from_data(
    "de-laek",
    1,
    {"mode": "live", "unit_minutes": 45, "min_presence": 0.9, "requires_identifier": "EFN"},
)
ESMO = CreditPolicy.from_data("esmo", 1, {"mode": "live", "award": "flat", "min_presence": 0.8})
EBAC = CreditPolicy.from_data("ebac", 1, {"mode": "live", "unit_minutes": 60, "max_per_day": 6})
SWISS = CreditPolicy.from_data(
    "swisswebinar",
    1,
    {"mode": "live", "award": "flat", "min_checks_answered": 1, "min_session_minutes": 45},
)
ACOE = CreditPolicy.from_data(
    "acoe", 1, {"mode": "recorded", "award": "flat", "test_required": True, "min_wall_ratio": 0.5}
)
ALL = [EACCME, AMA, GERMANY, ESMO, EBAC]


@pytest.mark.parametrize(
    ("talk", "questions", "credits"),
    [
        (45, 0, ["0.5", "0.75", "1", "1", "0"]),
        (45, 15, ["1", "1", "1", "1", "1"]),
        (30, 0, ["0.5", "0.5", "0", "1", "0"]),
        (29, 0, ["0", "0.5", "0", "1", "0"]),
        (52, 0, ["0.5", "0.75", "1", "1", "0"]),
        (53, 0, ["0.5", "1", "1", "1", "0"]),
        (90, 0, ["1.5", "1.5", "2", "1", "1"]),
        (480, 0, ["8", "8", "10", "1", "6"]),
    ],
)
def test_the_same_minutes_are_worth_another_amount_at_every_body(
    talk: int, questions: int, credits: list[str]
) -> None:
    lines = simulate(talk, questions, ALL)

    assert [line.credit for line in lines] == [Decimal(credit) for credit in credits]


def test_fifteen_minutes_of_questions_change_it_to_one_everywhere() -> None:
    lines = simulate(45, 0, ALL)

    assert [line.with_more for line in lines] == [Decimal(1)] * 5
    assert [gain_words(line) for line in lines] == [
        "1 instead of 0.5",
        "1 instead of 0.75",
        "no more; 90 minutes in all would earn more",
        "no more",
        "1 instead of 0",
    ]


def test_the_next_length_that_earns_more_is_named() -> None:
    lines = simulate(45, 0, ALL)

    assert [line.next_minutes for line in lines] == [60, 53, 90, None, 60]


def test_a_session_below_the_shortest_earns_nothing_until_it_is_long_enough() -> None:
    (line,) = simulate(40, 0, [SWISS])

    assert (line.credit, line.with_more, line.next_minutes) == (Decimal(0), Decimal(1), 45)
    assert line.explanation == (
        "The session lasted 40:00; swisswebinar gives credit from 45 minutes."
    )


def test_whoever_watches_the_whole_recording_and_passes_gets_what_is_usual() -> None:
    (line,) = simulate(45, 0, [ACOE])

    assert (line.credit, line.is_flat) == (Decimal(1), True)


@pytest.mark.parametrize(("talk", "questions"), [(0, 15), (-5, 30), (45, -1), (700, 21)])
def test_no_session_is_that_short_or_that_long(talk: int, questions: int) -> None:
    with pytest.raises(ImpossibleLength):
        simulate(talk, questions, ALL)


def test_at_the_end_of_the_day_no_minute_is_added() -> None:
    (line,) = simulate(720, 0, [EACCME])

    assert (line.credit, line.with_more, line.next_minutes) == (Decimal(12), Decimal(12), None)
