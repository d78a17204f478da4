"""Is everything stored as it was vouched for? What is not is named; nothing is written."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.evidence_chain import (
    FORGETTABLE,
    GENESIS,
    LinkKind,
    NewLink,
    digest_of_forgetting,
    link_hash,
)
from webinar.domain.retention import LEAST_EVIDENCE_YEARS, years_before
from webinar.domain.viewing import Viewing
from webinar.models import (
    AccreditationGrant,
    AuditEvent,
    Certificate,
    CreditDecision,
    EvidenceChain,
    EvidenceLink,
    ViewingPass,
    WatchSegment,
)
from webinar.services import attendance, credits
from webinar.services.evidence import chain, digests, forgetting, freezing, ground_digests

AT_ONCE = 500
# What a changed row may make of itself when it is read: no such state, no date, no JSON.
UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, SQLAlchemyError)


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be: where, and in what way."""

    where: str
    what: str
    is_unreadable: bool = False

    @property
    def words(self) -> str:
        """`decision 12: it is not as it was vouched for (link 7)`."""
        return f"{self.where}: {self.what}"


@dataclass
class Links:
    """The last link of every subject, and the rows the chain itself says may be gone."""

    last: dict[LinkKind, dict[str, EvidenceLink]] = field(default_factory=dict)
    forgotten: set[tuple[LinkKind, str]] = field(default_factory=set)
    is_let_go: bool = False
    """Raw evidence may be gone, also such as no link had vouched for."""

    def of(self, kind: LinkKind) -> dict[str, EvidenceLink]:
        """By subject."""
        return self.last.get(kind, {})

    def follow(self, link: EvidenceLink) -> None:
        """A row is vouched for, maybe anew: from here on it has to be there."""
        self.last.setdefault(link.kind, {})[link.subject] = link
        self.forgotten.discard((link.kind, link.subject))

    def newest(self, kinds: Iterable[LinkKind]) -> datetime | None:
        """When the youngest of these came."""
        return max((link.at for kind in kinds for link in self.of(kind).values()), default=None)

    def let_go(self) -> list[tuple[LinkKind, str, str]]:
        """What a link that forgets has to cover: all raw evidence no earlier one covers."""
        return [
            (kind, subject, link.digest)
            for kind in FORGETTABLE
            for subject, link in self.of(kind).items()
            if (kind, subject) not in self.forgotten
        ]


def verify(db: DbSession, session_id: int) -> list[Finding]:
    """All that is wrong with a session's evidence, decisions and certificates."""
    links = Links()
    findings = _found(_links(db, session_id, links))
    for look in (_subjects, _passes, _decisions, _certificates, _evidence):
        findings += _found(look(db, session_id, links))
    if any(finding.is_unreadable for finding in findings):
        return findings
    # Without its evidence a decision can still be decided again from the facts stored with it.
    again_from = (credits.replay,) if links.is_let_go else (credits.unsupported, credits.replay)
    for again in again_from:
        try:
            findings += [
                Finding(f"decision {one.decision.id}", one.words) for one in again(db, session_id)
            ]
        except UNREADABLE as error:
            findings.append(Finding("decisions", f"they cannot be decided again ({error})"))
    return findings


def sessions_with_evidence(db: DbSession) -> list[int]:
    """Whose evidence, decisions or chain there is something to say about."""
    found = set(db.scalars(select(EvidenceChain.session_id)))
    found |= set(db.scalars(select(EvidenceLink.session_id).distinct()))
    found |= set(db.scalars(select(CreditDecision.session_id).distinct()))
    return sorted(found)


def _found(looking: Iterator[Finding]) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(looking)
    except UNREADABLE as error:
        found.append(Finding("stored rows", f"some cannot be read ({error})", True))
    return found


def _links(db: DbSession, session_id: int, links: Links) -> Iterator[Finding]:
    """The chain itself: each link follows the one before, and it ends where it says.

    Fills `links` with what it says.
    """
    head, length, closed_at = GENESIS, 0, None
    by_number: dict[int, str] = {}
    for link in chain.links_of(db, session_id):
        where = f"link {link.number}"
        if link.number != length + 1:
            yield Finding(where, f"link {length + 1} is missing before it")
        if link.previous_hash != head:
            yield Finding(where, "it does not follow the link before it")
        stated = NewLink(link.kind, link.subject, link.digest)
        if link.hash != link_hash(link.previous_hash, link.number, stated, link.at):
            yield Finding(where, "it was changed")
        if link.kind is LinkKind.CLOSED:
            closed_at = link.at
            if link.digest != digests.of_closing(session_id, length, head):
                yield Finding(where, "it does not close what stands before it")
        if link.kind is LinkKind.FORGOTTEN:
            yield from _let_go(db, session_id, link, links)
        links.follow(link)
        head, length = link.hash, link.number
        by_number[length] = head
    stored = db.get(EvidenceChain, session_id, populate_existing=True)
    if stored is None:
        if length:
            yield Finding("chain", "nothing says where it ends")
        return
    if (stored.length, stored.head) != (length, head):
        yield Finding("chain", f"it should end with link {stored.length}, and ends with {length}")
    if stored.closed_at != closed_at:
        yield Finding("chain", "it was not closed when it says")
    yield from _kept_in_audit(db, session_id, by_number, closed_at)


def _let_go(db: DbSession, session_id: int, link: EvidenceLink, links: Links) -> Iterator[Finding]:
    """Evidence may be gone only if it was old enough, named, and the audit trail knows of it."""
    where = f"link {link.number}"
    covered = links.let_go()
    newest = links.newest(forgetting.DATED)
    events = db.scalars(
        select(AuditEvent).where(
            AuditEvent.action == forgetting.FORGOTTEN,
            AuditEvent.subject == f"session {session_id}",
            AuditEvent.at == link.at,
        )
    ).all()
    noted = [event.after or {} for event in events]
    known = {(one.get("length"), one.get("head")) for one in noted}
    if newest is not None and newest > years_before(link.at, LEAST_EVIDENCE_YEARS):
        yield Finding(where, "it forgets evidence before its time")
    elif link.subject != str(session_id) or link.digest != digest_of_forgetting(
        session_id, covered
    ):
        yield Finding(where, "it forgets something else than the evidence before it")
    elif (link.number, link.hash) not in known:
        yield Finding(where, "the audit trail does not know that evidence was forgotten")
    else:
        links.forgotten.update((kind, subject) for kind, subject, _ in covered)
        links.is_let_go = True


def _kept_in_audit(
    db: DbSession, session_id: int, by_number: dict[int, str], closed_at: datetime | None
) -> Iterator[Finding]:
    """The audit trail remembers where the chain stood: it cannot have been made anew since."""
    events = db.scalars(
        select(AuditEvent).where(
            AuditEvent.action == freezing.CLOSED, AuditEvent.subject == f"session {session_id}"
        )
    ).all()
    if closed_at is not None and not events:
        yield Finding("chain", "the audit trail does not know that it was closed")
    for event in events:
        noted = event.after or {}
        if by_number.get(noted.get("length", 0)) != noted.get("head"):
            yield Finding("chain", f"it is another than the one in the audit trail ({event.id})")


def _subjects(db: DbSession, _session_id: int, links: Links) -> Iterator[Finding]:
    """Every row that is vouched for is as it was when it was vouched for last."""
    for kind, last in links.last.items():
        if kind in (LinkKind.CLOSED, LinkKind.FORGOTTEN):
            continue
        stored = _stored(db, kind, list(last))
        for subject, link in last.items():
            digest = stored[subject]
            where = f"{kind.value} {subject}"
            if isinstance(digest, Finding):
                yield digest
            elif digest is None and (kind, subject) in links.forgotten:
                continue
            elif digest is None:
                yield Finding(where, f"it is gone (link {link.number})")
            elif digest != link.digest:
                yield Finding(where, f"it is not as it was vouched for (link {link.number})")


def _stored(
    db: DbSession, kind: LinkKind, subjects: Sequence[str]
) -> dict[str, str | Finding | None]:
    found: dict[str, str | Finding | None] = {}
    if kind is LinkKind.VIEWING:
        try:
            for first in range(0, len(subjects), AT_ONCE):
                some = subjects[first : first + AT_ONCE]
                digested = digests.stored_viewings(db, some)
                found |= {subject: digested.get(subject) for subject in some}
        except UNREADABLE:
            found = {}  # one of them is broken: which one shows below
        else:
            return found
    for subject in subjects:
        try:
            found[subject] = digests.DIGESTS[kind](db, subject)
        except UNREADABLE as error:
            found[subject] = Finding(
                f"{kind.value} {subject}", f"it cannot be read ({error})", True
            )
    return found


def _passes(db: DbSession, session_id: int, links: Links) -> Iterator[Finding]:
    """Frozen is what has a link, since the instant of its link; marks do not run ahead."""
    vouched = links.of(LinkKind.VIEWING)
    stored = db.get(EvidenceChain, session_id, populate_existing=True)
    is_closed = stored is not None and stored.closed_at is not None
    passes = db.execute(
        select(ViewingPass.id, ViewingPass.mode, ViewingPass.frozen_at).where(
            ViewingPass.session_id == session_id
        )
    )
    for pass_id, mode, frozen_at in passes:
        link = vouched.get(pass_id)
        if frozen_at != (None if link is None else link.at):
            yield Finding(f"viewing {pass_id}", "it was not frozen when it says")
        elif frozen_at is None and is_closed and mode is ViewingMode.LIVE:
            yield Finding(f"viewing {pass_id}", "it came after the live evidence was closed")
    ahead = db.scalars(
        select(ViewingPass.id)
        .outerjoin(WatchSegment, WatchSegment.pass_id == ViewingPass.id)
        .where(ViewingPass.session_id == session_id, ViewingPass.decided_until.is_not(None))
        .group_by(ViewingPass.id)
        .having(
            or_(
                func.max(WatchSegment.last_at).is_(None),
                func.max(WatchSegment.last_at) < ViewingPass.decided_until,
            )
        )
    )
    for pass_id in ahead:
        yield Finding(f"viewing {pass_id}", "it is held to be decided further than it was heard of")


def _decisions(db: DbSession, session_id: int, links: Links) -> Iterator[Finding]:
    """Every revision has its link, none is missing, and the last one stands."""
    vouched = links.of(LinkKind.DECISION)
    rows = db.execute(
        select(
            CreditDecision.id,
            CreditDecision.user_id,
            CreditDecision.grant_id,
            CreditDecision.revision,
            CreditDecision.is_latest,
            CreditDecision.evidence_hash,
        )
        .where(CreditDecision.session_id == session_id)
        .order_by(CreditDecision.user_id, CreditDecision.grant_id, CreditDecision.revision)
    )
    for _, own in groupby(rows, key=lambda row: (row.user_id, row.grant_id)):
        revisions = list(own)
        for expected, row in enumerate(revisions):
            where = f"decision {row.id}"
            is_expected = row.evidence_hash or links.is_let_go
            if is_expected and str(row.id) not in vouched:
                yield Finding(where, "nothing vouches for it")
            if row.revision != expected:
                yield Finding(where, f"it is revision {row.revision} and should be {expected}")
            if row.is_latest is not (row is revisions[-1]):
                yield Finding(where, "its mark of what stands is wrong")


def _certificates(db: DbSession, session_id: int, links: Links) -> Iterator[Finding]:
    """Every certificate issued upon a decision that is vouched for is vouched for itself."""
    decided = links.of(LinkKind.DECISION)
    issued = links.of(LinkKind.CERTIFICATE)
    for certificate_id, number, decision_ids in db.execute(
        select(Certificate.id, Certificate.number, Certificate.decision_ids).where(
            Certificate.session_id == session_id
        )
    ):
        is_expected = links.is_let_go or all(str(one) in decided for one in decision_ids)
        if is_expected and str(certificate_id) not in issued:
            yield Finding(f"certificate {number}", "nothing vouches for it")


def _evidence(db: DbSession, session_id: int, links: Links) -> Iterator[Finding]:
    """What stands was read from the rows that are there, unless something has come since."""
    if links.is_let_go:
        return
    standing = db.execute(
        select(
            CreditDecision.id,
            CreditDecision.user_id,
            AccreditationGrant.mode,
            CreditDecision.evidence_hash,
            CreditDecision.decided_at,
        )
        .join(AccreditationGrant, AccreditationGrant.id == CreditDecision.grant_id)
        .where(
            CreditDecision.session_id == session_id,
            CreditDecision.is_latest,
            CreditDecision.evidence_hash != "",
        )
    ).all()
    watched = {
        mode: dict(attendance.viewings(db, session_id, mode))
        for mode in {row.mode for row in standing}
    }
    supports = ground_digests.supports_of(db, session_id, sorted({row.user_id for row in standing}))
    for row in standing:
        whose = (row.user_id, row.mode)
        viewing = watched[row.mode].get(row.user_id, Viewing())
        newest = max((load.last_seen_at for load in viewing.stored), default=None)
        # A beat on its way while it was decided is none that was decided upon.
        if newest is not None and newest > row.decided_at - credits.SETTLE_RECORDED:
            continue
        said = supports.newest.get(whose)
        if said is not None and said > row.decided_at:
            continue
        if credits.evidence_hash_of(viewing, supports.rows.get(whose, ())) != row.evidence_hash:
            yield Finding(f"decision {row.id}", "its evidence is not what it was read from")
