"""What a link of the chain vouches for, as one number: SHA-256 over a stored row's columns.

Marks that change with the work stay out: `decided_until`, `frozen_at`, `is_latest`. They are held
against what they follow from instead.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby

from sqlalchemy import ColumnElement, select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.evidence_chain import LinkKind, digest_of
from webinar.domain.figures import plain_credit
from webinar.models import (
    AttentionCheck,
    Certificate,
    CertificatePaper,
    CreditDecision,
    ExternalRoom,
    RoomGuest,
    RoomVisit,
    TestAttempt,
    ViewingPass,
    WatchSegment,
)
from webinar.services.evidence import import_digests
from webinar.services.evidence.case_digests import stored_correction, stored_incident

SegmentColumns = tuple[int, int, int, int, datetime, datetime]
"""Number, from and to in milliseconds, seq, first and last time of the server."""


def of_viewing(
    pass_id: str,
    session_id: int,
    user_id: int,
    mode: ViewingMode,
    issued_at: datetime,
    expires_at: datetime,
    segments: Iterable[SegmentColumns],
) -> str:
    """Of a pass and its segments in the order of their numbers. Instants must be in UTC."""
    text = (
        f"{pass_id}|{session_id}|{user_id}|{mode.value}"
        f"|{issued_at.isoformat()}|{expires_at.isoformat()}"
    )
    for number, from_ms, to_ms, seq, first_at, last_at in segments:
        text += f"\n{number}|{from_ms}|{to_ms}|{seq}|{first_at.isoformat()}|{last_at.isoformat()}"
    return hashlib.sha256(text.encode()).hexdigest()


def stored_viewings(db: DbSession, pass_ids: Sequence[str]) -> dict[str, str]:
    """By pass, over the rows as they stand; whom there is no row of is not in it."""
    found = db.execute(
        select(
            WatchSegment.pass_id,
            WatchSegment.number,
            WatchSegment.from_ms,
            WatchSegment.to_ms,
            WatchSegment.seq,
            WatchSegment.first_at,
            WatchSegment.last_at,
        )
        .where(WatchSegment.pass_id.in_(pass_ids))
        .order_by(WatchSegment.pass_id, WatchSegment.number)
    )
    segments = {
        pass_id: [
            (row.number, row.from_ms, row.to_ms, row.seq, row.first_at, row.last_at) for row in own
        ]
        for pass_id, own in groupby(found, key=lambda row: str(row.pass_id))
    }
    passes = db.execute(
        select(
            ViewingPass.id,
            ViewingPass.session_id,
            ViewingPass.user_id,
            ViewingPass.mode,
            ViewingPass.issued_at,
            ViewingPass.expires_at,
        ).where(ViewingPass.id.in_(pass_ids))
    )
    return {row.id: of_viewing(*row, segments.get(row.id, [])) for row in passes}


def of_evidence(viewings: Iterable[tuple[str, str]]) -> str:
    """Of all that one decision was read from: (pass id, digest of its viewing), in any order."""
    lines = "\n".join(f"{pass_id}|{digest}" for pass_id, digest in sorted(viewings))
    return hashlib.sha256(lines.encode()).hexdigest()


def of_closing(session_id: int, length: int, head: str) -> str:
    """Of the chain as it stands when the live evidence of a session is whole."""
    return hashlib.sha256(f"{session_id}|{length}|{head}".encode()).hexdigest()


def of_decision(decision: CreditDecision) -> str:
    """Of a revision, as it stays for ever."""
    document = [
        decision.id,
        decision.session_id,
        decision.user_id,
        decision.grant_id,
        decision.policy_id,
        decision.revision,
        plain_credit(decision.credit),
        decision.reason.value,
        decision.explanation,
        decision.next_step,
        None if decision.due_at is None else decision.due_at.astimezone(UTC).isoformat(),
        decision.seconds_counted,
        decision.window_seconds,
        decision.inputs,
        decision.inputs_hash,
        decision.evidence_hash,
        decision.decided_at.astimezone(UTC).isoformat(),
    ]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def of_attempt(attempt: TestAttempt) -> str:
    """Of a try at the test, as answered."""
    return digest_of(
        {
            "id": attempt.id,
            "session": attempt.session_id,
            "person": attempt.user_id,
            "number": attempt.number,
            "answers": tuple((int(item), int(option)) for item, option in attempt.answers),
            "correct": attempt.correct,
            "of": attempt.of,
            "taken_at": attempt.taken_at,
        }
    )


def of_check(check: AttentionCheck) -> str:
    """Of an attention check, answered or not."""
    return digest_of(
        {
            "id": check.id,
            "session": check.session_id,
            "person": check.user_id,
            "mode": check.mode,
            "number": check.number,
            "planned_second": check.planned_second,
            "issued_at": check.issued_at,
            "expires_at": check.expires_at,
            "answered_at": check.answered_at,
        }
    )


def of_certificate(certificate: Certificate, paper: CertificatePaper | None) -> str:
    """Of a certificate and its paper as they are now: revocation and replacement are in it."""
    facts = {
        "id": certificate.id,
        "number": certificate.number,
        "session": certificate.session_id,
        "person": certificate.user_id,
        "revision": certificate.revision,
        "content": json.dumps(certificate.content, sort_keys=True, ensure_ascii=False),
        "content_digest": certificate.content_digest,
        "decisions": tuple(certificate.decision_ids),
        "issued_at": certificate.issued_at,
        "superseded_by": certificate.superseded_by,
        "revoked_at": certificate.revoked_at,
        "revoke_reason": certificate.revoke_reason,
    }
    if paper is not None:
        facts |= {
            "pdf": hashlib.sha256(paper.pdf).hexdigest(),
            "sha256": paper.sha256,
            "badge": paper.badge,
            "key": paper.key_id,
            "made_at": paper.made_at,
        }
    return digest_of(facts)


def _stored_viewing(db: DbSession, subject: str) -> str | None:
    return stored_viewings(db, [subject]).get(subject)


def _stored_decision(db: DbSession, subject: str) -> str | None:
    decision = db.get(CreditDecision, int(subject), populate_existing=True)
    return None if decision is None else of_decision(decision)


def stored_visits(db: DbSession, session_id: int) -> dict[int, str]:
    """Of every visit to a room of the session, by its id: who was where, as its provider said."""
    return _visits(db, ExternalRoom.session_id == session_id)


def _stored_visit(db: DbSession, subject: str) -> str | None:
    return _visits(db, RoomVisit.id == int(subject)).get(int(subject))


def _visits(db: DbSession, only: ColumnElement[bool]) -> dict[int, str]:
    """Over every column, and whose visit it is held to be."""
    rows = db.execute(
        select(
            RoomVisit.id,
            RoomVisit.room_id,
            ExternalRoom.session_id,
            RoomVisit.guest_id,
            RoomGuest.user_id,
            RoomVisit.remote_person,
            RoomVisit.joined_at,
            RoomVisit.left_at,
            RoomVisit.source,
            RoomVisit.remote_event,
            RoomVisit.noted_at,
        )
        .join(ExternalRoom, ExternalRoom.id == RoomVisit.room_id)
        .outerjoin(RoomGuest, RoomGuest.id == RoomVisit.guest_id)
        .where(only)
        .order_by(RoomVisit.id)
    )
    return {row.id: digest_of(tuple(row)) for row in rows}


def _stored_attempt(db: DbSession, subject: str) -> str | None:
    attempt = db.get(TestAttempt, int(subject), populate_existing=True)
    return None if attempt is None else of_attempt(attempt)


def _stored_check(db: DbSession, subject: str) -> str | None:
    check = db.get(AttentionCheck, subject, populate_existing=True)
    return None if check is None else of_check(check)


def _stored_certificate(db: DbSession, subject: str) -> str | None:
    certificate = db.get(Certificate, int(subject), populate_existing=True)
    if certificate is None:
        return None
    return of_certificate(
        certificate, db.get(CertificatePaper, certificate.id, populate_existing=True)
    )


DIGESTS: dict[LinkKind, Callable[[DbSession, str], str | None]] = {
    LinkKind.VIEWING: _stored_viewing,
    LinkKind.VISIT: _stored_visit,
    LinkKind.DECISION: _stored_decision,
    LinkKind.ATTEMPT: _stored_attempt,
    LinkKind.CHECK: _stored_check,
    LinkKind.IMPORT: import_digests.stored,
    LinkKind.INCIDENT: stored_incident,
    LinkKind.CORRECTION: stored_correction,
    LinkKind.CERTIFICATE: _stored_certificate,
}
"""By the kind of link: the digest of the stored row, or None if there is no such row.

A subject may be vouched for again when it has changed; its last link holds.
"""
