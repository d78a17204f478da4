"""The mails before a session: a day and an hour ahead, moving with it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.domain.mail_wishes import REMINDED_BEFORE
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, Registration, WebinarSession

# Who learned of the hour so shortly before a reminder has just read it all.
JUST_READ: dict[MailKind, timedelta] = {
    MailKind.SESSION_TOMORROW: timedelta(hours=6),
    MailKind.SESSION_REMINDER: timedelta(0),
}
MOVED = "the session was moved while this was on its way"
ROWS_AT_ONCE = 500
# So long before a reminder leaves, it is noticed that a place has none.
NOTICED_BEFORE = timedelta(days=1)


def queue_reminders(
    db: DbSession, session: WebinarSession, user_ids: Collection[int], *, now: datetime
) -> None:
    """Owe each of them one mail a day and one an hour before the start, unless it is too late.

    Whether they want it is asked when it is sent.
    """
    for kind in REMINDED_BEFORE:
        _queue(db, kind, session, user_ids, now=now)


def follow_session(db: DbSession, session: WebinarSession, *, now: datetime) -> None:
    """Let reminders follow a session that was moved; who had theirs already gets another.

    One that is claimed may be with the mail server and not yet written down: it is given up for
    a new one. Where it is too late for a new one it stays, and is decided again if it never left.
    """
    for kind, before in REMINDED_BEFORE.items():
        due_at = session.starts_at - before
        owed = (
            update(Delivery)
            .where(Delivery.kind == kind.value)
            .where(Delivery.subject_id == session.id)
            .where(Delivery.due_at.is_not(None))
        )
        if not _is_too_late(kind, due_at, now=now):
            db.execute(
                owed.where(Delivery.lease_until.is_not(None)).values(
                    due_at=None, dropped_because=MOVED
                )
            )
        db.execute(owed.values(due_at=due_at))
        waiting = (
            select(Delivery.user_id)
            .where(Delivery.kind == kind.value)
            .where(Delivery.subject_id == session.id)
            .where(Delivery.due_at.is_not(None))
        )
        told = db.scalars(
            select(Registration.user_id)
            .where(Registration.session_id == session.id)
            .where(Registration.cancelled_at.is_(None))
            .where(Registration.user_id.not_in(waiting))
            .order_by(Registration.user_id)
        ).all()
        _queue(db, kind, session, told, now=now)


def owe_missing(db: DbSession, *, now: datetime, limit: int = ROWS_AT_ONCE) -> int:
    """Owe reminders to places that never had one, a day before they leave; how many places.

    Places are taken with their reminders. This is for those from before there was such a kind,
    and for whatever put a place into the database by another way.
    """
    owed = 0
    for kind, before in REMINDED_BEFORE.items():
        first = now + before + JUST_READ[kind]
        never = ~(
            select(Delivery.id)
            .where(
                Delivery.kind == kind.value,
                Delivery.subject_id == Registration.session_id,
                Delivery.user_id == Registration.user_id,
            )
            .exists()
        )
        rows = db.execute(
            select(Registration.session_id, Registration.user_id)
            .join(WebinarSession, WebinarSession.id == Registration.session_id)
            .where(
                WebinarSession.status == SessionStatus.PUBLISHED,
                WebinarSession.starts_at > first,
                WebinarSession.starts_at <= first + NOTICED_BEFORE,
                Registration.cancelled_at.is_(None),
                never,
            )
            .order_by(Registration.session_id, Registration.user_id)
            .limit(limit)
        ).all()
        people: dict[int, list[int]] = {}
        for session_id, user_id in rows:
            people.setdefault(session_id, []).append(user_id)
        for session_id, user_ids in people.items():
            _queue(db, kind, db.get_one(WebinarSession, session_id), user_ids, now=now)
        owed += len(rows)
    return owed


def _is_too_late(kind: MailKind, due_at: datetime, *, now: datetime) -> bool:
    return due_at <= now + JUST_READ[kind]


def _queue(
    db: DbSession,
    kind: MailKind,
    session: WebinarSession,
    user_ids: Collection[int],
    *,
    now: datetime,
) -> None:
    due_at = session.starts_at - REMINDED_BEFORE[kind]
    if _is_too_late(kind, due_at, now=now):
        return
    table = cast(Table, Delivery.__table__)
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    wanted = list(user_ids)
    for first in range(0, len(wanted), ROWS_AT_ONCE):
        some = wanted[first : first + ROWS_AT_ONCE]
        said = dict(
            db.execute(
                select(Delivery.user_id, func.max(Delivery.revision))
                .where(Delivery.kind == kind.value, Delivery.subject_id == session.id)
                .where(Delivery.user_id.in_(some))
                .group_by(Delivery.user_id)
            ).all()
        )
        db.execute(
            # Two presses at once owe one reminder.
            dialect.insert(table).on_conflict_do_nothing(),
            [
                {
                    "kind": kind.value,
                    "user_id": user_id,
                    "subject_id": session.id,
                    "revision": said.get(user_id, -1) + 1,
                    "details": {},
                    "created_at": now,
                    "due_at": due_at,
                    "attempts": 0,
                }
                for user_id in some
            ],
        )
