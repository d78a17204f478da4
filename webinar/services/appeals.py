"""Appeals: a person does not agree with a decision, an officer answers, both in words that stay."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select

from webinar.db import DbSession
from webinar.domain.credit import GrantStatus
from webinar.domain.errors import Conflict, DomainError, NotAllowed, NotFound, NotYet
from webinar.domain.evidence_picture import EvidencePicture, picture_of, record_of_picture
from webinar.domain.figures import plain_credit
from webinar.domain.letter import MailKind
from webinar.domain.review import AppealState
from webinar.domain.session import SessionStatus
from webinar.models import Appeal, CreditDecision, User, WebinarSession
from webinar.services import audit, deliveries, registrations
from webinar.services.evidence import pictures
from webinar.services.grants import Offer, offers_of

LONGEST = 2000


class AppealRefused(DomainError):
    """What was typed cannot be taken; `field` is where."""

    def __init__(self, message: str, *, field: str = "words") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What an appeal carries: what was decided, and the evidence, as they were when it was raised.

    `credit` is an amount in words; "" where nothing was decided.
    """

    picture: EvidencePicture | None
    credit: str = ""
    reason: str = ""
    explanation: str = ""
    decision_id: int | None = None


def raise_appeal(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    grant_id: int,
    *,
    words: str,
    now: datetime,
) -> Appeal:
    """Object to what came out under a grant. One at a time for each grant.

    Raises NotFound, NotYet before anything is decided, Conflict while one is open, AppealRefused.
    """
    # Two presses at once: one after the other.
    db.scalars(select(User.id).where(User.id == user_id).with_for_update(key_share=True)).one()
    offer = _offer(db, session, grant_id)
    decision = _standing(db, session.id, user_id, grant_id)
    if not may_be_raised(db, session, user_id, offer, decision):
        raise NotYet("There is nothing to appeal against yet: this credit is not decided.")
    if grant_id in open_of_person(db, session.id, user_id):
        raise Conflict("Your appeal is with the accreditation officer. The answer comes by mail.")
    words = words.strip()
    if not words:
        raise AppealRefused("Say in a few words what is wrong.")
    if len(words) > LONGEST:
        raise AppealRefused(f"Say it in at most {LONGEST} characters.")
    appeal = Appeal(
        session_id=session.id,
        user_id=user_id,
        grant_id=grant_id,
        words=words,
        picture=_record(_carried(db, session, user_id, offer, decision)),
        raised_at=now,
    )
    db.add(appeal)
    db.flush()
    audit.write(
        db,
        actor_id=user_id,
        action="appeal raised",
        subject=f"session {session.id}",
        after={"appeal": appeal.id, "grant": grant_id},
        now=now,
    )
    return appeal


def may_be_raised(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    offer: Offer,
    decision: CreditDecision | None,
) -> bool:
    """True once something is decided; or a registered person was not seen where credit is given."""
    if decision is not None:
        return True
    return (
        offer.grant.status is GrantStatus.GRANTED
        and session.status is SessionStatus.ENDED
        and registrations.is_registered(db, session.id, user_id)
    )


def withdraw(db: DbSession, appeal_id: int, user_id: int, *, now: datetime) -> Appeal:
    """The person takes it back; raises NotFound for anybody else's, Conflict once answered."""
    appeal = _locked(db, appeal_id)
    if appeal.user_id != user_id:
        raise NotFound("There is no such appeal.")
    _ensure_open(appeal)
    appeal.state, appeal.answered_at = AppealState.WITHDRAWN, now
    audit.write(
        db,
        actor_id=user_id,
        action="appeal withdrawn",
        subject=f"session {appeal.session_id}",
        after={"appeal": appeal.id},
        now=now,
    )
    return appeal


def answer(
    db: DbSession,
    appeal_id: int,
    *,
    session_id: int,
    upheld: bool,
    words: str,
    actor_id: int,
    now: datetime,
) -> Appeal:
    """Say yes or no, with words that go to the person; what they earn a correction changes.

    Raises NotFound, Conflict once answered, NotAllowed for one's own, AppealRefused.
    """
    appeal = _locked(db, appeal_id)
    if appeal.session_id != session_id:
        raise NotFound("There is no such appeal.")
    _ensure_open(appeal)
    if appeal.user_id == actor_id:
        raise NotAllowed("This appeal is your own. Ask a colleague to answer it.")
    words = words.strip()
    if not words:
        raise AppealRefused("Say why; the person reads it in a mail.", field="answer")
    if len(words) > LONGEST:
        raise AppealRefused(f"Say it in at most {LONGEST} characters.", field="answer")
    appeal.state = AppealState.UPHELD if upheld else AppealState.DECLINED
    appeal.answer, appeal.answered_by_id, appeal.answered_at = words, actor_id, now
    db.flush()
    deliveries.queue(
        db,
        MailKind.APPEAL_ANSWERED,
        user_id=appeal.user_id,
        subject_id=appeal.id,
        due_at=now,
        now=now,
    )
    audit.write(
        db,
        actor_id=actor_id,
        action=f"appeal {appeal.state.value}",
        subject=f"session {session_id}",
        after={"appeal": appeal.id, "user": appeal.user_id},
        reason=words,
        now=now,
    )
    return appeal


def one(db: DbSession, session_id: int, appeal_id: int) -> Appeal:
    """An appeal of the session; raises NotFound."""
    appeal = db.get(Appeal, appeal_id)
    if appeal is None or appeal.session_id != session_id:
        raise NotFound("There is no such appeal.")
    return appeal


def open_of_person(db: DbSession, session_id: int, user_id: int) -> dict[int, Appeal]:
    """The person's appeals that nobody has answered, by grant."""
    return {
        appeal.grant_id: appeal
        for appeal in of_person(db, session_id, user_id)
        if appeal.state is AppealState.OPEN
    }


def of_person(db: DbSession, session_id: int, user_id: int) -> Sequence[Appeal]:
    """All the person said about this session, the newest first."""
    return db.scalars(
        select(Appeal)
        .where(Appeal.session_id == session_id, Appeal.user_id == user_id)
        .order_by(Appeal.id.desc())
    ).all()


def listed(
    db: DbSession,
    *,
    society_ids: Iterable[int] | None,
    is_open: bool,
    limit: int,
    offset: int = 0,
) -> Sequence[Appeal]:
    """Open appeals, the oldest first; or answered ones, the newest first. None: every society's."""
    order = Appeal.raised_at if is_open else Appeal.answered_at.desc()
    return db.scalars(
        select(Appeal)
        .join(WebinarSession, WebinarSession.id == Appeal.session_id)
        .where(_among(society_ids, is_open=is_open))
        .order_by(order, Appeal.id)
        .limit(limit)
        .offset(offset)
    ).all()


def count_open(db: DbSession, *, society_ids: Iterable[int] | None) -> int:
    """How many wait for an answer."""
    counted = (
        select(func.count(Appeal.id))
        .join(WebinarSession, WebinarSession.id == Appeal.session_id)
        .where(_among(society_ids, is_open=True))
    )
    return db.scalars(counted).one()


def carried_by(appeal: Appeal) -> Carried:
    """What the appeal carries, read back."""
    record = appeal.picture
    drawn = record.get("evidence")
    decision_id = record.get("decision")
    return Carried(
        picture=picture_of(drawn) if isinstance(drawn, dict) else None,
        credit=str(record.get("credit", "")),
        reason=str(record.get("reason", "")),
        explanation=str(record.get("explanation", "")),
        decision_id=decision_id if isinstance(decision_id, int) else None,
    )


def _among(society_ids: Iterable[int] | None, *, is_open: bool) -> ColumnElement[bool]:
    state = Appeal.state == AppealState.OPEN if is_open else Appeal.state != AppealState.OPEN
    if society_ids is None:
        return state
    return and_(state, WebinarSession.society_id.in_(list(society_ids)))


def _carried(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    offer: Offer,
    decision: CreditDecision | None,
) -> Carried:
    drawn = (
        pictures.of_now(db, session, user_id, offer)
        if decision is None
        else pictures.of_decision(decision)
    )
    if drawn is not None:
        sources = pictures.sources_of(db, session, user_id, offer.grant.mode)
        drawn = replace(drawn, sources=sources)
    if decision is None:
        return Carried(picture=drawn)
    return Carried(
        picture=drawn,
        credit=plain_credit(decision.credit),
        reason=decision.reason.value,
        explanation=decision.explanation,
        decision_id=decision.id,
    )


def _record(carried: Carried) -> dict[str, object]:
    return {
        "evidence": None if carried.picture is None else record_of_picture(carried.picture),
        "credit": carried.credit,
        "reason": carried.reason,
        "explanation": carried.explanation,
        "decision": carried.decision_id,
    }


def _offer(db: DbSession, session: WebinarSession, grant_id: int) -> Offer:
    for offer in offers_of(db, session.id, granted_only=False):
        if offer.grant.id == grant_id and offer.grant.status is not GrantStatus.NONE:
            return offer
    raise NotFound("There is no such credit in this session.")


def _standing(db: DbSession, session_id: int, user_id: int, grant_id: int) -> CreditDecision | None:
    return db.scalar(
        select(CreditDecision).where(
            CreditDecision.session_id == session_id,
            CreditDecision.user_id == user_id,
            CreditDecision.grant_id == grant_id,
            CreditDecision.is_latest,
        )
    )


def _locked(db: DbSession, appeal_id: int) -> Appeal:
    found = db.get(Appeal, appeal_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("There is no such appeal.")
    return found


def _ensure_open(appeal: Appeal) -> None:
    if appeal.state is not AppealState.OPEN:
        raise Conflict("This appeal is closed: it was answered or taken back meanwhile.")
