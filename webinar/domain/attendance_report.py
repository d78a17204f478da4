"""What a join and leave report of another program says, once it is read."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from webinar.domain.errors import DomainError


class ReportSource(StrEnum):
    """Which program wrote the report."""

    ZOOM = "zoom"
    TEAMS = "teams"
    BIGBLUEBUTTON = "bigbluebutton"


SOURCE_NAMES: dict[ReportSource, str] = {
    ReportSource.ZOOM: "Zoom",
    ReportSource.TEAMS: "Microsoft Teams",
    ReportSource.BIGBLUEBUTTON: "BigBlueButton",
}


class ReportRefused(DomainError):
    """The file is no report we can read, or not one about this session."""


class ZoneWanted(ReportRefused):
    """The report shows hours without saying in which time zone."""


@dataclass(frozen=True, kw_only=True)
class ReportedVisit:
    """Somebody joined and left, as the report says. Instants in UTC; it lasts some time."""

    row: int
    """Of the file, from 1: the line of a table, the entry of a list."""
    name: str
    joined_at: datetime
    left_at: datetime
    email: str = ""
    """Case-folded."""
    remote_id: str = ""
    """By which the program knows the person, if it says so."""
    meeting: str = ""
    """Which run of the meeting, if it says so: one that was restarted has several."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report as read: the visits that can be used, and why others cannot."""

    source: ReportSource
    rows: int
    visits: tuple[ReportedVisit, ...]
    problems: tuple[str, ...]
    """Sentences for a person, each about a row or about the whole."""
