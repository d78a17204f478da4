"""Registries' numbers of people: given when credit is claimed, with the consent to pass them on."""

import re
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.credit import Reason
from webinar.domain.errors import DomainError
from webinar.models import CreditDecision, Identifier

LONGEST = 60
# The German medical associations' uniform number for continuing education: 15 digits.
EFN = re.compile(r"80276\d{10}")


class IdentifierRefused(DomainError):
    """The number cannot be right, or may not be passed on."""


def give(
    db: DbSession, user_id: int, *, kind: str, value: str, consents: bool, now: datetime
) -> Identifier:
    """Keep a person's number of this kind; a new one takes the place of the old."""
    value = re.sub(r"\s+", "", value)
    if not value or len(value) > LONGEST:
        raise IdentifierRefused(f"Enter your {kind}, at most {LONGEST} characters.")
    if kind == "EFN" and not EFN.fullmatch(value):
        raise IdentifierRefused("An EFN has 15 digits and begins with 80276. Compare it again.")
    if not consents:
        raise IdentifierRefused(
            f"Without your consent to pass it on, the {kind} cannot be used; nothing was stored."
        )
    identifier = db.get(Identifier, (user_id, kind))
    if identifier is None:
        identifier = Identifier(user_id=user_id, kind=kind, value=value, consented_at=now)
        db.add(identifier)
    identifier.value = value
    identifier.consented_at = now
    db.flush()
    return identifier


def waiting_sessions(db: DbSession, user_id: int) -> list[int]:
    """Sessions whose credit is held for want of a number."""
    return list(
        db.scalars(
            select(CreditDecision.session_id)
            .where(
                CreditDecision.user_id == user_id,
                CreditDecision.is_latest,
                CreditDecision.reason == Reason.PENDING_IDENTIFIER,
            )
            .distinct()
            .order_by(CreditDecision.session_id)
        )
    )
