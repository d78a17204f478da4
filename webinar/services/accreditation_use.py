"""Who relies on a grant: whose certificates name it, and whose credit was decided under it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.wording import plural
from webinar.models import AccreditationGrant, Certificate, CreditDecision


def decided_people(db: DbSession, grant: AccreditationGrant) -> int:
    """How many people's credit was decided under this grant, whatever came of it."""
    return _standing(db, [grant])[grant.id].decided


def why_kept(db: DbSession, grant: AccreditationGrant) -> str:
    """Why the grant cannot be removed, as a sentence; "" if it can."""
    return reasons_kept(db, [grant])[grant.id]


def reasons_kept(db: DbSession, grants: Sequence[AccreditationGrant]) -> dict[int, str]:
    """The same for all grants of one session at once, by their ids."""
    return {grant_id: used.words for grant_id, used in _standing(db, grants).items()}


@dataclass(frozen=True)
class _Used:
    """How many people hold a certificate under a grant, and whose credit was decided."""

    holders: int
    decided: int

    @property
    def words(self) -> str:
        if self.holders:
            people = plural(self.holders, "person holds", "people hold")
            return (
                f"{people} a certificate under this grant, so it cannot be removed. "
                "Withdraw it: their credit is decided anew."
            )
        if self.decided:
            people = plural(self.decided, "person", "people")
            return (
                f"The credit of {people} was decided under this grant, so it cannot be removed. "
                "Withdraw it."
            )
        return ""


def _standing(db: DbSession, grants: Sequence[AccreditationGrant]) -> dict[int, _Used]:
    decided: dict[int, set[int]] = {grant.id: set() for grant in grants}
    grant_of_decision: dict[int, int] = {}
    for decision_id, grant_id, user_id in db.execute(
        select(CreditDecision.id, CreditDecision.grant_id, CreditDecision.user_id).where(
            CreditDecision.grant_id.in_(decided)
        )
    ):
        decided[grant_id].add(user_id)
        grant_of_decision[decision_id] = grant_id
    held: dict[int, set[int]] = {grant.id: set() for grant in grants}
    if grant_of_decision:
        for user_id, ids in db.execute(
            select(Certificate.user_id, Certificate.decision_ids).where(
                Certificate.session_id.in_({grant.session_id for grant in grants}),
                Certificate.revoked_at.is_(None),
                Certificate.superseded_by.is_(None),
            )
        ):
            for grant_id in {grant_of_decision[one] for one in ids if one in grant_of_decision}:
                held[grant_id].add(user_id)
    return {one: _Used(len(held[one]), len(people)) for one, people in decided.items()}
