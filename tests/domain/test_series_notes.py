"""Marks on the dates of a plan."""

from datetime import date, time

import pytest

from webinar.domain.series import PlannedSession, RuleRow, plan
from webinar.domain.series_notes import (
    NoteKind,
    TooManyZones,
    ensure_reader_zones,
    preview_notes,
    reader_hours,
)
from webinar.domain.timezone import UnknownZone

ZURICH = "Europe/Zurich"


def thursdays(first: date, last: date, *, zone: str = ZURICH) -> list[PlannedSession]:
    rule = RuleRow("FREQ=WEEKLY;BYDAY=TH", time(18, 15), 45, first).of_series(zone)
    return plan(rule, first_day=first, last_day=last)


def test_the_preview_marks_clock_changes_and_the_weeks_new_york_is_an_hour_off():
    planned = thursdays(date(2026, 3, 5), date(2026, 4, 9))

    notes = preview_notes(planned, ["America/New_York", "Europe/Athens", "Asia/Tokyo", ZURICH])

    assert [(note.starts_at.date().isoformat(), note.kind, note.text) for note in notes] == [
        (
            day,
            NoteKind.UNUSUAL_DIFFERENCE,
            "In New York it starts at 13:15, an hour later than usual.",
        )
        for day in ("2026-03-12", "2026-03-19", "2026-03-26")
    ] + [
        (
            "2026-04-02",
            NoteKind.CLOCKS_CHANGED,
            "The clocks in Zurich went forward on 29 March: 18:15 is now 16:15 UTC.",
        ),
        (
            "2026-04-02",
            NoteKind.OTHER_HOUR,
            "In New York it starts at 12:15 again.",
        ),
        (
            "2026-04-02",
            NoteKind.OTHER_HOUR,
            "In Tokyo it starts at 01:15 the next day from now on, an hour earlier than before.",
        ),
    ]


def test_the_autumn_change_and_the_week_new_york_is_off_fall_on_one_date():
    planned = thursdays(date(2026, 10, 22), date(2026, 11, 5))

    notes = preview_notes(planned)

    assert [(note.starts_at.date().isoformat(), note.kind, note.zone) for note in notes] == [
        ("2026-10-29", NoteKind.CLOCKS_CHANGED, ZURICH),
        ("2026-10-29", NoteKind.UNUSUAL_DIFFERENCE, "America/New_York"),
        ("2026-11-05", NoteKind.OTHER_HOUR, "America/New_York"),
    ]
    assert notes[0].text == "The clocks in Zurich went back on 25 October: 18:15 is now 17:15 UTC."


def test_a_plan_of_one_date_has_no_clock_change_before_it():
    planned = thursdays(date(2026, 4, 2), date(2026, 4, 2))

    assert preview_notes(planned, []) == []


def test_a_reader_whose_own_clocks_change_is_told_on_the_first_date_with_another_hour():
    planned = thursdays(date(2026, 3, 19), date(2026, 4, 16), zone="Asia/Tokyo")

    notes = preview_notes(planned, [ZURICH])

    assert [(note.starts_at.date().isoformat(), note.text) for note in notes] == [
        ("2026-04-02", "In Zurich it starts at 11:15 from now on, an hour later than before.")
    ]


def test_a_session_may_begin_in_the_second_in_which_the_clocks_change():
    sundays = RuleRow("FREQ=WEEKLY;BYDAY=SU", time(1, 0), 45, date(2027, 3, 21))
    planned = plan(
        sundays.of_series("Asia/Beirut"), first_day=sundays.first_day, last_day=date(2027, 3, 28)
    )

    assert [note.text for note in preview_notes(planned, [])] == [
        "The clocks in Beirut went forward on 28 March: 01:00 is now 22:00 UTC."
    ]


def test_two_hours_of_two_rules_are_no_change_of_the_clocks():
    first, last = date(2026, 12, 1), date(2026, 12, 31)
    evening = thursdays(first, last)
    noon = plan(
        RuleRow("FREQ=WEEKLY;BYDAY=TU", time(12, 0), 45, first).of_series(ZURICH),
        first_day=first,
        last_day=last,
    )

    notes = preview_notes(
        sorted([*evening, *noon], key=lambda session: session.starts_at), ["Asia/Tokyo"]
    )

    assert notes == []


def test_the_hours_of_readers_say_the_day_where_it_is_another():
    [session] = thursdays(date(2026, 11, 26), date(2026, 11, 26))

    assert reader_hours(session, ["America/New_York", "Asia/Tokyo"]) == [
        "12:15 in New York",
        "02:15 the next day in Tokyo",
    ]


@pytest.mark.parametrize(
    ("zones", "refusal"),
    [
        (["Europe/Athens", "Asia/Tokyo", "Asia/Kolkata", "America/Lima"], TooManyZones),
        (["Europe/Bern"], UnknownZone),
    ],
)
def test_zones_that_cannot_be_shown_are_refused(zones, refusal):
    with pytest.raises(refusal):
        ensure_reader_zones(zones)
