"""PARS: what must be right before an activity or a learner leaves."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from webinar.domain.attendance import ViewingMode
from webinar.domain.pars import (
    Activity,
    Learner,
    MalformedBirthday,
    activity_problems,
    learner_problems,
    read_birthday,
    split_name,
)

TODAY = date(2026, 12, 1)
ACTIVITY = Activity(
    activity_id="REF-1",
    title="Sentinel nodes",
    mode=ViewingMode.LIVE,
    starts_on=date(2026, 11, 26),
    ends_on=date(2026, 11, 26),
    credits=Decimal("0.75"),
    description="What to do with the node.",
    provider="Demo School",
    physicians=20,
    others=3,
    supporters=(),
)
LEARNER = Learner(
    given_name="Anna",
    family_name="Keller",
    birthday="05-31",
    state="NY",
    licence="123456",
    completed_on=date(2026, 11, 26),
    credits=Decimal("0.75"),
)


def test_what_is_complete_leaves() -> None:
    assert activity_problems(ACTIVITY) == ()
    assert learner_problems(LEARNER, today=TODAY) == ()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"given_name": ""}, "PARS asks for a first and a last name; the account has one word."),
        ({"birthday": "02-30"}, "The month and day of birth are missing."),
        ({"state": "ZZ"}, "The state of the licence is missing."),
        ({"licence": ""}, "The number of the licence is missing."),
        ({"credits": Decimal("0.5") / 4}, "AMA PRA credit goes in quarters of a credit."),
        ({"completed_on": date(2026, 12, 2)}, "The day of completion lies ahead."),
        (
            {"completed_on": date(2024, 12, 31)},
            "PARS takes completions of this year and the last one.",
        ),
    ],
)
def test_each_gap_has_a_sentence(changed: dict[str, object], problem: str) -> None:
    assert learner_problems(replace(LEARNER, **changed), today=TODAY) == (problem,)  # type: ignore[arg-type]


def test_an_activity_without_title_words_or_quarters_stays() -> None:
    wrong = replace(ACTIVITY, title=" ", description="", credits=Decimal("0.1"))

    assert len(activity_problems(wrong)) == 3


@pytest.mark.parametrize("text", ["", "5-31", "31-05", "13-01", "04-31", "1970-05-31"])
def test_a_birthday_is_a_month_and_a_day_without_a_year(text: str) -> None:
    with pytest.raises(MalformedBirthday):
        read_birthday(text)


def test_the_day_that_comes_every_four_years_is_one() -> None:
    assert read_birthday(" 02-29 ") == "02-29"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Prof. Dr. Elena Maria Rossi", ("Elena Maria", "Rossi")),
        ("Anna Keller", ("Anna", "Keller")),
        ("Plato", ("", "Plato")),
        ("", ("", "")),
    ],
)
def test_names_are_told_apart_by_their_last_space(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts
