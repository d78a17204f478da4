import pytest

from webinar.domain.topic_tree import DoesNotFit, ensure_fits, in_order

# 1 Oncology > 2 Breast > 3 Early; 4 Haematology
PARENTS = {1: None, 2: 1, 3: 2, 4: None}
NAMES = {1: "Oncology", 2: "breast", 3: "Early", 4: "Haematology"}


def test_each_topic_is_followed_by_those_below_it() -> None:
    assert in_order(PARENTS, NAMES) == [(4, 1), (1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize(("topic_id", "parent_id"), [(1, 1), (1, 2), (1, 3), (2, 3)])
def test_no_topic_stands_below_itself(topic_id: int, parent_id: int) -> None:
    with pytest.raises(DoesNotFit, match="cannot stand below itself"):
        ensure_fits(PARENTS, topic_id, parent_id)


@pytest.mark.parametrize(("topic_id", "parent_id"), [(4, 3), (1, 4)])
def test_there_are_three_levels_and_no_more(topic_id: int, parent_id: int) -> None:
    with pytest.raises(DoesNotFit, match="3 levels at most"):
        ensure_fits(PARENTS, topic_id, parent_id)


@pytest.mark.parametrize(("topic_id", "parent_id"), [(4, 2), (3, 4), (3, None), (2, None), (2, 4)])
def test_other_places_are_free(topic_id: int, parent_id: int | None) -> None:
    ensure_fits(PARENTS, topic_id, parent_id)
