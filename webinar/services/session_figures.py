"""One session in figures: who registered and when, from where, what is ready, who was there."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.domain.gate import missing_before_publishing
from webinar.domain.timezone import to_local
from webinar.models import (
    AccreditationGrant,
    Certificate,
    EvaluationGiven,
    FacultyMember,
    Question,
    Registration,
    User,
    ViewingPass,
    WatchSegment,
    WebinarSession,
)
from webinar.services import gate

DAYS_DRAWN = 92
"""Of a longer time the line has a point a week."""


@dataclass(frozen=True)
class Registered:
    """How many people had a place at the end of this day."""

    day: date
    places: int


@dataclass(frozen=True, kw_only=True)
class SessionFigures:
    """Everything the page of figures says."""

    registered: int
    gave_up: int
    over_time: tuple[Registered, ...]
    countries: tuple[tuple[str, int], ...]
    """People with a place by country (ISO 3166-1 alpha-2, "" if not known), most first."""
    faculty: tuple[FacultyMember, ...]
    missing: tuple[str, ...]
    """What publishing still needs, in words."""
    grants: tuple[AccreditationGrant, ...]
    attended: dict[ViewingMode, int]
    questions: int
    evaluations: int
    certificates: int


def session_figures(db: DbSession, session: WebinarSession, *, now: datetime) -> SessionFigures:
    """Count it all now: eight queries."""
    places = list(
        db.execute(
            select(Registration.created_at, Registration.cancelled_at, User.country)
            .join(User, User.id == Registration.user_id)
            .where(Registration.session_id == session.id)
        ).all()
    )
    held = [country for _, cancelled_at, country in places if cancelled_at is None]
    faculty = db.scalars(
        select(FacultyMember)
        .where(FacultyMember.session_id == session.id)
        .options(selectinload(FacultyMember.files))
        .order_by(FacultyMember.position, FacultyMember.id)
    )
    grants = db.scalars(
        select(AccreditationGrant)
        .where(
            AccreditationGrant.session_id == session.id,
            AccreditationGrant.status != GrantStatus.NONE,
        )
        .order_by(AccreditationGrant.accreditor_id, AccreditationGrant.mode)
    )
    questions, evaluations, certificates = db.execute(
        select(
            select(func.count()).where(Question.session_id == session.id).scalar_subquery(),
            select(func.count()).where(EvaluationGiven.session_id == session.id).scalar_subquery(),
            select(func.count(Certificate.user_id.distinct()))
            .where(Certificate.session_id == session.id, Certificate.revoked_at.is_(None))
            .scalar_subquery(),
        )
    ).one()
    return SessionFigures(
        registered=len(held),
        gave_up=len(places) - len(held),
        over_time=_over_time([(made, ended) for made, ended, _ in places], session, now),
        countries=tuple(sorted(Counter(held).items(), key=lambda pair: (-pair[1], pair[0]))),
        faculty=tuple(faculty),
        missing=tuple(missing_before_publishing(gate.facts_of(db, session))),
        grants=tuple(grants),
        attended=_attended(db, session.id),
        questions=questions,
        evaluations=evaluations,
        certificates=certificates,
    )


def _attended(db: DbSession, session_id: int) -> dict[ViewingMode, int]:
    found = db.execute(
        select(ViewingPass.mode, func.count(ViewingPass.user_id.distinct()))
        .where(
            ViewingPass.session_id == session_id,
            select(WatchSegment.pass_id).where(WatchSegment.pass_id == ViewingPass.id).exists(),
        )
        .group_by(ViewingPass.mode)
    )
    return dict(found.all())


def _over_time(
    places: list[tuple[datetime, datetime | None]], session: WebinarSession, now: datetime
) -> tuple[Registered, ...]:
    """From the first place to today or the end, by days of the session's zone; or by weeks."""
    if not places:
        return ()
    changes: Counter[date] = Counter()
    for made_at, given_up_at in places:
        changes[to_local(made_at, session.zone).date()] += 1
        if given_up_at is not None:
            changes[to_local(given_up_at, session.zone).date()] -= 1
    last = max(*changes, to_local(min(now, session.ends_at), session.zone).date())
    day, held = min(changes), 0
    line = []
    while day <= last:
        held += changes[day]
        line.append(Registered(day, held))
        day += timedelta(days=1)
    if len(line) <= DAYS_DRAWN:
        return tuple(line)
    # Counted back from the last day, so that the line ends with the number of now.
    return tuple(line[::-7][::-1])
