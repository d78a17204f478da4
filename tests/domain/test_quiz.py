"""Drawing from a bank, shuffling answers, and what the answers of many tell about a question."""

from collections import Counter
from fractions import Fraction
from random import Random

import pytest

from webinar.domain.policy import TestFeedback
from webinar.domain.quiz import (
    Given,
    draw,
    needed,
    remarks_on,
    shuffled,
    statistics_of,
    strictest,
)


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 -- no secret


def papers(*rows: str, right: str = "0") -> list[Given]:
    """Each row is a person's options, one digit a question from item 1; `right` the right one."""
    return [
        Given(
            {number: int(option) for number, option in enumerate(row, start=1)},
            frozenset(number for number, option in enumerate(row, start=1) if option == right),
        )
        for row in rows
    ]


def test_the_whole_bank_is_asked_where_no_number_is_set() -> None:
    drawn = draw([3, 1, 2], None, set(), seeded(1))

    assert sorted(drawn) == [1, 2, 3]


def test_a_second_try_asks_first_what_was_not_asked_before() -> None:
    for seed in range(50):
        drawn = draw(list(range(10)), 4, {0, 1, 2, 3, 4, 5, 6}, seeded(seed))

        assert len(set(drawn)) == 4
        assert {7, 8, 9} < set(drawn)


def test_every_question_is_drawn_about_as_often() -> None:
    chance = seeded(7)

    times = Counter(item for _ in range(2_000) for item in draw(range(8), 2, set(), chance))

    assert min(times.values()) > 400
    assert max(times.values()) < 600


def test_answers_change_places_and_what_speaks_of_the_others_stays_last() -> None:
    options = ["All of the above", "Surgery", "Radiotherapy", "None of the above"]
    seen = {tuple(shuffled(options, seeded(seed))) for seed in range(30)}

    assert seen == {(1, 2, 0, 3), (2, 1, 0, 3)}


@pytest.mark.parametrize(
    ("marks", "of", "correct"),
    [
        ([], 5, None),
        ([Fraction(3, 4)], 5, 4),
        ([Fraction(3, 4)], 4, 3),
        ([Fraction(3, 4), Fraction(4, 5)], 10, 8),
        ([Fraction(4, 6)], 3, 2),
    ],
)
def test_the_highest_mark_counts_and_a_part_of_an_answer_is_a_whole_one(
    marks: list[Fraction], of: int, correct: int | None
) -> None:
    assert needed(marks, of) == correct


def test_the_strictest_accreditor_says_what_is_told() -> None:
    assert strictest([]) is TestFeedback.COMMENTS
    assert strictest([TestFeedback.COMMENTS, TestFeedback.HINTS]) is TestFeedback.HINTS
    assert strictest(list(TestFeedback)) is TestFeedback.NOTHING


def test_figures_of_a_question_count_only_papers_that_asked_it() -> None:
    found = statistics_of(3, 3, papers("000", "001", "00", "002"))

    assert (found.tries, found.right, found.chosen) == (3, 1, (1, 1, 1))
    assert found.difficulty == Fraction(1, 3)
    assert found.discrimination is None
    assert found.is_few


def test_a_question_that_the_good_get_right_discriminates() -> None:
    rows = papers(*["0000"] * 20, *["1111"] * 20)

    first = statistics_of(1, 2, rows)

    assert first.discrimination == pytest.approx(1)
    assert remarks_on(first, 0) == []


def test_a_question_that_the_good_get_wrong_is_pointed_at() -> None:
    rows = papers(*["1000"] * 20, *["0110"] * 20)

    first = statistics_of(1, 2, rows)

    assert first.discrimination == pytest.approx(-1)
    assert remarks_on(first, 0)[0].startswith("Who did well on the other questions got this one")


def test_a_question_that_everybody_gets_right_says_nothing_about_anybody() -> None:
    found = statistics_of(1, 2, papers(*["00"] * 20, *["01"] * 20))

    assert found.discrimination is None
    assert remarks_on(found, 0) == [
        "Nearly everybody finds it. It may be a warm-up, or give itself away."
    ]


def test_a_hard_question_and_a_wrong_answer_that_nobody_takes_are_pointed_at() -> None:
    found = statistics_of(1, 4, papers(*["10"] * 18, *["11"] * 14, *["00"] * 4, *["01"] * 4))

    assert remarks_on(found, 0)[-2:] == [
        "Few find the right answer. Was it said clearly in the session?",
        "Nobody chose answers 3 and 4. Another wrong answer may be nearer.",
    ]


def test_nothing_is_pointed_at_while_few_have_answered() -> None:
    assert remarks_on(statistics_of(1, 2, papers(*["10"] * 29)), 0) == []


def test_without_an_answer_there_are_no_figures() -> None:
    found = statistics_of(1, 2, [])

    assert found.difficulty is None
    assert remarks_on(found, 0) == []
