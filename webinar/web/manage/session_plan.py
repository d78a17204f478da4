"""What saving would do, said before it is done: to which sessions, and who is told."""

from dataclasses import dataclass
from datetime import datetime

from flask import g

from webinar.domain.session_details import SessionDetails, instants_of
from webinar.domain.wording import (
    local_date,
    local_time_range,
    plural,
    zone_abbreviation,
)
from webinar.models import WebinarSession
from webinar.services import session_lists, session_scope
from webinar.services.session_audience import Audience
from webinar.services.session_scope import CAN_BE_EDITED, Scope, ScopedEdit
from webinar.web.manage.session_told import sentence

# As details and as the audit trail name them; the hour is said apart.
FIELD_WORDS = {
    "title": "title",
    "abstract": "abstract",
    "objectives": "learning objectives",
    "topics": "topics",
    "language": "language",
    "level": "level",
    "audience": "made for",
    "faculty": "faculty",
}


@dataclass(frozen=True)
class Line:
    """One session that changes; `moved_to` is "" if it keeps its time."""

    session: WebinarSession
    fields: str
    moved_from: str
    moved_to: str


@dataclass(frozen=True)
class Plan:
    """Everything a save would do; `unchanged` counts sessions in reach that say it already."""

    lines: tuple[Line, ...]
    unchanged: int
    audience: Audience
    scope: Scope

    @property
    def sentence(self) -> str:
        """Who is told."""
        if not any(line.moved_to for line in self.lines):
            return "Nobody is told: no hour changes."
        return sentence(self.audience)

    @property
    def must_be_confirmed(self) -> bool:
        """True if it reaches people or other sessions."""
        return self.audience.told > 0 or len(self.lines) > 1 or self.scope is not Scope.ONE


@dataclass(frozen=True)
class Reach:
    """How many sessions each scope would reach, the session itself counted."""

    later: int
    all: int


def scope_named(text: str) -> Scope:
    """This session only, unless something else is asked for."""
    return Scope(text) if text in set(Scope) else Scope.ONE


def reach_of(session: WebinarSession) -> Reach | None:
    """None if there is nothing to choose: no series, nothing else to come, or it is over."""
    if session.status not in CAN_BE_EDITED:
        return None
    others = session_lists.others_to_come(g.db, session, now=g.now)
    if not others:
        return None
    later = sum(starts_at >= session.starts_at for starts_at in others)
    return Reach(later=later + 1, all=len(others) + 1)


def plan_of(session: WebinarSession, details: SessionDetails, scope: Scope) -> Plan:
    """Raises the refusals of an edit that can be known before it."""
    edits = session_scope.preview(g.db, session, details, scope, now=g.now)
    reach = reach_of(session)
    in_reach = 1
    if reach and scope is not Scope.ONE:
        in_reach = reach.all if scope is Scope.ALL else reach.later
    return Plan(
        lines=tuple(_line(edit) for edit in edits),
        unchanged=max(in_reach - len(edits), 0),
        audience=session_scope.audience_of(g.db, edits),
        scope=scope,
    )


def saved_words(told: int, sessions: int = 1, *, did: str = "Saved") -> str:
    """What is said once it is done."""
    what = f"{did}." if sessions == 1 else f"{plural(sessions, 'session')} saved."
    return f"{what} {plural(told, 'person is', 'people are')} told by mail." if told else what


def time_words(starts_at: datetime, ends_at: datetime, zone: str) -> str:
    """`Thu 26 Nov 2026, 18:15–19:00 CET`."""
    hours = local_time_range(starts_at, ends_at, zone)
    return f"{local_date(starts_at, zone)}, {hours} {zone_abbreviation(starts_at, zone)}"


def _line(edit: ScopedEdit) -> Line:
    session, details = edit.session, edit.details
    span = instants_of(details.starts, details.ends, details.zone, present=session.span)
    before = time_words(session.starts_at, session.ends_at, session.zone)
    after = time_words(span.start, span.end, details.zone)
    words = ", ".join(words for name, words in FIELD_WORDS.items() if name in edit.fields)
    return Line(session, words, before, after if after != before else "")
