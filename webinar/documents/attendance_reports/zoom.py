"""Zoom: the participant report as a table, and as its interface gives it.

The table, downloaded under Reports > Usage, begins with two rows about the meeting if the person
ticked "Export with meeting data". Two generations of headings are about:

    Meeting ID,Topic,Start Time,End Time,User Email,Duration (Minutes),Participants
    Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest[,...]

    Topic,ID,Host,Duration (minutes),Start time,End time,Participants
    Name (original name),Email,Join time,Leave time,Duration (minutes),Guest[,In waiting room]

(microsoft/vivainsights_zoom_int, README of Admin/input/zoom_reports; several parsers on GitHub
agree.) A webinar's attendee report has sections, the people under "Attendee Details":

    Attended,User Name (Original Name),First Name,Last Name,Email,...,Join Time,Leave Time,
    Time in Session (minutes),Is Guest,Country/Region Name

With "Show unique users" there is one row a person and no hours: "Total Duration (Minutes)". Such a
table is refused, for two stays may have overlapped.

The interface (GET /report/meetings/{id}/participants, the same for webinars; developers.zoom.us)
gives pages: `participants` with `name`, `user_email`, `join_time`, `leave_time` in UTC, `id`,
`registrant_id`, `customer_key`, `status` (`in_waiting_room` is not being there), and around them
`next_page_token`, empty on the last page, and `total_records`. A meeting that was started again
has a report for each run; asked for by its number, Zoom gives the last run alone.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from webinar.documents.attendance_reports.collecting import Collecting
from webinar.documents.attendance_reports.text import headings, listed, mapping, words
from webinar.documents.attendance_reports.wall_time import Unreadable, WallClock, instant
from webinar.domain.attendance_report import Report, ReportRefused, ReportSource

NAMES = ("name (original name)", "user name (original name)")
EMAILS = ("email", "user email")
JOIN, LEAVE, WAITING = "join time", "leave time", "in waiting room"
MEETING_ID = ("meeting id", "webinar id", "id")


def is_table(rows: Sequence[Sequence[str]]) -> bool:
    """True if some row has the heading that only Zoom writes."""
    return any(set(NAMES) & set(headings(row)) for row in rows)


def from_table(rows: Sequence[Sequence[str]], *, zone: str | None, around: date) -> Report:
    """Read a participant or attendee report; raises ReportRefused, ZoneWanted."""
    report = Collecting(ReportSource.ZOOM)
    clock = WallClock(zone, around, (cell for row in rows for cell in row))
    columns: dict[str, int] = {}
    meeting, has_people = "", False
    for number, row in enumerate(rows, 1):
        known = headings(row)
        if "topic" in known and set(MEETING_ID) & set(known):
            columns = {}
            meeting = _meeting(known, rows[number] if number < len(rows) else [])
        elif set(NAMES) & set(known):
            columns = {name: at for at, name in reversed(list(enumerate(known)))}
            has_people = has_people or {JOIN, LEAVE} <= columns.keys()
        elif len([cell for cell in row if cell]) <= 1:
            columns = {}  # an empty line, or the name of the next section
        elif columns:
            report.next_row()
            if {JOIN, LEAVE} <= columns.keys():
                _add(report, clock, columns, row, number, meeting)
    if not has_people:
        raise ReportRefused(
            "This report says how long people stayed, but not when. Export it again without "
            "“Show unique users”."
        )
    return report.report()


def is_page(document: Mapping[str, object]) -> bool:
    """True if it is an answer of the interface about participants."""
    return isinstance(document.get("participants"), list)


def from_pages(pages: Sequence[Mapping[str, object]]) -> Report:
    """Read pages of one or several runs; says so if some are missing."""
    report = Collecting(ReportSource.ZOOM)
    row, said = 0, 0
    for page in pages:
        meeting = words(page.get("uuid")) or words(page.get("meeting_uuid"))
        total = page.get("total_records")
        said = max(said, total) if isinstance(total, int) else said
        for entry in listed(page.get("participants")):
            row += 1
            report.next_row()
            _add_entry(report, mapping(entry), row, meeting)
    if row < said or words(pages[-1].get("next_page_token")):
        report.remark(
            f"Zoom has more pages of this report: {row} of {max(said, row + 1)} or more entries "
            "are in this file. Import the other pages, too."
        )
    return report.report()


def _meeting(known: Sequence[str], values: Sequence[str]) -> str:
    said = dict(zip(known, values, strict=False))
    number = next((said[name] for name in MEETING_ID if said.get(name)), "")
    start = said.get("start time") or said.get("actual start time", "")
    return f"{number} {start}".strip()


def _add(
    report: Collecting,
    clock: WallClock,
    columns: Mapping[str, int],
    row: Sequence[str],
    number: int,
    meeting: str,
) -> None:
    def cell(*names: str) -> str:
        places = [columns[name] for name in names if name in columns]
        return next((row[at] for at in places if at < len(row) and row[at]), "")

    if cell("attended").casefold() == "no":
        return
    name = cell(*NAMES)
    if cell(WAITING).casefold() == "yes":
        report.problem(number, name, "this was the waiting room")
        return
    try:
        joined_at, left_at = clock.read(cell(JOIN)), clock.read(cell(LEAVE))
    except Unreadable as wrong:
        report.problem(number, name, _inside(wrong))
        return
    report.add(
        row=number,
        name=name,
        email=cell(*EMAILS),
        joined_at=joined_at,
        left_at=left_at,
        meeting=meeting,
    )


def _add_entry(report: Collecting, entry: Mapping[str, object], row: int, meeting: str) -> None:
    name = words(entry.get("name")) or words(entry.get("user_name"))
    if words(entry.get("status")) == "in_waiting_room":
        report.problem(row, name, "this was the waiting room")
        return
    joined_at = instant(words(entry.get("join_time")))
    left_at = instant(words(entry.get("leave_time")))
    if joined_at is None or left_at is None:
        report.problem(row, name, "it does not say from when to when")
        return
    report.add(
        row=row,
        name=name,
        email=words(entry.get("user_email")),
        remote_id=(
            words(entry.get("registrant_id"))
            or words(entry.get("customer_key"))
            or words(entry.get("id"))
        ),
        joined_at=joined_at,
        left_at=left_at,
        meeting=meeting,
    )


def _inside(wrong: Exception) -> str:
    """The sentence within another one."""
    text = str(wrong).removesuffix(".")
    return text[:1].lower() + text[1:]
