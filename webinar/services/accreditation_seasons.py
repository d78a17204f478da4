"""What happened to an application, said of many sessions at once: applied, granted, refused."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.credit import GrantStatus
from webinar.domain.errors import DomainError
from webinar.domain.policy import Award
from webinar.domain.policy_words import most_for
from webinar.domain.statements import applied_statement, granted_statement
from webinar.models import AccreditationGrant, Accreditor, WebinarSession
from webinar.services import accreditation, accreditors
from webinar.services.accreditation import GrantDetails
from webinar.services.feeds import CalendarTool
from webinar.services.policy_versions import Rule


class NothingChosen(DomainError):
    """An application is for some sessions."""


class EarnsNothing(DomainError):
    """A session too short for one unit of the rule."""


@dataclass(frozen=True, kw_only=True)
class Happened:
    """What the body did, or was asked, on a day."""

    status: GrantStatus
    on: date | None
    reference: str = ""


def record(
    db: DbSession,
    series_id: int,
    public_ids: Sequence[str],
    *,
    body: Accreditor,
    rule: Rule,
    happened: Happened,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> int:
    """Give each of these sessions a grant of the body that says so; how many changed.

    A session without one gets it under the rule, with the credits its length earns and the
    permitted words; one that has it keeps all else. Raises NothingChosen, EarnsNothing, and what
    `accreditation.add_grant` does.
    """
    found = list(
        db.scalars(
            select(WebinarSession)
            .where(WebinarSession.public_id.in_(public_ids), WebinarSession.series_id == series_id)
            .order_by(WebinarSession.starts_at, WebinarSession.id)
        )
    )
    if not found:
        raise NothingChosen("Choose at least one session.")
    there = accreditation.grants_by_session(db, [session.id for session in found])
    changed = 0
    for session in found:
        grants = there.get(session.id, [])
        own = [g for g in grants if g.accreditor_id == body.id and g.mode is rule.rules.mode]
        grant = own[0] if own else None
        if grant is None:
            details = _new(session, body, rule, happened)
            accreditation.add_grant(
                db, session, details, actor_id=actor_id, calendar=calendar, now=now
            )
            changed += 1
        else:
            changed += accreditation.change_grant(
                db,
                session,
                grant,
                _changed(session, grant, happened),
                actor_id=actor_id,
                calendar=calendar,
                now=now,
            )
    return changed


def usual_credits(rule: Rule, session: WebinarSession) -> Decimal:
    """What a session of that length is applied for with; 0 if it is too short to earn anything."""
    if rule.rules.award is Award.FLAT:
        return rule.rules.credit_per_unit
    seconds = int((session.ends_at - session.starts_at).total_seconds())
    return most_for(rule.rules, seconds) or Decimal(0)


def _new(session: WebinarSession, body: Accreditor, rule: Rule, happened: Happened) -> GrantDetails:
    credits = usual_credits(rule, session)
    if not credits:
        raise EarnsNothing(
            f"“{session.title}” is too short to earn anything under {rule.policy.name}. "
            "Leave it out, or make it longer."
        )
    activity = accreditation.activity_of(session)
    is_applied = happened.status is GrantStatus.APPLIED
    return GrantDetails(
        accreditor_id=body.id,
        policy_id=rule.policy.id,
        status=happened.status,
        credits=credits,
        reference=happened.reference,
        edition=accreditors.terms_of(body).edition,
        applied_on=happened.on if is_applied else None,
        decided_on=None if is_applied else happened.on,
        statement_applied=applied_statement(body.slug, activity),
        statement_granted=granted_statement(body.slug, activity, credits),
    )


def _changed(
    session: WebinarSession, grant: AccreditationGrant, happened: Happened
) -> GrantDetails:
    details = accreditation.details_of(grant)
    activity = accreditation.activity_of(session)
    if happened.status is GrantStatus.APPLIED:
        details = replace(details, applied_on=happened.on or details.applied_on)
    else:
        details = replace(details, decided_on=happened.on or details.decided_on)
    return replace(
        details,
        status=happened.status,
        reference=happened.reference or details.reference,
        statement_granted=details.statement_granted
        or granted_statement(grant.accreditor.slug, activity, grant.credits_granted),
    )
