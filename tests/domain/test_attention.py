"""When attention checks fall due: unforeseeable, spread out, and all of them in time."""

from dataclasses import replace
from fractions import Fraction

import pytest

from webinar.domain.attendance import ViewingMode
from webinar.domain.attention import asked_within, due_of, plan, planned_by
from webinar.domain.policy import Award, CreditPolicy

SECRET = b"a secret"
FLAT = CreditPolicy(name="flat", version=1, mode=ViewingMode.LIVE, body="Body", award=Award.FLAT)


def plan_of(
    user_id: int, *, count: int = 3, within: int = 2160, secret: bytes = SECRET
) -> tuple[int, ...]:
    return plan(secret, 1, user_id, ViewingMode.LIVE, count=count, within=within)


@pytest.mark.parametrize(
    ("rules", "count"),
    [
        (FLAT, 0),
        (replace(FLAT, min_checks_answered=1), 2),
        (replace(FLAT, min_checks_answered=1, checks_planned=4), 4),
        (replace(FLAT, min_checks_ratio=Fraction(3, 4)), 3),
    ],
)
def test_a_policy_plans_as_many_checks_as_it_says_or_one_more_than_it_needs(
    rules: CreditPolicy, count: int
) -> None:
    assert planned_by(rules) == count


def test_whoever_reaches_the_lowest_threshold_has_been_asked_everything() -> None:
    half = replace(FLAT, min_presence=Fraction(1, 2))
    proportional = replace(FLAT, award=Award.PROPORTIONAL)

    assert asked_within([FLAT], 2700) == 2160
    assert asked_within([FLAT, half], 2700) == 1350
    assert asked_within([proportional], 2700) == 1350


@pytest.mark.parametrize(
    ("data", "seen", "due"),
    [
        ({"min_checks_ratio": 0.5}, 2160, 3),
        ({"min_checks_ratio": 0.5}, 2159, 0),
        ({"min_checks_ratio": 0.5, "checks_planned": 5}, 2700, 5),
        ({"min_checks_answered": 2}, 2700, 0),
    ],
)
def test_who_saw_enough_in_our_player_was_to_be_asked_everything(
    data: dict[str, object], seen: int, due: int
) -> None:
    policy = CreditPolicy.from_data("p", 1, {"mode": "live", "award": "flat", **data})

    assert due_of(policy, window_seconds=2700, seen_seconds=seen) == due


def test_the_plan_of_a_person_is_the_same_each_time_and_no_other_persons() -> None:
    plans = {plan_of(user_id) for user_id in range(200)}

    assert plan_of(7) == plan_of(7)
    assert len(plans) == 200
    assert plan_of(7) != plan_of(7, secret=b"another secret")
    assert plan_of(7) != plan(SECRET, 2, 7, ViewingMode.LIVE, count=3, within=2160)
    assert plan_of(7) != plan(SECRET, 1, 7, ViewingMode.RECORDED, count=3, within=2160)


def test_checks_keep_apart_and_leave_time_at_both_ends() -> None:
    for user_id in range(500):
        first, second, third = plan_of(user_id)

        assert first >= 120
        assert second - first >= 180
        assert third - second >= 180
        assert third <= 2160 - 120


def test_every_part_of_the_session_is_as_likely() -> None:
    firsts = [plan_of(user_id, count=1)[0] for user_id in range(3_000)]
    parts = [sum(120 + 321 * part <= at < 441 + 321 * part for at in firsts) for part in range(6)]

    assert sum(parts) == 3_000
    assert min(parts) > 400
    assert max(parts) < 600


@pytest.mark.parametrize("within", [0, 1, 30, 120, 600])
@pytest.mark.parametrize("count", [0, 1, 3, 12])
def test_a_short_session_has_its_checks_too(within: int, count: int) -> None:
    found = plan_of(1, count=count, within=within)

    assert len(found) == count
    assert list(found) == sorted(found)
    assert all(0 <= at <= within for at in found)
