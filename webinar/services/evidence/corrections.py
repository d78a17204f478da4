"""Corrections of one person's case: proposed with a reason, approved by a second person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.access import Action, ensure_second_person
from webinar.domain.attendance import ViewingMode
from webinar.domain.errors import Conflict, DomainError, NotAllowed, NotFound
from webinar.domain.evidence_chain import LinkKind, NewLink
from webinar.domain.review import CorrectionKind, CorrectionState
from webinar.domain.session import SessionStatus
from webinar.domain.span import Span, clip
from webinar.models import Appeal, CreditCorrection, CreditDecision, User, WebinarSession
from webinar.services import attendance, audit, credits
from webinar.services.evidence import chain
from webinar.services.evidence.case_digests import of_correction

LONGEST_WORDS = 2000
LONGEST_DELAY = timedelta(days=366)
PRESENCE = frozenset({CorrectionKind.ADD_PRESENCE, CorrectionKind.REMOVE_PRESENCE})


class ImpossibleCorrection(DomainError):
    """It would change nothing, or what it says cannot be."""


class ReasonMissing(DomainError):
    """An auditor asks why, years later."""


class OwnCredit(NotAllowed):
    """Nobody has a hand in the credit of their own."""


class NotProposed(Conflict):
    """It was decided upon, or withdrawn, meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a correction changes. A stretch is on the clock that counts: Unix seconds of a live
    session, source seconds of a recording; `until` is for more time."""

    kind: CorrectionKind
    mode: ViewingMode
    span: Span[int] | None = None
    until: datetime | None = None


def of_session(
    db: DbSession, session_id: int, *, user_id: int | None = None
) -> list[CreditCorrection]:
    """The session's corrections, newest first."""
    query = select(CreditCorrection).where(CreditCorrection.session_id == session_id)
    if user_id is not None:
        query = query.where(CreditCorrection.user_id == user_id)
    return list(db.scalars(query.order_by(CreditCorrection.id.desc())))


def correction_of(db: DbSession, session: WebinarSession, correction_id: int) -> CreditCorrection:
    """One of the session's; raises NotFound."""
    correction = db.get(CreditCorrection, correction_id)
    if correction is None or correction.session_id != session.id:
        raise NotFound("This session has no such correction.")
    return correction


def propose(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    change: Change,
    *,
    reason: str,
    actor_id: int,
    now: datetime,
    appeal_id: int | None = None,
) -> CreditCorrection:
    """Put a correction before a second person; nothing counts differently until they approve it.

    Raises OwnCredit, ReasonMissing, ImpossibleCorrection, NotFound.
    """
    _ensure_not_own(user_id, actor_id)
    words = _words(reason, "Say why, with what it rests on: an auditor reads it years later.")
    if db.get(User, user_id) is None:
        raise NotFound("There is no such person.")
    if appeal_id is not None:
        appeal = db.get(Appeal, appeal_id)
        if appeal is None or (appeal.session_id, appeal.user_id) != (session.id, user_id):
            raise NotFound("There is no such appeal of this person.")
    _ensure_possible(db, session, change, now=now)
    span = change.span if change.kind in PRESENCE else None
    correction = CreditCorrection(
        session_id=session.id,
        user_id=user_id,
        mode=change.mode,
        kind=change.kind,
        from_second=None if span is None else span.start,
        to_second=None if span is None else span.end,
        until=change.until if change.kind is CorrectionKind.MORE_TIME else None,
        reason=words,
        appeal_id=appeal_id,
        proposed_by_id=actor_id,
        proposed_at=now,
    )
    db.add(correction)
    db.flush()
    _tell(db, "correction proposed", correction, actor_id=actor_id, reason=words, now=now)
    return correction


def approve(
    db: DbSession,
    correction: CreditCorrection,
    *,
    actor_id: int,
    public_url: str,
    now: datetime,
    answer: str = "",
) -> list[CreditDecision]:
    """Let it count: the person is decided for at once. Returns the new revisions.

    Raises SecondPersonNeeded, OwnCredit, NotProposed.
    """
    _lock_proposed(db, correction)
    ensure_second_person(Action.CORRECT_CREDIT, correction.proposed_by_id, actor_id)
    _ensure_not_own(correction.user_id, actor_id)
    # In the order in which decisions take them: people, then the chain.
    db.scalars(
        select(User.id).where(User.id == correction.user_id).with_for_update(key_share=True)
    ).one()
    correction.answer = _short(answer)
    _decided(db, correction, CorrectionState.APPROVED, actor_id=actor_id, now=now)
    link = NewLink(LinkKind.CORRECTION, str(correction.id), of_correction(correction))
    chain.append(db, correction.session_id, [link], now=now)
    fresh = credits.decide_person(
        db, correction.session_id, correction.user_id, public_url=public_url, now=now
    )
    _tell(db, "correction approved", correction, actor_id=actor_id, reason=answer, now=now)
    return fresh


def refuse(
    db: DbSession, correction: CreditCorrection, *, answer: str, actor_id: int, now: datetime
) -> None:
    """Say no, with a reason; raises SecondPersonNeeded, OwnCredit, ReasonMissing, NotProposed."""
    words = _words(answer, "Say why it is refused.")
    _lock_proposed(db, correction)
    ensure_second_person(Action.CORRECT_CREDIT, correction.proposed_by_id, actor_id)
    _ensure_not_own(correction.user_id, actor_id)
    correction.answer = words
    _decided(db, correction, CorrectionState.REFUSED, actor_id=actor_id, now=now)
    _tell(db, "correction refused", correction, actor_id=actor_id, reason=words, now=now)


def withdraw(
    db: DbSession, correction: CreditCorrection, *, actor_id: int, now: datetime, reason: str = ""
) -> None:
    """Whoever proposed it takes it back; raises NotAllowed, NotProposed."""
    _lock_proposed(db, correction)
    if correction.proposed_by_id != actor_id:
        raise NotAllowed("Only who proposed a correction withdraws it. Refuse it instead.")
    correction.answer = _short(reason)
    _decided(db, correction, CorrectionState.WITHDRAWN, actor_id=actor_id, now=now)
    _tell(db, "correction withdrawn", correction, actor_id=actor_id, reason=reason, now=now)


def proposed_by_session(db: DbSession, session_ids: Sequence[int]) -> dict[int, int]:
    """How many corrections wait for a second person; a session without any is missing."""
    found: dict[int, int] = {}
    for session_id in db.scalars(
        select(CreditCorrection.session_id).where(
            CreditCorrection.session_id.in_(session_ids),
            CreditCorrection.state == CorrectionState.PROPOSED,
        )
    ):
        found[session_id] = found.get(session_id, 0) + 1
    return found


def _ensure_possible(
    db: DbSession, session: WebinarSession, change: Change, *, now: datetime
) -> None:
    if change.mode is ViewingMode.FACULTY:
        raise ImpossibleCorrection(
            "Faculty credit follows the minutes that were confirmed. Confirm other minutes instead."
        )
    if change.mode is ViewingMode.LIVE and session.status is not SessionStatus.ENDED:
        raise ImpossibleCorrection("Correct the live session once it has ended.")
    if change.kind in PRESENCE:
        window = _whole(db, session, change.mode)
        if change.span is None or change.span.start >= change.span.end:
            raise ImpossibleCorrection("A stretch ends after it begins. Check both times.")
        if clip([change.span], window) != [change.span]:
            raise ImpossibleCorrection("That stretch is not inside what counts. Check both times.")
    if change.kind is CorrectionKind.MORE_TIME:
        if change.until is None or change.until <= now:
            raise ImpossibleCorrection("Give a time to come until which papers may be handed in.")
        if change.until > now + LONGEST_DELAY:
            raise ImpossibleCorrection("Give at most a year more.")


def _whole(db: DbSession, session: WebinarSession, mode: ViewingMode) -> Span[int]:
    """All that may count under any policy: the announced hours and the real ones."""
    if mode is ViewingMode.RECORDED:
        return attendance.whole_window(db, session)
    announced = attendance.counting_window(db, session, mode)
    real = attendance.counting_window(db, session, mode, actual=True)
    return Span(min(announced.start, real.start), max(announced.end, real.end))


def _lock_proposed(db: DbSession, correction: CreditCorrection) -> None:
    db.refresh(correction, with_for_update=True)
    if correction.state is not CorrectionState.PROPOSED:
        raise NotProposed(f"This correction was {correction.state.value} already.")


def _decided(
    db: DbSession,
    correction: CreditCorrection,
    state: CorrectionState,
    *,
    actor_id: int,
    now: datetime,
) -> None:
    correction.state = state
    correction.decided_by_id, correction.decided_at = actor_id, now
    db.flush()


def _ensure_not_own(user_id: int, actor_id: int) -> None:
    if user_id == actor_id:
        raise OwnCredit("This is your own credit. Ask two colleagues to look at it.")


def _words(text: str, missing: str) -> str:
    if not text.strip():
        raise ReasonMissing(missing)
    return _short(text)


def _short(text: str) -> str:
    if len(text.strip()) > LONGEST_WORDS:
        raise ReasonMissing(f"Keep it below {LONGEST_WORDS} characters.")
    return text.strip()


def _tell(
    db: DbSession,
    action: str,
    correction: CreditCorrection,
    *,
    actor_id: int,
    reason: str,
    now: datetime,
) -> None:
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"session {correction.session_id}",
        after={
            "correction": correction.id,
            "user_id": correction.user_id,
            "mode": correction.mode,
            "kind": correction.kind,
            "from_second": correction.from_second,
            "to_second": correction.to_second,
            "until": correction.until,
            "appeal": correction.appeal_id,
        },
        reason=reason,
        now=now,
    )
