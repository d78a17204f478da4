"""Outages of a live session: declared, withdrawn, and what follows for everybody's credit."""

from datetime import datetime, timedelta

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import Conflict, DomainError, NotFound
from webinar.domain.evidence_chain import LinkKind, NewLink
from webinar.domain.span import Span
from webinar.domain.wording import local_moment
from webinar.models import Incident, WebinarSession
from webinar.services import audit, redeciding
from webinar.services.evidence import chain
from webinar.services.evidence.case_digests import of_incident

LONGEST_WORDS = 1000
AROUND = timedelta(hours=1)
"""A session that began late or ran over is declared about by its real hours."""


class ImpossibleOutage(DomainError):
    """Not a stretch of this session, or not over yet."""


class WordsMissing(DomainError):
    """Whoever reads it later wants to know what happened."""


class AlreadyWithdrawn(Conflict):
    """It was withdrawn before."""


def of_session(db: DbSession, session_id: int) -> list[Incident]:
    """All incidents, also withdrawn ones, in the order in which they were declared."""
    return list(
        db.scalars(select(Incident).where(Incident.session_id == session_id).order_by(Incident.id))
    )


def incident_of(db: DbSession, session: WebinarSession, incident_id: int) -> Incident:
    """One of the session's; raises NotFound."""
    incident = db.get(Incident, incident_id)
    if incident is None or incident.session_id != session.id:
        raise NotFound("This session has no such incident.")
    return incident


def declare(
    db: DbSession,
    session: WebinarSession,
    span: Span[datetime],
    *,
    what: str,
    actor_id: int,
    now: datetime,
) -> Incident:
    """Say that nothing could be seen in this stretch; the clock then decides anew for everybody.

    `what` is read by those it touched. Whole seconds. Raises ImpossibleOutage, WordsMissing.
    """
    words = _words(what, "Say what happened, in a sentence for those it touched.")
    span = Span(span.start.replace(microsecond=0), span.end.replace(microsecond=0))
    _ensure_possible(session, span, now=now)
    incident = Incident(
        session_id=session.id,
        starts_at=span.start,
        ends_at=span.end,
        what=words,
        declared_by_id=actor_id,
        declared_at=now,
    )
    db.add(incident)
    db.flush()
    _follow(db, session, incident, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="incident declared",
        subject=f"session {session.id}",
        after={"incident": incident.id, "from": span.start, "to": span.end},
        reason=words,
        now=now,
    )
    return incident


def withdraw(
    db: DbSession,
    session: WebinarSession,
    incident: Incident,
    *,
    reason: str,
    actor_id: int,
    now: datetime,
) -> None:
    """It was none, or not then: it stays on record and counts no more.

    Raises AlreadyWithdrawn, WordsMissing.
    """
    words = _words(reason, "Say why it is withdrawn.")
    db.refresh(incident, with_for_update=True)
    if incident.withdrawn_at is not None:
        raise AlreadyWithdrawn("This incident was withdrawn already.")
    incident.withdrawn_by_id, incident.withdrawn_at = actor_id, now
    incident.withdrawn_reason = words
    db.flush()
    _follow(db, session, incident, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="incident withdrawn",
        subject=f"session {session.id}",
        before={"incident": incident.id, "from": incident.starts_at, "to": incident.ends_at},
        reason=words,
        now=now,
    )


def _follow(db: DbSession, session: WebinarSession, incident: Incident, *, now: datetime) -> None:
    # The chain before the grants, as imports and the clock take them.
    link = NewLink(LinkKind.INCIDENT, str(incident.id), of_incident(incident))
    chain.append(db, session.id, [link], now=now)
    redeciding.mark_held(db, session.id, now=now)


def _ensure_possible(session: WebinarSession, span: Span[datetime], *, now: datetime) -> None:
    if span.start >= span.end:
        raise ImpossibleOutage("An outage ends after it began. Check both times.")
    if span.end > now:
        raise ImpossibleOutage("Declare an outage once it is over: that end is still to come.")
    starts_at = min(session.starts_at, session.actual_started_at or session.starts_at)
    ends_at = max(session.ends_at, session.actual_ended_at or session.ends_at)
    if span.end <= starts_at or span.start >= ends_at:
        raise ImpossibleOutage(
            f"The session was from {local_moment(starts_at, session.zone)} to "
            f"{local_moment(ends_at, session.zone)}; that stretch is outside of it."
        )
    if span.start < starts_at - AROUND or span.end > ends_at + AROUND:
        raise ImpossibleOutage("That is much longer than the session. Check both times.")


def _words(text: str, missing: str) -> str:
    words = text.strip()
    if not words:
        raise WordsMissing(missing)
    if len(words) > LONGEST_WORDS:
        raise WordsMissing(f"Keep it below {LONGEST_WORDS} characters.")
    return words
