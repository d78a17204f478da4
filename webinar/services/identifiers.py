"""Registries' numbers of people: given when credit is claimed, with the consent to pass them on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain import eiv, esmo_mora, pars
from webinar.domain.credit import Reason
from webinar.domain.errors import DomainError
from webinar.models import CreditDecision, Identifier
from webinar.services import audit

LONGEST = 60
EFN = "EFN"


class IdentifierRefused(DomainError):
    """The number cannot be right, or may not be passed on."""


@dataclass(frozen=True)
class KnownKind:
    """A number people can give of themselves, and who is told it."""

    key: str
    name: str
    told_to: str


KNOWN = (
    KnownKind(EFN, "EFN", "the German medical associations, through their distributor EIV"),
    KnownKind(pars.KIND, "US state medical licence", "ACCME’s system PARS, for state boards"),
    KnownKind(esmo_mora.KIND, "ESMO number", "ESMO, for ESMO-MORA points"),
)


def give(
    db: DbSession,
    user_id: int,
    *,
    kind: str,
    value: str,
    consents: bool,
    details: Mapping[str, str] | None = None,
    now: datetime,
) -> Identifier:
    """Keep a person's number of this kind; a new one takes the place of the old.

    `details` is what the registry wants beside it: for PARS `birth` as MM-DD and `state`.
    """
    value = re.sub(r"\s+", "", value)
    if not value or len(value) > LONGEST:
        raise IdentifierRefused(f"Enter your {kind}, at most {LONGEST} characters.")
    if kind == EFN and not eiv.is_efn(value):
        raise IdentifierRefused(
            "An EFN has 15 digits, begins with 80276, and its last digit checks the others. "
            "Compare it again."
        )
    kept = _pars_details(details or {}) if kind == pars.KIND else None
    if not consents:
        raise IdentifierRefused(
            f"Without your consent to pass it on, the {kind} cannot be used; nothing was stored."
        )
    identifier = db.get(Identifier, (user_id, kind))
    if identifier is None:
        identifier = Identifier(user_id=user_id, kind=kind, value=value, consented_at=now)
        db.add(identifier)
    identifier.value = value
    identifier.details = kept
    identifier.consented_at = now
    db.flush()
    return identifier


def take_back(db: DbSession, user_id: int, *, kind: str, now: datetime) -> None:
    """Forget the number and the consent; lists made from now on leave the person out."""
    identifier = db.get(Identifier, (user_id, kind))
    if identifier is None:
        return
    db.delete(identifier)
    db.flush()
    audit.write(
        db,
        actor_id=user_id,
        action="consent taken back",
        subject=f"user {user_id}",
        now=now,
        before={"kind": kind, "consented_at": identifier.consented_at},
    )


def given_by(db: DbSession, user_id: int) -> dict[str, Identifier]:
    """What the person has given, by kind."""
    found = db.scalars(select(Identifier).where(Identifier.user_id == user_id))
    return {identifier.kind: identifier for identifier in found}


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


def _pars_details(details: Mapping[str, str]) -> dict[str, str]:
    try:
        birth = pars.read_birthday(details.get("birth", ""))
    except pars.MalformedBirthday as malformed:
        raise IdentifierRefused(str(malformed)) from malformed
    state = details.get("state", "")
    if state not in pars.STATES:
        raise IdentifierRefused("Choose the state whose board licenses you.")
    return {"birth": birth, "state": state}
