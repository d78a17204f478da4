"""The copy of everything that is kept about a person, table by table, as plain documents."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, LargeBinary, RowMapping, Table, and_, or_, select

from webinar.db import Base, DbSession
from webinar.models import (
    AuditEvent,
    Certificate,
    CertificatePaper,
    FacultyFile,
    FacultyMember,
    User,
    ViewingPass,
    WatchSegment,
    WebinarSession,
)
from webinar.services.personal_data import POINTING, SECRETS, Whose

Document = Mapping[str, object]


@dataclass(frozen=True)
class Listed:
    """The rows of one table."""

    table: str
    rows: Sequence[Document]


def tables_of(db: DbSession, user_id: int) -> Iterator[Listed]:
    """Everything about the person, without secrets: account first, then table by table."""
    yield _listed(db, "user", User.id == user_id)
    for name, columns in _own_columns().items():
        table = Base.metadata.tables[name]
        yield _listed(db, name, or_(*(table.columns[one] == user_id for one in columns)))
    passes = select(ViewingPass.id).where(ViewingPass.user_id == user_id)
    yield _listed(db, "watch_segment", WatchSegment.pass_id.in_(passes))
    members = select(FacultyMember.id).where(FacultyMember.user_id == user_id)
    yield _listed(db, "faculty_file", FacultyFile.faculty_id.in_(members))
    # A database may give the number of an account that is gone: what is older was its owner's.
    since = select(User.created_at).where(User.id == user_id).scalar_subquery()
    yield _listed(
        db, "audit_event", and_(AuditEvent.subject == f"user {user_id}", AuditEvent.at >= since)
    )
    yield _acts(db, user_id)


def sessions_of(db: DbSession, listed: Iterable[Listed]) -> Listed:
    """What the sessions are called that the rows name by their number."""
    ids = {
        one
        for table in listed
        for row in table.rows
        if isinstance(one := row.get("session_id"), int)
    }
    rows = db.execute(
        select(
            WebinarSession.id,
            WebinarSession.public_id,
            WebinarSession.title,
            WebinarSession.starts_at,
        )
        .where(WebinarSession.id.in_(ids))
        .order_by(WebinarSession.starts_at, WebinarSession.id)
    ).mappings()
    return Listed("session", [_document(row) for row in rows])


def papers_of(db: DbSession, user_id: int) -> Iterator[tuple[str, bytes]]:
    """(number, PDF) of every certificate that was set."""
    rows = db.execute(
        select(Certificate.number, CertificatePaper.pdf)
        .join(CertificatePaper, CertificatePaper.certificate_id == Certificate.id)
        .where(Certificate.user_id == user_id)
        .order_by(Certificate.id)
    )
    for row in rows:
        yield row.number, row.pdf


def _acts(db: DbSession, user_id: int) -> Listed:
    """What they did for others: that they did it, and nothing about those others."""
    rows = db.execute(
        select(AuditEvent.id, AuditEvent.at, AuditEvent.action)
        .where(AuditEvent.actor_id == user_id)
        .order_by(AuditEvent.id)
    ).mappings()
    return Listed("acts", [_document(row) for row in rows])


def _own_columns() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for place in POINTING:
        if place.whose is Whose.OWN:
            found.setdefault(place.table, []).append(place.column)
    return found


def _listed(db: DbSession, name: str, condition: ColumnElement[bool]) -> Listed:
    table = Base.metadata.tables[name]
    rows = db.execute(
        select(*_told(table)).where(condition).order_by(*table.primary_key.columns)
    ).mappings()
    return Listed(name, [_document(row) for row in rows])


def _told(table: Table) -> list[ColumnElement[object]]:
    return [
        column
        for column in table.columns
        if (table.name, column.name) not in SECRETS and not isinstance(column.type, LargeBinary)
    ]


def _document(row: RowMapping) -> Document:
    return {str(name): _plain(value) for name, value in row.items()}


def _plain(value: object) -> object:
    """As JSON can hold it: instants with their offset, credit as text."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
