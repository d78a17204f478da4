"""The form of a series: what is typed becomes rules and words, and comes back as it was."""

from datetime import date, time

import pytest

from webinar.domain.series import RuleRow
from webinar.web.manage.series_form import Typed, read_rules, read_words
from webinar.web.manage.series_rule_form import TypedRule, read_rule

ZONE = "Europe/Zurich"
FIRST = date(2026, 11, 26)
USUAL = TypedRule(first_day="2026-11-26")
FORM = {
    "name": "e-grandrounds",
    "zone": ZONE,
    "months": "6",
    "reader-0": "America/New_York",
    **{f"rule-0-{name}": value for name, value in USUAL.__dict__.items()},
}
SECOND = {"rule-1-start": "12:00", "rule-1-minutes": "60", "rule-1-first_day": "2026-12-01"}


def rule_of(text: str, *, last_day: date | None = None) -> RuleRow:
    return RuleRow(text, time(18, 15), 45, FIRST, last_day)


@pytest.mark.parametrize(
    ("typed", "row"),
    [
        ({}, rule_of("FREQ=WEEKLY;BYDAY=TH")),
        ({"pattern": "every", "every": "3"}, rule_of("FREQ=WEEKLY;INTERVAL=3;BYDAY=TH")),
        ({"weekday": "WD"}, rule_of("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")),
        ({"pattern": "last", "weekday": "FR"}, rule_of("FREQ=MONTHLY;BYDAY=-1FR")),
        (
            {"pattern": "last", "weekday": "WD"},
            rule_of("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
        ),
        ({"pattern": "third", "weekday": "WE"}, rule_of("FREQ=MONTHLY;BYDAY=3WE")),
        (
            {"pattern": "own", "rule": "FREQ=MONTHLY;BYDAY=1TU,3TU"},
            rule_of("FREQ=MONTHLY;BYDAY=1TU,3TU"),
        ),
        ({"ends": "after", "times": "12"}, rule_of("FREQ=WEEKLY;BYDAY=TH;COUNT=12")),
        (
            {"ends": "on", "last_day": "2027-06-30"},
            rule_of("FREQ=WEEKLY;BYDAY=TH", last_day=date(2027, 6, 30)),
        ),
        (
            {"pattern": "own", "rule": "FREQ=DAILY;INTERVAL=3", "ends": "after", "times": "5"},
            rule_of("FREQ=DAILY;INTERVAL=3;COUNT=5"),
        ),
    ],
)
def test_plain_words_are_a_rule_and_come_back_as_the_same_words(
    typed: dict[str, str], row: RuleRow
) -> None:
    words = TypedRule(**{**USUAL.__dict__, **typed})

    assert read_rule(words, ZONE) == (row, {})
    assert TypedRule.of_row(row) == words


@pytest.mark.parametrize(
    "row",
    [
        rule_of("RRULE:FREQ=WEEKLY;BYDAY=TH"),
        rule_of("FREQ=WEEKLY;COUNT=3;BYDAY=TH"),
        rule_of("FREQ=WEEKLY;BYDAY=TH;UNTIL=20270430"),
        rule_of("FREQ=WEEKLY;BYDAY=TH;COUNT=30", last_day=date(2027, 1, 31)),
    ],
)
def test_a_rule_that_no_words_say_is_shown_and_kept_letter_by_letter(row: RuleRow) -> None:
    assert read_rule(TypedRule.of_row(row), ZONE) == (row, {})


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"rule-0-pattern": "every", "rule-0-every": "0"}, "rule-0-every", "from 1 to 52"),
        ({"rule-0-pattern": "never"}, "rule-0-pattern", "Choose how often"),
        ({"rule-0-weekday": "XX"}, "rule-0-pattern", "Choose how often"),
        ({"rule-0-ends": "on", "rule-0-last_day": ""}, "rule-0-last_day", "Give the last day"),
        (
            {"rule-0-ends": "on", "rule-0-last_day": "2026-01-01"},
            "rule-0-last_day",
            "is before the first",
        ),
        ({"rule-0-ends": "after", "rule-0-times": "x"}, "rule-0-times", "number of dates"),
        (
            {"rule-0-pattern": "own", "rule-0-rule": "FREQ=WEEKLY;COUNT=3", "rule-0-ends": "after"},
            "rule-0-rule",
            'cannot be read at "COUNT=10"',
        ),
        ({**SECOND, "rule-1-minutes": "0"}, "rule-1-minutes", "has to end after it starts"),
        ({**SECOND, "rule-1-start": "noon"}, "rule-1-start", "as hours and minutes"),
        ({"zone": "Europe/Bern"}, "zone", "no time zone called"),
    ],
)
def test_what_is_wrong_in_a_rule_stands_beside_its_own_field(
    typed: dict[str, str], field: str, sentence: str
) -> None:
    values, errors = read_rules(Typed.from_form({**FORM, **typed}))

    assert values is None
    assert list(errors) == [field]
    assert sentence in errors[field]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"reader-1": "Atlantis"}, "reader-1"),
        ({"country-0": "Atlantis"}, "country-0"),
        ({"months": "many"}, "months"),
        ({"name": " "}, "name"),
    ],
)
def test_what_is_wrong_in_the_words_stands_beside_its_own_field(
    typed: dict[str, str], field: str
) -> None:
    words, errors = read_words(Typed.from_form({**FORM, **typed}))

    assert words is None
    assert list(errors) == [field]


def test_places_and_countries_are_understood_as_people_write_them() -> None:
    typed = {"reader-0": "tokyo", "reader-2": "new york", "country-1": "italy", "country-2": "CH"}

    words, errors = read_words(Typed.from_form({**FORM, **typed}))

    assert errors == {}
    assert words is not None
    assert words.reader_zones == ("Asia/Tokyo", "America/New_York")
    assert words.holiday_countries == ("IT", "CH")
