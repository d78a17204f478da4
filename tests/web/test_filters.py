"""Times, amounts and counts as people read them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from webinar.web import filters

ZURICH = "Europe/Zurich"
NEW_YORK = "America/New_York"
WINTER = datetime(2026, 11, 26, 17, 15, tzinfo=UTC)
SUMMER = datetime(2027, 5, 26, 17, 0, tzinfo=UTC)


def test_a_date_is_the_one_on_the_calendar_of_the_zone() -> None:
    late = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)

    assert filters.local_date(late, ZURICH) == "Fri 27 Nov 2026"
    assert filters.local_date(late, NEW_YORK) == "Thu 26 Nov 2026"
    assert filters.long_date(late, ZURICH) == "Friday, 27 November 2026"


def test_a_range_of_hours_is_read_off_the_wall_of_the_zone() -> None:
    ends_at = WINTER + timedelta(minutes=45)

    assert filters.local_time_range(WINTER, ends_at, ZURICH) == "18:15–19:00"
    assert filters.local_time_range(WINTER, ends_at, NEW_YORK) == "12:15–13:00"


def test_a_moment_names_the_zone_as_it_is_that_day() -> None:
    assert filters.local_moment(WINTER, ZURICH) == "Thu 26 Nov 2026, 18:15 CET"
    assert filters.local_moment(SUMMER, ZURICH) == "Wed 26 May 2027, 19:00 CEST"


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        (NEW_YORK, "EST"),
        ("Asia/Dubai", "UTC+4"),
        ("Asia/Tehran", "UTC+3:30"),
        ("America/Sao_Paulo", "UTC\u22123"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_without_letters_is_named_by_its_distance_from_utc(zone: str, name: str) -> None:
    assert filters.zone_abbreviation(WINTER, zone) == name


@pytest.mark.parametrize(
    ("zone", "city"),
    [
        (NEW_YORK, "New York"),
        (ZURICH, "Zurich"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires"),
        ("America/Port-au-Prince", "Port-au-Prince"),
        ("UTC", "UTC"),
        ("Etc/UTC", "UTC"),
        ("Etc/GMT+3", "UTC\u22123"),
        ("Etc/GMT-14", "UTC+14"),
    ],
)
def test_a_zone_is_called_by_its_city(zone: str, city: str) -> None:
    assert filters.city_of_zone(zone) == city


def test_a_deadline_has_a_date_an_hour_and_a_zone() -> None:
    assert filters.deadline(SUMMER, ZURICH) == "26 May 2027, 19:00 Zurich"
    assert filters.day_month(SUMMER, ZURICH) == "26 May 2027"


def test_a_leaf_shows_weekday_day_and_month() -> None:
    assert filters.weekday_name(WINTER, ZURICH) == "Thu"
    assert filters.day_number(WINTER, ZURICH) == 26
    assert filters.month_name(WINTER, ZURICH) == "Nov"
    assert filters.month_year(date(2026, 11, 1)) == "November 2026"


def test_the_datetime_attribute_is_in_utc() -> None:
    assert filters.iso_utc(WINTER) == "2026-11-26T17:15:00Z"


def test_two_zones_show_the_same_clock_or_not() -> None:
    assert filters.same_clock(WINTER, ZURICH, "Europe/Berlin") is True
    assert filters.same_clock(WINTER, ZURICH, None) is True
    assert filters.same_clock(WINTER, ZURICH, NEW_YORK) is False
    assert filters.same_date(WINTER, ZURICH, "Asia/Tokyo") is False


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        (
            datetime(2026, 10, 28, 17, 15, tzinfo=UTC),
            "5 h apart this week, not 6 h: the clocks change on different days.",
        ),
        (
            datetime(2027, 3, 18, 17, 15, tzinfo=UTC),
            "5 h apart this week, not 6 h: the clocks change on different days.",
        ),
        (WINTER, ""),
        (SUMMER, ""),
    ],
)
def test_weeks_with_an_unusual_difference_carry_a_note(at: datetime, sentence: str) -> None:
    assert filters.unusual_difference(at, ZURICH, NEW_YORK) == sentence


def test_a_zone_that_never_changes_its_clocks_has_no_unusual_weeks() -> None:
    assert filters.unusual_difference(WINTER, ZURICH, "Asia/Tokyo") == ""
    assert filters.unusual_difference(SUMMER, ZURICH, "Asia/Tokyo") == ""
    assert filters.unusual_difference(SUMMER, ZURICH, None) == ""


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(hours=3, minutes=12, seconds=59), "in 3 h 12 min"),
        (timedelta(minutes=12), "in 12 min"),
        (timedelta(hours=2), "in 2 h"),
        (timedelta(days=1, hours=20), "in 1 day"),
        (timedelta(days=6), "in 6 days"),
        (timedelta(days=20), "in 2 weeks"),
        (timedelta(days=182), "in 6 months"),
        (timedelta(seconds=40), "now"),
        (timedelta(minutes=-5), "5 min ago"),
    ],
)
def test_a_distance_is_floored_to_what_one_can_feel(distance: timedelta, words: str) -> None:
    assert filters.relative(WINTER + distance, WINTER) == words


def test_a_window_says_how_long_it_stays_open() -> None:
    assert filters.days_left(SUMMER, SUMMER - timedelta(days=6)) == "closes in 6 days"
    assert filters.days_left(SUMMER, SUMMER - timedelta(minutes=20)) == "closes in 20 min"
    assert filters.days_left(SUMMER, SUMMER) == "closed"


def test_a_length_is_told_in_hours_and_minutes() -> None:
    assert filters.duration_minutes(WINTER, WINTER + timedelta(minutes=45)) == "45 min"
    assert filters.duration_minutes(WINTER, WINTER + timedelta(minutes=90)) == "1 h 30 min"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (2050, "34:10"), (59.9, "0:59"), (3723, "1:02:03")]
)
def test_a_place_in_a_recording_reads_like_a_player(seconds: float, text: str) -> None:
    assert filters.media_time(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0.50", "0.5"), ("1.00", "1"), ("10", "10"), ("0.75", "0.75"), ("0", "0"), ("1E+1", "10")],
)
def test_an_amount_of_credit_has_no_idle_zeros(amount: str, text: str) -> None:
    assert filters.credit_amount(Decimal(amount)) == text


def test_counts_agree_with_their_noun() -> None:
    assert filters.plural(1, "session") == "1 session"
    assert filters.plural(0, "session") == "0 sessions"
    assert filters.plural(2, "body", "bodies") == "2 bodies"
    assert filters.plural(4700, "person", "people") == "4\u202f700 people"


def test_a_share_is_floored_so_that_it_never_claims_a_threshold() -> None:
    assert filters.percent(799, 1000) == "79\u202f%"
    assert filters.percent(0, 0) == "0\u202f%"
