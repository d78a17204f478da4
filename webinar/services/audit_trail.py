"""The audit trail as it is read: narrowed, in pages, with the names of what it speaks of."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, func, select

from webinar.db import DbSession
from webinar.domain.errors import NotFound
from webinar.models import AuditEvent, Series, Society, Topic, User, WebinarSession

BATCH = 500


class Kind(StrEnum):
    """What events speak of: the word before the number in a subject."""

    SESSION = "session"
    SERIES = "series"
    USER = "user"
    SOCIETY = "society"
    TOPIC = "topic"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which events; what is None or "" is no wish. Days are [since, until)."""

    actor_id: int | None = None
    by_clock: bool = False
    """Only what nobody did: the clock and commands."""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class About:
    """What an event speaks of, as long as it is there; `address` is what its page is called by."""

    kind: Kind
    name: str
    address: str


@dataclass(frozen=True)
class Line:
    """An event with who did it ("" for the clock) and what it is about (None if that is gone)."""

    event: AuditEvent
    actor: str
    actor_email: str
    about: About | None


EVERYTHING = Wanted()


def page(
    db: DbSession, wanted: Wanted = EVERYTHING, *, below: int | None = None, limit: int
) -> list[Line]:
    """The newest events with an id below the given one, newest first; six queries at most."""
    query = (
        select(AuditEvent, User.name, User.email)
        .outerjoin(User, User.id == AuditEvent.actor_id)
        .where(*_conditions(wanted))
    )
    if below is not None:
        query = query.where(AuditEvent.id < below)
    rows = db.execute(query.order_by(AuditEvent.id.desc()).limit(limit)).all()
    about = _about(db, {row[0].subject for row in rows})
    return [
        Line(event, name or "", email or "", about.get(event.subject))
        for event, name, email in rows
    ]


def oldest_first(db: DbSession, wanted: Wanted = EVERYTHING) -> Iterator[tuple[AuditEvent, str]]:
    """Every event with the e-mail of who did it, read a batch at a time."""
    last_id = 0
    while True:
        rows = db.execute(
            select(AuditEvent, User.email)
            .outerjoin(User, User.id == AuditEvent.actor_id)
            .where(*_conditions(wanted), AuditEvent.id > last_id)
            .order_by(AuditEvent.id)
            .limit(BATCH)
        ).all()
        for event, email in rows:
            yield event, email or ""
        if len(rows) < BATCH:
            return
        last_id = rows[-1][0].id


def actions(db: DbSession) -> list[str]:
    """Every kind of act that was written down, by name."""
    return list(db.scalars(select(AuditEvent.action).distinct().order_by(AuditEvent.action)))


def size_and_end(db: DbSession) -> tuple[int, str]:
    """How many events there are, and the hash of the last one: to be kept elsewhere."""
    last = select(AuditEvent.hash).order_by(AuditEvent.id.desc()).limit(1)
    return db.scalar(select(func.count(AuditEvent.id))) or 0, db.scalar(last) or ""


def subject_of(db: DbSession, text: str) -> str:
    """The subject somebody means: by its page's address, an e-mail, or as it stands in the trail.

    Raises NotFound.
    """
    text = text.strip()
    if re.fullmatch(r"[a-z ]+ \S+", text):
        return text
    for pattern, kind, query in _PAGES:
        if found := re.search(pattern, text):
            subject_id = db.scalar(query(found[1]))
            if subject_id is not None:
                return f"{kind} {subject_id}"
    raise NotFound(
        "Paste the address of the page of a session, series, person, society or topic, "
        "or give an e-mail."
    )


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = []
    if wanted.actor_id is not None:
        found.append(AuditEvent.actor_id == wanted.actor_id)
    if wanted.by_clock:
        found.append(AuditEvent.actor_id.is_(None))
    if wanted.action:
        found.append(AuditEvent.action == wanted.action)
    if wanted.subject:
        found.append(AuditEvent.subject == wanted.subject)
    if wanted.since is not None:
        found.append(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        found.append(AuditEvent.at < wanted.until)
    return found


def _about(db: DbSession, subjects: Iterable[str]) -> dict[str, About]:
    """What is still there of the subjects: one query for each kind among them."""
    by_kind: dict[Kind, set[int]] = {}
    for subject in subjects:
        kind, _, number = subject.partition(" ")
        if kind in frozenset(Kind) and number.isdigit():
            by_kind.setdefault(Kind(kind), set()).add(int(number))
    return {
        f"{kind} {row[0]}": About(kind, row[1], str(row[2]))
        for kind, ids in by_kind.items()
        for row in db.execute(_named(kind, ids))
    }


def _named(kind: Kind, ids: set[int]) -> Select[int, str, str | int]:
    match kind:
        case Kind.SESSION:
            return select(WebinarSession.id, WebinarSession.title, WebinarSession.public_id).where(
                WebinarSession.id.in_(ids)
            )
        case Kind.SERIES:
            return select(Series.id, Series.name, Series.slug).where(Series.id.in_(ids))
        case Kind.SOCIETY:
            return select(Society.id, Society.name, Society.slug).where(Society.id.in_(ids))
        case Kind.TOPIC:
            return select(Topic.id, Topic.name, Topic.id).where(Topic.id.in_(ids))
        case Kind.USER:
            return select(User.id, User.name, User.id).where(User.id.in_(ids))


def _email(text: str) -> Select[int]:
    return select(User.id).where(User.email == text.casefold())


# As the pages are called; a slug or public id is all that is looked up.
_PAGES = (
    (r"([^\s/]+@[^\s/]+)", Kind.USER, _email),
    (
        r"/sessions/([\w-]+)",
        Kind.SESSION,
        lambda found: select(WebinarSession.id).where(WebinarSession.public_id == found),
    ),
    (r"/series/([\w-]+)", Kind.SERIES, lambda found: select(Series.id).where(Series.slug == found)),
    (
        r"/people/(\d{1,9})\b",
        Kind.USER,
        lambda found: select(User.id).where(User.id == int(found)),
    ),
    (
        r"/societies/([\w-]+)",
        Kind.SOCIETY,
        lambda found: select(Society.id).where(Society.slug == found),
    ),
    (
        r"/manage/topics/(\d{1,9})\b",
        Kind.TOPIC,
        lambda found: select(Topic.id).where(Topic.id == int(found)),
    ),
    (r"/topics/([\w-]+)", Kind.TOPIC, lambda found: select(Topic.id).where(Topic.slug == found)),
)
