"""What saving would do, said before it is done: to which sessions, and who is told."""

from dataclasses import dataclass
from datetime import datetime

from webinar.domain.session_details import SessionDetails, instants_of
from webinar.domain.wording import local_date, local_time_range, plural, zone_abbreviation
from webinar.models import WebinarSession
from webinar.services.session_facts import details_of
from webinar.web.manage.session_told import Told, moving

FIELD_WORDS = {
    "title": "title",
    "abstract": "abstract",
    "objectives": "learning objectives",
    "language": "language",
    "level": "level",
    "topics": "topics",
    "audience": "made for",
    "faculty": "faculty",
}
TIME_FIELDS = {"starts_at", "ends_at", "zone"}


@dataclass(frozen=True)
class Line:
    """One session that changes; `moved_to` is "" if it keeps its time."""

    session: WebinarSession
    fields: str
    moved_from: str
    moved_to: str


@dataclass(frozen=True)
class Plan:
    """Everything a save would do."""

    lines: tuple[Line, ...]
    kept: int
    told: Told

    @property
    def must_be_confirmed(self) -> bool:
        """True if it reaches people or other sessions."""
        return self.told.people > 0 or len(self.lines) > 1


def plan_of(session: WebinarSession, details: SessionDetails, scope: str) -> Plan:
    """Raises the refusals of an edit that can be known before it."""
    span = instants_of(details.starts, details.ends, details.zone, present=session.span)
    present = details_of(session)
    fields = [name for name in FIELD_WORDS if getattr(present, name) != getattr(details, name)]
    moves = (span, details.zone) != (session.span, session.zone)
    lines = []
    if fields or moves:
        lines.append(_line(session, fields, span.start, span.end, details.zone))
    return Plan(tuple(lines), 0, moving(session, span.start))


def saved_words(told: int, sessions: int = 1) -> str:
    """What is said once it is done."""
    what = "Saved." if sessions == 1 else f"{plural(sessions, 'session')} saved."
    return f"{what} {plural(told, 'person is', 'people are')} told by mail." if told else what


def time_words(starts_at: datetime, ends_at: datetime, zone: str) -> str:
    """`Thu 26 Nov 2026, 18:15–19:00 CET`."""
    hours = local_time_range(starts_at, ends_at, zone)
    return f"{local_date(starts_at, zone)}, {hours} {zone_abbreviation(starts_at, zone)}"


def _line(
    session: WebinarSession, fields: list[str], starts_at: datetime, ends_at: datetime, zone: str
) -> Line:
    before = time_words(session.starts_at, session.ends_at, session.zone)
    after = time_words(starts_at, ends_at, zone)
    words = ", ".join(FIELD_WORDS[name] for name in fields if name in FIELD_WORDS)
    return Line(session, words, before, after if after != before else "")
