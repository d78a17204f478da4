"""What a look at a deployment finds in versions and clocks."""

from datetime import date, timedelta

import pytest

from webinar.domain.checkup import Severity, clocks_apart, of_remark, zone_data
from webinar.domain.service_health import Part, Remark, Standing

TODAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("forms", "times", "words"),
    [
        ("2026.2", "2026.2", []),
        ("2025.2", "2025.2", []),
        ("2024.2", "2024.2", ["The tables of time zones are of 2024."]),
        (
            "2026.1",
            "2026.2",
            [
                "Forms are checked with the time zones of 2026.1, times are shown with those of "
                "2026.2: the two may differ."
            ],
        ),
    ],
)
def test_tables_of_time_zones_are_the_same_and_not_old(
    forms: str, times: str, words: list[str]
) -> None:
    assert [found.words for found in zone_data(forms, times, today=TODAY)] == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2, None),
        (-2, None),
        (3, "The database's clock is 3 s ahead of this machine's."),
        (-180, "The database's clock is 3 min behind this machine's."),
    ],
)
def test_clocks_that_are_seconds_apart_are_told(seconds: int, words: str | None) -> None:
    found = clocks_apart(timedelta(seconds=seconds), most_seconds=2)

    assert (found.words if found else None) == words


@pytest.mark.parametrize(
    ("standing", "severity"),
    [
        (Standing.FINE, Severity.ADVICE),
        (Standing.DEGRADED, Severity.WRONG),
        (Standing.BROKEN, Severity.WRONG),
    ],
)
def test_what_the_status_page_says_the_doctor_says(standing: Standing, severity: Severity) -> None:
    found = of_remark(Remark(Part.MAIL, "late", standing, "Words.", "Mend."))

    assert (found.check, found.severity, found.words) == ("mail", severity, "Words.")
