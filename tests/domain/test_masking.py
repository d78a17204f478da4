"""Small groups cannot be found, neither by reading nor by subtracting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webinar.domain.masking import FEW, Group, Masked, Step, mask, merge_steps

COUNTS = st.dictionaries(st.text("ABCDEFGHIJ", min_size=1, max_size=2), st.integers(0, 30))


@pytest.mark.parametrize(
    ("counts", "masked"),
    [
        ({}, Masked(())),
        ({"CH": 7, "GR": 0}, Masked((Group("CH", 7),))),
        ({"CH": 7, "GR": 5}, Masked((Group("CH", 7), Group("GR", 5)))),
        ({"CH": 9, "GR": 3, "IT": 2}, Masked((Group("CH", 9),), 2, 5)),
        # One small group alone would be the total less the others: the smallest other joins it.
        ({"CH": 9, "DE": 6, "GR": 1}, Masked((Group("CH", 9),), 2, 7)),
        # Two small ones of two people together are still few.
        ({"CH": 9, "DE": 6, "GR": 1, "IT": 1}, Masked((Group("CH", 9),), 3, 8)),
        ({"CH": 9, "GR": 1}, Masked((), 2, 10)),
        ({"GR": 1}, Masked((), 1, 1)),
    ],
)
def test_small_groups_lose_their_names(counts: dict[str, int], masked: Masked) -> None:
    assert mask(counts.items()) == masked


@given(COUNTS)
def test_nobody_is_found_by_subtraction(counts: dict[str, int]) -> None:
    masked = mask(counts.items())

    shown = [group.people for group in masked.groups]
    hidden = sum(counts.values()) - sum(shown)
    assert all(people >= FEW for people in shown)
    assert hidden == masked.people_in_others
    if shown:
        assert hidden == 0 or (hidden >= FEW and masked.others >= 2)


@pytest.mark.parametrize(
    ("people", "merged"),
    [
        ([0, 0], [(0, 5, 0), (5, 10, 0)]),
        ([6, 1, 4, 9], [(0, 5, 6), (5, 15, 5), (15, 20, 9)]),
        ([9, 0, 2], [(0, 15, 11)]),
        ([1, 0, 1], [(0, 15, 2)]),
        ([2, 9], [(0, 10, 11)]),
    ],
)
def test_neighbours_on_a_scale_are_told_together(
    people: list[int], merged: list[tuple[int, int, int]]
) -> None:
    steps = [Step(5 * n, 5 * n + 5, number) for n, number in enumerate(people)]

    assert [(s.first, s.beyond, s.people) for s in merge_steps(steps)] == merged


@given(st.lists(st.integers(0, 12), max_size=12))
def test_no_stretch_holds_few(people: list[int]) -> None:
    merged = merge_steps(Step(n, n + 1, number) for n, number in enumerate(people))

    assert sum(step.people for step in merged) == sum(people)
    if sum(people) >= FEW:
        assert all(step.people == 0 or step.people >= FEW for step in merged)
