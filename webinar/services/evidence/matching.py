"""Whose a reported visit is, as far as that can be known without a person looking.

By an e-mail address with a place in the session, by the number a provider knows somebody by, or by
the neutral name we let them in under. Never by a name: two people may have the same one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.attendance_report import ReportedVisit, ReportSource
from webinar.domain.review import MatchedBy
from webinar.domain.rooms import RoomProvider
from webinar.models import ExternalRoom, Registration, RoomGuest, User

PROVIDERS = {
    ReportSource.ZOOM: RoomProvider.ZOOM,
    ReportSource.BIGBLUEBUTTON: RoomProvider.BIGBLUEBUTTON,
}
AT_ONCE = 500


@dataclass(frozen=True)
class Match:
    """Whose it is, and how that is known; nobody's, as far as we know."""

    user_id: int | None
    matched_by: MatchedBy


UNKNOWN = Match(None, MatchedBy.NOBODY)


class Known:
    """Everybody who can be known by a report of this source about this session."""

    def __init__(
        self,
        db: DbSession,
        session_id: int,
        source: ReportSource,
        visits: Sequence[ReportedVisit],
        *,
        brought_by: int,
    ) -> None:
        self._brought_by = brought_by
        self._by_email = _registered(db, session_id, {one.email for one in visits if one.email})
        self._by_remote_id: dict[str, int | None] = {}
        self._by_pseudonym: dict[str, int | None] = {}
        for remote_id, pseudonym, user_id in _guests(db, session_id, source):
            _note(self._by_remote_id, remote_id, user_id)
            _note(self._by_pseudonym, pseudonym, user_id)

    def match(self, visit: ReportedVisit) -> Match:
        """Whose it is. What contradicts itself waits for a person."""
        guests = {
            self._by_remote_id.get(visit.remote_id) if visit.remote_id else None,
            self._by_pseudonym.get(visit.name),
        } - {None}
        by_email = self._by_email.get(visit.email) if visit.email else None
        found = guests | ({by_email} - {None})
        # Who brings a report in does not say of themselves that they were there: a colleague does.
        if len(found) != 1 or self._brought_by in found:
            return UNKNOWN
        if by_email is not None:
            return Match(by_email, MatchedBy.ADDRESS)
        return Match(guests.pop(), MatchedBy.PSEUDONYM)


def _note(known: dict[str, int | None], name: str, user_id: int) -> None:
    """Who is known by it; nobody if two people are."""
    if name:
        known[name] = user_id if known.get(name, user_id) == user_id else None


def _registered(db: DbSession, session_id: int, addresses: Iterable[str]) -> dict[str, int]:
    """Addresses of people with a place in the session who proved that they are theirs."""
    found: dict[str, int] = {}
    wanted = sorted(addresses)
    for first in range(0, len(wanted), AT_ONCE):
        rows = db.execute(
            select(User.email, User.id)
            .join(Registration, Registration.user_id == User.id)
            .where(
                Registration.session_id == session_id,
                Registration.cancelled_at.is_(None),
                User.verified_at.is_not(None),
                User.erased_at.is_(None),
                User.email.in_(wanted[first : first + AT_ONCE]),
            )
        )
        found |= dict(rows.all())
    return found


def _guests(db: DbSession, session_id: int, source: ReportSource) -> Sequence[tuple[str, str, int]]:
    provider = PROVIDERS.get(source)
    if provider is None:
        return []
    rows = db.execute(
        select(RoomGuest.remote_id, RoomGuest.pseudonym, RoomGuest.user_id)
        .join(ExternalRoom, ExternalRoom.id == RoomGuest.room_id)
        .where(ExternalRoom.session_id == session_id, ExternalRoom.provider == provider)
    )
    return [(remote_id, pseudonym, user_id) for remote_id, pseudonym, user_id in rows]
