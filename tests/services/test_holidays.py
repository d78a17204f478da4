"""Public holidays: whose are known, and what they are called."""

from datetime import date

import pytest

from webinar.services import holidays
from webinar.services.holidays import Holiday, UnknownCountry


def test_holidays_between_two_days_are_found_by_day_and_country() -> None:
    found = holidays.between(["IT", "CH"], date(2026, 12, 8), date(2027, 1, 1))

    assert found == {
        date(2026, 12, 8): [Holiday(date(2026, 12, 8), "IT", "Immacolata Concezione")],
        date(2026, 12, 25): [
            Holiday(date(2026, 12, 25), "IT", "Natale"),
            Holiday(date(2026, 12, 25), "CH", "Weihnachten"),
        ],
        date(2026, 12, 26): [Holiday(date(2026, 12, 26), "IT", "Santo Stefano")],
        date(2027, 1, 1): [
            Holiday(date(2027, 1, 1), "IT", "Capodanno"),
            Holiday(date(2027, 1, 1), "CH", "Neujahrstag"),
        ],
    }


def test_a_name_in_other_letters_is_said_in_english() -> None:
    found = holidays.between(["GR"], date(2026, 10, 28), date(2026, 10, 28))

    assert [holiday.words for holiday in found[date(2026, 10, 28)]] == [
        "Public holiday in Greece: Ohi Day."
    ]


def test_years_for_which_a_calendar_is_not_published_yet_are_no_failure() -> None:
    assert holidays.between(["IN"], date(2126, 1, 26), date(2126, 1, 26)) == {}


@pytest.mark.parametrize("words", ["IT", "it", "Italy", "  italy "])
def test_a_country_is_known_by_name_and_letters(words: str) -> None:
    assert holidays.country_named(words) == "IT"


@pytest.mark.parametrize("codes", [["Atlantis"], [""], ["IT"] * 13])
def test_a_country_that_is_none_is_refused(codes: list[str]) -> None:
    with pytest.raises(UnknownCountry):
        holidays.ensure_countries(codes)
