"""The days on which the calendar's own mails leave."""

from datetime import UTC, date, datetime

import pytest

from webinar.domain.mail_days import digest_week, report_stage, week_number, week_span


@pytest.mark.parametrize(
    ("now", "zone", "week"),
    [
        # Monday 23 November 2026 is the first day of week 48.
        (datetime(2026, 11, 23, 5, 59, tzinfo=UTC), "Europe/Zurich", None),
        (datetime(2026, 11, 23, 6, 0, tzinfo=UTC), "Europe/Zurich", 202648),
        # It is still Sunday night in New York.
        (datetime(2026, 11, 23, 4, 0, tzinfo=UTC), "America/New_York", None),
        (datetime(2026, 11, 23, 12, 0, tzinfo=UTC), "America/New_York", 202648),
        # And Monday morning in Tokyo while Zurich sleeps.
        (datetime(2026, 11, 22, 22, 0, tzinfo=UTC), "Asia/Tokyo", 202648),
        # A clock that stood still all Monday.
        (datetime(2026, 11, 24, 17, 59, tzinfo=UTC), "Europe/Zurich", 202648),
        (datetime(2026, 11, 24, 18, 0, tzinfo=UTC), "Europe/Zurich", None),
        (datetime(2026, 11, 29, 12, 0, tzinfo=UTC), "Europe/Zurich", None),
        # Summer time: seven o'clock is an hour earlier in UTC.
        (datetime(2026, 7, 6, 5, 0, tzinfo=UTC), "Europe/Zurich", 202628),
        # The last days of December belong to the first week of the next year.
        (datetime(2024, 12, 30, 6, 30, tzinfo=UTC), "Europe/Zurich", 202501),
    ],
)
def test_the_digest_is_due_on_monday_at_seven_where_the_reader_lives(
    now: datetime, zone: str, week: int | None
) -> None:
    assert digest_week(now, zone) == week


def test_a_week_lasts_from_monday_to_monday_in_its_zone() -> None:
    assert week_span(202648, "Europe/Zurich") == (
        datetime(2026, 11, 22, 23, 0, tzinfo=UTC),
        datetime(2026, 11, 29, 23, 0, tzinfo=UTC),
    )


def test_a_week_in_which_the_clocks_change_has_another_length() -> None:
    start, end = week_span(week_number(date(2026, 10, 25)), "Europe/Zurich")

    assert (end - start).total_seconds() == (7 * 24 + 1) * 3600


@pytest.mark.parametrize(
    ("today", "stage"),
    [
        (date(2026, 12, 16), None),
        (date(2026, 12, 17), 7),
        (date(2026, 12, 23), 7),
        (date(2026, 12, 24), 0),
        (date(2027, 1, 7), 0),
        (date(2027, 1, 8), None),
    ],
)
def test_a_report_is_asked_for_a_week_ahead_and_on_its_last_day(
    today: date, stage: int | None
) -> None:
    assert report_stage(date(2026, 12, 24), today) == stage
