"""The post-event report of a grant: counted from summaries, signed once, sent in time."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.credit import GrantStatus
from webinar.domain.errors import Conflict, DomainError, NotFound
from webinar.domain.person import one_line
from webinar.domain.report import Report, due_date, report_data, report_from_data
from webinar.domain.session import SessionStatus
from webinar.domain.wording import day_month, local_time_range
from webinar.models import AccreditationGrant, PostEventReport, WebinarSession
from webinar.services import audit
from webinar.services.reports import conduct, feedback, participation, summaries

LONGEST_TEXT = 5_000
LONGEST_NAME = 200


class ReportRefused(DomainError):
    """The report cannot be kept or signed like this."""


class AlreadySigned(Conflict):
    """What was signed stays as it was."""


@dataclass(frozen=True, kw_only=True)
class ReportWords:
    """What people add to the figures. Sponsors: one a line with the amount, "" for none."""

    changes: str = ""
    improvements: str = ""
    sponsors: str = ""
    due_on: date | None = None


@dataclass(frozen=True)
class Due:
    """A grant whose report is owed, with its last day; `report` is None if nobody began."""

    grant: AccreditationGrant
    session: WebinarSession
    report: PostEventReport | None
    due_on: date


def reportable(db: DbSession, session: WebinarSession) -> list[AccreditationGrant]:
    """The grants of the session that a report is about: decided by their body, and granted."""
    return list(
        db.scalars(
            select(AccreditationGrant)
            .where(
                AccreditationGrant.session_id == session.id,
                AccreditationGrant.status == GrantStatus.GRANTED,
            )
            .order_by(AccreditationGrant.accreditor_id, AccreditationGrant.mode)
        )
    )


def grant_named(db: DbSession, session: WebinarSession, grant_id: int) -> AccreditationGrant:
    """The session's grant of this number; raises NotFound."""
    grant = db.get(AccreditationGrant, grant_id)
    if grant is None or grant.session_id != session.id:
        raise NotFound("This session has no such grant.")
    return grant


def words_of(db: DbSession, grant: AccreditationGrant) -> PostEventReport:
    """What was written so far; an empty one, not yet stored, if nothing was."""
    found = db.get(PostEventReport, grant.id)
    return found or PostEventReport(
        grant_id=grant.id, changes="", improvements="", sponsors="", chair_name="", chair_role=""
    )


def refresh_figures(db: DbSession, session: WebinarSession, *, now: datetime) -> None:
    """Count everybody anew, so that what the report says is as of now."""
    summaries.refresh(db, session, now=now)


def report_of(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, *, now: datetime
) -> Report:
    """The report: as it was signed, else as the summaries have it now."""
    kept = words_of(db, grant)
    if kept.figures is not None:
        return report_from_data(kept.figures)
    people, numbers = participation.participation_sections(db, session, grant)
    asked, interaction = conduct.interaction_section(db, session, grant.mode)
    said, feedback_numbers = feedback.feedback_section(db, session, attended=numbers["attended"])
    tested, test_numbers = feedback.quiz_section(db, session)
    mishaps, mishap_numbers = conduct.incident_section(db, session)
    papers, paper_numbers = conduct.certificate_section(db, session)
    figures = (
        numbers | interaction | feedback_numbers | test_numbers | mishap_numbers | paper_numbers
    )
    return Report(
        title=session.title,
        body=grant.accreditor.name,
        provider=session.society.name,
        reference=grant.reference,
        held=f"{day_month(session.starts_at, session.zone)}, "
        f"{local_time_range(session.starts_at, session.ends_at, session.zone)} {session.zone}",
        counted_at=now,
        figures=tuple(figures.items()),
        sections=(
            conduct.accreditation_section(session, grant),
            conduct.programme_section(db, session, grant, kept),
            *people,
            asked,
            said,
            tested,
            mishaps,
            conduct.interests_section(session),
            conduct.money_section(kept),
            papers,
            conduct.outlook_section(kept),
        ),
    )


def save_words(
    db: DbSession,
    grant: AccreditationGrant,
    words: ReportWords,
    *,
    actor_id: int | None,
    now: datetime,
) -> PostEventReport:
    """Keep what people write; raises AlreadySigned, ReportRefused."""
    kept = _open(db, grant)
    for name, text in (
        ("changes", words.changes),
        ("improvements", words.improvements),
        ("sponsors", words.sponsors),
    ):
        if len(text) > LONGEST_TEXT:
            raise ReportRefused(f"Please stay below {LONGEST_TEXT} characters in “{name}”.")
    before = _facts(kept)
    kept.changes = words.changes.strip()
    kept.improvements = words.improvements.strip()
    kept.sponsors = words.sponsors.strip()
    kept.due_on = words.due_on
    db.flush()
    if _facts(kept) != before:
        _write(db, grant, "report written", actor_id, now, before=before, after=_facts(kept))
    return kept


def sign(
    db: DbSession,
    session: WebinarSession,
    grant: AccreditationGrant,
    *,
    chair_name: str,
    chair_role: str,
    actor_id: int,
    now: datetime,
) -> PostEventReport:
    """Freeze the figures under the chair's name; raises AlreadySigned, ReportRefused."""
    kept = _open(db, grant)
    if session.status is not SessionStatus.ENDED:
        raise ReportRefused("The session has not ended. A report is signed afterwards.")
    name, role = one_line(chair_name), one_line(chair_role)
    if not name or len(name) > LONGEST_NAME or len(role) > LONGEST_NAME:
        raise ReportRefused("Give the name of the scientific chair who signs the report.")
    refresh_figures(db, session, now=now)
    report = report_of(db, session, grant, now=now)
    kept.figures = report_data(report)
    kept.chair_name, kept.chair_role = name, role
    kept.signed_at, kept.signed_by_id = now, actor_id
    db.flush()
    after = {
        "chair": name,
        "role": role,
        "figures": dict(report.figures),
        "digest": _digest(kept.figures),
    }
    _write(db, grant, "report signed", actor_id, now, after=after)
    return kept


def take_back(
    db: DbSession, grant: AccreditationGrant, *, reason: str, actor_id: int, now: datetime
) -> PostEventReport:
    """Open a signed report again, with a reason; what was signed stays in the audit trail."""
    kept = words_of(db, grant)
    if kept.signed_at is None or kept.figures is None:
        raise ReportRefused("This report is not signed, so there is nothing to take back.")
    if not reason.strip():
        raise ReportRefused("Say why the signature is taken back: it stays in the audit trail.")
    before = {
        "chair": kept.chair_name,
        "signed_at": kept.signed_at,
        "sent_at": kept.sent_at,
        "figures": kept.figures["figures"],
        "digest": _digest(kept.figures),
    }
    kept.figures = kept.signed_at = kept.signed_by_id = kept.sent_at = None
    db.flush()
    _write(db, grant, "report reopened", actor_id, now, before=before, reason=reason.strip())
    return kept


def mark_sent(
    db: DbSession, grant: AccreditationGrant, *, actor_id: int, now: datetime
) -> PostEventReport:
    """A person says that the body has it; raises ReportRefused."""
    kept = words_of(db, grant)
    if kept.signed_at is None:
        raise ReportRefused("Only a signed report is sent. Have the chair sign it first.")
    if kept.sent_at is None:
        kept.sent_at = now
        db.flush()
        _write(db, grant, "report sent", actor_id, now, after={"sent_at": now})
    return kept


def owed(
    db: DbSession, *, society_ids: Collection[int] | None, now: datetime, limit: int = 200
) -> list[Due]:
    """Reports of ended sessions that have not been sent, the most urgent first."""
    query = (
        select(AccreditationGrant, WebinarSession, PostEventReport)
        .join(WebinarSession, WebinarSession.id == AccreditationGrant.session_id)
        .outerjoin(PostEventReport, PostEventReport.grant_id == AccreditationGrant.id)
        .where(
            AccreditationGrant.status == GrantStatus.GRANTED,
            WebinarSession.status == SessionStatus.ENDED,
            PostEventReport.sent_at.is_(None),
        )
        .order_by(WebinarSession.ends_at, AccreditationGrant.id)
        .limit(limit)
    )
    if society_ids is not None:
        query = query.where(WebinarSession.society_id.in_(society_ids))
    found = [
        Due(grant, session, report, due_on_of(session, report))
        for grant, session, report in db.execute(query)
    ]
    return sorted(found, key=lambda due: (due.due_on, due.grant.id))


def due_on_of(session: WebinarSession, report: PostEventReport | None) -> date:
    """The last day for the report, in the session's zone."""
    ended_at = session.actual_ended_at or session.ends_at
    return due_date(ended_at, session.zone, report.due_on if report else None)


def _open(db: DbSession, grant: AccreditationGrant) -> PostEventReport:
    kept = db.get(PostEventReport, grant.id, with_for_update=True)
    if kept is None:
        kept = words_of(db, grant)
        db.add(kept)
        db.flush()
    if kept.signed_at is not None:
        raise AlreadySigned(
            "This report is signed, so its figures and words stay. Take the signature back first."
        )
    return kept


def _facts(kept: PostEventReport) -> dict[str, object]:
    return {
        "changes": kept.changes,
        "improvements": kept.improvements,
        "sponsors": kept.sponsors,
        "due_on": kept.due_on,
    }


def _write(
    db: DbSession,
    grant: AccreditationGrant,
    action: str,
    actor_id: int | None,
    now: datetime,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
) -> None:
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"session {grant.session_id}",
        now=now,
        before=before,
        after=after,
        reason=reason,
    )


def _digest(figures: object) -> str:
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()
