"""Reports that accreditors wait for: who is written to, a week ahead and on the last day."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import func, or_, select

from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.credit import GrantStatus
from webinar.domain.letter import MailKind
from webinar.domain.mail_days import REPORT_DAYS, REPORT_GIVEN_UP, report_stage
from webinar.domain.report import DUE_AFTER
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local
from webinar.models import (
    AccreditationGrant,
    Delivery,
    PostEventReport,
    User,
    UserRole,
    WebinarSession,
)
from webinar.services import deliveries
from webinar.services.reports.post_event import Due, due_on_of

WRITES_REPORTS = (Role.ORGANISER, Role.ACCREDITATION_OFFICER)
# A day more on either side than any zone is away from UTC.
SLACK = timedelta(days=2)


def owe_due(db: DbSession, *, now: datetime) -> int:
    """Owe the mails whose day has come, once for each last day and stage; how many more."""
    owed = 0
    for session, due_on in _earliest(_soon_due(db, now=now)):
        stage = report_stage(due_on, to_local(now, session.zone).date())
        if stage is None:
            continue
        revision = revision_of(due_on, stage)
        told = set(
            db.scalars(
                select(Delivery.user_id).where(
                    Delivery.kind == MailKind.REPORT_DUE.value,
                    Delivery.subject_id == session.id,
                    Delivery.revision == revision,
                )
            )
        )
        for user_id in responsible(db, session.society_id):
            if user_id in told:
                continue
            deliveries.queue(
                db,
                MailKind.REPORT_DUE,
                user_id=user_id,
                subject_id=session.id,
                due_at=now,
                revision=revision,
                now=now,
            )
            owed += 1
    return owed


def open_of(db: DbSession, session: WebinarSession) -> list[Due]:
    """The reports of the session that were not sent, the first due first."""
    rows = db.execute(
        select(AccreditationGrant, PostEventReport)
        .outerjoin(PostEventReport, PostEventReport.grant_id == AccreditationGrant.id)
        .where(
            AccreditationGrant.session_id == session.id,
            AccreditationGrant.status == GrantStatus.GRANTED,
            PostEventReport.sent_at.is_(None),
        )
        .order_by(AccreditationGrant.id)
    )
    found = [Due(grant, session, report, due_on_of(session, report)) for grant, report in rows]
    return sorted(found, key=lambda one: one.due_on)


def responsible(db: DbSession, society_id: int) -> list[int]:
    """Who plans and accredits there, for it or everywhere; administrators if there is nobody."""
    return _holders(db, WRITES_REPORTS, society_id) or _holders(
        db, (Role.ADMINISTRATOR,), society_id
    )


def revision_of(due_on: date, stage: int) -> int:
    """The same mail never twice; another last day is another mail."""
    return due_on.toordinal() * len(REPORT_DAYS) + REPORT_DAYS.index(stage)


def _soon_due(db: DbSession, *, now: datetime) -> list[Due]:
    ahead = timedelta(days=max(REPORT_DAYS)) + SLACK
    behind = REPORT_GIVEN_UP + SLACK
    today = now.date()
    ended_at = func.coalesce(WebinarSession.actual_ended_at, WebinarSession.ends_at)
    rows = db.execute(
        select(AccreditationGrant, WebinarSession, PostEventReport)
        .join(WebinarSession, WebinarSession.id == AccreditationGrant.session_id)
        .outerjoin(PostEventReport, PostEventReport.grant_id == AccreditationGrant.id)
        .where(
            AccreditationGrant.status == GrantStatus.GRANTED,
            WebinarSession.status == SessionStatus.ENDED,
            PostEventReport.sent_at.is_(None),
            or_(
                PostEventReport.due_on.between(today - behind, today + ahead),
                PostEventReport.due_on.is_(None)
                & ended_at.between(now - DUE_AFTER - behind, now - DUE_AFTER + ahead),
            ),
        )
        .order_by(AccreditationGrant.id)
    )
    return [
        Due(grant, session, report, due_on_of(session, report)) for grant, session, report in rows
    ]


def _earliest(due: Iterable[Due]) -> list[tuple[WebinarSession, date]]:
    """Each session once, with the first last day of its reports."""
    first: dict[int, Due] = {}
    for one in due:
        known = first.get(one.session.id)
        if known is None or one.due_on < known.due_on:
            first[one.session.id] = one
    return [(one.session, one.due_on) for one in first.values()]


def _holders(db: DbSession, roles: tuple[Role, ...], society_id: int) -> list[int]:
    return list(
        db.scalars(
            select(User.id)
            .join(UserRole, UserRole.user_id == User.id)
            .where(
                UserRole.role.in_(roles),
                or_(UserRole.society_id.is_(None), UserRole.society_id == society_id),
                User.erased_at.is_(None),
                User.verified_at.is_not(None),
            )
            .distinct()
            .order_by(User.id)
        )
    )
