"""Credit added up by year and body, and never across units."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from webinar.domain.transcript import Entry, by_year

EVENING = Entry(
    day=date(2026, 11, 26),
    title="Axillary surgery",
    provider="Demo School",
    how="live",
    body="EACCME",
    unit="ECMEC",
    reference="LEE-1",
    credit=Decimal("0.5"),
    minutes=43,
    certificate="WCS-TA8G-C8CE-XS1Y",
)


def test_credit_is_added_up_exactly_for_each_body_and_year() -> None:
    entries = [
        replace(EVENING, credit=Decimal("0.25")),
        replace(EVENING, day=date(2026, 1, 8), credit=Decimal("0.75")),
        replace(EVENING, body="AMA", unit="credit", credit=Decimal("0.75")),
        replace(EVENING, day=date(2025, 12, 18)),
    ]

    years = by_year(entries)

    assert [
        (year.year, [(body.body, body.credit, len(body.entries)) for body in year.bodies])
        for year in years
    ] == [
        (2026, [("AMA", Decimal("0.75"), 1), ("EACCME", Decimal("1.00"), 2)]),
        (2025, [("EACCME", Decimal("0.5"), 1)]),
    ]


def test_the_earliest_session_of_a_year_comes_first() -> None:
    later, earlier = EVENING, replace(EVENING, day=date(2026, 1, 8))

    [year] = by_year([later, earlier])

    assert year.bodies[0].entries == (earlier, later)


def test_nothing_earned_is_no_year() -> None:
    assert by_year([]) == ()
