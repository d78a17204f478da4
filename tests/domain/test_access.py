import pytest

from webinar.domain.access import (
    ALLOWED,
    NEEDS_SECOND_PERSON,
    REACH,
    SITE_WIDE,
    Action,
    Role,
    SecondPersonNeeded,
    ensure_second_person,
    may,
)


def test_every_action_and_every_role_stands_in_the_tables() -> None:
    assert set(ALLOWED) == set(Action)
    assert set(REACH) == set(Role)


def test_an_administrator_may_do_everything() -> None:
    denied = {action for action in Action if not may(frozenset({Role.ADMINISTRATOR}), action)}

    assert denied == set()


def test_taking_part_allows_nothing_more() -> None:
    allowed = {action for action in Action if may(frozenset({Role.PARTICIPANT}), action)}

    assert allowed == set()


@pytest.mark.parametrize("action", sorted(NEEDS_SECOND_PERSON))
def test_the_same_person_cannot_be_both_pairs_of_eyes(action: Action) -> None:
    with pytest.raises(SecondPersonNeeded, match="a second person has to look at it"):
        ensure_second_person(action, 7, 7)

    ensure_second_person(action, 7, 8)


def test_two_commands_do_not_make_two_people() -> None:
    with pytest.raises(SecondPersonNeeded):
        ensure_second_person(Action.APPROVE_POLICIES, None, None)


def test_other_actions_ask_for_one_person_only() -> None:
    ensure_second_person(Action.PLAN_SESSIONS, 7, 7)


def test_what_concerns_one_society_is_not_among_the_site_wide_actions() -> None:
    assert Action.PLAN_SESSIONS not in SITE_WIDE
