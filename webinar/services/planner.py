"""The season planner: the sessions of a series under the terms of a body, from the database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import defer, joinedload, selectinload

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.domain.planner import Plan, PlannedSession, Standing, plan
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local, to_utc
from webinar.models import AccreditationGrant, Accreditor, Series, Topic, WebinarSession
from webinar.services import accreditation, accreditors

URGENCY = list(Standing)


@dataclass(frozen=True)
class Season:
    """A series under one body's terms; `grants` by the public id of the session."""

    series: Series
    body: Accreditor
    plan: Plan
    grants: Mapping[str, AccreditationGrant]


def season_of(
    db: DbSession, series: Series, body: Accreditor, *, from_day: date | None = None, now: datetime
) -> Season:
    """The sessions of the series from that day on (today if none is given), as the body sees them.

    A fixed number of queries, whatever the number of sessions.
    """
    today = to_local(now, series.zone).date()
    sessions = _sessions(db, [series.id], since=_midnight(from_day or today, series.zone))
    found = accreditation.grants_by_session(db, [session.id for session in sessions])
    return _season(series, body, sessions, found, _roots(db), today)


def seasons(
    db: DbSession, *, society_ids: Collection[int] | None = None, now: datetime
) -> list[Season]:
    """Every series with sessions to come, under each body it ever asked; most urgent first."""
    sessions = [
        session
        for session in _sessions(db, None, since=now)
        if society_ids is None or session.society_id in society_ids
    ]
    by_series: dict[int, list[WebinarSession]] = {}
    for session in sessions:
        by_series.setdefault(session.series_id or 0, []).append(session)
    found = accreditation.grants_by_session(db, [session.id for session in sessions])
    roots = _roots(db)
    bodies = {body.id: body for body in accreditors.listed(db)}
    planned = []
    for series_id, body_id in _asked(db, list(by_series)):
        own = by_series[series_id]
        series = own[0].series
        if series is not None:
            today = to_local(now, series.zone).date()
            planned.append(_season(series, bodies[body_id], own, found, roots, today))
    return sorted(planned, key=_urgency)


def specialties_of(session: WebinarSession, roots: Mapping[int, str]) -> frozenset[str]:
    """The roots of its topics."""
    return frozenset(roots[topic.id] for topic in session.topics)


def _urgency(season: Season) -> tuple[int, date, str, str]:
    deadline = season.plan.next_deadline
    day = deadline.day if deadline else date.max
    return URGENCY.index(season.plan.standing), day, season.series.name, season.body.short_name


def _season(
    series: Series,
    body: Accreditor,
    sessions: Sequence[WebinarSession],
    found: Mapping[int, Sequence[AccreditationGrant]],
    roots: Mapping[int, str],
    today: date,
) -> Season:
    grants: dict[str, AccreditationGrant] = {}
    for session in sessions:
        for grant in found.get(session.id, ()):
            # Live before recorded: that is what applications are for.
            if grant.mode is ViewingMode.FACULTY:
                continue
            if grant.accreditor_id == body.id and (
                session.public_id not in grants or grant.mode is ViewingMode.LIVE
            ):
                grants[session.public_id] = grant
    planned = [
        PlannedSession(
            key=session.public_id,
            title=session.title,
            starts_at=session.starts_at,
            ends_at=session.ends_at,
            zone=session.zone,
            specialties=specialties_of(session, roots),
            status=grants[session.public_id].status
            if session.public_id in grants
            else GrantStatus.NONE,
        )
        for session in sessions
    ]
    return Season(series, body, plan(accreditors.terms_of(body), planned, today=today), grants)


def _sessions(
    db: DbSession, series_ids: Sequence[int] | None, *, since: datetime
) -> list[WebinarSession]:
    found = (
        select(WebinarSession)
        .where(
            WebinarSession.status != SessionStatus.CANCELLED,
            WebinarSession.starts_at >= since,
        )
        .options(
            joinedload(WebinarSession.series),
            selectinload(WebinarSession.topics),
            defer(WebinarSession.ical_public),
            defer(WebinarSession.ical_personal),
        )
        .order_by(WebinarSession.starts_at, WebinarSession.id)
    )
    if series_ids is None:
        found = found.where(WebinarSession.series_id.is_not(None))
    else:
        found = found.where(WebinarSession.series_id.in_(series_ids))
    return list(db.scalars(found))


def _asked(db: DbSession, series_ids: Sequence[int]) -> list[tuple[int, int]]:
    """Which body was ever asked for a session of which series."""
    pairs = db.execute(
        select(WebinarSession.series_id, AccreditationGrant.accreditor_id)
        .join(AccreditationGrant, AccreditationGrant.session_id == WebinarSession.id)
        .where(WebinarSession.series_id.in_(series_ids))
        .distinct()
    )
    return [(row.series_id, row.accreditor_id) for row in pairs]


def _roots(db: DbSession) -> dict[int, str]:
    """The name of each topic's specialty: the first of its line."""
    topics = {topic.id: topic for topic in db.scalars(select(Topic))}
    found = {}
    for topic in topics.values():
        root = topic
        passed = {root.id}
        while root.parent_id in topics and root.parent_id not in passed:
            root = topics[root.parent_id]
            passed.add(root.id)
        found[topic.id] = root.name
    return found


def _midnight(day: date, zone: str) -> datetime:
    return to_utc(datetime.combine(day, time()), zone, on_gap="forward", on_fold="first")
