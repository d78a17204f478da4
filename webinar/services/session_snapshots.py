"""What a session was before a change, as JSON, and put back from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar, cast

from sqlalchemy import Column, Date, Enum, select
from sqlalchemy.orm import InstrumentedAttribute, object_session, selectinload

from webinar.db import Base, DbSession, UTCDateTime
from webinar.domain.announcement import Standing
from webinar.domain.errors import Conflict
from webinar.models import (
    AudienceGroup,
    FacultyFile,
    FacultyLink,
    FacultyMember,
    Topic,
    WebinarSession,
)
from webinar.services.announcements import standing_of
from webinar.services.session_facts import facts_of

Snapshot = dict[str, object]
Row = TypeVar("Row", FacultyFile, FacultyLink)
HANGING = frozenset({"files", "links"})

# Calendars count forward whatever happens; so do revisions.
NEVER_PUT_BACK = frozenset(
    {
        "id",
        "revision",
        "ical_uid",
        "ical_sequence",
        "ical_changed_at",
        "ical_digest",
        "ical_public",
        "ical_personal",
    }
)


@dataclass(frozen=True)
class Before:
    """A session before a change: for the trail, for who is told, and to be put back."""

    facts: dict[str, str]
    standing: Standing
    snapshot: Snapshot

    @classmethod
    def of(cls, session: WebinarSession) -> "Before":
        """As it is now."""
        return cls(facts_of(session), standing_of(session), snapshot_of(session))


def snapshot_of(session: WebinarSession) -> Snapshot:
    """Everything the session is, but for what only others hang on it."""
    return {
        **_columns_of(session),
        "topics": sorted(topic.id for topic in session.topics),
        "audience": sorted(group.id for group in session.audience),
        "faculty": _faculty_of(session),
    }


def file_keys(faculty: Iterable[Snapshot]) -> set[str]:
    """Names of the stored files that come back with these members."""
    files = [file for columns in faculty for file in _hanging(columns, "files")]
    return {str(file["storage_key"]) for file in files}


def what_changed(before: Snapshot, after: Snapshot) -> Snapshot:
    """Of what it was before, that which is different now and can be put back."""
    return {
        name: value
        for name, value in before.items()
        if name not in NEVER_PUT_BACK and after[name] != value
    }


def put_back(db: DbSession, session: WebinarSession, before: Mapping[str, object]) -> None:
    """Let the session be what it was; fields that are not named stay as they are."""
    for name, value in before.items():
        if name == "topics":
            session.topics = _topics(db, _ids(value))
        elif name == "audience":
            found = select(AudienceGroup).where(AudienceGroup.id.in_(_ids(value)))
            session.audience = list(db.scalars(found))
        elif name == "faculty":
            _put_back_faculty(db, session, cast("list[Snapshot]", value))
        else:
            _set(session, name, value)
    db.flush()


def make_again(db: DbSession, before: Mapping[str, object]) -> WebinarSession:
    """The session that is gone, under the same identity; raises Conflict if its day is taken."""
    session = WebinarSession(topics=[], audience=[], faculty=[])
    for name in _names(WebinarSession):
        _set(session, name, before[name])
    if db.get(WebinarSession, session.id) is not None:
        raise Conflict("Another session has taken its place meanwhile. Add it anew.")
    db.add(session)
    db.flush()
    put_back(db, session, {name: before[name] for name in ("topics", "audience", "faculty")})
    return session


def _topics(db: DbSession, ids: list[int]) -> list[Topic]:
    """Those that are still there; of one that was merged meanwhile, what it was merged into."""
    found = db.scalars(select(Topic).where(Topic.id.in_(ids))).all()
    standing = {topic.merged_into_id or topic.id for topic in found}
    return list(db.scalars(select(Topic).where(Topic.id.in_(standing)).order_by(Topic.id)))


def _put_back_faculty(db: DbSession, session: WebinarSession, kept: list[Snapshot]) -> None:
    present = {member.id: member for member in session.faculty}
    members = []
    for columns in kept:
        key = cast("int", columns["id"])
        member = present.get(key)
        # Of who kept the part nothing was lost, and addresses that were ended since stay so.
        lost_all = member is None or member.user_id != columns["user_id"]
        left_alone = set()
        if member is None:
            member = FacultyMember()
            # SQLite gives the number of who was taken out last to the next who comes, anywhere.
            left_alone = {"id"} if db.get(FacultyMember, key) is not None else set()
        elif member.invited_at is not None:
            left_alone = {"invited_at"}  # who was invited meanwhile has the mail
        for name in columns.keys() - left_alone - HANGING:
            _set(member, name, columns[name])
        if lost_all:
            member.files += _made_again(FacultyFile, _hanging(columns, "files"), member.files)
            member.links += _made_again(FacultyLink, _hanging(columns, "links"), member.links)
        members.append(member)
    session.faculty = members


def _faculty_of(session: WebinarSession) -> list[Snapshot]:
    """Each member with the files they sent in and the addresses they were mailed."""
    db = object_session(session)
    if db is not None and session.faculty:
        hanging = (selectinload(FacultyMember.files), selectinload(FacultyMember.links))
        of_session = FacultyMember.session_id == session.id
        db.scalars(select(FacultyMember).where(of_session).options(*hanging)).all()
    return [
        {
            **_columns_of(member),
            "files": [_columns_of(file) for file in member.files],
            "links": [_columns_of(link) for link in member.links],
        }
        for member in session.faculty
    ]


def _hanging(columns: Snapshot, name: str) -> list[Snapshot]:
    return cast("list[Snapshot]", columns.get(name, []))


def _made_again(kind: type[Row], kept: list[Snapshot], there: Sequence[Row]) -> list[Row]:
    """Those that are gone, under new numbers."""
    present = {_columns_of(row)["id"] for row in there}
    rows = []
    for columns in kept:
        if columns["id"] not in present:
            row = kind()
            for name in columns.keys() - {"id", "faculty_id"}:
                _set(row, name, columns[name])
            rows.append(row)
    return rows


def _columns_of(row: Base) -> Snapshot:
    return {name: _plain(getattr(row, name)) for name in _names(type(row))}


def _names(kind: type[Base]) -> list[str]:
    return [column.name for column in kind.__table__.columns]


def _set(row: Base, name: str, value: object) -> None:
    attribute = cast("InstrumentedAttribute[object]", getattr(type(row), name))
    setattr(row, name, _typed(cast("Column[object]", attribute.property.columns[0]), value))


def _plain(value: object) -> object:
    if isinstance(value, StrEnum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def _typed(column: "Column[object]", value: object) -> object:
    if not isinstance(value, str):
        return value
    kind = column.type
    if isinstance(kind, UTCDateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(kind, Enum) and kind.enum_class is not None:
        return kind.enum_class(value)
    return value


def _ids(value: object) -> list[int]:
    return list(cast("Iterable[int]", value))
