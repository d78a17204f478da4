"""What the rules say today about people of a session: read and decided, nothing written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import Decision, GrantStatus, Reason, decide, hash_of_inputs
from webinar.domain.session import SessionStatus
from webinar.domain.viewing import Viewing
from webinar.models import CreditDecision, WebinarSession
from webinar.services import attendance
from webinar.services.cases import Case, case_of, papers_of
from webinar.services.grants import Offer, offers_of


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One person under one grant: the case, what follows from it, the revision that stood."""

    user_id: int
    offer: Offer
    case: Case
    viewing: Viewing
    decision: Decision
    inputs_hash: str
    before: CreditDecision | None

    @property
    def is_new(self) -> bool:
        """True if the facts or what follows from them has changed."""
        before = self.before
        return before is None or (before.inputs_hash, before.reason, before.credit) != (
            self.inputs_hash,
            self.decision.reason,
            self.decision.credit,
        )


@dataclass(frozen=True)
class Judgement:
    """All cases of some people, and by mode and person what was read of their watching."""

    cases: Sequence[Judged]
    watched: Mapping[ViewingMode, dict[int, Viewing]]

    @property
    def changed(self) -> list[Judged]:
        """The cases of which a revision is to be written."""
        return [judged for judged in self.cases if judged.is_new]


def judge(
    db: DbSession, session: WebinarSession, user_ids: Sequence[int], *, now: datetime
) -> Judgement:
    """Decide for these people under every grant that decides now.

    Live grants wait until the session has ended. Who was not there has no case. The queries are a
    fixed number for live grants; for recorded ones each case looks the recording up again.
    """
    before = standing(db, session.id, user_ids)
    decided = {grant_id for _, grant_id in before}
    offers = [
        offer
        for offer in offers_of(db, session.id, granted_only=False)
        if offer.grant.status is GrantStatus.GRANTED or offer.grant.id in decided
        if offer.grant.mode is ViewingMode.RECORDED or session.status is SessionStatus.ENDED
    ]
    watched = {
        mode: dict(attendance.viewings(db, session.id, mode, user_ids=user_ids))
        for mode in {offer.grant.mode for offer in offers}
    }
    papers = papers_of(db, session, offers, user_ids)
    reasons = {key: decision.reason for key, decision in before.items()}
    cases = []
    for user_id in user_ids:
        for offer in offers:
            key, mode = (user_id, offer.grant.id), offer.grant.mode
            viewing = watched[mode].get(user_id)
            if viewing is None and key not in before and not papers.speak_for(user_id, mode):
                continue
            viewing = viewing or Viewing()
            case = case_of(
                db,
                session,
                offer,
                viewing,
                papers,
                user_id,
                already_credited=_is_credited(reasons, offers, offer, user_id),
                now=now,
            )
            judged = Judged(
                user_id=user_id,
                offer=offer,
                case=case,
                viewing=viewing,
                decision=decide(offer.rules, case.facts),
                inputs_hash=hash_of_inputs(offer.rules, case.facts),
                before=before.get(key),
            )
            reasons[key] = judged.decision.reason
            cases.append(judged)
    return Judgement(cases, watched)


def standing(
    db: DbSession, session_id: int, user_ids: Sequence[int]
) -> dict[tuple[int, int], CreditDecision]:
    """The decisions that stand, by person and grant."""
    return {
        (decision.user_id, decision.grant_id): decision
        for decision in db.scalars(
            select(CreditDecision)
            .where(
                CreditDecision.session_id == session_id,
                CreditDecision.user_id.in_(user_ids),
                CreditDecision.is_latest,
            )
            .order_by(CreditDecision.grant_id)
        )
    }


def _is_credited(
    reasons: Mapping[tuple[int, int], Reason], offers: Sequence[Offer], offer: Offer, user_id: int
) -> bool:
    """True if another grant of the same body has given credit for this session already."""
    return any(
        other.grant.accreditor_id == offer.grant.accreditor_id
        and other.grant.id != offer.grant.id
        and reasons.get((user_id, other.grant.id)) is Reason.OK
        for other in offers
    )
