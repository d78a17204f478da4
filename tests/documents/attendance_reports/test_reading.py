"""Join and leave reports in the shapes programs give them, and what cannot be read."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from webinar.documents.attendance_reports import text
from webinar.documents.attendance_reports.reading import read_report
from webinar.domain.attendance_report import Report, ReportRefused, ReportSource, ZoneWanted

DATA = Path(__file__).resolve().parents[2] / "data" / "attendance_reports"
THAT_DAY = date(2026, 11, 26)


def read(name: str, zone: str | None = "Europe/Zurich") -> Report:
    return read_report((DATA / name).read_bytes(), zone=zone, around=THAT_DAY)


def at(hour: int, minute: int, second: int = 0, microsecond: int = 0) -> datetime:
    return datetime(2026, 11, 26, hour, minute, second, microsecond, tzinfo=UTC)


def stays(report: Report, name: str) -> list[tuple[datetime, datetime]]:
    return [(one.joined_at, one.left_at) for one in report.visits if one.name == name]


def test_zoom_gives_a_row_for_every_stay_and_overlaps_stay_two() -> None:
    report = read("zoom_participants_2022.csv")

    assert report.source is ReportSource.ZOOM
    assert stays(report, "Anna Keller") == [
        (at(17, 10), at(17, 40)),
        (at(17, 38), at(18, 5, 40)),
    ]
    assert [one.meeting for one in report.visits] == ["812 3456 7890 11/26/2026 06:00:12 PM"] * 5


def test_the_waiting_room_of_zoom_is_not_the_room() -> None:
    report = read("zoom_participants_2022.csv")

    assert stays(report, "iPhone") == []
    assert report.problems == ("Row 10, iPhone: this was the waiting room. Not counted.",)
    assert report.rows == 6


def test_zoom_changed_the_letter_case_and_the_form_of_its_dates() -> None:
    report = read("zoom_participants_2024.csv")

    assert [(one.name, one.email, one.joined_at) for one in report.visits] == [
        ("Anna Keller", "anna.keller@example.net", at(17, 10)),
        ("Rossi, Maria", "", at(17, 15)),
    ]


def test_a_table_of_sums_is_refused_with_what_to_do() -> None:
    with pytest.raises(ReportRefused, match="without “Show unique users”"):
        read("zoom_unique_users.csv")


def test_an_attendee_report_has_sections_and_people_who_never_came() -> None:
    report = read("zoom_attendees.csv")

    assert [one.name for one in report.visits] == ["Host", "Participant 4821", "Anna Keller"]
    assert report.problems == ()


def test_pages_of_zooms_interface_need_no_zone_and_are_one_report() -> None:
    report = read("zoom_pages.json", zone=None)

    assert [(one.row, one.name, one.remote_id) for one in report.visits] == [
        (1, "Anna Keller", "abcdefghij0-klmnopq23456"),
        (2, "Maria Rossi", ""),
    ]
    assert report.problems == ("Row 3, iPhone: this was the waiting room. Not counted.",)


def test_a_first_page_alone_says_that_there_are_more() -> None:
    first = (DATA / "zoom_pages.json").read_text().split("\n{")[0]

    report = read_report(first.encode(), zone=None, around=THAT_DAY)

    assert report.problems == (
        "Zoom has more pages of this report: 2 of 3 or more entries are in this file. "
        "Import the other pages, too.",
    )


def test_the_activities_of_teams_count_and_not_first_join_to_last_leave() -> None:
    report = read("teams_sections.csv")

    assert report.source is ReportSource.TEAMS
    assert stays(report, "Anna Keller") == [
        (at(17, 10), at(17, 30)),
        (at(17, 45), at(18, 5, 2)),
    ]
    assert report.visits[0].email == "anna.keller@example.net"


def test_without_activities_only_who_stayed_throughout_can_be_counted() -> None:
    report = read("teams_sections_german.csv")

    assert stays(report, "Maria Rossi") == [(at(17, 15), at(17, 59))]
    assert stays(report, "Anna Keller") == []
    assert report.problems == (
        "Row 9, Anna Keller: the report says 40 Min. 2 Sek. between the first join and the last "
        "leave, but not when; export it with its third part, the activities. Not counted.",
    )


def test_the_second_generation_of_teams_has_a_row_for_every_stay() -> None:
    report = read("teams_stays.csv")

    assert stays(report, "Anna Keller") == [
        (at(17, 10), at(17, 30)),
        (at(17, 45), at(18, 5, 2)),
    ]
    assert report.problems == ("Row 10, Maria Rossi: a time is missing. Not counted.",)


def test_two_joins_and_one_leave_are_one_stay_and_an_open_one_is_none() -> None:
    report = read("teams_one_by_one.csv")

    assert stays(report, "Anna Keller") == [(at(17, 10), at(17, 59))]
    assert len(report.visits) == 1
    assert report.problems == (
        "Row 3, Anna Keller: joined twice without leaving; the second is let be. Not counted.",
        "Row 5, Jan Novak: left without having joined. Not counted.",
        "Row 6, Maria Rossi: the list ends before they left. Not counted.",
    )


def test_graph_gives_intervals_in_utc_with_seven_digits() -> None:
    report = read("teams_graph.json", zone=None)

    assert stays(report, "Anna Keller") == [
        (at(17, 10, 0, 602722), at(17, 30, 0, 770239)),
        (at(17, 45), at(18, 5, 2)),
    ]
    assert report.visits[0].remote_id == "dc17674c-81d9-4adb-bfb2-8f6a442e4623"
    assert report.problems == (
        "Row 2, Maria Rossi: it does not say from when to when. Not counted.",
    )


def test_a_list_of_records_without_its_report_can_be_read_too() -> None:
    records = json.loads((DATA / "teams_graph.json").read_text())["attendanceRecords"]
    page = json.dumps({"value": records, "@odata.nextLink": "https://graph.microsoft.com/next"})

    report = read_report(page.encode(), zone=None, around=THAT_DAY)

    assert len(report.visits) == 2
    assert report.problems[-1] == "There are more pages of this report. Import them, too."


def test_bigbluebutton_counts_milliseconds_and_closes_at_the_end_who_never_left() -> None:
    report = read("bigbluebutton_dashboard.json", zone=None)

    assert report.source is ReportSource.BIGBLUEBUTTON
    assert stays(report, "Participant 4821") == [
        (at(17, 15, 30), at(17, 30, 0, 500_000)),
        (at(17, 31), at(18, 5)),
    ]
    assert stays(report, "Maria Rossi") == [(at(17, 15), at(17, 59))]
    assert report.visits[0].remote_id == "0123456789abcdef0123456789abcdef"


def test_a_dashboard_saved_too_early_counts_nobody_who_is_still_inside() -> None:
    dashboard = json.loads((DATA / "bigbluebutton_dashboard.json").read_text()) | {"endedOn": 0}

    report = read_report(json.dumps(dashboard).encode(), zone=None, around=THAT_DAY)

    assert len(report.visits) == 2
    assert report.problems == (
        "Row 1, Participant 4821: the meeting had not ended yet. Not counted.",
    )


def test_the_table_of_bigbluebutton_counts_only_who_stayed_throughout() -> None:
    report = read("bigbluebutton_users.csv")

    assert [(one.name, one.joined_at, one.left_at) for one in report.visits] == [
        ("Participant 4821", at(17, 15, 30), at(18, 0, 5))
    ]
    assert [problem.split(":")[0] for problem in report.problems] == [
        "Row 3, Maria Rossi",
        "Row 4, Jan Novak",
    ]


@pytest.mark.parametrize(
    "name", ["zoom_participants_2022.csv", "teams_sections.csv", "bigbluebutton_users.csv"]
)
def test_hours_without_a_zone_are_asked_about(name: str) -> None:
    with pytest.raises(ZoneWanted):
        read(name, zone=None)


def test_the_same_hours_in_another_zone_are_other_instants() -> None:
    report = read("zoom_participants_2024.csv", zone="America/New_York")

    assert report.visits[0].joined_at == at(23, 10)


@pytest.mark.parametrize(
    ("date_in_file", "session_day", "expected"),
    [
        ("9/10/2026", date(2026, 10, 9), "2026-10-09"),
        ("9/10/2026", date(2026, 9, 10), "2026-09-10"),
        ("09.10.2026", date(2026, 9, 10), "2026-10-09"),
        ("22/9/2026", date(2026, 9, 22), "2026-09-22"),
        ("2026-10-09", date(2026, 9, 10), "2026-10-09"),
    ],
)
def test_day_and_month_are_told_apart_by_the_file_and_else_by_the_session(
    date_in_file: str, session_day: date, expected: str
) -> None:
    table = (
        "Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest\n"
        f"Kim Lee,kim@example.net,{date_in_file} 18:15:00,{date_in_file} 18:45:00,30,No\n"
    )

    report = read_report(table.encode(), zone="UTC", around=session_day)

    assert [f"{one.joined_at:%Y-%m-%d}" for one in report.visits] == [expected]


def test_an_hour_that_the_clocks_show_twice_is_not_guessed() -> None:
    table = (
        "Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest\n"
        "Kim Lee,,25.10.2026 02:30:00,25.10.2026 03:30:00,60,No\n"
    )

    report = read_report(table.encode(), zone="Europe/Zurich", around=date(2026, 10, 25))

    assert report.visits == ()
    assert report.problems[0].startswith("Row 2, Kim Lee: 02:30 on 25 October 2026 happens twice")


def test_stays_that_cannot_be_are_left_out_with_a_reason() -> None:
    table = (
        "Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest\n"
        "A,,26.11.2026 19:00:00,26.11.2026 18:00:00,60,No\n"
        "B,,26.11.2026 18:00:00,28.11.2026 18:00:00,2880,No\n"
        "C,,26.11.2026 18:00:00,26.11.2026 18:00:00,0,No\n"
        "D,,yesterday,26.11.2026 18:00:00,0,No\n"
    )

    report = read_report(table.encode(), zone="UTC", around=THAT_DAY)

    assert report.visits == ()
    assert report.problems == (
        "Row 2, A: it ends before it begins. Not counted.",
        "Row 3, B: it lasts longer than a day. Not counted.",
        "Row 5, D: “yesterday” is no time we can read. Not counted.",
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   \n",
        b"PK\x03\x04 a spreadsheet",
        b"name,colour\nx,red\n",
        b"{}",
        b"[]",
        b'{"participants": ',
        b"[" * 100_000,
        b'{"users": {"a": {"name": "x"}}}',
        b"\x00\x01\x02\x03" * 50,
        b'"' + b"x" * 200_000,
    ],
)
def test_what_is_no_report_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(ReportRefused, match=r"\.$|\.\)$"):
        read_report(content, zone="UTC", around=THAT_DAY)


def test_a_file_without_bounds_is_refused() -> None:
    head = "Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest\n"
    row = "Kim Lee,,26.11.2026 18:00:00,26.11.2026 18:30:00,30,No\n"

    with pytest.raises(ReportRefused, match="more than 20000 rows"):
        read_report((head + row * text.MOST_ROWS).encode(), zone="UTC", around=THAT_DAY)
    with pytest.raises(ReportRefused, match="more than 8 MB"):
        read_report(b"x" * (text.MOST_BYTES + 1), zone="UTC", around=THAT_DAY)
