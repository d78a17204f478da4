"""What an announced session must not lose, and when it is too late to announce one."""

from dataclasses import dataclass, replace
from datetime import datetime

from webinar.db import DbSession
from webinar.domain.gate import GateFacts, ensure_may_publish, missing_before_publishing
from webinar.domain.session import InThePast, SessionStatus
from webinar.domain.wording import local_moment
from webinar.models import WebinarSession
from webinar.services import gate


@dataclass(frozen=True)
class Shown:
    """What people were shown before an edit."""

    facts: GateFacts
    disclosed: frozenset[int]
    """Ids of the members whose disclosure is in."""


def shown_by(db: DbSession, session: WebinarSession) -> Shown:
    """What the session shows now."""
    return Shown(
        gate.facts_of(db, session),
        frozenset(member.id for member in session.faculty if gate.has_disclosed(member)),
    )


def ensure_still_shown(db: DbSession, session: WebinarSession, shown: Shown) -> None:
    """Raise NotReady if an edit took away what the gate asked for, unless it was overridden.

    What was never there may stay away, and who joins an announced session may disclose later.
    """
    if session.status is SessionStatus.DRAFT or session.override_reason:
        return
    withdrawn = tuple(
        member.name
        for member in session.faculty
        if member.id in shown.disclosed and not gate.has_disclosed(member)
    )
    facts = replace(gate.facts_of(db, session), undisclosed=withdrawn)
    if set(missing_before_publishing(facts)) - set(missing_before_publishing(shown.facts)):
        ensure_may_publish(facts)


def ensure_to_come(session: WebinarSession, *, now: datetime) -> None:
    """Raise InThePast if nobody could come any more."""
    if session.ends_at <= now:
        raise InThePast(
            f"The session was planned for {local_moment(session.starts_at, session.zone)}, "
            "which is over. Give it a time to come first."
        )
