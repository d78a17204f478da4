"""What a correction would change, before anybody says yes; and whose case it may be about."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select

from webinar.db import DbSession
from webinar.domain.credit import Decision, GrantStatus, decide
from webinar.domain.errors import NotFound
from webinar.domain.replay import facts_of
from webinar.domain.review import CorrectionState
from webinar.models import (
    AccreditationGrant,
    Appeal,
    CreditCorrection,
    CreditDecision,
    Registration,
    User,
    WebinarSession,
)
from webinar.services import attendance, credits
from webinar.services.cases import case_of, papers_of
from webinar.services.evidence.grounds import Corrected, put_right
from webinar.services.grants import offers_of

MOST_FOUND = 20


@dataclass(frozen=True)
class Preview:
    """One grant: what stands now, if anything does, and what would with the correction."""

    grant: AccreditationGrant
    before: CreditDecision | None
    after: Decision


def preview(
    db: DbSession, session: WebinarSession, correction: CreditCorrection, *, now: datetime
) -> list[Preview]:
    """For each grant of the correction's mode; nothing is written."""
    offers = offers_of(db, session.id)
    user_id, mode = correction.user_id, correction.mode
    papers = papers_of(db, session, offers, [user_id])
    corrected = papers.grounds.corrected
    if correction.state is CorrectionState.PROPOSED:
        whose = (user_id, mode)
        after = put_right(corrected.get(whose, Corrected()), correction)
        corrected = {**corrected, whose: after}
    papers = replace(papers, grounds=replace(papers.grounds, corrected=corrected))
    standing = {d.grant_id: d for d in credits.latest_of(db, session.id, user_id)}
    viewing = attendance.viewing_of(db, session.id, user_id, mode)
    found = []
    for offer in offers:
        if offer.grant.mode is not mode or offer.grant.status is not GrantStatus.GRANTED:
            continue
        before = standing.get(offer.grant.id)
        case = case_of(
            db,
            session,
            offer,
            viewing,
            papers,
            user_id,
            already_credited=before is not None and facts_of(before.inputs).already_credited,
            now=now,
        )
        found.append(Preview(offer.grant, before, decide(offer.rules, case.facts)))
    return found


def people_named(db: DbSession, session: WebinarSession, words: str) -> list[User]:
    """Who has a place in the session, a decision or an appeal, by words of name or address.

    Anybody else is found by their whole e-mail address alone.
    """
    if not words.strip():
        return []
    named = [
        or_(User.name.icontains(word, autoescape=True), User.email.icontains(word, autoescape=True))
        for word in words.split()
    ]
    whole = User.email == words.strip().casefold()
    return list(
        db.scalars(
            select(User)
            .where(or_(and_(_is_here(session), *named), whole), User.erased_at.is_(None))
            .order_by(User.name, User.id)
            .limit(MOST_FOUND)
        )
    )


def person_named(db: DbSession, session: WebinarSession, user_id: int, *, address: str) -> User:
    """Who has this number, for those alone whom `people_named` finds; raises NotFound.

    `address`: what was searched for. Else numbers tried one by one would tell everybody's name.
    """
    found = db.scalar(
        select(User).where(
            User.id == user_id,
            or_(_is_here(session), User.email == address.strip().casefold()),
            User.erased_at.is_(None),
        )
    )
    if found is None:
        raise NotFound("Nobody in this session is that person. Look them up by e-mail address.")
    return found


def _is_here(session: WebinarSession) -> ColumnElement[bool]:
    return or_(
        select(Registration.id)
        .where(Registration.session_id == session.id, Registration.user_id == User.id)
        .exists(),
        select(CreditDecision.id)
        .where(CreditDecision.session_id == session.id, CreditDecision.user_id == User.id)
        .exists(),
        select(Appeal.id)
        .where(Appeal.session_id == session.id, Appeal.user_id == User.id)
        .exists(),
    )
