"""The examples a version is tested on say what the rules of credit say."""

from webinar.domain.policy import CreditPolicy
from webinar.domain.policy_examples import Example, compare, outcome, standard


def policy(**data: object) -> CreditPolicy:
    return CreditPolicy.from_data("p", 1, {"body": "B", "mode": "live", **data})


FLAT = policy(award="flat", min_presence=0.8, evaluation_required=False)
UNITS = policy(unit_minutes=15, credit_per_unit=0.25, rounding="nearest_half_up")
TESTED = policy(award="flat", min_presence=0.9, test_required=True, pass_ratio=0.75)
RECORDED = CreditPolicy.from_data(
    "r", 1, {"mode": "recorded", "award": "flat", "test_required": True, "pass_correct": 4,
             "pass_of": 6, "test_deadline_hours": 72, "requires_identifier": "EFN"}
)  # fmt: skip


def table(rules: CreditPolicy) -> dict[str, str]:
    return {one.words: outcome(rules, one).words for one in standard([rules])}


def test_a_threshold_is_exact_to_the_second() -> None:
    assert table(FLAT) == {
        "45:00 of 45:00": "1",
        "40:30 of 45:00": "1",
        "36:00 of 45:00": "1",
        "35:59 of 45:00": "0",
        "22:30 of 45:00": "0",
        "0:00 of 45:00": "0",
        "60:00 of 60:00": "1",
    }


def test_units_follow_the_minutes_and_the_evaluation_is_waited_for() -> None:
    assert table(UNITS) == {
        "45:00 of 45:00": "0.75",
        "40:30 of 45:00": "0.75",
        "36:00 of 45:00": "0.5",
        "35:59 of 45:00": "0.5",
        "22:30 of 45:00": "0.5",
        "0:00 of 45:00": "0",
        "60:00 of 60:00": "1",
        "45:00 of 45:00, no evaluation": "waits",
        "45:00 of 45:00, evaluation after 28 days and an hour": "0",
    }


def test_a_test_is_tried_just_at_its_mark_and_just_below() -> None:
    words = table(TESTED)

    assert words["45:00 of 45:00, no test"] == "waits"
    assert words["45:00 of 45:00, 3 of 4 answers right"] == "1"
    assert words["45:00 of 45:00, 2 of 4 answers right"] == "0"
    assert words["36:00 of 45:00"] == "0"


def test_a_recording_has_its_own_marks_deadline_and_number() -> None:
    words = table(RECORDED)

    assert words["40:30 of 45:00"] == "1"
    assert words["36:00 of 45:00"] == "0"
    assert words["45:00 of 45:00, 4 of 6 answers right"] == "1"
    assert words["45:00 of 45:00, 3 of 6 answers right"] == "0"
    assert words["45:00 of 45:00, test after 73 hours"] == "0"
    assert words["45:00 of 45:00, no number given"] == "waits"


def test_an_example_under_two_versions_shows_what_changes() -> None:
    stricter = policy(award="flat", min_presence=0.9, evaluation_required=False)
    examples = [Example(present_seconds=2160), Example(present_seconds=2430)]

    compared = compare(examples, FLAT, stricter)

    assert [(one.before and one.before.words, one.after.words) for one in compared] == [
        ("1", "0"),
        ("1", "1"),
    ]
    assert [one.changes for one in compared] == [True, False]
    assert compared[0].after.explanation == (
        "36:00 of 45:00 counted (80 %); B needs 40:30 (90 %): 4:30 short."
    )


def test_a_first_version_has_nothing_before_it() -> None:
    (one,) = compare([Example()], None, FLAT)

    assert (one.before, one.changes) == (None, False)
