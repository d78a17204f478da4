"""Sessions with what a line of a list says of them, in five queries whatever their number."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Select, select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.domain.session import FacultyPart
from webinar.models import (
    AccreditationGrant,
    Accreditor,
    FacultyMember,
    Recording,
    Topic,
    WebinarSession,
)
from webinar.models.season import session_topic


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What one body gives for a session in one mode: a grant, as far as the public is told."""

    body: str
    mode: ViewingMode
    status: GrantStatus
    credits_granted: Decimal
    statement_applied: str
    statement_granted: str
    credit_until: datetime | None
    policy_id: int


@dataclass(frozen=True)
class Listed:
    """A session with what a line of a list says of it. Speakers present or discuss."""

    session: WebinarSession
    topics: tuple[str, ...]
    speakers: tuple[str, ...]
    recording: Recording | None
    offers: tuple[Offer, ...]


def listed(db: DbSession, query: Select[WebinarSession]) -> list[Listed]:
    """Five queries: sessions, topics, speakers, recordings, grants."""
    return _told(db, list(db.scalars(query)))


def lists(db: DbSession, *queries: Select[WebinarSession]) -> list[list[Listed]]:
    """Several lists of one page: a query each, and four for what their lines say."""
    found = [list(db.scalars(query)) for query in queries]
    everything = {session.id: session for sessions in found for session in sessions}
    told = {line.session.id: line for line in _told(db, list(everything.values()))}
    return [[told[session.id] for session in sessions] for sessions in found]


def _told(db: DbSession, sessions: list[WebinarSession]) -> list[Listed]:
    # What a line only names is read as names: objects of all of it cost three times the page.
    if not sessions:
        return []
    ids = [session.id for session in sessions]
    topics: dict[int, list[str]] = defaultdict(list)
    for session_id, name in db.execute(
        select(session_topic.c.session_id, Topic.name)
        .join(Topic, Topic.id == session_topic.c.topic_id)
        .where(session_topic.c.session_id.in_(ids))
        .order_by(Topic.name, Topic.id)
    ):
        topics[session_id].append(name)
    speakers: dict[int, list[str]] = defaultdict(list)
    for session_id, name in db.execute(
        select(FacultyMember.session_id, FacultyMember.name)
        .where(
            FacultyMember.session_id.in_(ids),
            FacultyMember.part.in_((FacultyPart.PRESENTER, FacultyPart.DISCUSSANT)),
        )
        .order_by(FacultyMember.position, FacultyMember.id)
    ):
        speakers[session_id].append(name)
    recordings = {
        recording.session_id: recording
        for recording in db.scalars(select(Recording).where(Recording.session_id.in_(ids)))
    }
    offers = _offers(db, ids)
    return [
        Listed(
            session,
            tuple(topics[session.id]),
            tuple(speakers[session.id]),
            recordings.get(session.id),
            tuple(offers[session.id]),
        )
        for session in sessions
    ]


def _offers(db: DbSession, ids: list[int]) -> dict[int, list[Offer]]:
    offers: dict[int, list[Offer]] = defaultdict(list)
    for row in db.execute(
        select(
            AccreditationGrant.session_id,
            Accreditor.short_name,
            AccreditationGrant.mode,
            AccreditationGrant.status,
            AccreditationGrant.credits_granted,
            AccreditationGrant.statement_applied,
            AccreditationGrant.statement_granted,
            AccreditationGrant.credit_until,
            AccreditationGrant.policy_id,
        )
        .join(Accreditor)
        .where(
            AccreditationGrant.session_id.in_(ids),
            AccreditationGrant.status != GrantStatus.NONE,
        )
        .order_by(AccreditationGrant.accreditor_id, AccreditationGrant.mode)
    ):
        offers[row.session_id].append(
            Offer(
                body=row.short_name,
                mode=row.mode,
                status=row.status,
                credits_granted=row.credits_granted,
                statement_applied=row.statement_applied,
                statement_granted=row.statement_granted,
                credit_until=row.credit_until,
                policy_id=row.policy_id,
            )
        )
    return offers
