"""What an officer's desk holds, for the session that the participant attended."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from tests.conftest import SECRET
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.attendance_report import Report, ReportedVisit, ReportSource
from webinar.domain.review import CorrectionKind
from webinar.domain.span import Span
from webinar.models import ImportedVisit, User, WebinarSession
from webinar.services import auditor_doors, auditor_views
from webinar.services.evidence import corrections, imports, incidents
from webinar.services.evidence.corrections import Change


@dataclass(frozen=True)
class Desk:
    """What can stand in an address."""

    report: str
    """An attendance report that was imported; `visit` is a line of it nobody is known for."""
    visit: str
    correction: str
    door: str
    pseudonym: str


def make_desk(
    db: DbSession, session: WebinarSession, *, officer: User, participant: User, now: datetime
) -> Desk:
    """A report with a stranger, an outage, a correction that waits, a door for an auditor."""
    taken = imports.take_in(
        db,
        session.id,
        _report(session),
        filename="report.csv",
        digest="a" * 64,
        actor_id=officer.id,
        now=now,
    )
    visit = db.scalars(select(ImportedVisit.id).where(ImportedVisit.import_id == taken.id)).one()
    outage = Span(session.starts_at, session.starts_at + timedelta(minutes=2))
    incidents.declare(db, session, outage, what="The line was down.", actor_id=officer.id, now=now)
    start = int(session.starts_at.timestamp())
    correction = corrections.propose(
        db,
        session,
        participant.id,
        Change(
            kind=CorrectionKind.ADD_PRESENCE, mode=ViewingMode.LIVE, span=Span(start, start + 300)
        ),
        reason="Her colleague's mail.",
        actor_id=officer.id,
        now=now,
    )
    door, token = auditor_doors.make(
        db, session.society_id, [session.id], label="EACCME", days=14, actor_id=officer.id, now=now
    )
    people = auditor_views.people_of(db, door, session, secret=SECRET.encode(), limit=1, offset=0)
    return Desk(
        report=str(taken.id),
        visit=str(visit),
        correction=str(correction.id),
        door=token,
        pseudonym=people[0].pseudonym,
    )


def _report(session: WebinarSession) -> Report:
    visit = ReportedVisit(
        row=1, name="Dr Anna K.", joined_at=session.starts_at, left_at=session.ends_at
    )
    return Report(source=ReportSource.ZOOM, rows=1, visits=(visit,), problems=())
