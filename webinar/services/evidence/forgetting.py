"""Raw evidence whose years are over goes; what was decided from it stays, and so does the chain.

First a link says what may be gone from then on, then the rows go, some at a time. Whatever is
interrupted goes on from what the link says.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select

from webinar.db import DbSession
from webinar.domain.evidence_chain import (
    FORGETTABLE,
    GENESIS,
    LinkKind,
    NewLink,
    digest_of_forgetting,
)
from webinar.models import (
    AccreditationGrant,
    AttendanceImport,
    AttendanceSummary,
    AttentionCheck,
    Certificate,
    CreditDecision,
    EvaluationGiven,
    EvidenceChain,
    EvidenceLink,
    ExternalRoom,
    ImportedVisit,
    RegistryExport,
    RoomGuest,
    RoomVisit,
    TestAttempt,
    TestPaper,
    ViewingPass,
    WatchSegment,
    WebinarSession,
)
from webinar.services import audit
from webinar.services.evidence import chain, digests

FORGOTTEN = "evidence forgotten"
"""The action in the audit trail that keeps where a chain stood when its evidence was let go."""
DATED = (*(kind for kind in FORGETTABLE if kind is not LinkKind.IMPORT), LinkKind.CLOSED)
"""Links that say when evidence came. An import is vouched for anew when a name in it is erased."""


@dataclass(frozen=True)
class Plan:
    """What a link that forgets will say, and where the chain ended when that was read."""

    length: int
    head: str
    stays: tuple[NewLink, ...]
    covered: tuple[tuple[LinkKind, str, str], ...]


def due(db: DbSession, *, older_than: datetime) -> list[int]:
    """Sessions with raw evidence all of which is older, the oldest first."""
    ended_at = func.coalesce(WebinarSession.actual_ended_at, WebinarSession.ends_at)
    young_link = select(EvidenceLink.number).where(
        EvidenceLink.session_id == WebinarSession.id,
        EvidenceLink.kind.in_(DATED),
        EvidenceLink.at > older_than,
    )
    young_pass = select(ViewingPass.id).where(
        ViewingPass.session_id == WebinarSession.id, ViewingPass.expires_at > older_than
    )
    rooms = select(ExternalRoom.id).where(ExternalRoom.session_id == WebinarSession.id)
    holds = or_(
        *(
            select(table.session_id).where(table.session_id == WebinarSession.id).exists()
            for table in (
                ViewingPass,
                AttentionCheck,
                TestAttempt,
                TestPaper,
                AttendanceImport,
                AttendanceSummary,
                EvaluationGiven,
            )
        ),
        select(RoomGuest.id).where(RoomGuest.room_id.in_(rooms)).exists(),
        select(RoomVisit.id).where(RoomVisit.room_id.in_(rooms)).exists(),
    )
    return list(
        db.scalars(
            select(WebinarSession.id)
            .where(ended_at <= older_than, holds, ~young_link.exists(), ~young_pass.exists())
            .order_by(ended_at, WebinarSession.id)
        )
    )


def is_forgotten(db: DbSession, session_id: int) -> bool:
    """True once the chain says that raw evidence may be gone: nothing can be decided anew."""
    return (
        db.scalar(
            select(EvidenceLink.number)
            .where(EvidenceLink.kind == LinkKind.FORGOTTEN, EvidenceLink.subject == str(session_id))
            .limit(1)
        )
        is not None
    )


def lets_go(db: DbSession, file: AttendanceImport) -> bool:
    """True if the chain says that this report may be gone. Hold the chain before you ask."""
    last_said = (
        select(func.max(EvidenceLink.number))
        .where(EvidenceLink.session_id == file.session_id, EvidenceLink.kind == LinkKind.FORGOTTEN)
        .scalar_subquery()
    )
    vouched_since = select(EvidenceLink.number).where(
        EvidenceLink.session_id == file.session_id,
        EvidenceLink.kind == LinkKind.IMPORT,
        EvidenceLink.subject == str(file.id),
        EvidenceLink.number > last_said,
    )
    return is_forgotten(db, file.session_id) and db.scalar(vouched_since.limit(1)) is None


def forget_import(db: DbSession, file: AttendanceImport) -> None:
    """Delete a report that the chain lets go, with its visits."""
    db.execute(delete(ImportedVisit).where(ImportedVisit.import_id == file.id))
    db.execute(delete(AttendanceImport).where(AttendanceImport.id == file.id))


def plan(db: DbSession, session_id: int) -> Plan:
    """What is to be said, read beforehand: of thousands it takes seconds, in which others write.

    Decisions and certificates that nothing vouched for so far are vouched for first: afterwards
    nothing else could tell whether they were changed.
    """
    ends = chain.head_of(db, session_id)
    length, head = (0, GENESIS) if ends is None else (ends.length, ends.head)
    return Plan(length, head, tuple(_unvouched(db, session_id)), tuple(_covered(db, session_id)))


def begin(
    db: DbSession, session_id: int, planned: Plan, *, older_than: datetime, now: datetime
) -> bool:
    """Say in the chain, and in the audit trail, what may be gone from here on. Twice is once.

    False if the chain has grown since it was planned: plan again.
    """
    ends = db.get(EvidenceChain, session_id, with_for_update=True, populate_existing=True)
    length, head = (0, GENESIS) if ends is None else (ends.length, ends.head)
    if (length, head) != (planned.length, planned.head):
        return False
    if not planned.covered and is_forgotten(db, session_id):
        return True
    digest = digest_of_forgetting(session_id, planned.covered)
    told = NewLink(LinkKind.FORGOTTEN, str(session_id), digest)
    chain.append(db, session_id, [*planned.stays, told], now=now)
    after = db.get_one(EvidenceChain, session_id)
    counts = Counter(kind.value for kind, _, _ in planned.covered)
    audit.write(
        db,
        actor_id=None,
        action=FORGOTTEN,
        subject=f"session {session_id}",
        after={
            "length": after.length,
            "head": after.head,
            "older_than": older_than.isoformat(),
            "rows": {kind.value: counts[kind.value] for kind in FORGETTABLE},
        },
        now=now,
    )
    return True


def forget_some(db: DbSession, session_id: int, *, most: int) -> int:
    """Delete at most so many passes, checks or papers of the session; 0 when nothing is left.

    `begin` has to have been committed before.
    """
    passes = db.scalars(
        select(ViewingPass.id).where(ViewingPass.session_id == session_id).limit(most)
    ).all()
    if passes:
        db.execute(delete(WatchSegment).where(WatchSegment.pass_id.in_(passes)))
        db.execute(delete(ViewingPass).where(ViewingPass.id.in_(passes)))
        return len(passes)
    for table in (AttentionCheck, TestAttempt, TestPaper):
        some = db.scalars(select(table.id).where(table.session_id == session_id).limit(most)).all()
        if some:
            db.execute(delete(table).where(table.id.in_(some)))
            return len(some)
    return _forget_lists(db, session_id)


def _forget_lists(db: DbSession, session_id: int) -> int:
    """What there is once a person at most: few rows, and several tables that hang together."""
    rooms = select(ExternalRoom.id).where(ExternalRoom.session_id == session_id)
    imports = select(AttendanceImport.id).where(AttendanceImport.session_id == session_id)
    grants = select(AccreditationGrant.id).where(AccreditationGrant.session_id == session_id)
    gone = 0
    for statement in (
        delete(RoomVisit).where(RoomVisit.room_id.in_(rooms)),
        delete(RoomGuest).where(RoomGuest.room_id.in_(rooms)),
        delete(ImportedVisit).where(ImportedVisit.import_id.in_(imports)),
        delete(AttendanceImport).where(AttendanceImport.session_id == session_id),
        delete(AttendanceSummary).where(AttendanceSummary.session_id == session_id),
        delete(EvaluationGiven).where(EvaluationGiven.session_id == session_id),
        delete(RegistryExport).where(RegistryExport.grant_id.in_(grants)),
    ):
        gone += db.execute(statement.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
    return gone


def _covered(db: DbSession, session_id: int) -> list[tuple[LinkKind, str, str]]:
    """The last link of every row of the raw evidence that no earlier forgetting covers."""
    covered: dict[tuple[LinkKind, str], str] = {}
    links = db.execute(
        select(EvidenceLink.kind, EvidenceLink.subject, EvidenceLink.digest)
        .where(EvidenceLink.session_id == session_id)
        .order_by(EvidenceLink.number)
    )
    for kind, subject, digest in links:
        if kind is LinkKind.FORGOTTEN:
            covered.clear()
        elif kind in FORGETTABLE:
            covered[kind, subject] = digest
    return [(kind, subject, digest) for (kind, subject), digest in covered.items()]


def _unvouched(db: DbSession, session_id: int) -> list[NewLink]:
    vouched = _subjects(db, session_id, LinkKind.DECISION)
    decisions = db.scalars(
        select(CreditDecision)
        .where(CreditDecision.session_id == session_id)
        .order_by(CreditDecision.id)
    ).all()
    certified = _subjects(db, session_id, LinkKind.CERTIFICATE)
    certificates = db.scalars(
        select(Certificate.id).where(Certificate.session_id == session_id).order_by(Certificate.id)
    ).all()
    found = [
        NewLink(LinkKind.DECISION, str(one.id), digests.of_decision(one))
        for one in decisions
        if str(one.id) not in vouched
    ]
    for certificate_id in certificates:
        subject = str(certificate_id)
        digest = digests.DIGESTS[LinkKind.CERTIFICATE](db, subject)
        if subject not in certified and digest is not None:
            found.append(NewLink(LinkKind.CERTIFICATE, subject, digest))
    return found


def _subjects(db: DbSession, session_id: int, kind: LinkKind) -> frozenset[str]:
    return frozenset(
        db.scalars(
            select(EvidenceLink.subject).where(
                EvidenceLink.session_id == session_id, EvidenceLink.kind == kind
            )
        )
    )
