"""What stands behind an auditor's door: sessions, figures, and people under pseudonyms."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.credit import Decision, Reason, decide
from webinar.domain.errors import NotFound
from webinar.domain.evidence_picture import EvidencePicture
from webinar.domain.pseudonym import key_of, pseudonym
from webinar.domain.replay import facts_of
from webinar.domain.review import CorrectionState
from webinar.models import (
    AuditorDoor,
    Certificate,
    CreditCorrection,
    CreditDecision,
    EvidenceChain,
    Incident,
    Registration,
    WebinarSession,
)
from webinar.services import auditor_doors
from webinar.services.evidence import chain, grounds, pictures, verifying
from webinar.services.grants import Offer, offers_of, rules_of

PERSON = re.compile(r"\bperson (\d+)")
# A certificate's number leads to a name, and what a database complains of may hold whole rows.
NUMBER = re.compile(r"\bWCS(?:-[0-9A-Z]{4})+")
COMPLAINT = re.compile(r"(cannot be (?:read|decided again)) \(.*\)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A session in numbers."""

    registered: int
    decided: int
    """People with a decision."""
    by_grant: Mapping[int, Mapping[Reason, int]]
    corrections: int
    certificates: int
    revoked: int


@dataclass(frozen=True, kw_only=True)
class AuditedSession:
    """A session behind the door."""

    session: WebinarSession
    offers: Sequence[Offer]
    figures: Figures
    incidents: Sequence[Incident]
    chain: EvidenceChain | None


@dataclass(frozen=True, kw_only=True)
class AuditedPerson:
    """A person of a session: `name` is "" unless the lot fell on them."""

    pseudonym: str
    name: str
    decisions: Sequence[CreditDecision]


@dataclass(frozen=True, kw_only=True)
class AuditedDecision:
    """A decision with what it was made from, and what comes out of that today."""

    decision: CreditDecision
    picture: EvidencePicture | None
    again: Decision | None
    """None for both if the facts stored beside it cannot be read any more."""

    @property
    def is_same(self) -> bool:
        """True if it comes out as it is stored."""
        again, stored = self.again, self.decision
        return again is not None and (again.credit, again.reason) == (stored.credit, stored.reason)


def sessions_of(db: DbSession, door: AuditorDoor) -> Sequence[WebinarSession]:
    """The door's sessions, the last one held first."""
    return db.scalars(
        select(WebinarSession)
        .where(WebinarSession.id.in_(door.session_ids))
        .order_by(WebinarSession.starts_at.desc(), WebinarSession.id)
    ).all()


def session_of(db: DbSession, door: AuditorDoor, public_id: str) -> WebinarSession:
    """One of the door's sessions; raises NotFound for every other."""
    session = db.scalar(select(WebinarSession).where(WebinarSession.public_id == public_id))
    if session is None or session.id not in door.session_ids:
        raise NotFound("There is no such session behind this door.")
    return session


def audited(db: DbSession, session: WebinarSession) -> AuditedSession:
    """The session with its figures."""
    by_grant: dict[int, dict[Reason, int]] = {}
    for grant_id, reason, count in db.execute(
        select(CreditDecision.grant_id, CreditDecision.reason, func.count())
        .where(CreditDecision.session_id == session.id, CreditDecision.is_latest)
        .group_by(CreditDecision.grant_id, CreditDecision.reason)
    ):
        by_grant.setdefault(grant_id, {})[reason] = count
    issued, revoked = db.execute(
        select(func.count(Certificate.id), func.count(Certificate.revoked_at)).where(
            Certificate.session_id == session.id
        )
    ).one()
    figures = Figures(
        registered=db.scalars(
            select(func.count(Registration.id)).where(
                Registration.session_id == session.id, Registration.cancelled_at.is_(None)
            )
        ).one(),
        decided=len(_decided(db, session.id)),
        by_grant=by_grant,
        corrections=db.scalars(
            select(func.count(CreditCorrection.id)).where(
                CreditCorrection.session_id == session.id,
                CreditCorrection.state == CorrectionState.APPROVED,
            )
        ).one(),
        certificates=issued,
        revoked=revoked,
    )
    return AuditedSession(
        session=session,
        offers=offers_of(db, session.id),
        figures=figures,
        incidents=grounds.standing_incidents(db, session.id),
        chain=chain.head_of(db, session.id),
    )


def people_of(
    db: DbSession,
    door: AuditorDoor,
    session: WebinarSession,
    *,
    secret: bytes,
    limit: int,
    offset: int = 0,
) -> list[AuditedPerson]:
    """The people of a session by pseudonym, so that their order says nothing."""
    called = _called(db, door, session.id, secret=secret)
    some = sorted(called, key=lambda user_id: called[user_id])[offset : offset + limit]
    names = auditor_doors.names_of(db, door)
    decisions: dict[int, list[CreditDecision]] = {}
    for decision in db.scalars(
        select(CreditDecision)
        .where(
            CreditDecision.session_id == session.id,
            CreditDecision.user_id.in_(some),
            CreditDecision.is_latest,
        )
        .order_by(CreditDecision.grant_id)
    ):
        decisions.setdefault(decision.user_id, []).append(decision)
    return [
        AuditedPerson(
            pseudonym=called[user_id],
            name=names.get((session.id, user_id), ""),
            decisions=decisions.get(user_id, []),
        )
        for user_id in some
    ]


def sample_of(
    db: DbSession, door: AuditorDoor, sessions: Sequence[WebinarSession], *, secret: bytes
) -> list[tuple[WebinarSession, AuditedPerson]]:
    """The people the lot fell on, each in the session it fell in; without their decisions."""
    key, by_id = _key(door, secret), {session.id: session for session in sessions}
    names = auditor_doors.names_of(db, door)
    return [
        (
            by_id[session_id],
            AuditedPerson(pseudonym=pseudonym(key, user_id), name=name, decisions=()),
        )
        for (session_id, user_id), name in sorted(names.items())
        if session_id in by_id
    ]


def person_of(
    db: DbSession, door: AuditorDoor, session: WebinarSession, name: str, *, secret: bytes
) -> tuple[int, AuditedPerson]:
    """Who has this pseudonym in the session, with their id; raises NotFound."""
    called = _called(db, door, session.id, secret=secret)
    found = [user_id for user_id, other in called.items() if other == name]
    if not found:
        raise NotFound("Nobody behind this door has that pseudonym.")
    decisions = db.scalars(
        select(CreditDecision)
        .where(
            CreditDecision.session_id == session.id,
            CreditDecision.user_id == found[0],
            CreditDecision.is_latest,
        )
        .order_by(CreditDecision.grant_id)
    ).all()
    shown = auditor_doors.names_of(db, door).get((session.id, found[0]), "")
    return found[0], AuditedPerson(pseudonym=name, name=shown, decisions=decisions)


def decided_again(decision: CreditDecision) -> AuditedDecision:
    """A decision, made once more from the facts stored beside it."""
    try:
        again = decide(rules_of(decision.policy), facts_of(decision.inputs))
        picture = pictures.of_decision(decision)
    except ValueError:
        return AuditedDecision(decision=decision, picture=None, again=None)
    return AuditedDecision(decision=decision, picture=picture, again=again)


def certificates_of(db: DbSession, session_id: int, user_id: int) -> Sequence[Certificate]:
    """What was issued to the person, the newest first. Its number leads to the name."""
    return db.scalars(
        select(Certificate)
        .where(Certificate.session_id == session_id, Certificate.user_id == user_id)
        .order_by(Certificate.revision.desc())
    ).all()


def corrections_of(db: DbSession, session_id: int, user_id: int) -> Sequence[CreditCorrection]:
    """What was put right for the person; the words people wrote stay with the organisers."""
    return db.scalars(
        select(CreditCorrection)
        .where(
            CreditCorrection.session_id == session_id,
            CreditCorrection.user_id == user_id,
            CreditCorrection.state == CorrectionState.APPROVED,
        )
        .order_by(CreditCorrection.id)
    ).all()


def verified(
    db: DbSession, door: AuditorDoor, session: WebinarSession, *, secret: bytes
) -> tuple[int, list[str]]:
    """How many decisions there are, and all that is wrong with the evidence, in sentences."""
    key = _key(door, secret)
    count = db.scalars(
        select(func.count(CreditDecision.id)).where(CreditDecision.session_id == session.id)
    ).one()
    return count, [
        PERSON.sub(
            lambda found: f"participant {pseudonym(key, int(found[1]))}",
            COMPLAINT.sub(r"\1", NUMBER.sub("of a participant", finding.words)),
        )
        for finding in verifying.verify(db, session.id)
    ]


def _called(db: DbSession, door: AuditorDoor, session_id: int, *, secret: bytes) -> dict[int, str]:
    key = _key(door, secret)
    return {user_id: pseudonym(key, user_id) for user_id in _decided(db, session_id)}


def _decided(db: DbSession, session_id: int) -> Sequence[int]:
    return db.scalars(
        select(CreditDecision.user_id)
        .where(CreditDecision.session_id == session_id, CreditDecision.is_latest)
        .distinct()
    ).all()


def _key(door: AuditorDoor, secret: bytes) -> bytes:
    return key_of(secret, f"auditor door {door.id}")
