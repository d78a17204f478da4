"""What organisers see of the season: every session, drafts too, and what waits for them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import defer, joinedload, selectinload

from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.models import (
    AccreditationGrant,
    FacultyMember,
    Recording,
    Registration,
    WebinarSession,
)

DRAFTS_WITHIN = timedelta(weeks=4)
PRESENTER_WITHIN = timedelta(weeks=12)
CLOSING_WITHIN = timedelta(days=14)


@dataclass(frozen=True)
class Today:
    """What needs an organiser: each list earliest first."""

    live: tuple[WebinarSession, ...]
    drafts: tuple[WebinarSession, ...]
    without_presenter: tuple[WebinarSession, ...]
    closing: tuple[Recording, ...]
    without_credit: tuple[WebinarSession, ...] = ()
    """Announced and soon, and no body asked: said quietly, for not every session earns credit."""

    @property
    def is_quiet(self) -> bool:
        """True if nothing waits."""
        return not (self.live or self.drafts or self.without_presenter or self.closing)


def listed(
    db: DbSession,
    *,
    series_id: int | None = None,
    status: SessionStatus | None = None,
    starting: datetime | None = None,
    until: datetime | None = None,
    words: str = "",
    society_ids: frozenset[int] | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[WebinarSession]:
    """Sessions with series and faculty, earliest first; `words` are sought in titles and names.

    `society_ids`: only sessions of these societies; None means all.
    """
    found = (
        select(WebinarSession)
        .options(
            joinedload(WebinarSession.series),
            selectinload(WebinarSession.faculty),
            # Read into feeds only, and far longer than all the rest.
            defer(WebinarSession.ical_public),
            defer(WebinarSession.ical_personal),
        )
        .order_by(WebinarSession.starts_at, WebinarSession.id)
    )
    if series_id is not None:
        found = found.where(WebinarSession.series_id == series_id)
    if status is not None:
        found = found.where(WebinarSession.status == status)
    if society_ids is not None:
        found = found.where(WebinarSession.society_id.in_(society_ids))
    if starting is not None:
        found = found.where(WebinarSession.ends_at > starting)
    if until is not None:
        found = found.where(WebinarSession.starts_at < until)
    for word in words.split():
        found = found.where(
            or_(
                WebinarSession.title.icontains(word, autoescape=True),
                WebinarSession.faculty.any(FacultyMember.name.icontains(word, autoescape=True)),
            )
        )
    return list(db.scalars(found.limit(limit).offset(offset)))


def today(db: DbSession, *, now: datetime) -> Today:
    """What needs an organiser now."""
    coming = listed(db, starting=now, until=now + PRESENTER_WITHIN)
    return Today(
        live=tuple(listed(db, status=SessionStatus.LIVE)),
        drafts=tuple(
            session
            for session in coming
            if session.status is SessionStatus.DRAFT and session.starts_at < now + DRAFTS_WITHIN
        ),
        without_presenter=tuple(session for session in coming if _lacks_presenter(session)),
        closing=tuple(
            recording
            for recording in recordings(db)
            if recording.state is RecordingState.PUBLISHED
            and recording.closes_at is not None
            and now < recording.closes_at < now + CLOSING_WITHIN
        ),
        without_credit=_without_credit(db, coming, now=now),
    )


def recordings(db: DbSession) -> list[Recording]:
    """Every recording with its session; what closes first comes first, the closed last."""
    found = (
        select(Recording)
        .join(WebinarSession)
        .options(joinedload(Recording.session).joinedload(WebinarSession.series))
        .order_by(
            Recording.state.in_((RecordingState.CLOSED, RecordingState.DESTROYED)),
            Recording.closes_at.is_(None),
            Recording.closes_at,
            WebinarSession.starts_at,
        )
    )
    return list(db.scalars(found))


def registered_counts(db: DbSession, session_ids: list[int]) -> dict[int, int]:
    """How many people have a place, by session; who is missing has none."""
    counted = db.execute(
        select(Registration.session_id, func.count())
        .where(Registration.session_id.in_(session_ids), Registration.cancelled_at.is_(None))
        .group_by(Registration.session_id)
    )
    return {row[0]: row[1] for row in counted}


def _without_credit(
    db: DbSession, coming: list[WebinarSession], *, now: datetime
) -> tuple[WebinarSession, ...]:
    soon = [
        session
        for session in coming
        if session.status is SessionStatus.PUBLISHED and session.starts_at < now + DRAFTS_WITHIN
    ]
    found = select(AccreditationGrant.session_id).where(
        AccreditationGrant.session_id.in_([session.id for session in soon])
    )
    granted = set(db.scalars(found))
    return tuple(session for session in soon if session.id not in granted)


def _lacks_presenter(session: WebinarSession) -> bool:
    return session.status in (SessionStatus.DRAFT, SessionStatus.PUBLISHED) and not any(
        member.part is FacultyPart.PRESENTER for member in session.faculty
    )
