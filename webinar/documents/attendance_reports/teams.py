"""Microsoft Teams: the attendance report as a table, and as Microsoft Graph gives it.

The table is called .csv, its cells are parted by tabs, and it is written in UTF-16 with a byte
order mark. Three generations:

    Full Name / User Action / Timestamp            "Joined", "Joined before" and "Left", one by one
    Meeting Summary ... Full Name / Join Time / Leave Time / Duration / Email / Role[/ ...]
    1. Summary ... 2. Participants ... 3. In-Meeting Activities

In the last one "2. Participants" has a row for each person with their first join and last leave:
what lies between may be a long absence. "3. In-Meeting Activities" has a row for each stay (Name,
Join Time, Leave Time, Duration, Email, Role) and is what counts. Headings are in the language of
who exported it, so that sections and columns are known by their numbers and places.

Graph (GET .../attendanceReports/{id}?$expand=attendanceRecords; learn.microsoft.com,
meetingAttendanceReport, attendanceRecord, attendanceInterval): `attendanceRecords` with
`emailAddress`, `identity` (`id`, `displayName`) and `attendanceIntervals` with `joinDateTime` and
`leaveDateTime` in UTC, null where data is lacking. `@odata.nextLink` says that there is more. Each
run of a meeting has a report of its own.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from webinar.documents.attendance_reports.collecting import Collecting
from webinar.documents.attendance_reports.text import headings, listed, mapping, words
from webinar.documents.attendance_reports.wall_time import Unreadable, WallClock, instant
from webinar.domain.attendance_report import Report, ReportRefused, ReportSource

SECTION = re.compile(r"^([1-9])\. \S")
ONE_BY_ONE = ("full name", "user action", "timestamp")
STAYS = ("full name", "join time", "leave time")
AS_STATED = 2.0
"""Seconds by which a stated duration may differ from the two times beside it."""


def is_table(rows: Sequence[Sequence[str]]) -> bool:
    """True if it is one of the three."""
    if rows and rows[0] and SECTION.match(rows[0][0]):
        return True
    return any(tuple(headings(row)[:3]) in (ONE_BY_ONE, STAYS) for row in rows[:30])


def from_table(rows: Sequence[Sequence[str]], *, zone: str | None, around: date) -> Report:
    """Read a report of any generation; raises ReportRefused, ZoneWanted."""
    report = Collecting(ReportSource.TEAMS)
    clock = WallClock(zone, around, (cell for row in rows for cell in row))
    if rows[0] and SECTION.match(rows[0][0]):
        _from_sections(report, clock, rows)
    else:
        at = next(
            at for at, row in enumerate(rows) if tuple(headings(row)[:3]) in (ONE_BY_ONE, STAYS)
        )
        if tuple(headings(rows[at])[:3]) == STAYS:
            _add_stays(report, clock, rows, at + 1)
        else:
            _add_one_by_one(report, clock, rows, at + 1)
    return report.report()


def is_answer(document: Mapping[str, object]) -> bool:
    """True if it is an answer of Graph about attendance."""
    return bool(_records(document))


def from_answers(answers: Sequence[Mapping[str, object]]) -> Report:
    """Read reports, or lists of their records; says so if there is more."""
    report = Collecting(ReportSource.TEAMS)
    row = 0
    for answer in answers:
        for meeting, record in _records(answer):
            row += 1
            report.next_row()
            _add_record(report, record, row, meeting)
    if any(words(answer.get("@odata.nextLink")) for answer in answers[-1:]):
        report.remark("There are more pages of this report. Import them, too.")
    return report.report()


def _from_sections(report: Collecting, clock: WallClock, rows: Sequence[Sequence[str]]) -> None:
    starts = {
        int(found[1]): at
        for at, row in enumerate(rows)
        if row and not any(row[1:]) and (found := SECTION.match(row[0]))
    }
    if 3 in starts:
        _add_stays(report, clock, rows, starts[3] + 2)
        return
    if 2 not in starts:
        raise ReportRefused("There are no participants in this report. Export it again.")
    for at in range(starts[2] + 2, len(rows)):
        row = rows[at]
        if len(row) < 4 or not row[0]:
            break
        report.next_row()
        span = _times(report, clock, row, at + 1)
        if span is None:
            continue
        seconds = (span[1] - span[0]).total_seconds()
        if any(abs(seconds - stated) <= AS_STATED for stated in _durations(row[3])):
            _add(report, row, at + 1, span)
        else:
            report.problem(
                at + 1,
                row[0],
                f"the report says {row[3] or 'no duration'} between the first join and the last "
                "leave, but not when; export it with its third part, the activities",
            )


def _add_stays(
    report: Collecting, clock: WallClock, rows: Sequence[Sequence[str]], start: int
) -> None:
    for at in range(start, len(rows)):
        row = rows[at]
        if len(row) < 3 or not row[0]:
            break
        report.next_row()
        span = _times(report, clock, row, at + 1)
        if span is not None:
            _add(report, row, at + 1, span)


def _add_one_by_one(
    report: Collecting, clock: WallClock, rows: Sequence[Sequence[str]], start: int
) -> None:
    """Each leave ends what was joined last; who is inside at the end is nobody to count."""
    inside: dict[str, tuple[int, datetime]] = {}
    for at in range(start, len(rows)):
        row = rows[at]
        if len(row) < 3 or not row[0]:
            break
        report.next_row()
        name = row[0]
        try:
            said_at = clock.read(row[2])
        except Unreadable as wrong:
            report.problem(at + 1, name, str(wrong).removesuffix("."))
            continue
        if row[1].casefold().startswith("joined"):
            if name in inside:
                report.problem(at + 1, name, "joined twice without leaving; the second is let be")
            else:
                inside[name] = (at + 1, said_at)
        elif name in inside:
            number, joined_at = inside.pop(name)
            report.add(row=number, name=name, joined_at=joined_at, left_at=said_at)
        else:
            report.problem(at + 1, name, "left without having joined")
    for name, (number, _) in inside.items():
        report.problem(number, name, "the list ends before they left")


def _times(
    report: Collecting, clock: WallClock, row: Sequence[str], number: int
) -> tuple[datetime, datetime] | None:
    try:
        return clock.read(row[1]), clock.read(row[2])
    except Unreadable as wrong:
        text = str(wrong).removesuffix(".")
        report.problem(number, row[0], text[:1].lower() + text[1:])
        return None


def _add(
    report: Collecting, row: Sequence[str], number: int, span: tuple[datetime, datetime]
) -> None:
    report.add(
        row=number,
        name=row[0],
        email=row[4] if len(row) > 4 else "",
        joined_at=span[0],
        left_at=span[1],
    )


def _durations(text: str) -> list[int]:
    """What a duration may mean in seconds: "1h 27m 51s" in any language, or some of it."""
    match [int(number) for number in re.findall(r"\d{1,4}", text)]:
        case [hours, minutes, seconds]:
            return [hours * 3600 + minutes * 60 + seconds]
        case [one, two]:
            return [one * 3600 + two * 60, one * 60 + two]
        case [only]:
            return [only * 3600, only * 60, only]
    return []


def _records(answer: Mapping[str, object]) -> list[tuple[str, Mapping[str, object]]]:
    """(report id, record) of a report, of a list of reports, or of a list of records."""
    found = []
    for document in [answer, *map(mapping, listed(answer.get("value")))]:
        meeting = words(document.get("id"))
        for record in listed(document.get("attendanceRecords")):
            found.append((meeting, mapping(record)))
        if isinstance(document.get("attendanceIntervals"), list):
            found.append(("", document))
    return found


def _add_record(report: Collecting, record: Mapping[str, object], row: int, meeting: str) -> None:
    identity = mapping(record.get("identity"))
    name = words(identity.get("displayName"))
    for interval in map(mapping, listed(record.get("attendanceIntervals"))):
        joined_at = instant(words(interval.get("joinDateTime")))
        left_at = instant(words(interval.get("leaveDateTime")))
        if joined_at is None or left_at is None:
            report.problem(row, name, "it does not say from when to when")
            continue
        report.add(
            row=row,
            name=name,
            email=words(record.get("emailAddress")),
            remote_id=words(identity.get("id")),
            joined_at=joined_at,
            left_at=left_at,
            meeting=meeting,
        )
