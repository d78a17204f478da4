"""What a session earns: bodies, rules and grants as officers and organisers keep them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import MODE_NAMES, GrantStatus
from webinar.domain.errors import Conflict, DomainError, NotFound
from webinar.domain.statements import Activity, ensure_permitted, ensure_permitted_once_granted
from webinar.domain.timezone import to_local
from webinar.models import (
    AccreditationGrant,
    Accreditor,
    CreditPolicy,
    WebinarSession,
)
from webinar.services import audit, feeds
from webinar.services.accreditation_use import decided_people, why_kept
from webinar.services.feeds import CalendarTool
from webinar.services.policy_versions import rule_of

MOST_CREDITS = Decimal(999)
LONGEST_REFERENCE = 60
LONGEST_EDITION = 60
DECIDED = frozenset({GrantStatus.GRANTED, GrantStatus.REFUSED})


class GrantExists(Conflict):
    """The body has a grant for this session in this mode already."""


class RuleIsFixed(Conflict):
    """Credit was decided under the grant: another body or mode is another grant."""


class GrantIsUsed(Conflict):
    """Somebody's credit rests on the grant."""


class ImpossibleCredits(DomainError):
    """No body grants that."""


class ReferenceTooLong(DomainError):
    """Longer than any body's reference."""


class EditionTooLong(DomainError):
    """Longer than the name of any body's criteria."""


class NotInForce(DomainError):
    """A version of a policy that nobody has approved yet."""


class ImpossibleApplicationDay(DomainError):
    """Nobody has applied tomorrow."""


class ImpossibleDecisionDay(DomainError):
    """A body decides after it was asked, and not tomorrow."""


@dataclass(frozen=True, kw_only=True)
class GrantDetails:
    """A grant as an officer states it; the mode is the policy's."""

    accreditor_id: int
    policy_id: int
    status: GrantStatus
    credits: Decimal
    reference: str = ""
    edition: str = ""
    """Of the body's criteria: UEMS 2023.07."""
    applied_on: date | None = None
    """None: the day on which it is first said to be applied for."""
    decided_on: date | None = None
    """None: the day on which the decision is first stated."""
    statement_applied: str = ""
    statement_granted: str = ""
    credit_until: datetime | None = None
    """The credit clock of a recording, half-open; None: as long as the recording is open."""


def grants_of(db: DbSession, session_id: int) -> list[AccreditationGrant]:
    """The session's grants, live before recorded, in the order given."""
    return grants_by_session(db, [session_id]).get(session_id, [])


def grants_by_session(
    db: DbSession, session_ids: Sequence[int]
) -> dict[int, list[AccreditationGrant]]:
    """The grants of many sessions, in one query; who has none is missing."""
    found: dict[int, list[AccreditationGrant]] = {}
    for grant in db.scalars(
        select(AccreditationGrant)
        .where(AccreditationGrant.session_id.in_(session_ids))
        .order_by(AccreditationGrant.mode, AccreditationGrant.id)
    ):
        found.setdefault(grant.session_id, []).append(grant)
    return found


def grant_of(db: DbSession, session: WebinarSession, grant_id: int) -> AccreditationGrant:
    """One of the session's grants; raises NotFound."""
    grant = db.get(AccreditationGrant, grant_id)
    if grant is None or grant.session_id != session.id:
        raise NotFound("This session has no such grant.")
    return grant


def add_grant(
    db: DbSession,
    session: WebinarSession,
    details: GrantDetails,
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> AccreditationGrant:
    """Let the session earn something under one body.

    Raises GrantExists, NotInForce, ImpossibleCredits, ReferenceTooLong, EditionTooLong,
    ImpossibleApplicationDay, ImpossibleDecisionDay, StatementNotPermitted.
    """
    _lock(db, session)
    grant = AccreditationGrant(session_id=session.id, status=GrantStatus.NONE)
    with db.no_autoflush:
        _fill(db, session, grant, details, now=now)
    db.add(grant)
    db.flush()
    _tell(db, session, "grant added", None, grant, actor_id=actor_id, calendar=calendar, now=now)
    return grant


def change_grant(
    db: DbSession,
    session: WebinarSession,
    grant: AccreditationGrant,
    details: GrantDetails,
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> bool:
    """Make the grant say this; True if anything is different. The clock then decides anew.

    Raises what `add_grant` does, and RuleIsFixed for another body or mode once credit was decided.
    """
    _lock(db, session)
    before = facts_of(grant)
    mode = rule_of(db.get_one(CreditPolicy, details.policy_id)).rules.mode
    is_another = (grant.accreditor_id, grant.mode) != (details.accreditor_id, mode)
    if is_another and decided_people(db, grant):
        raise RuleIsFixed(
            "Credit was decided under this grant already, so its body stays, and it stays live or "
            "recorded. Add another grant instead, and withdraw this one."
        )
    with db.no_autoflush:
        _fill(db, session, grant, details, now=now)
    if facts_of(grant) == before:
        return False
    db.flush()
    _tell(
        db, session, "grant changed", before, grant, actor_id=actor_id, calendar=calendar, now=now
    )
    return True


def remove_grant(
    db: DbSession,
    session: WebinarSession,
    grant: AccreditationGrant,
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> None:
    """Take away a grant nobody's credit rests on; raises GrantIsUsed."""
    _lock(db, session)
    if reason := why_kept(db, grant):
        raise GrantIsUsed(reason)
    before = facts_of(grant)
    db.delete(grant)
    db.flush()
    _tell(db, session, "grant removed", before, None, actor_id=actor_id, calendar=calendar, now=now)


def facts_of(grant: AccreditationGrant) -> dict[str, object]:
    """What a grant states, for the audit trail."""
    return {
        "accreditor_id": grant.accreditor_id,
        "policy_id": grant.policy_id,
        "mode": grant.mode,
        "status": grant.status,
        "credits_granted": format(grant.credits_granted.normalize(), "f"),
        "reference": grant.reference,
        "edition": grant.edition,
        "applied_on": grant.applied_on,
        "decided_on": grant.decided_on,
        "statement_applied": grant.statement_applied,
        "statement_granted": grant.statement_granted,
        "credit_until": grant.credit_until,
    }


def activity_of(session: WebinarSession) -> Activity:
    """The session as statements name it."""
    return Activity(session.title, session.starts_at, session.zone)


def details_of(grant: AccreditationGrant) -> GrantDetails:
    """What the grant states now."""
    return GrantDetails(
        accreditor_id=grant.accreditor_id,
        policy_id=grant.policy_id,
        status=grant.status,
        credits=grant.credits_granted,
        reference=grant.reference,
        edition=grant.edition,
        applied_on=grant.applied_on,
        decided_on=grant.decided_on,
        statement_applied=grant.statement_applied,
        statement_granted=grant.statement_granted,
        credit_until=grant.credit_until,
    )


def _fill(
    db: DbSession,
    session: WebinarSession,
    grant: AccreditationGrant,
    details: GrantDetails,
    *,
    now: datetime,
) -> None:
    policy = db.get_one(CreditPolicy, details.policy_id)
    rules = rule_of(policy).rules
    body = db.get_one(Accreditor, details.accreditor_id)
    _ensure_sensible(details, body, policy)
    _ensure_alone(db, session, grant, body, rules.mode)
    _set_days(grant, details, today=to_local(now, session.zone).date())
    grant.accreditor, grant.accreditor_id = body, body.id
    grant.policy, grant.policy_id = policy, policy.id
    grant.mode = rules.mode
    grant.status = details.status
    grant.credits_granted = details.credits
    grant.reference = details.reference
    grant.edition = details.edition
    grant.statement_applied = details.statement_applied
    grant.statement_granted = details.statement_granted
    # A live session is over when it is over: only a recording has a credit clock.
    is_recorded = rules.mode is ViewingMode.RECORDED
    grant.credit_until = details.credit_until if is_recorded else None


def _ensure_sensible(details: GrantDetails, body: Accreditor, policy: CreditPolicy) -> None:
    if policy.approved_at is None:
        raise NotInForce(
            f"Version {policy.version} of {policy.name} is a draft. Have it approved first."
        )
    if not 0 < details.credits <= MOST_CREDITS or details.credits != round(details.credits, 2):
        raise ImpossibleCredits(
            "Give the credits as a number above 0 with at most two decimals: 0.5."
        )
    if len(details.reference) > LONGEST_REFERENCE:
        raise ReferenceTooLong(f"A reference has at most {LONGEST_REFERENCE} characters.")
    if len(details.edition) > LONGEST_EDITION:
        raise EditionTooLong(f"An edition has at most {LONGEST_EDITION} characters.")
    if details.status is GrantStatus.APPLIED:
        ensure_permitted(body.slug, details.statement_applied)
    if details.status is GrantStatus.GRANTED:
        ensure_permitted_once_granted(body.slug, details.statement_granted, details.credits)


def _set_days(grant: AccreditationGrant, details: GrantDetails, *, today: date) -> None:
    """The days as stated, else as they were, else the day on which it is first said."""
    is_new = details.status is not grant.status
    applied_on = details.applied_on or grant.applied_on
    decided_on = details.decided_on or grant.decided_on
    if details.status is GrantStatus.APPLIED:
        applied_on, decided_on = applied_on or (today if is_new else None), None
    elif details.status in DECIDED and is_new:
        decided_on = decided_on or today
    if applied_on is not None and applied_on > today:
        raise ImpossibleApplicationDay(
            "That day is still to come. Give the day of the application."
        )
    if decided_on is not None and decided_on > today:
        raise ImpossibleDecisionDay("That day is still to come. Give the day of the decision.")
    if applied_on is not None and decided_on is not None and decided_on < applied_on:
        raise ImpossibleDecisionDay("The decision is before the application. Check both days.")
    grant.applied_on, grant.decided_on = applied_on, decided_on


def _ensure_alone(
    db: DbSession,
    session: WebinarSession,
    grant: AccreditationGrant,
    body: Accreditor,
    mode: ViewingMode,
) -> None:
    for other in grants_of(db, session.id):
        if (other.accreditor_id, other.mode) == (body.id, mode) and other is not grant:
            raise GrantExists(
                f"{body.short_name} has a grant for {MODE_NAMES[mode]} here already. Change that "
                "one."
            )


def _lock(db: DbSession, session: WebinarSession) -> None:
    """Two officers at once are one after the other."""
    db.refresh(session, with_for_update=True)


def _tell(
    db: DbSession,
    session: WebinarSession,
    action: str,
    before: Mapping[str, object] | None,
    grant: AccreditationGrant | None,
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> None:
    """Calendars, the clock and the audit trail learn of it."""
    if grant is not None:
        grant.changed_at = now
    feeds.refresh(db, session, calendar=calendar, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"session {session.id}",
        before=before,
        after=None if grant is None else facts_of(grant),
        now=now,
    )
