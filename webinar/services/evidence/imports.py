"""Join and leave reports of other programs: taken in once, reviewed, withdrawn, brought back."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from webinar.db import DbSession
from webinar.domain.attendance_report import Report, ReportRefused
from webinar.domain.errors import Conflict, NotFound
from webinar.domain.session import SessionStatus
from webinar.domain.wording import local_moment
from webinar.models import AttendanceImport, ImportedVisit, WebinarSession
from webinar.services import audit, redeciding
from webinar.services.evidence import chain, import_digests
from webinar.services.evidence.matching import Known

NEAR = timedelta(hours=12)
"""A report nobody of which was there so close to the session is about another one."""
LONGEST_FILENAME = 200


class SameFile(Conflict):
    """The file was imported before: `import_id` says as which."""

    def __init__(self, message: str, import_id: int) -> None:
        super().__init__(message)
        self.import_id = import_id


def take_in(
    db: DbSession,
    session_id: int,
    report: Report,
    *,
    filename: str,
    digest: str,
    actor_id: int,
    now: datetime,
) -> AttendanceImport:
    """Keep what a report says; who is known for certain is credited, the others wait for review.

    `digest`: SHA-256 of the file. Raises SameFile, ReportRefused. Files may overlap: what counts
    is the union of all visits.
    """
    session = db.get_one(WebinarSession, session_id)
    _ensure_about(session, report)
    file = AttendanceImport(
        session_id=session_id,
        source=report.source.value,
        filename=filename[-LONGEST_FILENAME:],
        digest=digest,
        rows=report.rows,
        problems=list(report.problems),
        made_by_id=actor_id,
        made_at=now,
    )
    try:
        with db.begin_nested():
            db.add(file)
    except IntegrityError:
        raise _same(db, session, digest) from None
    known = Known(db, session_id, report.source, report.visits, brought_by=actor_id)
    matches = [(visit, known.match(visit)) for visit in report.visits]
    db.add_all(
        ImportedVisit(
            import_id=file.id,
            row=visit.row,
            meeting=visit.meeting,
            name=visit.name,
            email=visit.email,
            remote_id=visit.remote_id,
            joined_at=visit.joined_at,
            left_at=visit.left_at,
            user_id=match.user_id,
            matched_by=match.matched_by,
        )
        for visit, match in matches
    )
    settle(db, file, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="attendance report imported",
        subject=f"session {session.public_id}",
        after={
            "import": file.id,
            "source": report.source,
            "file": file.filename,
            "digest": digest,
            "visits": len(matches),
            "known": sum(match.user_id is not None for _, match in matches),
        },
        now=now,
    )
    return file


def of_session(db: DbSession, session_id: int) -> list[AttendanceImport]:
    """The session's imports, the latest first."""
    return list(
        db.scalars(
            select(AttendanceImport)
            .where(AttendanceImport.session_id == session_id)
            .order_by(AttendanceImport.id.desc())
        )
    )


def by_id(db: DbSession, session_id: int, import_id: int) -> AttendanceImport:
    """An import of this session; raises NotFound."""
    file = db.get(AttendanceImport, import_id)
    if file is None or file.session_id != session_id:
        raise NotFound("There is no such import for this session.")
    return file


def locked(db: DbSession, session_id: int, import_id: int) -> AttendanceImport:
    """The import, nobody else changing it; raises NotFound."""
    file = by_id(db, session_id, import_id)
    db.refresh(file, with_for_update=True)
    return file


def withdraw(
    db: DbSession, session_id: int, import_id: int, *, actor_id: int, reason: str, now: datetime
) -> AttendanceImport:
    """It stays, and counts no more. Raises Conflict without a reason."""
    file = locked(db, session_id, import_id)
    if not reason.strip():
        raise Conflict("Say why the report is withdrawn: the reason is kept with it.")
    if file.withdrawn_at is None:
        file.withdrawn_at = now
        _changed(db, file, "attendance report withdrawn", actor_id, reason=reason.strip(), now=now)
    return file


def restore(
    db: DbSession, session_id: int, import_id: int, *, actor_id: int, now: datetime
) -> AttendanceImport:
    """A withdrawn report counts again, with what was reviewed in it."""
    file = locked(db, session_id, import_id)
    if file.withdrawn_at is not None:
        file.withdrawn_at = None
        _changed(db, file, "attendance report brought back", actor_id, now=now)
    return file


def settle(db: DbSession, file: AttendanceImport, *, now: datetime) -> None:
    """The chain vouches for it as it stands, and the clock decides credit anew."""
    chain.append(db, file.session_id, [import_digests.link(db, file)], now=now)
    redeciding.mark_held(db, file.session_id, now=now)


def _changed(
    db: DbSession,
    file: AttendanceImport,
    action: str,
    actor_id: int,
    *,
    now: datetime,
    reason: str = "",
) -> None:
    settle(db, file, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"attendance import {file.id}",
        reason=reason,
        now=now,
    )


def _ensure_about(session: WebinarSession, report: Report) -> None:
    if session.status in (SessionStatus.DRAFT, SessionStatus.CANCELLED):
        raise Conflict("This session did not take place: there is no attendance to import.")
    if not report.visits:
        why = f" {report.problems[0]}" if report.problems else ""
        raise ReportRefused(f"Nobody in this report was there for a time that can be used.{why}")
    first, last = session.starts_at - NEAR, session.ends_at + NEAR
    if not any(one.joined_at < last and one.left_at > first for one in report.visits):
        found = min(one.joined_at for one in report.visits)
        raise ReportRefused(
            f"This report begins {local_moment(found, session.zone)}: it is about another "
            "session, or its hours are in another time zone."
        )


def _same(db: DbSession, session: WebinarSession, digest: str) -> SameFile:
    before = db.scalars(
        select(AttendanceImport).where(
            AttendanceImport.session_id == session.id, AttendanceImport.digest == digest
        )
    ).one()
    said = f"This very file was imported on {local_moment(before.made_at, session.zone)}"
    if before.withdrawn_at is not None:
        return SameFile(f"{said} and withdrawn. Bring it back instead.", before.id)
    return SameFile(f"{said}. Nothing was changed.", before.id)
