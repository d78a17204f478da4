"""The officer's desk: which sessions ask for something, who waits for what, and why."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, case, func, or_, select

from webinar.db import DbSession
from webinar.domain.credit import PENDING, GrantStatus, Reason
from webinar.domain.review import AppealState, CorrectionState, MatchedBy
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local
from webinar.models import (
    AccreditationGrant,
    Appeal,
    AttendanceImport,
    CreditCorrection,
    CreditDecision,
    ImportedVisit,
    User,
    WebinarSession,
)
from webinar.services.evidence import corrections, reviews
from webinar.services.reports import post_event

REPORT_SOON = timedelta(days=7)
"""So long before its last day a report is something to do."""


class Wanted(StrEnum):
    """Which sessions of the desk."""

    TO_DO = "todo"
    """Something is for the officer to do."""
    WAITING = "waiting"
    """Somebody's credit waits for a paper of theirs."""
    ALL = "all"


class Group(StrEnum):
    """Which people of a session."""

    EVERYBODY = ""
    APPEAL = "appeal"
    EVALUATION = "evaluation"
    TEST = "test"
    NUMBER = "number"
    TOO_LATE = "late"
    TOO_LITTLE = "little"
    OTHER = "other"
    EARNED = "earned"


REASONS: Mapping[Group, frozenset[Reason]] = {
    Group.EVALUATION: frozenset({Reason.PENDING_EVALUATION}),
    Group.TEST: frozenset({Reason.PENDING_TEST, Reason.TEST_FAILED}),
    Group.NUMBER: frozenset({Reason.PENDING_IDENTIFIER}),
    Group.TOO_LATE: frozenset({Reason.TEST_LATE, Reason.EVALUATION_LATE}),
    Group.TOO_LITTLE: frozenset(
        {
            Reason.SESSION_TOO_SHORT,
            Reason.BELOW_PRESENCE,
            Reason.CHECKS_MISSING,
            Reason.ZERO_AFTER_ROUNDING_OR_CAP,
        }
    ),
    Group.EARNED: frozenset({Reason.OK}),
}
GROUPED: Mapping[Group, frozenset[Reason]] = {
    **REASONS,
    Group.OTHER: frozenset(Reason) - frozenset[Reason]().union(*REASONS.values()),
}


@dataclass(frozen=True, kw_only=True)
class SessionCounts:
    """A session on the desk. People are counted once for each reason, however many bodies."""

    session: WebinarSession
    earned: int = 0
    pending: Mapping[Reason, int] = field(default_factory=dict)
    none: int = 0
    appeals: int = 0
    corrections: int = 0
    visits: int = 0
    """Of imported reports, whose person nobody has named yet."""
    reports: int = 0
    report_due_on: date | None = None
    is_report_late: bool = False


@dataclass(frozen=True, kw_only=True)
class PersonLine:
    """One person of a session with what stands for them."""

    user: User
    decisions: Sequence[CreditDecision]
    appeals: Sequence[Appeal]
    corrections: int


def count_sessions(
    db: DbSession, *, society_ids: Collection[int] | None, now: datetime
) -> dict[Wanted, int]:
    """How many sessions each list has."""
    return {
        wanted: db.scalars(
            select(func.count()).select_from(
                _sessions(db, wanted, society_ids=society_ids, now=now).subquery()
            )
        ).one()
        for wanted in Wanted
    }


def sessions(
    db: DbSession,
    wanted: Wanted,
    *,
    society_ids: Collection[int] | None,
    now: datetime,
    limit: int,
    offset: int = 0,
) -> list[SessionCounts]:
    """The sessions of a list, the last one held first, in a fixed number of queries."""
    ids = _sessions(db, wanted, society_ids=society_ids, now=now)
    found = db.scalars(
        select(WebinarSession)
        .where(WebinarSession.id.in_(ids))
        .order_by(WebinarSession.starts_at.desc(), WebinarSession.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()
    return _counted(db, found, society_ids=society_ids, now=now)


def counts_of(db: DbSession, session: WebinarSession, *, now: datetime) -> SessionCounts:
    """One session as it stands on the desk."""
    return _counted(db, [session], society_ids=[session.society_id], now=now)[0]


def count_people(db: DbSession, session_id: int) -> dict[Group, int]:
    """How many people each group has; one with two bodies may be in two."""
    whose = CreditDecision.user_id
    columns = [
        func.count(func.distinct(case((CreditDecision.reason.in_(reasons), whose))))
        for reasons in GROUPED.values()
    ]
    row = db.execute(
        select(*columns).where(CreditDecision.session_id == session_id, CreditDecision.is_latest)
    ).one()
    found = dict(zip(GROUPED, row, strict=True))
    for group in (Group.EVERYBODY, Group.APPEAL):
        chosen = people_ids(session_id, group).subquery()
        found[group] = db.scalars(select(func.count()).select_from(chosen)).one()
    return found


def people(
    db: DbSession,
    session_id: int,
    group: Group = Group.EVERYBODY,
    *,
    words: str = "",
    limit: int,
    offset: int = 0,
) -> list[PersonLine]:
    """The people of a group by name, with all that stands for each."""
    users = db.scalars(
        select(User)
        .where(User.id.in_(people_ids(session_id, group, words=words)))
        .order_by(User.name, User.id)
        .limit(limit)
        .offset(offset)
    ).all()
    ids = [user.id for user in users]
    decisions: dict[int, list[CreditDecision]] = {}
    for decision in db.scalars(
        select(CreditDecision)
        .where(
            CreditDecision.session_id == session_id,
            CreditDecision.user_id.in_(ids),
            CreditDecision.is_latest,
        )
        .order_by(CreditDecision.grant_id)
    ):
        decisions.setdefault(decision.user_id, []).append(decision)
    raised: dict[int, list[Appeal]] = {}
    for appeal in db.scalars(
        select(Appeal).where(_open_appeals(session_id), Appeal.user_id.in_(ids)).order_by(Appeal.id)
    ):
        raised.setdefault(appeal.user_id, []).append(appeal)
    proposed = db.execute(
        select(CreditCorrection.user_id, func.count())
        .where(
            CreditCorrection.session_id == session_id,
            CreditCorrection.user_id.in_(ids),
            CreditCorrection.state == CorrectionState.PROPOSED,
        )
        .group_by(CreditCorrection.user_id)
    )
    by_person = dict(proposed.all())
    return [
        PersonLine(
            user=user,
            decisions=decisions.get(user.id, []),
            appeals=raised.get(user.id, []),
            corrections=by_person.get(user.id, 0),
        )
        for user in users
    ]


def people_ids(session_id: int, group: Group, *, words: str = "") -> Select[int]:
    """The ids of a group's people, as a query: everybody has a decision or an open appeal."""
    decided = select(CreditDecision.user_id).where(
        CreditDecision.session_id == session_id, CreditDecision.is_latest
    )
    appealed = select(Appeal.user_id).where(_open_appeals(session_id))
    among: ColumnElement[bool]
    if group is Group.EVERYBODY:
        among = or_(User.id.in_(decided), User.id.in_(appealed))
    elif group is Group.APPEAL:
        among = User.id.in_(appealed)
    else:
        among = User.id.in_(decided.where(CreditDecision.reason.in_(GROUPED[group])))
    query = select(User.id).where(among)
    for word in words.split():
        query = query.where(
            or_(
                User.name.icontains(word, autoescape=True),
                User.email.icontains(word, autoescape=True),
            )
        )
    return query


def revisions_of(db: DbSession, session_id: int, user_id: int) -> Sequence[CreditDecision]:
    """Every decision there ever was for a person in a session, the newest first."""
    return db.scalars(
        select(CreditDecision)
        .where(CreditDecision.session_id == session_id, CreditDecision.user_id == user_id)
        .order_by(CreditDecision.id.desc())
    ).all()


def _open_appeals(session_id: int) -> ColumnElement[bool]:
    return (Appeal.session_id == session_id) & (Appeal.state == AppealState.OPEN)


def _sessions(
    db: DbSession, wanted: Wanted, *, society_ids: Collection[int] | None, now: datetime
) -> Select[int]:
    """The ids of a list's sessions, as a query."""
    query = select(WebinarSession.id)
    if society_ids is not None:
        query = query.where(WebinarSession.society_id.in_(society_ids))
    standing = select(CreditDecision.session_id).where(CreditDecision.is_latest)
    if wanted is Wanted.WAITING:
        waiting = standing.where(CreditDecision.reason.in_(PENDING))
        return query.where(WebinarSession.id.in_(waiting))
    if wanted is Wanted.ALL:
        asked = select(AccreditationGrant.session_id).where(
            AccreditationGrant.status != GrantStatus.NONE
        )
        held = WebinarSession.status == SessionStatus.ENDED
        return query.where(
            or_(WebinarSession.id.in_(standing), held & WebinarSession.id.in_(asked))
        )
    appealed = select(Appeal.session_id).where(Appeal.state == AppealState.OPEN)
    corrected = select(CreditCorrection.session_id).where(
        CreditCorrection.state == CorrectionState.PROPOSED
    )
    unnamed = (
        select(AttendanceImport.session_id)
        .join(ImportedVisit, ImportedVisit.import_id == AttendanceImport.id)
        .where(
            AttendanceImport.withdrawn_at.is_(None), ImportedVisit.matched_by == MatchedBy.NOBODY
        )
    )
    owed = {due.session.id for due in _owed(db, society_ids=society_ids, now=now) if due.is_soon}
    return query.where(
        or_(
            *(WebinarSession.id.in_(ids) for ids in (appealed, corrected, unnamed)),
            WebinarSession.id.in_(owed),
        )
    )


@dataclass(frozen=True)
class _Owed:
    session: WebinarSession
    due_on: date
    is_late: bool
    is_soon: bool


def _owed(db: DbSession, *, society_ids: Collection[int] | None, now: datetime) -> list[_Owed]:
    found = []
    for due in post_event.owed(db, society_ids=society_ids, now=now):
        today = to_local(now, due.session.zone).date()
        late, soon = due.due_on < today, due.due_on <= today + REPORT_SOON
        found.append(_Owed(due.session, due.due_on, late, soon))
    return found


def _counted(
    db: DbSession,
    found: Sequence[WebinarSession],
    *,
    society_ids: Collection[int] | None,
    now: datetime,
) -> list[SessionCounts]:
    ids = [session.id for session in found]
    by_reason: dict[int, dict[Reason, int]] = {}
    for session_id, reason, people_there in db.execute(
        select(
            CreditDecision.session_id,
            CreditDecision.reason,
            func.count(func.distinct(CreditDecision.user_id)),
        )
        .where(CreditDecision.session_id.in_(ids), CreditDecision.is_latest)
        .group_by(CreditDecision.session_id, CreditDecision.reason)
    ):
        by_reason.setdefault(session_id, {})[reason] = people_there
    raised = db.execute(
        select(Appeal.session_id, func.count())
        .where(Appeal.session_id.in_(ids), Appeal.state == AppealState.OPEN)
        .group_by(Appeal.session_id)
    )
    appeals_of = dict(raised.all())
    corrections_of = corrections.proposed_by_session(db, ids)
    visits_of = reviews.waiting_by_session(db, ids)
    owed: dict[int, list[_Owed]] = {}
    for due in _owed(db, society_ids=society_ids, now=now):
        owed.setdefault(due.session.id, []).append(due)
    return [
        SessionCounts(
            session=session,
            earned=reasons.get(Reason.OK, 0),
            pending={
                reason: reasons[reason]
                for reason in Reason
                if reason in reasons and reason in PENDING
            },
            none=sum(n for reason, n in reasons.items() if reason not in PENDING | {Reason.OK}),
            appeals=appeals_of.get(session.id, 0),
            corrections=corrections_of.get(session.id, 0),
            visits=visits_of.get(session.id, 0),
            reports=len(dues),
            report_due_on=min((due.due_on for due in dues), default=None),
            is_report_late=any(due.is_late for due in dues),
        )
        for session in found
        for reasons, dues in [(by_reason.get(session.id, {}), owed.get(session.id, []))]
    ]
