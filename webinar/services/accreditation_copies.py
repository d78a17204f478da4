"""The same as last time: a session's grants taken over from another of its series."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import case, select

from webinar.db import DbSession
from webinar.domain.credit import GrantStatus
from webinar.domain.errors import NotFound
from webinar.domain.statements import (
    applied_statement,
    for_another,
    granted_statement,
)
from webinar.domain.timezone import to_local, to_utc
from webinar.models import AccreditationGrant, WebinarSession
from webinar.services import accreditation
from webinar.services.feeds import CalendarTool
from webinar.services.policy_versions import rules_offered

OFFERED = 12


@dataclass(frozen=True)
class Source:
    """A session whose grants can be taken over."""

    session: WebinarSession
    grants: tuple[AccreditationGrant, ...]


def sources(db: DbSession, session: WebinarSession) -> list[Source]:
    """Sessions of the same series with grants; the last before this one first, then later ones."""
    if session.series_id is None:
        return []
    granted = select(AccreditationGrant.id).where(
        AccreditationGrant.session_id == WebinarSession.id
    )
    same_series = select(WebinarSession).where(
        WebinarSession.series_id == session.series_id,
        WebinarSession.id != session.id,
        granted.exists(),
    )
    starts_at = WebinarSession.starts_at
    is_later = starts_at > session.starts_at
    nearest = same_series.order_by(
        is_later, case((is_later, starts_at)), starts_at.desc(), WebinarSession.id
    )
    found = list(db.scalars(nearest.limit(OFFERED)))
    grants = accreditation.grants_by_session(db, [other.id for other in found])
    return [Source(other, tuple(grants[other.id])) for other in found]


def copy_grants(
    db: DbSession,
    session: WebinarSession,
    source_public_id: str,
    *,
    as_decided: bool,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> Sequence[AccreditationGrant]:
    """Add the grants the other session has and this one lacks, under the rules' newest versions.

    They begin as applied for, without a reference; with `as_decided` the body's decision covers
    this session too, and both are taken over. Raises NotFound for a session that is not offered.
    """
    source = next(
        (one for one in sources(db, session) if one.session.public_id == source_public_id), None
    )
    if source is None:
        raise NotFound("That session is not of this series, or has no grants to take over.")
    newest = {rule.policy.name: rule.policy.id for rule in rules_offered(db)}
    there = {(grant.accreditor_id, grant.mode) for grant in accreditation.grants_of(db, session.id)}
    added = []
    for grant in source.grants:
        if (grant.accreditor_id, grant.mode) in there:
            continue
        details = replace(
            _moved(grant, source.session, session), policy_id=newest[grant.policy.name]
        )
        if not as_decided:
            details = replace(
                details,
                status=GrantStatus.APPLIED,
                reference="",
                applied_on=None,
                decided_on=None,
            )
        added.append(
            accreditation.add_grant(
                db, session, details, actor_id=actor_id, calendar=calendar, now=now
            )
        )
    return added


def _moved(
    grant: AccreditationGrant, source: WebinarSession, session: WebinarSession
) -> accreditation.GrantDetails:
    """What the grant states, said of the other session."""
    body = grant.accreditor.slug
    here, there = accreditation.activity_of(source), accreditation.activity_of(session)
    return replace(
        accreditation.details_of(grant),
        statement_applied=applied_statement(body, there)
        or for_another(grant.statement_applied, here, there),
        statement_granted=granted_statement(body, there, grant.credits_granted)
        or for_another(grant.statement_granted, here, there),
        credit_until=_as_long_after(grant.credit_until, source, session),
    )


def _as_long_after(
    until: datetime | None, source: WebinarSession, session: WebinarSession
) -> datetime | None:
    """As many days after the session, at the same hour of the wall clock."""
    if until is None:
        return None
    walls = [
        to_local(at, zone).replace(tzinfo=None)
        for at, zone in (
            (until, session.zone),
            (source.starts_at, source.zone),
            (session.starts_at, session.zone),
        )
    ]
    days = walls[2].date() - walls[1].date()
    return to_utc(walls[0] + days, session.zone, on_gap="forward", on_fold="first")
