"""Every field of a policy is explained, and two versions differ where they do."""

from dataclasses import fields

from webinar.domain.policy import CreditPolicy
from webinar.domain.policy_fields import FIELDS, SHARE, Difference, differences

UNSEEN = {"name", "version", "cap", "sources", "min_presence", "min_coverage"}
"""Not typed one by one: `share` stands for the last two, the cap has one value."""


def policy(**data: object) -> CreditPolicy:
    return CreditPolicy.from_data("p", 1, {"mode": "live", "unit_minutes": 30, **data})


def test_every_field_of_a_policy_has_a_meaning() -> None:
    explained = {one.name for one in FIELDS}

    assert explained - {SHARE} == {field.name for field in fields(CreditPolicy)} - UNSEEN
    assert [one.name for one in FIELDS if not one.meaning.endswith((".", "?"))] == []


def test_two_versions_differ_in_words() -> None:
    before = policy(min_presence=0.8)
    after = policy(min_presence=0.9, rounding="nearest_half_up", max_per_day=6, test_required=True)

    assert differences(before, after) == [
        Difference(
            "A part of a unit",
            "Earns nothing: full units only",
            "Counts to the nearest unit, half a one up",
        ),
        Difference("Most credit in a day", "not said", "6"),
        Difference("Minimum presence in percent", "80 %", "90 %"),
        Difference("A test has to be passed", "no", "yes"),
    ]
    assert differences(before, before) == []


def test_a_field_stands_in_the_form_as_it_was_typed() -> None:
    stated = policy(min_presence=0.8, pass_ratio=0.6667, once=False, credit_per_unit=0.5)
    text = {one.name: one.text(stated) for one in FIELDS}

    assert (text["share"], text["pass_ratio"], text["credit_per_unit"]) == ("80", "66.67", "0.5")
    assert (text["once"], text["evaluation_required"], text["max_per_day"]) == ("", "y", "")
