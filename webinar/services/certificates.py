"""Certificates: one a person and session, frozen when issued, superseded or revoked, never gone."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.certificate import (
    CertificateContent,
    CreditLine,
    new_number,
    normalise_number,
)
from webinar.domain.credit import Reason
from webinar.domain.errors import Conflict, DomainError, NotAllowed, NotFound
from webinar.domain.evidence_chain import LinkKind, NewLink
from webinar.domain.letter import MailKind
from webinar.domain.timezone import to_local
from webinar.domain.wording import local_time_range, long_date, zone_abbreviation
from webinar.models import (
    Certificate,
    CertificatePaper,
    CreditDecision,
    User,
    WebinarSession,
)
from webinar.services import audit, deliveries, issuer
from webinar.services.evidence import chain
from webinar.services.evidence.digests import of_certificate

BASES = {
    ViewingMode.LIVE: "For taking part live.",
    ViewingMode.FACULTY: "For presenting.",
    ViewingMode.RECORDED: "For watching the recording.",
}


class UnknownCertificate(NotFound):
    """The number is well formed, and nobody was given it."""


class Standing(StrEnum):
    """What a certificate is worth today."""

    GENUINE = "genuine"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Verified:
    """A certificate of ours, as it was frozen, and what it is worth today."""

    certificate: Certificate
    content: CertificateContent
    standing: Standing

    @property
    def is_untouched(self) -> bool:
        """True if the stored content still has the digest it was issued with."""
        return self.content.digest == self.certificate.content_digest


def follow(
    db: DbSession, session: WebinarSession, user_id: int, *, public_url: str, now: datetime
) -> Certificate | None:
    """Let the certificate say what the standing decisions say; returns a newly issued one.

    The first earned credit issues it, another one supersedes it, the last one lost revokes it.
    """
    earned = _earned(db, session.id, user_id)
    before = _newest(db, session.id, user_id)
    if not earned:
        if before is not None and before.revoked_at is None:
            _revoke(db, before, actor_id=None, reason="The credit it shows was lost.", now=now)
        return None
    if before is not None and content_of(before).lines == _lines(earned):
        return None  # also where it was revoked by hand: that is not undone by itself
    stands = before if before is not None and before.revoked_at is None else None
    return _issue(
        db, session, user_id, earned, before, replaced=stands, public_url=public_url, now=now
    )


def reissue(
    db: DbSession,
    number: str,
    *,
    actor_id: int | None,
    reason: str,
    public_url: str,
    now: datetime,
) -> Certificate:
    """Issue it anew, as account, session and grants say it today; the new one takes its place.

    Also for one that was revoked by hand. Raises Conflict for one that is no longer the newest,
    and where no credit stands; NotAllowed for one's own.
    """
    if not reason.strip():
        raise DomainError("Say why the certificate is issued anew; the audit trail keeps it.")
    before = _taken_in_hand(db, number, actor_id=actor_id)
    newest = _newest(db, before.session_id, before.user_id)
    if newest is None or newest.id != before.id:
        raise Conflict(
            "A newer certificate has taken the place of this one. Issue that one anew instead."
        )
    earned = _earned(db, before.session_id, before.user_id)
    if not earned:
        raise Conflict("No credit stands for this session, so there is nothing to certify.")
    if db.get_one(User, before.user_id).erased_at is not None:
        raise Conflict(
            "This person has left: the name for a new certificate is not known any more."
        )
    session = db.get_one(WebinarSession, before.session_id)
    fresh = _issue(
        db,
        session,
        before.user_id,
        earned,
        before,
        replaced=before,
        public_url=public_url,
        now=now,
    )
    audit.write(
        db,
        actor_id=actor_id,
        action="certificate issued anew",
        subject=f"session {session.id}",
        before={"number": before.number},
        after={"number": fresh.number},
        reason=reason.strip(),
        now=now,
    )
    return fresh


def revoke(
    db: DbSession, number: str, *, actor_id: int | None, reason: str, now: datetime
) -> Certificate:
    """Take a certificate back, with a reason that its page shows from then on.

    Raises Conflict for one that is revoked, NotAllowed for one's own.
    """
    if not reason.strip():
        raise DomainError("Say why the certificate is revoked; its page will show it.")
    certificate = _taken_in_hand(db, number, actor_id=actor_id)
    if certificate.revoked_at is not None:
        raise Conflict("This certificate is revoked already.")
    _revoke(db, certificate, actor_id=actor_id, reason=reason.strip(), now=now)
    return certificate


def verify(db: DbSession, typed: str) -> Verified:
    """The certificate of this number, however it was typed.

    Raises MalformedNumber, and UnknownCertificate for a number that nobody was given.
    """
    number = normalise_number(typed)
    certificate = db.scalar(select(Certificate).where(Certificate.number == number))
    if certificate is None:
        raise UnknownCertificate(f"We have not issued a certificate with the number {number}.")
    standing = Standing.GENUINE
    if certificate.revoked_at is not None:
        standing = Standing.REVOKED
    elif certificate.superseded_by is not None:
        standing = Standing.SUPERSEDED
    return Verified(certificate, content_of(certificate), standing)


def standing_of(db: DbSession, session_id: int, user_id: int) -> Certificate | None:
    """The person's certificate of this session that is worth something today."""
    newest = _newest(db, session_id, user_id)
    return newest if newest is not None and newest.revoked_at is None else None


def content_of(certificate: Certificate) -> CertificateContent:
    """What the certificate says, as it was frozen."""
    return CertificateContent.from_json(json.dumps(certificate.content))


def vouch(db: DbSession, changed: Sequence[Certificate], *, now: datetime) -> None:
    """Add the certificates, as they are now, to the chain of their session's evidence."""
    if not changed:
        return
    db.flush()
    links = [
        NewLink(
            LinkKind.CERTIFICATE, str(one.id), of_certificate(one, db.get(CertificatePaper, one.id))
        )
        for one in changed
    ]
    chain.append(db, changed[0].session_id, links, now=now)


def history_of(db: DbSession, certificate: Certificate) -> list[Certificate]:
    """Every certificate this person was issued for this session, the newest first."""
    return list(
        db.scalars(
            select(Certificate)
            .where(
                Certificate.session_id == certificate.session_id,
                Certificate.user_id == certificate.user_id,
            )
            .order_by(Certificate.revision.desc())
        )
    )


def _taken_in_hand(db: DbSession, number: str, *, actor_id: int | None) -> Certificate:
    """The certificate as it stands, no decision and no colleague changing it meanwhile."""
    certificate = verify(db, number).certificate
    if certificate.user_id == actor_id:
        raise NotAllowed("This certificate is your own. Ask a colleague to look at it.")
    # In the order in which decisions take them: people, then the chain.
    db.scalars(
        select(User.id).where(User.id == certificate.user_id).with_for_update(key_share=True)
    ).one()
    db.refresh(certificate)
    return certificate


def _earned(db: DbSession, session_id: int, user_id: int) -> Sequence[CreditDecision]:
    return db.scalars(
        select(CreditDecision)
        .where(
            CreditDecision.session_id == session_id,
            CreditDecision.user_id == user_id,
            CreditDecision.is_latest,
            CreditDecision.reason == Reason.OK,
        )
        .order_by(CreditDecision.grant_id)
    ).all()


def _issue(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    earned: Sequence[CreditDecision],
    before: Certificate | None,
    *,
    replaced: Certificate | None,
    public_url: str,
    now: datetime,
) -> Certificate:
    number = new_number(secrets.token_bytes(8))
    content = replace(
        _content(db, session, user_id, earned, public_url=public_url, now=now),
        number=number,
        supersedes=replaced.number if replaced else "",
        verify_url=f"{public_url}/verify/{number}",
    )
    certificate = Certificate(
        number=number,
        session_id=session.id,
        user_id=user_id,
        revision=0 if before is None else before.revision + 1,
        content=json.loads(content.to_json()),
        content_digest=content.digest,
        decision_ids=[decision.id for decision in earned],
        issued_at=now,
    )
    db.add(certificate)
    if replaced is not None:
        replaced.superseded_by = number
    vouch_for = [certificate] if replaced is None else [certificate, replaced]
    db.flush()
    vouch(db, vouch_for, now=now)
    deliveries.queue(
        db,
        MailKind.CERTIFICATE_READY,
        user_id=user_id,
        subject_id=certificate.id,
        due_at=now,
        now=now,
    )
    return certificate


def _newest(db: DbSession, session_id: int, user_id: int) -> Certificate | None:
    return db.scalar(
        select(Certificate)
        .where(Certificate.session_id == session_id, Certificate.user_id == user_id)
        .order_by(Certificate.revision.desc())
        .limit(1)
    )


def _revoke(
    db: DbSession, certificate: Certificate, *, actor_id: int | None, reason: str, now: datetime
) -> None:
    certificate.revoked_at = now
    certificate.revoke_reason = reason
    vouch(db, [certificate], now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="certificate revoked",
        subject=f"session {certificate.session_id}",
        after={"number": certificate.number},
        reason=reason,
        now=now,
    )


def _lines(earned: Sequence[CreditDecision]) -> tuple[CreditLine, ...]:
    whole = _mode_of(earned)
    return tuple(_line(decision, whole) for decision in earned)


def _mode_of(earned: Sequence[CreditDecision]) -> ViewingMode:
    """What the certificate as a whole says; a line that rests on something else says so."""
    modes = {decision.grant.mode for decision in earned}
    order = (ViewingMode.LIVE, ViewingMode.FACULTY, ViewingMode.RECORDED)
    return next(mode for mode in order if mode in modes)


def _line(decision: CreditDecision, whole: ViewingMode) -> CreditLine:
    grant = decision.grant
    return CreditLine(
        body=grant.accreditor.name,
        credits=decision.credit,
        unit=grant.accreditor.unit,
        reference=grant.reference,
        statement=grant.statement_granted,
        basis="" if grant.mode is whole else BASES[grant.mode],
    )


def _content(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    earned: Sequence[CreditDecision],
    *,
    public_url: str,
    now: datetime,
) -> CertificateContent:
    zone = session.zone
    mode = _mode_of(earned)
    attended = max(d.seconds_counted for d in earned if d.grant.mode is mode)
    who = issuer.bound()
    hours = local_time_range(session.starts_at, session.ends_at, zone)
    return CertificateContent(
        number="",
        person_name=db.get_one(User, user_id).name,
        title=session.title,
        series=session.series.name if session.series else "",
        held=(
            f"{long_date(session.starts_at, zone)}, {hours} "
            f"{zone_abbreviation(session.starts_at, zone)}"
        ),
        mode=mode,
        provider=session.society.name,
        provider_legal_name=who.legal_name,
        auspices=", ".join(sorted(lent.society.name for lent in session.auspices)),
        lines=_lines(earned),
        minutes_attended=attended // 60,
        faculty=tuple(dict.fromkeys(member.name for member in session.faculty)),
        disclosures_url=f"{public_url}/sessions/{session.public_id}",
        issued_on=to_local(now, zone).date(),
        signatory=who.signatory,
        signatory_role=who.signatory_role,
        verify_url="",
    )
