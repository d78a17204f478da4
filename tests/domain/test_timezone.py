from datetime import UTC, datetime, timedelta

import pytest
import pytz  # noqa: TID251 - the two libraries are compared here
import tzdata
from hypothesis import example, given
from hypothesis import strategies as st

from webinar.domain.timezone import (
    AmbiguousWallTime,
    NonexistentWallTime,
    OffsetChange,
    UnknownZone,
    add_months,
    follows_eu_rule,
    offset_changes,
    to_local,
    to_utc,
    utc_offset_minutes,
    zone_named,
    zone_names,
)

ZURICH = "Europe/Zurich"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_both_libraries_carry_the_same_edition_of_the_time_zone_database():
    assert pytz.OLSON_VERSION == tzdata.IANA_VERSION


def test_every_zone_offered_can_be_used():
    names = zone_names()

    assert "Europe/Zurich" in names
    assert [zone_named(name).key for name in names] == names


@pytest.mark.parametrize(
    "name", ["Europe/Bern", "europe/zurich", "", "../etc/passwd", "/Europe/Zurich", "Europe"]
)
def test_an_unknown_zone_is_refused(name):
    with pytest.raises(UnknownZone) as refusal:
        zone_named(name)

    assert str(refusal.value) == (
        f"There is no time zone called {name!r}. Choose one from the list: Europe/Zurich."
    )


@pytest.mark.parametrize(
    ("wall", "instant"),
    [
        (datetime(2026, 3, 3, 18, 15), utc(2026, 3, 3, 17, 15)),
        (datetime(2026, 4, 7, 18, 15), utc(2026, 4, 7, 16, 15)),
        (datetime(2026, 10, 6, 18, 15), utc(2026, 10, 6, 16, 15)),
        (datetime(2026, 11, 3, 18, 15), utc(2026, 11, 3, 17, 15)),
        (datetime(2027, 2, 28, 19, 0), utc(2027, 2, 28, 18, 0)),
        (datetime(2026, 3, 29, 1, 59, 59), utc(2026, 3, 29, 0, 59, 59)),
        (datetime(2026, 3, 29, 3, 0), utc(2026, 3, 29, 1, 0)),
        (datetime(2041, 7, 1, 18, 15), utc(2041, 7, 1, 16, 15)),
    ],
)
def test_a_wall_time_in_zurich_is_this_instant(wall, instant):
    assert to_utc(wall, ZURICH) == instant
    assert to_local(instant, ZURICH).replace(tzinfo=None) == wall


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, 2, 30), datetime(2041, 3, 31, 2, 30)])
def test_a_wall_time_the_clocks_jump_over_is_refused(day):
    with pytest.raises(NonexistentWallTime) as refusal:
        to_utc(day, ZURICH)

    assert str(refusal.value) == (
        f"02:30 on {day.day} March {day.year} does not exist in Europe/Zurich: "
        "the clocks go forward over it. Choose another time."
    )


@pytest.mark.parametrize("day", [datetime(2026, 10, 25, 2, 30), datetime(2041, 10, 27, 2, 30)])
def test_a_wall_time_shown_twice_is_refused(day):
    with pytest.raises(AmbiguousWallTime) as refusal:
        to_utc(day, ZURICH)

    assert str(refusal.value) == (
        f"02:30 on {day.day} October {day.year} happens twice in Europe/Zurich: "
        "the clocks go back over it. Choose another time."
    )


def test_a_wall_time_in_the_gap_can_be_moved_forward_by_the_length_of_the_gap():
    instant = to_utc(datetime(2026, 3, 29, 2, 30), ZURICH, on_gap="forward")

    assert instant == utc(2026, 3, 29, 1, 30)
    assert to_local(instant, ZURICH).replace(tzinfo=None) == datetime(2026, 3, 29, 3, 30)


def test_a_day_that_was_skipped_is_moved_forward_by_a_day():
    # Samoa went from 29 to 31 December 2011.
    instant = to_utc(datetime(2011, 12, 30, 12, 0), "Pacific/Apia", on_gap="forward")

    assert to_local(instant, "Pacific/Apia").replace(tzinfo=None) == datetime(2011, 12, 31, 12, 0)


def test_a_wall_time_shown_twice_can_mean_the_first():
    assert to_utc(datetime(2026, 10, 25, 2, 30), ZURICH, on_fold="first") == utc(
        2026, 10, 25, 0, 30
    )


def test_an_aware_wall_time_and_a_naive_instant_are_bugs():
    with pytest.raises(ValueError, match="a wall time has no zone of its own"):
        to_utc(utc(2026, 1, 1), ZURICH)
    with pytest.raises(ValueError, match="an instant needs its offset"):
        to_local(datetime(2026, 1, 1), ZURICH)


def test_the_abbreviation_is_the_one_of_that_day():
    assert to_local(utc(2026, 1, 15, 12), ZURICH).tzname() == "CET"
    assert to_local(utc(2026, 7, 15, 12), ZURICH).tzname() == "CEST"


def test_the_offset_is_in_minutes_east_of_utc():
    assert utc_offset_minutes(utc(2026, 7, 1), ZURICH) == 120
    assert utc_offset_minutes(utc(2026, 1, 1), "America/New_York") == -300
    assert utc_offset_minutes(utc(2026, 1, 1), "Asia/Kathmandu") == 345
    assert utc_offset_minutes(utc(2026, 1, 1), "America/St_Johns") == -210


def test_the_clock_changes_of_a_year_are_found_to_the_second():
    assert offset_changes(ZURICH, utc(2026, 1, 1), utc(2027, 1, 1)) == [
        OffsetChange(utc(2026, 3, 29, 1), 60, 120),
        OffsetChange(utc(2026, 10, 25, 1), 120, 60),
    ]
    assert offset_changes("America/New_York", utc(2026, 1, 1), utc(2027, 1, 1)) == [
        OffsetChange(utc(2026, 3, 8, 7), -300, -240),
        OffsetChange(utc(2026, 11, 1, 6), -240, -300),
    ]
    assert offset_changes("Asia/Tokyo", utc(2026, 1, 1), utc(2027, 1, 1)) == []


def test_the_span_of_clock_changes_is_half_open():
    change = utc(2026, 3, 29, 1)

    assert len(offset_changes(ZURICH, change, change + timedelta(seconds=1))) == 1
    assert offset_changes(ZURICH, change - timedelta(days=3), change) == []
    assert offset_changes(ZURICH, change + timedelta(seconds=1), change + timedelta(days=3)) == []


@pytest.mark.parametrize(
    ("zone_name", "follows"),
    [
        ("Europe/Zurich", True),
        ("Europe/Rome", True),
        ("Europe/Berlin", True),
        ("Europe/London", False),
        ("Europe/Athens", False),
        ("Europe/Istanbul", False),
        ("America/New_York", False),
        ("Africa/Tunis", False),
        ("Africa/Lagos", False),
        ("UTC", False),
        ("CET", False),
        ("Etc/GMT-1", False),
        ("Europe/Bern", False),
    ],
)
def test_central_european_zones_follow_the_eu_rule(zone_name, follows):
    assert follows_eu_rule(zone_name) is follows


@pytest.mark.parametrize(
    ("wall", "months", "later"),
    [
        (datetime(2026, 8, 31, 19), 6, datetime(2027, 2, 28, 19)),
        (datetime(2027, 8, 30, 19), 6, datetime(2028, 2, 29, 19)),
        (datetime(2025, 10, 2, 19), 6, datetime(2026, 4, 2, 19)),
        (datetime(2026, 12, 31, 19), 2, datetime(2027, 2, 28, 19)),
        (datetime(2026, 6, 30, 19), 6, datetime(2026, 12, 30, 19)),
        (datetime(2026, 1, 31, 19), -2, datetime(2025, 11, 30, 19)),
        (datetime(2026, 5, 5, 19), 0, datetime(2026, 5, 5, 19)),
    ],
)
def test_months_are_added_on_the_calendar(wall, months, later):
    assert add_months(wall, months) == later


@given(
    wall=st.datetimes(min_value=datetime(1996, 1, 1), max_value=datetime(2037, 1, 1)),
    zone_name=st.sampled_from(zone_names()),
)
@example(wall=datetime(2026, 3, 29, 2, 30), zone_name=ZURICH)
@example(wall=datetime(2026, 10, 25, 2, 30), zone_name=ZURICH)
@example(wall=datetime(2026, 4, 5, 1, 45), zone_name="Australia/Lord_Howe")
def test_the_two_libraries_agree_on_every_wall_time(wall, zone_name):
    zone = pytz.timezone(zone_name)
    try:
        expected = zone.localize(wall, is_dst=None).astimezone(UTC)
    except pytz.NonExistentTimeError:
        with pytest.raises(NonexistentWallTime):
            to_utc(wall, zone_name)
        moved = to_utc(wall, zone_name, on_gap="forward")
        assert moved == zone.localize(wall, is_dst=False).astimezone(UTC)
    except pytz.AmbiguousTimeError:
        both = {zone.localize(wall, is_dst=dst).astimezone(UTC) for dst in (True, False)}
        with pytest.raises(AmbiguousWallTime):
            to_utc(wall, zone_name)
        assert to_utc(wall, zone_name, on_fold="first") <= min(both)
    else:
        assert to_utc(wall, zone_name) == expected
        assert to_local(expected, zone_name).replace(tzinfo=None) == wall
