"""One way in for every report: which program wrote it, the file itself tells."""

from datetime import date

from webinar.documents.attendance_reports import bigbluebutton, teams, zoom
from webinar.documents.attendance_reports.text import json_of, mapping, rows_of, text_of
from webinar.domain.attendance_report import Report, ReportRefused

UNKNOWN = (
    "This is no attendance report we know. We read those of Zoom (participant report as CSV, or "
    "the answer of its interface as JSON), Microsoft Teams (attendance report as CSV, or the "
    "answer of Microsoft Graph as JSON) and BigBlueButton (learning dashboard as JSON or CSV)."
)


def read_report(content: bytes, *, zone: str | None, around: date) -> Report:
    """Read a join and leave report; `zone` is for files that show hours without one.

    `around` is the day of the session: by it 9/10 is told from 10/9 where the file leaves it open.
    Raises ReportRefused, ZoneWanted.
    """
    text = text_of(content)
    if text.lstrip()[:1] in ("{", "["):
        return _from_json(text)
    rows = rows_of(text)
    if teams.is_table(rows):
        return teams.from_table(rows, zone=zone, around=around)
    if zoom.is_table(rows):
        return zoom.from_table(rows, zone=zone, around=around)
    if bigbluebutton.is_table(rows):
        return bigbluebutton.from_table(rows, zone=zone, around=around)
    raise ReportRefused(UNKNOWN)


def _from_json(text: str) -> Report:
    documents = [mapping(document) for document in json_of(text)]
    if not documents:
        raise ReportRefused(UNKNOWN)
    if all(zoom.is_page(document) for document in documents):
        return zoom.from_pages(documents)
    if all(teams.is_answer(document) for document in documents):
        return teams.from_answers(documents)
    if all(bigbluebutton.is_dashboard(document) for document in documents):
        return bigbluebutton.from_dashboards(documents)
    raise ReportRefused(UNKNOWN)
