"""Rows whose time is over, by kind: found, counted and deleted some at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    delete,
    func,
    inspect,
    or_,
    select,
    tuple_,
)

from webinar.db import Base, DbSession
from webinar.domain.recording import RecordingState
from webinar.domain.retention import RetentionKind
from webinar.models import (
    Delivery,
    DigestTopic,
    FacultyLink,
    MailTrouble,
    MailWish,
    Question,
    Recording,
    Registration,
    RoomNotice,
    SeasonChange,
    SeriesRegistration,
    SignInLink,
    TickRun,
    User,
    WatchPlace,
    WebinarSession,
    WorkingProcess,
)

# As many as are asked about in one statement.
ACCOUNTS_AT_ONCE = 500


@dataclass(frozen=True)
class Forgettable:
    """How old rows of a kind are counted, and how at most so many of them are deleted."""

    count: Callable[[DbSession, datetime], int]
    forget: Callable[[DbSession, datetime, int], int]


# Rows that only serve an account that was never used; whatever else points to it keeps it.
HANGING_ON_ACCOUNTS: tuple[type[Base], ...] = (
    SignInLink,
    Delivery,
    MailWish,
    DigestTopic,
    MailTrouble,
    WatchPlace,
    Registration,
    SeriesRegistration,
)


def _simple(table: type[Base], condition: Callable[[datetime], ColumnElement[bool]]) -> Forgettable:
    """Rows of one table that nothing points to."""
    keys = list(inspect(table).primary_key)

    def count(db: DbSession, older_than: datetime) -> int:
        return db.scalar(select(func.count()).select_from(table).where(condition(older_than))) or 0

    def forget(db: DbSession, older_than: datetime, most: int) -> int:
        rows = db.execute(select(*keys).where(condition(older_than)).limit(most)).all()
        if rows:
            whole = keys[0] if len(keys) == 1 else tuple_(*keys)
            found = whole.in_([row[0] if len(keys) == 1 else tuple(row) for row in rows])
            db.execute(delete(table).where(found).execution_options(synchronize_session=False))
        return len(rows)

    return Forgettable(count, forget)


def _both(first: Forgettable, second: Forgettable) -> Forgettable:
    return Forgettable(
        lambda db, older_than: first.count(db, older_than) + second.count(db, older_than),
        lambda db, older_than, most: (
            first.forget(db, older_than, most) or second.forget(db, older_than, most)
        ),
    )


def _spent(older_than: datetime) -> ColumnElement[bool]:
    return or_(SignInLink.used_at <= older_than, SignInLink.expires_at <= older_than)


def _told(older_than: datetime) -> ColumnElement[bool]:
    """Mails with which nothing more is to be done."""
    return and_(Delivery.created_at <= older_than, Delivery.due_at.is_(None))


def _asked(older_than: datetime) -> ColumnElement[bool]:
    ended_at = func.coalesce(WebinarSession.actual_ended_at, WebinarSession.ends_at)
    return Question.session_id.in_(select(WebinarSession.id).where(ended_at <= older_than))


def _in_the_destroyed(older_than: datetime) -> ColumnElement[bool]:
    return WatchPlace.recording_id.in_(
        select(Recording.id).where(
            Recording.state == RecordingState.DESTROYED, Recording.closes_at <= older_than
        )
    )


def _dealt_with(older_than: datetime) -> ColumnElement[bool]:
    return and_(RoomNotice.received_at <= older_than, RoomNotice.handled_at.is_not(None))


def _unproved(older_than: datetime) -> Select[int]:
    return select(User.id).where(
        User.verified_at.is_(None), User.erased_at.is_(None), User.created_at <= older_than
    )


def references_to_people() -> list[tuple[Table, ColumnElement[object]]]:
    """Every column of every table that points to a person."""
    return [
        (table, column)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if any(key.target_fullname == "user.id" for key in column.foreign_keys)
    ]


def _count_accounts(db: DbSession, older_than: datetime) -> int:
    return sum(len(some) for some in _accounts(db, older_than))


def _forget_accounts(db: DbSession, older_than: datetime, most: int) -> int:
    chosen: list[int] = []
    for some in _accounts(db, older_than):
        chosen += some
        if len(chosen) >= most:
            break
    # Whoever proves their e-mail at this moment is faster, or finds no account to prove.
    locked = db.scalars(
        select(User.id)
        .where(User.id.in_(chosen[:most]), User.verified_at.is_(None))
        .order_by(User.id)
        .with_for_update(skip_locked=True)
    ).all()
    for table in HANGING_ON_ACCOUNTS:
        own = table.__table__.columns["user_id"].in_(locked)
        db.execute(delete(table).where(own).execution_options(synchronize_session=False))
    db.execute(delete(User).where(User.id.in_(locked)).execution_options(synchronize_session=False))
    return len(locked)


def _accounts(db: DbSession, older_than: datetime) -> Iterator[list[int]]:
    """Ids of accounts nobody needs, some at a time."""
    last = 0
    while True:
        ids = db.scalars(
            _unproved(older_than).where(User.id > last).order_by(User.id).limit(ACCOUNTS_AT_ONCE)
        ).all()
        if not ids:
            return
        yield _unneeded(db, ids)
        last = ids[-1]


def _unneeded(db: DbSession, ids: Sequence[int]) -> list[int]:
    """Those nothing else points to: no faculty, nobody with a role, no matched visit."""
    hanging = {table.__tablename__ for table in HANGING_ON_ACCOUNTS}
    needed: set[object] = set()
    if not ids:
        return []
    for table, column in references_to_people():
        if table.name not in hanging:
            needed.update(db.scalars(select(column).where(column.in_(ids)).distinct()))
    return [one for one in ids if one not in needed]


FORGETTABLE: dict[RetentionKind, Forgettable] = {
    RetentionKind.ACCOUNTS: Forgettable(_count_accounts, _forget_accounts),
    RetentionKind.LINKS: _both(
        _simple(SignInLink, _spent),
        _simple(FacultyLink, lambda older_than: FacultyLink.expires_at <= older_than),
    ),
    RetentionKind.MAILS: _simple(Delivery, _told),
    RetentionKind.QUESTIONS: _simple(Question, _asked),
    RetentionKind.PLACES: _simple(WatchPlace, _in_the_destroyed),
    RetentionKind.CHANGES: _simple(
        SeasonChange, lambda older_than: SeasonChange.undo_until <= older_than
    ),
    RetentionKind.NOTICES: _simple(RoomNotice, _dealt_with),
    RetentionKind.PROCESSES: _both(
        _simple(WorkingProcess, lambda older_than: WorkingProcess.seen_at <= older_than),
        _simple(TickRun, lambda older_than: TickRun.began_at <= older_than),
    ),
}
"""Every kind but the evidence, which has steps of its own: see `webinar.services.evidence`."""
