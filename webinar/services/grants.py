"""The grants of a session, with the rules they are decided by."""

from dataclasses import dataclass

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.domain.policy import CreditPolicy as Rules
from webinar.models import AccreditationGrant, CreditPolicy


@dataclass(frozen=True)
class Offer:
    """A grant with its rules, read once."""

    grant: AccreditationGrant
    rules: Rules


def offers_of(
    db: DbSession, session_id: int, *, mode: ViewingMode | None = None, granted_only: bool = True
) -> list[Offer]:
    """The session's grants with their rules; live before recorded, then in the order given."""
    query = select(AccreditationGrant).where(AccreditationGrant.session_id == session_id)
    if mode is not None:
        query = query.where(AccreditationGrant.mode == mode)
    if granted_only:
        query = query.where(AccreditationGrant.status == GrantStatus.GRANTED)
    return [
        Offer(grant, rules_of(grant.policy))
        for grant in db.scalars(query.order_by(AccreditationGrant.mode, AccreditationGrant.id))
    ]


def rules_of(policy: CreditPolicy) -> Rules:
    """A stored policy version as the rules read it."""
    return Rules.from_data(policy.name, policy.version, policy.data)
