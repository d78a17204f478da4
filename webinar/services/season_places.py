"""What rows of a season's table are about: looked up at once for all of them, by the names used."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import defer, joinedload, selectinload

from webinar.db import DbSession
from webinar.domain.season_cells import cells_of
from webinar.domain.season_sheet import CellRefused, Row
from webinar.domain.session import SessionStatus
from webinar.domain.session_details import UNTITLED
from webinar.domain.timezone import to_local
from webinar.models import (
    AudienceGroup,
    Registration,
    Series,
    Society,
    Topic,
    User,
    WebinarSession,
)
from webinar.services.session_facts import details_of

Thing = TypeVar("Thing")

WHOLE = (
    joinedload(WebinarSession.series),
    joinedload(WebinarSession.society),
    selectinload(WebinarSession.topics),
    selectinload(WebinarSession.audience),
    selectinload(WebinarSession.faculty),
    # Read into feeds only, and far longer than all the rest.
    defer(WebinarSession.ical_public),
    defer(WebinarSession.ical_personal),
)


class Places:
    """Series, societies and sessions that a table names, and what stands in their way."""

    def __init__(
        self, db: DbSession, rows: Sequence[Row], *, society_ids: frozenset[int] | None
    ) -> None:
        self._society_ids = society_ids
        self._series = _by_names(
            (series, (series.slug, series.name))
            for series in db.scalars(
                select(Series).options(
                    joinedload(Series.society),
                    selectinload(Series.rules),
                    selectinload(Series.exceptions),
                )
            )
        )
        self._societies = _by_names(
            (society, (society.slug, society.short_name, society.name))
            for society in db.scalars(select(Society))
        )
        self.topic_slugs = frozenset(db.scalars(select(Topic.slug)))
        self.groups = _by_names(
            (group, (group.slug, group.name)) for group in db.scalars(select(AudienceGroup))
        )
        ids = {row.text("id") for row in rows if row.text("id")}
        self.sessions = {
            session.public_id: session
            for session in db.scalars(
                select(WebinarSession).where(WebinarSession.public_id.in_(ids)).options(*WHOLE)
            )
        }
        self.cells = cells_by_id(db, self.sessions.values())
        self._taken = self._taken_days(db, rows)

    def series_in(self, text: str) -> Series | None:
        """The series of this short name or name, None for ""; raises CellRefused."""
        if not text:
            return None
        if text.casefold() not in self._series:
            raise CellRefused(
                f"There is no series called “{text[:60]}”. Write its short name as in its address, "
                "or create the series first."
            )
        series = self._series[text.casefold()]
        self._ensure_theirs(series.society)
        return series

    def society_in(self, text: str) -> Society | None:
        """The society of this short name or name, None for ""; raises CellRefused."""
        if not text:
            return None
        if text.casefold() not in self._societies:
            raise CellRefused(
                f"There is no society called “{text[:60]}”. Write its short name, "
                "or leave the cell empty if the series says it."
            )
        society = self._societies[text.casefold()]
        self._ensure_theirs(society)
        return society

    def session_in(self, text: str) -> WebinarSession | None:
        """The session of this id, None for ""; raises CellRefused."""
        if not text:
            return None
        if text not in self.sessions:
            raise CellRefused(
                f"There is no session with the id “{text[:20]}”. Empty the cell to add a new one."
            )
        session = self.sessions[text]
        self._ensure_theirs(session.society)
        return session

    def on_day(self, series: Series, day: date) -> WebinarSession | None:
        """The session of the series that was planned for the day, or is on it now."""
        return self._taken.get((series.id, day))

    def _ensure_theirs(self, society: Society) -> None:
        if self._society_ids is not None and society.id not in self._society_ids:
            raise CellRefused(f"Your account may not plan sessions for {society.name}.")

    def _taken_days(
        self, db: DbSession, rows: Iterable[Row]
    ) -> dict[tuple[int, date], WebinarSession]:
        named = {row.text("series").casefold() for row in rows} & set(self._series)
        ids = {self._series[name].id for name in named}
        taken: dict[tuple[int, date], WebinarSession] = {}
        for session in db.scalars(
            select(WebinarSession).where(WebinarSession.series_id.in_(ids)).options(*WHOLE)
        ):
            if session.series_id is None:
                continue
            taken[session.series_id, to_local(session.starts_at, session.zone).date()] = session
            if session.planned_day is not None:
                taken[session.series_id, session.planned_day] = session
        return taken


def is_placeholder(db: DbSession, session: WebinarSession) -> bool:
    """A planned date of which nobody has said anything yet, and for which nobody registered."""
    return (
        session.status is SessionStatus.DRAFT
        and session.title in ("", UNTITLED)
        and not (session.abstract or session.objectives or session.faculty)
        and db.scalar(select(Registration.id).where(Registration.session_id == session.id).limit(1))
        is None
    )


def whole(db: DbSession, session_ids: Sequence[int]) -> list[WebinarSession]:
    """These sessions with all that a table says of them, earliest first."""
    query = select(WebinarSession).where(WebinarSession.id.in_(session_ids)).options(*WHOLE)
    return list(db.scalars(query.order_by(WebinarSession.starts_at, WebinarSession.id)))


def cells_by_id(db: DbSession, sessions: Iterable[WebinarSession]) -> dict[int, dict[str, str]]:
    """What a table says of each session, by its id."""
    found = list(sessions)
    user_ids = {member.user_id for session in found for member in session.faculty if member.user_id}
    emails: dict[int, str] = {}
    for user_id, email in db.execute(select(User.id, User.email).where(User.id.in_(user_ids))):
        emails[user_id] = email
    return {session.id: _cells(session, emails) for session in found}


def _cells(session: WebinarSession, emails: Mapping[int, str]) -> dict[str, str]:
    return cells_of(
        details_of(session),
        public_id=session.public_id,
        series=session.series.slug if session.series else "",
        society=session.society.slug,
        state=session.status.value,
        emails=emails,
    )


def _by_names(named: Iterable[tuple[Thing, tuple[str, ...]]]) -> dict[str, Thing]:
    """Each thing under all its names, folded; the first to have a name keeps it."""
    found: dict[str, Thing] = {}
    for thing, names in named:
        for name in names:
            found.setdefault(name.casefold(), thing)
    return found
