"""What decisions rest on beside beats, row by row, as one digest each: see `Decision` links."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.evidence_chain import digest_of
from webinar.domain.review import CorrectionState
from webinar.models import (
    AttendanceImport,
    AuditEvent,
    CreditCorrection,
    ExternalRoom,
    FacultyMember,
    ImportedVisit,
    Incident,
    RoomGuest,
    RoomVisit,
)
from webinar.services.evidence import digests
from webinar.services.evidence.case_digests import of_correction, of_incident

CONFIRMED = "presenting confirmed"
"""What the audit trail calls it when an officer says how long somebody presented."""

Whose = tuple[int, ViewingMode]


@dataclass
class Supports:
    """By person and mode: (row, digest) of what counts now, and when anything was said last."""

    rows: dict[Whose, list[tuple[str, str]]] = field(default_factory=dict)
    newest: dict[Whose, datetime] = field(default_factory=dict)

    def add(self, whose: Whose, row: str, digest: str) -> None:
        """Something counts."""
        self.rows.setdefault(whose, []).append((row, digest))

    def hear(self, whose: Whose, *instants: datetime | None) -> None:
        """Something was said, whether it counts or not."""
        said = [instant for instant in (*instants, self.newest.get(whose)) if instant is not None]
        if said:
            self.newest[whose] = max(said)


def supports_of(db: DbSession, session_id: int, user_ids: Sequence[int]) -> Supports:
    """Of these people, in a fixed number of queries."""
    found = Supports()
    if not user_ids:
        return found
    _room_visits(db, session_id, user_ids, found)
    _imported_visits(db, session_id, user_ids, found)
    for incident in db.scalars(select(Incident).where(Incident.session_id == session_id)):
        digest = of_incident(incident)
        for user_id in user_ids:
            whose = (user_id, ViewingMode.LIVE)
            found.hear(whose, incident.declared_at, incident.withdrawn_at)
            if incident.withdrawn_at is None:
                found.add(whose, f"incident {incident.id}", digest)
    for correction in db.scalars(
        select(CreditCorrection).where(
            CreditCorrection.session_id == session_id, CreditCorrection.user_id.in_(user_ids)
        )
    ):
        corrected = (correction.user_id, correction.mode)
        found.hear(corrected, correction.decided_at)
        if correction.state is CorrectionState.APPROVED:
            found.add(corrected, f"correction {correction.id}", of_correction(correction))
    _presented(db, session_id, user_ids, found)
    return found


def _room_visits(db: DbSession, session_id: int, user_ids: Sequence[int], found: Supports) -> None:
    whose = db.execute(
        select(RoomVisit.id, RoomGuest.user_id, RoomVisit.noted_at, RoomVisit.left_at)
        .join(RoomGuest, RoomGuest.id == RoomVisit.guest_id)
        .join(ExternalRoom, ExternalRoom.id == RoomVisit.room_id)
        .where(ExternalRoom.session_id == session_id, RoomGuest.user_id.in_(user_ids))
    ).all()
    if not whose:
        return
    stored = digests.stored_visits(db, session_id)
    for row in whose:
        found.add((row.user_id, ViewingMode.LIVE), f"visit {row.id}", stored[row.id])
        found.hear((row.user_id, ViewingMode.LIVE), row.noted_at, row.left_at)


def _imported_visits(
    db: DbSession, session_id: int, user_ids: Sequence[int], found: Supports
) -> None:
    for visit, file in db.execute(
        select(ImportedVisit, AttendanceImport)
        .join(AttendanceImport, AttendanceImport.id == ImportedVisit.import_id)
        .where(AttendanceImport.session_id == session_id, ImportedVisit.user_id.in_(user_ids))
    ):
        if visit.user_id is None:
            continue
        whose = (visit.user_id, ViewingMode.LIVE)
        found.hear(whose, file.made_at, file.withdrawn_at, visit.reviewed_at)
        if file.withdrawn_at is None:
            digest = digest_of(
                (
                    file.id,
                    file.digest,
                    visit.id,
                    visit.joined_at,
                    visit.left_at,
                    visit.user_id,
                    visit.matched_by,
                )
            )
            found.add(whose, f"imported visit {visit.id}", digest)


def _presented(db: DbSession, session_id: int, user_ids: Sequence[int], found: Supports) -> None:
    """Minutes have no date of their own: the audit trail knows when they were confirmed."""
    members = db.execute(
        select(
            FacultyMember.id,
            FacultyMember.user_id,
            FacultyMember.presented_minutes,
            FacultyMember.is_repeat,
        ).where(FacultyMember.session_id == session_id, FacultyMember.user_id.in_(user_ids))
    ).all()
    if not members:
        return
    confirmed_at = db.scalar(
        select(func.max(AuditEvent.at)).where(
            AuditEvent.action == CONFIRMED, AuditEvent.subject == f"session {session_id}"
        )
    )
    for member_id, user_id, minutes, is_repeat in members:
        if user_id is None:
            continue
        found.hear((user_id, ViewingMode.FACULTY), confirmed_at)
        if minutes:
            digest = digest_of((member_id, user_id, minutes, is_repeat))
            found.add((user_id, ViewingMode.FACULTY), f"presented {member_id}", digest)
