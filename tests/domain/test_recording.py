from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from webinar.domain.errors import Gone, NotYet
from webinar.domain.recording import (
    RecordingClosed,
    RecordingNotOpen,
    RecordingState,
    RecordingWindow,
    Watch,
    closes_at_for,
    later_end,
    watchable,
)
from webinar.domain.timezone import UnknownZone, to_utc

ZURICH = "Europe/Zurich"
OPENS = datetime(2026, 8, 31, 17, 0, tzinfo=UTC)
CLOSES = datetime(2027, 2, 28, 18, 0, tzinfo=UTC)
WINDOW = RecordingWindow(OPENS, CLOSES)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Closing:
    """A session that ends on a wall clock, and the instant at which its recording closes."""

    name: str
    ended: str
    closes: str
    zone: str = ZURICH
    months: int = 6


CLOSINGS = [
    Closing("the 31st becomes the last of February", "2026-08-31 19:00", "2027-02-28T18:00Z"),
    Closing("and the 29th in a leap year", "2027-08-31 19:00", "2028-02-29T18:00Z"),
    Closing("the 30th too", "2027-08-30 19:00", "2028-02-29T18:00Z"),
    Closing("the 29th stays where there is one", "2027-08-29 19:00", "2028-02-29T18:00Z"),
    Closing("the 28th is not moved to the end", "2026-08-28 19:00", "2027-02-28T18:00Z"),
    Closing("summer to summer", "2025-10-02 19:00", "2026-04-02T17:00Z"),
    Closing("winter to summer", "2026-11-26 19:00", "2027-05-26T17:00Z"),
    Closing("the 31st of a month before one of 30", "2026-10-31 19:00", "2027-04-30T17:00Z"),
    Closing("over the year", "2026-12-03 19:00", "2027-06-03T17:00Z"),
    Closing("a gap moves it forward by an hour", "2026-09-28 02:30", "2027-03-28T01:30Z"),
    Closing("just before the gap", "2026-09-28 01:59", "2027-03-28T00:59Z"),
    Closing("the end of the gap exists", "2026-09-28 03:00", "2027-03-28T01:00Z"),
    Closing("a fold means the first", "2026-04-25 02:30", "2026-10-25T00:30Z"),
    Closing("New York's own gap", "2026-09-14 02:15", "2027-03-14T07:15Z", "America/New_York"),
    Closing(
        "a gap of half an hour", "2026-04-04 02:10", "2026-10-03T15:40Z", "Australia/Lord_Howe"
    ),
    Closing("no clock change at all", "2026-08-31 19:00", "2027-02-28T13:30Z", "Asia/Kolkata"),
    Closing("one month", "2027-01-31 19:00", "2027-02-28T18:00Z", months=1),
    Closing("a year from a leap day", "2028-02-29 19:00", "2029-02-28T18:00Z", months=12),
]


@pytest.mark.parametrize("case", CLOSINGS, ids=lambda case: case.name)
def test_a_recording_closes_calendar_months_after_the_end_on_the_same_wall_clock(
    case: Closing,
) -> None:
    ended_at = to_utc(datetime.fromisoformat(case.ended), case.zone, on_fold="first")

    closes_at = closes_at_for(ended_at, case.zone, months=case.months)

    assert closes_at == datetime.fromisoformat(case.closes)


def test_six_months_are_the_rule_when_nothing_is_said() -> None:
    assert closes_at_for(OPENS, ZURICH) == CLOSES


def test_a_session_that_ended_in_the_second_of_two_equal_hours_closes_at_the_same_wall_time() -> (
    None
):
    second_half_past_two = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    closes_at = closes_at_for(second_half_past_two, ZURICH)

    assert closes_at == datetime(2027, 4, 25, 0, 30, tzinfo=UTC)


def test_seconds_of_the_end_are_kept() -> None:
    ended_at = datetime(2026, 8, 31, 17, 12, 34, tzinfo=UTC)

    assert closes_at_for(ended_at, ZURICH) == datetime(2027, 2, 28, 18, 12, 34, tzinfo=UTC)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(UnknownZone):
        closes_at_for(OPENS, "Europe/Lugano")


def test_a_window_holds_its_first_instant_and_not_its_last() -> None:
    found = [instant in WINDOW for instant in (OPENS - SECOND, OPENS, CLOSES - SECOND, CLOSES)]

    assert found == [False, True, True, False]


def test_a_window_cannot_close_before_it_opens() -> None:
    with pytest.raises(ValueError, match="cannot close before it opens"):
        RecordingWindow(CLOSES, OPENS)


@pytest.mark.parametrize("now", [OPENS, CLOSES - SECOND])
def test_a_published_recording_is_watchable_inside_its_window(now: datetime) -> None:
    watch = watchable(RecordingState.PUBLISHED, WINDOW, extension=None, now=now)

    assert watch == Watch(until=CLOSES, extended=False)


def test_before_the_window_it_says_when_it_opens() -> None:
    with pytest.raises(RecordingNotOpen) as refusal:
        watchable(RecordingState.PUBLISHED, WINDOW, extension=None, now=OPENS - SECOND)

    assert str(refusal.value) == "This recording opens on 31 August 2026, 19:00 CEST."
    assert isinstance(refusal.value, NotYet)


@pytest.mark.parametrize(
    "state", [RecordingState.RECORDING, RecordingState.PROCESSING, RecordingState.READY]
)
def test_an_unpublished_recording_is_not_open_whatever_the_hour(state: RecordingState) -> None:
    with pytest.raises(RecordingNotOpen) as refusal:
        watchable(state, None, extension=None, now=OPENS)

    assert str(refusal.value) == "This recording is not published yet. Please come back later."


@pytest.mark.parametrize("state", [RecordingState.PUBLISHED, RecordingState.CLOSED])
def test_at_the_end_it_is_gone_and_says_since_when(state: RecordingState) -> None:
    with pytest.raises(RecordingClosed) as refusal:
        watchable(state, WINDOW, extension=None, now=CLOSES)

    assert str(refusal.value) == (
        "This recording closed on 28 February 2027, 19:00 CET. "
        "If you need more time, ask for an extension."
    )
    assert refusal.value.closed_at == CLOSES
    assert isinstance(refusal.value, Gone)


@pytest.mark.parametrize("state", [RecordingState.PUBLISHED, RecordingState.CLOSED])
def test_an_extension_keeps_it_open_for_that_person(state: RecordingState) -> None:
    extension = CLOSES + timedelta(days=7)

    watch = watchable(state, WINDOW, extension=extension, now=extension - SECOND)

    assert watch == Watch(until=extension, extended=True)


def test_an_extension_ends_on_its_second_too() -> None:
    extension = CLOSES + timedelta(days=7)

    with pytest.raises(RecordingClosed) as refusal:
        watchable(RecordingState.CLOSED, WINDOW, extension=extension, now=extension)

    assert refusal.value.closed_at == extension


def test_an_extension_does_not_open_it_earlier() -> None:
    extension = CLOSES + timedelta(days=7)

    with pytest.raises(RecordingNotOpen):
        watchable(RecordingState.PUBLISHED, WINDOW, extension=extension, now=OPENS - SECOND)


def test_an_earlier_extension_never_shortens_the_window() -> None:
    watch = watchable(
        RecordingState.PUBLISHED, WINDOW, extension=OPENS + SECOND, now=CLOSES - SECOND
    )

    assert watch == Watch(until=CLOSES, extended=False)


def test_a_closed_recording_stays_closed_even_if_its_window_says_otherwise() -> None:
    with pytest.raises(RecordingClosed):
        watchable(RecordingState.CLOSED, WINDOW, extension=None, now=CLOSES - SECOND)


def test_a_destroyed_recording_is_gone_whatever_the_extension_says() -> None:
    with pytest.raises(RecordingClosed) as refusal:
        watchable(
            RecordingState.DESTROYED, WINDOW, extension=CLOSES + timedelta(days=7), now=CLOSES
        )

    assert str(refusal.value) == (
        "This recording closed on 28 February 2027, 19:00 CET and no longer exists."
    )


def test_a_published_recording_without_a_window_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="published has a window"):
        watchable(RecordingState.PUBLISHED, None, extension=None, now=OPENS)


def test_a_zone_without_letters_is_named_by_its_distance_from_utc() -> None:
    with pytest.raises(RecordingClosed) as refusal:
        watchable(RecordingState.PUBLISHED, WINDOW, extension=None, now=CLOSES, zone="Asia/Dubai")

    assert str(refusal.value) == (
        "This recording closed on 28 February 2027, 22:00 UTC+04. "
        "If you need more time, ask for an extension."
    )


@pytest.mark.parametrize(
    ("until", "days", "months", "later"),
    [
        # 19:00 in Zurich stays 19:00 over the change of the clocks.
        ("2027-03-25T18:00+00:00", 7, 0, "2027-04-01T17:00+00:00"),
        ("2027-10-28T17:00+00:00", 0, 1, "2027-11-28T18:00+00:00"),
        # The month's last day.
        ("2027-01-31T18:00+00:00", 0, 1, "2027-02-28T18:00+00:00"),
        # 02:30 on the day the clocks jump: moved on by the gap.
        ("2027-03-21T01:30+00:00", 7, 0, "2027-03-28T01:30+00:00"),
    ],
)
def test_a_later_end_keeps_the_wall_clock(until: str, days: int, months: int, later: str) -> None:
    moved = later_end(datetime.fromisoformat(until), "Europe/Zurich", days=days, months=months)

    assert moved == datetime.fromisoformat(later)
