"""Credit: decided by the clock and by every paper that comes in, in revisions that stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import Decision, GrantStatus, decide, hash_of_inputs
from webinar.domain.evidence_chain import LinkKind, NewLink
from webinar.domain.figures import plain_credit
from webinar.domain.replay import facts_of, record_of
from webinar.domain.session import SessionStatus
from webinar.domain.viewing import Viewing
from webinar.models import (
    AccreditationGrant,
    CreditDecision,
    User,
    ViewingPass,
    WatchSegment,
    WebinarSession,
)
from webinar.services import attendance, certificates, judging
from webinar.services.cases import case_of, papers_of
from webinar.services.evidence import chain, digests, forgetting, ground_digests, grounds, visits
from webinar.services.evidence.ground_digests import Supports
from webinar.services.grants import offers_of, rules_of
from webinar.services.judging import Judged
from webinar.services.reports import summaries

# Beats that were on their way at the end have arrived by then.
SETTLE_LIVE = timedelta(minutes=5)
SETTLE_RECORDED = timedelta(minutes=1)
LOOK_BACK = timedelta(days=14)
STRAGGLE = timedelta(hours=1)


@dataclass(frozen=True)
class Difference:
    """A decision that comes out otherwise than it is stored."""

    decision: CreditDecision
    again: Decision

    @property
    def words(self) -> str:
        """Which decision, what is stored, what comes out."""
        stored, again = self.decision, self.again
        return (
            f"person {stored.user_id}, {stored.grant.accreditor.short_name}, "
            f"revision {stored.revision}: stored {plain_credit(stored.credit)} "
            f"({stored.reason.value}, {stored.seconds_counted} s), comes out "
            f"{plain_credit(again.credit)} ({again.reason.value}, {again.seconds_counted} s)"
        )


def due(db: DbSession, *, now: datetime) -> list[tuple[int, int]]:
    """(session, person) whose evidence has grown since it was decided upon, or is now too late."""
    grant = select(AccreditationGrant.id).where(
        AccreditationGrant.session_id == ViewingPass.session_id,
        AccreditationGrant.mode == ViewingPass.mode,
        AccreditationGrant.status == GrantStatus.GRANTED,
    )
    last_at = func.max(WatchSegment.last_at)
    ended_at = func.coalesce(WebinarSession.actual_ended_at, WebinarSession.ends_at)
    is_live = ViewingPass.mode == ViewingMode.LIVE
    undecided = (
        select(ViewingPass.session_id, ViewingPass.user_id)
        .join(WebinarSession, WebinarSession.id == ViewingPass.session_id)
        .join(WatchSegment, WatchSegment.pass_id == ViewingPass.id)
        .where(
            ViewingPass.issued_at > now - LOOK_BACK,
            or_(ViewingPass.decided_until.is_(None), ViewingPass.expires_at > now - STRAGGLE),
            or_(
                ~is_live,
                (WebinarSession.status == SessionStatus.ENDED) & (ended_at <= now - SETTLE_LIVE),
            ),
            grant.exists(),
        )
        .group_by(ViewingPass.id)
        .having(or_(ViewingPass.decided_until.is_(None), last_at > ViewingPass.decided_until))
        .having(or_(is_live, last_at <= now - SETTLE_RECORDED))
    )
    late = select(CreditDecision.session_id, CreditDecision.user_id).where(
        CreditDecision.is_latest, CreditDecision.due_at < now
    )
    found = {(session_id, user_id) for session_id, user_id in db.execute(undecided)}
    found |= {(session_id, user_id) for session_id, user_id in db.execute(late)}
    found |= visits.due(db, since=now - LOOK_BACK, until=now - SETTLE_LIVE)
    gone = _erased(db, {user_id for _, user_id in found})
    return sorted((session_id, user_id) for session_id, user_id in found if user_id not in gone)


def decide_session(
    db: DbSession, session_id: int, *, public_url: str, now: datetime
) -> list[CreditDecision]:
    """Decide for everybody with evidence or a decision; returns the new revisions."""
    people = grounds.people(db, session_id)
    return decide_people(db, session_id, sorted(people), public_url=public_url, now=now)


def decide_person(
    db: DbSession, session_id: int, user_id: int, *, public_url: str, now: datetime
) -> list[CreditDecision]:
    """Decide for one person, because a paper of theirs came in."""
    return decide_people(db, session_id, [user_id], public_url=public_url, now=now)


def decide_people(
    db: DbSession, session_id: int, user_ids: Sequence[int], *, public_url: str, now: datetime
) -> list[CreditDecision]:
    """Decide for these people under every grant; certificates follow. Returns new revisions.

    A revision is written only where the facts or what follows from them has changed. Live
    grants wait until the session has ended. `public_url` goes on certificates. Nothing is decided
    once the evidence was let go, nor for who was erased: what stands was read from papers that are
    gone since, and stays.
    """
    if forgetting.is_forgotten(db, session_id):
        return []
    # The clock and a form may decide for the same person at once: one after the other.
    locked = db.execute(
        select(User.id, User.erased_at)
        .where(User.id.in_(user_ids))
        .order_by(User.id)
        .with_for_update(key_share=True)
    )
    gone = {user_id for user_id, erased_at in locked if erased_at is not None}
    user_ids = [user_id for user_id in user_ids if user_id not in gone]
    session = db.get_one(WebinarSession, session_id)
    judgement = judging.judge(db, session, user_ids, now=now)
    changed = judgement.changed
    # Once a person, under however many grants they are decided for.
    decided = sorted({judged.user_id for judged in changed})
    supports = ground_digests.supports_of(db, session_id, decided)
    fresh = [_write(db, session, judged, supports, now=now) for judged in changed]
    db.flush()
    for user_id in dict.fromkeys(decision.user_id for decision in fresh):
        certificates.follow(db, session, user_id, public_url=public_url, now=now)
    for mode, by_person in judgement.watched.items():
        _mark_decided(db, by_person)
        if mode is not ViewingMode.FACULTY:
            # Also of who was only in a room of others, and has played nothing.
            summaries.keep(db, session, mode, by_person, user_ids=user_ids, now=now)
    db.flush()
    links = [NewLink(LinkKind.DECISION, str(d.id), digests.of_decision(d)) for d in fresh]
    chain.append(db, session_id, links, now=now)
    return fresh


def evidence_hash_of(viewing: Viewing, supports: Sequence[tuple[str, str]] = ()) -> str:
    """Of the stored rows a decision is read from; beats that come later change it.

    `supports` is what counts beside beats: see `ground_digests`.
    """
    beats = ((load.pass_id, load.digest) for load in viewing.stored)
    return digests.of_evidence([*beats, *supports])


def latest_of(db: DbSession, session_id: int, user_id: int) -> list[CreditDecision]:
    """The decisions that stand, for one person in one session."""
    return list(judging.standing(db, session_id, [user_id]).values())


def replay(db: DbSession, session_id: int) -> list[Difference]:
    """Decide every stored case again from the facts stored beside it; returns what differs."""
    differences = []
    for decision in db.scalars(
        select(CreditDecision)
        .where(CreditDecision.session_id == session_id)
        .order_by(CreditDecision.id)
        .execution_options(yield_per=500)
    ):
        rules = rules_of(decision.policy)
        facts = facts_of(decision.inputs)
        again = decide(rules, facts)
        if (
            again.credit != decision.credit
            or again.reason is not decision.reason
            or hash_of_inputs(rules, facts) != decision.inputs_hash
        ):
            differences.append(Difference(decision, again))
    return differences


def unsupported(db: DbSession, session_id: int) -> list[Difference]:
    """Standing decisions that today's evidence does not give; nothing is written.

    Of who was erased the papers are gone: their decisions are held by the chain, and by `replay`.
    """
    session = db.get_one(WebinarSession, session_id)
    offers = {offer.grant.id: offer for offer in offers_of(db, session_id, granted_only=False)}
    standing = db.scalars(
        select(CreditDecision)
        .where(
            CreditDecision.session_id == session_id,
            CreditDecision.is_latest,
            CreditDecision.user_id.in_(select(User.id).where(User.erased_at.is_(None))),
        )
        .order_by(CreditDecision.id)
    ).all()
    user_ids = sorted({decision.user_id for decision in standing})
    papers = papers_of(db, session, list(offers.values()), user_ids)
    watched = {
        mode: dict(attendance.viewings(db, session_id, mode, user_ids=user_ids))
        for mode in ViewingMode
    }
    differences = []
    for decision in standing:
        offer = offers[decision.grant_id]
        facts = facts_of(decision.inputs)
        case = case_of(
            db,
            session,
            offer,
            watched[offer.grant.mode].get(decision.user_id, Viewing()),
            papers,
            decision.user_id,
            already_credited=facts.already_credited,
            now=decision.decided_at,
        )
        again = decide(offer.rules, case.facts)
        if (again.seconds_counted, again.credit) != (decision.seconds_counted, decision.credit):
            differences.append(Difference(decision, again))
    return differences


def _erased(db: DbSession, user_ids: set[int]) -> set[int]:
    if not user_ids:
        return set()
    erased = select(User.id).where(User.erased_at.is_not(None))
    return set(db.scalars(erased.where(User.id.in_(user_ids))))


def _write(
    db: DbSession, session: WebinarSession, judged: Judged, supports: Supports, *, now: datetime
) -> CreditDecision:
    before, case, decision, offer = judged.before, judged.case, judged.decision, judged.offer
    if before is not None:
        before.is_latest = False
    row = CreditDecision(
        session_id=session.id,
        user_id=judged.user_id,
        grant_id=offer.grant.id,
        policy_id=offer.grant.policy_id,
        revision=0 if before is None else before.revision + 1,
        credit=decision.credit,
        reason=decision.reason,
        explanation=decision.explanation,
        next_step=decision.next_step,
        due_at=case.due_at(offer.rules, decision.reason),
        seconds_counted=decision.seconds_counted,
        window_seconds=decision.window_seconds,
        inputs=record_of(case.facts),
        inputs_hash=judged.inputs_hash,
        evidence_hash=evidence_hash_of(
            judged.viewing, supports.rows.get((judged.user_id, offer.grant.mode), ())
        ),
        decided_at=now,
        is_latest=True,
    )
    db.add(row)
    return row


def _mark_decided(db: DbSession, by_person: dict[int, Viewing]) -> None:
    """Remember how far the evidence went that was decided upon; later beats are new evidence."""
    seen = [
        {"id": load.pass_id, "decided_until": load.last_seen_at}
        for viewing in by_person.values()
        for load in viewing.stored
    ]
    if seen:
        db.execute(update(ViewingPass), seen)
