"""What a body asks of an application: days counted back, months counted on, and refusals."""

from datetime import date

import pytest

from webinar.domain.application_terms import ApplicationTerms, BadTerms, Covers
from webinar.services.policies import seed_terms

WEBPACK = ApplicationTerms(
    covers=Covers.SEASON, weeks_before=12, recommended_weeks=14, late_weeks=10, within_months=12
)


@pytest.mark.parametrize(
    ("first", "last", "advised", "late", "ends"),
    [
        # Twelve weeks are twelve weeks, whichever clocks change between.
        (date(2027, 3, 28), date(2027, 1, 3), date(2026, 12, 20), date(2027, 1, 17), (2028, 3, 28)),
        (
            date(2026, 11, 26),
            date(2026, 9, 3),
            date(2026, 8, 20),
            date(2026, 9, 17),
            (2027, 11, 26),
        ),
        (
            date(2028, 2, 29),
            date(2027, 12, 7),
            date(2027, 11, 23),
            date(2027, 12, 21),
            (2029, 2, 28),
        ),
        (date(2026, 8, 31), date(2026, 6, 8), date(2026, 5, 25), date(2026, 6, 22), (2027, 8, 31)),
    ],
)
def test_days_are_counted_from_the_first_session(
    first: date, last: date, advised: date, late: date, ends: tuple[int, int, int]
) -> None:
    assert WEBPACK.last_day(first) == last
    assert WEBPACK.recommended_day(first) == advised
    assert WEBPACK.late_day(first) == late
    assert WEBPACK.span_ends(first) == date(*ends)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2027, 5, 31), date(2027, 2, 28)),
        (date(2028, 5, 31), date(2028, 2, 29)),
        (date(2027, 3, 15), date(2026, 12, 15)),
    ],
)
def test_calendar_months_end_where_the_month_ends(first: date, last: date) -> None:
    assert ApplicationTerms(months_before=3).last_day(first) == last


def test_of_weeks_and_months_the_earlier_day_counts() -> None:
    both = ApplicationTerms(weeks_before=12, months_before=3)

    assert both.last_day(date(2027, 5, 31)) == date(2027, 2, 28)


def test_who_asks_nothing_has_no_days() -> None:
    silent = ApplicationTerms.from_data(None)

    assert silent == ApplicationTerms()
    first = date(2027, 3, 28)
    days = silent.last_day(first), silent.recommended_day(first), silent.late_day(first)
    assert (*days, silent.span_ends(first)) == (None,) * 4


def test_terms_are_stored_as_they_are_said() -> None:
    assert ApplicationTerms.from_data(WEBPACK.data) == WEBPACK
    assert ApplicationTerms().data == {"covers": "session", "same_specialty": False}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"weeks": 12}, "weeks"),
        ({"covers": "year"}, "covers"),
        ({"weeks_before": "12"}, "weeks_before"),
        ({"weeks_before": -1}, "weeks_before"),
        ({"weeks_before": True}, "weeks_before"),
        ({"same_specialty": "yes"}, "same_specialty"),
        ({"edition": "x" * 61}, "edition"),
        ({"source": 3}, "source"),
        ({"shortest_minutes": 90, "longest_minutes": 60}, "longest_minutes"),
        ({"late_weeks": 10}, "late_weeks"),
        ({"weeks_before": 10, "late_weeks": 10}, "late_weeks"),
    ],
)
def test_what_no_body_can_mean_is_refused(data: dict[str, object], field: str) -> None:
    with pytest.raises(BadTerms) as refused:
        ApplicationTerms.from_data(data)

    assert refused.value.field == field


def test_the_shipped_terms_are_read_and_say_their_source() -> None:
    terms = seed_terms()

    assert {slug for slug, one in terms.items() if not one.source} == set()
    eaccme = terms["eaccme"]
    assert (eaccme.weeks_before, eaccme.within_months, eaccme.same_specialty) == (12, 12, True)
    assert (eaccme.shortest_minutes, eaccme.longest_minutes) == (30, 120)
