"""BigBlueButton: the learning dashboard, as its server writes it and as its page exports it.

The JSON (LearningDashboardActor.scala, class Meeting): `users`, by a key, each with `extId` (the
userID we let them in by), `name` and `intIds`; each of those has `sessions` with `registeredOn`
and `leftOn`, milliseconds of Unix time, 0 for who has not left; before version 2.7 the two stand
in the `intIds` themselves. Who had not left was there until the meeting's `endedOn`.

The table (UserService.js, makeUserCSVData) has a row for each person:

    Name,Moderator,Activity Score,Talk Time,Webcam Time,Messages,Reactions,Poll Votes,Raise Hands,
    Join,Left,Duration[,one column for each poll]

with the first join, the last leave and the sum of the stays as HH:mm:ss. It can be used for who
stayed throughout; for anybody else it does not say when they were away.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from webinar.documents.attendance_reports.collecting import Collecting
from webinar.documents.attendance_reports.text import headings, listed, mapping, words
from webinar.documents.attendance_reports.wall_time import Unreadable, WallClock
from webinar.domain.attendance_report import Report, ReportRefused, ReportSource

COLUMNS = {"name", "moderator", "activity score", "join", "left", "duration"}
AS_STATED = 2.0
"""Seconds by which the sum may differ from the two times beside it: each is cut to seconds."""


def is_table(rows: Sequence[Sequence[str]]) -> bool:
    """True if the first row has the columns of the dashboard, in English."""
    return bool(rows) and set(headings(rows[0])) >= COLUMNS


def from_table(rows: Sequence[Sequence[str]], *, zone: str | None, around: date) -> Report:
    """Read the exported table; raises ReportRefused, ZoneWanted."""
    report = Collecting(ReportSource.BIGBLUEBUTTON)
    known = headings(rows[0])
    name_at, join_at, left_at, sum_at = (
        known.index(name) for name in ("name", "join", "left", "duration")
    )
    clock = WallClock(zone, around, (cell for row in rows for cell in row))
    for number, row in enumerate(rows[1:], 2):
        if len(row) <= sum_at or not row[join_at]:
            continue  # the row of anonymous votes
        report.next_row()
        name = row[name_at]
        if row[left_at] in ("-", ""):
            report.problem(number, name, "the table was exported before they left")
            continue
        try:
            joined, left = clock.read(row[join_at]), clock.read(row[left_at])
        except Unreadable as wrong:
            report.problem(number, name, str(wrong).removesuffix("."))
            continue
        stated = _seconds(row[sum_at])
        if stated is None or abs((left - joined).total_seconds() - stated) > AS_STATED:
            report.problem(
                number,
                name,
                f"they were there for {row[sum_at] or 'an unknown time'} between their first join "
                "and their last leave, but the table does not say when; import the JSON of the "
                "dashboard instead",
            )
            continue
        report.add(row=number, name=name, joined_at=joined, left_at=left)
    return report.report()


def is_dashboard(document: Mapping[str, object]) -> bool:
    """True if it is the dashboard's JSON."""
    return any("intIds" in mapping(user) for user in mapping(document.get("users")).values())


def from_dashboards(documents: Sequence[Mapping[str, object]]) -> Report:
    """Read the dashboard of one run, or of several."""
    report = Collecting(ReportSource.BIGBLUEBUTTON)
    row = 0
    for document in documents:
        meeting, ended_on = words(document.get("intId")), document.get("endedOn")
        for user in map(mapping, mapping(document.get("users")).values()):
            row += 1
            report.next_row()
            name = words(user.get("name"))
            for stay in _stays(user):
                joined = _moment(stay.get("registeredOn"))
                left = _moment(stay.get("leftOn")) or _moment(ended_on)
                if joined is None or left is None:
                    report.problem(row, name, "the meeting had not ended yet")
                    continue
                report.add(
                    row=row,
                    name=name,
                    remote_id=words(user.get("extId")),
                    joined_at=joined,
                    left_at=left,
                    meeting=meeting,
                )
    if not row:
        raise ReportRefused("Nobody is in this dashboard. Save it once the meeting has ended.")
    return report.report()


def _stays(user: Mapping[str, object]) -> list[Mapping[str, object]]:
    stays: list[Mapping[str, object]] = []
    for connection in map(mapping, mapping(user.get("intIds")).values()):
        sessions = listed(connection.get("sessions"))
        stays += map(mapping, sessions) if sessions else [connection]
    return stays


def _moment(value: object) -> datetime | None:
    """The instant of milliseconds of Unix time; None for 0 and whatever else there is."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 43:
        return None
    return datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)


def _seconds(text: str) -> int | None:
    found = re.fullmatch(r"(\d{1,3}):(\d\d):(\d\d)", text)
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3]) if found else None
