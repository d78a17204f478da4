"""What a case rests on beside beats: visits, outages, corrections, checks, minutes presented."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.counting import without
from webinar.domain.credit import GrantStatus
from webinar.domain.review import CorrectionKind, CorrectionState
from webinar.domain.span import Span, union
from webinar.models import (
    CreditCorrection,
    CreditDecision,
    FacultyMember,
    Incident,
    ViewingPass,
    WatchSegment,
    WebinarSession,
)
from webinar.services.evidence import checks, visits
from webinar.services.grants import Offer


@dataclass(frozen=True)
class Corrected:
    """What approved corrections come to for one person in one mode; the later one holds."""

    added: tuple[Span[int], ...] = ()
    removed: tuple[Span[int], ...] = ()
    checks_waived: bool = False
    papers_until: datetime | None = None


@dataclass(frozen=True)
class Presented:
    """What a person presented in a session, as confirmed."""

    minutes: int
    is_repeat: bool


@dataclass(frozen=True)
class Grounds:
    """All of a session's, for some people."""

    visits: dict[int, tuple[Span[float], ...]] = field(default_factory=dict)
    outages: tuple[Span[int], ...] = ()
    """In Unix seconds."""
    corrected: dict[tuple[int, ViewingMode], Corrected] = field(default_factory=dict)
    presented: dict[int, Presented] = field(default_factory=dict)
    faculty_bodies: frozenset[int] = frozenset()
    """Accreditors that give faculty credit for this session."""
    checks: dict[ViewingMode, dict[int, tuple[int, int]]] = field(default_factory=dict)
    """By mode and person: how many attention checks were put, and how many answered."""

    def speak_for(self, user_id: int, mode: ViewingMode) -> bool:
        """True if there is something to decide upon without a single beat."""
        if mode is ViewingMode.FACULTY:
            return user_id in self.presented
        if mode is ViewingMode.LIVE and user_id in self.visits:
            return True
        return bool(self.corrected.get((user_id, mode), Corrected()).added)


def grounds_of(
    db: DbSession, session: WebinarSession, offers: Sequence[Offer], user_ids: Sequence[int]
) -> Grounds:
    """For these people, in a fixed number of queries."""
    asking = {
        offer.grant.mode
        for offer in offers
        if offer.rules.min_checks_answered or offer.rules.min_checks_ratio
    }
    return Grounds(
        visits=visits.spans(db, session, user_ids=user_ids),
        outages=tuple(outage_spans(standing_incidents(db, session.id))),
        corrected=_corrected(db, session.id, user_ids),
        presented=_presented(db, session.id, user_ids),
        faculty_bodies=frozenset(
            offer.grant.accreditor_id
            for offer in offers
            if offer.grant.mode is ViewingMode.FACULTY
            if offer.grant.status is GrantStatus.GRANTED
        ),
        checks={mode: checks.of_people(db, session.id, user_ids, mode) for mode in asking},
    )


def standing_incidents(db: DbSession, session_id: int) -> list[Incident]:
    """The declared outages that were not withdrawn, in the order in which they began."""
    return list(
        db.scalars(
            select(Incident)
            .where(Incident.session_id == session_id, Incident.withdrawn_at.is_(None))
            .order_by(Incident.starts_at, Incident.id)
        )
    )


def outage_spans(incidents: Sequence[Incident]) -> list[Span[int]]:
    """The ground they cover, in Unix seconds."""
    return union(
        Span(int(incident.starts_at.timestamp()), int(incident.ends_at.timestamp()))
        for incident in incidents
    )


def people(db: DbSession, session_id: int) -> set[int]:
    """Everybody with evidence of whatever kind, or with a decision."""
    watched = (
        select(ViewingPass.user_id)
        .join(WatchSegment, WatchSegment.pass_id == ViewingPass.id)
        .where(ViewingPass.session_id == session_id)
        .distinct()
    )
    decided = select(CreditDecision.user_id).where(CreditDecision.session_id == session_id)
    corrected = select(CreditCorrection.user_id).where(
        CreditCorrection.session_id == session_id,
        CreditCorrection.state == CorrectionState.APPROVED,
    )
    found = set(db.scalars(watched)) | set(db.scalars(decided.distinct()))
    found |= set(db.scalars(corrected.distinct()))
    found |= {
        user_id
        for user_id in db.scalars(
            select(FacultyMember.user_id).where(
                FacultyMember.session_id == session_id,
                FacultyMember.presented_minutes > 0,
            )
        )
        if user_id is not None
    }
    return found | visits.people(db, session_id)


def _corrected(
    db: DbSession, session_id: int, user_ids: Sequence[int]
) -> dict[tuple[int, ViewingMode], Corrected]:
    found: dict[tuple[int, ViewingMode], Corrected] = {}
    for correction in db.scalars(
        select(CreditCorrection)
        .where(
            CreditCorrection.session_id == session_id,
            CreditCorrection.user_id.in_(user_ids),
            CreditCorrection.state == CorrectionState.APPROVED,
        )
        .order_by(CreditCorrection.decided_at, CreditCorrection.id)
    ):
        whose = (correction.user_id, correction.mode)
        found[whose] = put_right(found.get(whose, Corrected()), correction)
    return found


def put_right(before: Corrected, correction: CreditCorrection) -> Corrected:
    """What it comes to with one more correction, whatever the state of that one."""
    added, removed = list(before.added), list(before.removed)
    waived, until = before.checks_waived, before.papers_until
    match correction.kind:
        case CorrectionKind.ADD_PRESENCE:
            span = span_of(correction)
            added, removed = union([*added, span]), without(removed, [span])
        case CorrectionKind.REMOVE_PRESENCE:
            span = span_of(correction)
            added, removed = without(added, [span]), union([*removed, span])
        case CorrectionKind.WAIVE_CHECKS:
            waived = True
        case CorrectionKind.MORE_TIME:
            until = correction.until
    return Corrected(tuple(added), tuple(removed), waived, until)


def span_of(correction: CreditCorrection) -> Span[int]:
    """The stretch a correction of presence is about; ValueError for another kind."""
    if correction.from_second is None or correction.to_second is None:
        raise ValueError(f"correction {correction.id} is not about a stretch")
    return Span(correction.from_second, correction.to_second)


def _presented(db: DbSession, session_id: int, user_ids: Sequence[int]) -> dict[int, Presented]:
    """Several parts of one person add up; a talk given before adds nothing to one that is new."""
    parts: dict[int, list[Presented]] = {}
    for user_id, minutes, is_repeat in db.execute(
        select(FacultyMember.user_id, FacultyMember.presented_minutes, FacultyMember.is_repeat)
        .where(
            FacultyMember.session_id == session_id,
            FacultyMember.user_id.in_(user_ids),
            FacultyMember.presented_minutes > 0,
        )
        .order_by(FacultyMember.id)
    ):
        if user_id is not None and minutes is not None:
            parts.setdefault(user_id, []).append(Presented(minutes, is_repeat))
    found = {}
    for user_id, own in parts.items():
        counted = [part for part in own if not part.is_repeat] or own
        minutes = sum(part.minutes for part in counted)
        found[user_id] = Presented(minutes, all(part.is_repeat for part in own))
    return found
