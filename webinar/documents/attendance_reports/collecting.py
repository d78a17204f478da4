"""Visits one by one into a report: what is wrong with a row is said, and the row left out."""

from datetime import datetime, timedelta

from webinar.domain.attendance_report import Report, ReportedVisit, ReportSource

LONGEST_VISIT = timedelta(hours=24)
LONGEST_NAME, LONGEST_EMAIL, LONGEST_ID, LONGEST_MEETING = 200, 254, 200, 120
MOST_PROBLEMS = 200


class Collecting:
    """A report while it is read."""

    def __init__(self, source: ReportSource) -> None:
        self._source = source
        self._rows = 0
        self._visits: list[ReportedVisit] = []
        self._problems: list[str] = []
        self._unsaid = 0

    def next_row(self) -> None:
        """One more entry of the file."""
        self._rows += 1

    def add(
        self,
        *,
        row: int,
        name: str,
        joined_at: datetime,
        left_at: datetime,
        email: str = "",
        remote_id: str = "",
        meeting: str = "",
    ) -> None:
        """Keep a visit that can be one; say why another cannot."""
        if left_at < joined_at:
            self.problem(row, name, "it ends before it begins")
        elif left_at - joined_at > LONGEST_VISIT:
            self.problem(row, name, "it lasts longer than a day")
        elif left_at > joined_at:
            self._visits.append(
                ReportedVisit(
                    row=row,
                    name=name[:LONGEST_NAME],
                    joined_at=joined_at,
                    left_at=left_at,
                    email=_address(email),
                    remote_id=remote_id[:LONGEST_ID],
                    meeting=meeting[:LONGEST_MEETING],
                )
            )

    def problem(self, row: int, name: str, why: str) -> None:
        """This row is not counted."""
        self.remark(f"Row {row}, {name[:80] or 'without a name'}: {why}. Not counted.")

    def remark(self, sentence: str) -> None:
        """Something to know about the report as a whole."""
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(sentence)
        else:
            self._unsaid += 1

    def report(self) -> Report:
        """All of it."""
        problems = list(self._problems)
        if self._unsaid:
            problems.append(f"There are {self._unsaid} more remarks of this kind.")
        return Report(
            source=self._source,
            rows=self._rows,
            visits=tuple(self._visits),
            problems=tuple(problems),
        )


def _address(text: str) -> str:
    text = text.casefold()
    is_one = text.count("@") == 1 and " " not in text and len(text) <= LONGEST_EMAIL
    return text if is_one else ""
