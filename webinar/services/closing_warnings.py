"""Who is told that a recording closes soon: owed a week before the end, decided when sent."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, or_, select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.letter import MailKind
from webinar.domain.recording import WARNED_BEFORE, RecordingState
from webinar.models import Delivery, Recording, Registration, WebinarSession, WindowExtension
from webinar.services import attendance, deliveries

# Who has seen so much of it does not want to hear that it closes.
FINISHED = 0.95
# Each of these names the end.
SAYS_THE_END = (
    MailKind.RECORDING_CLOSING,
    MailKind.EXTENSION_GRANTED,
    MailKind.EXTENSION_WITHDRAWN,
)
AT_ONCE = 200


def warn_due(db: DbSession, *, now: datetime, limit: int = AT_ONCE) -> int:
    """Owe a warning to those whose window ends within a week; how many more are owed now.

    Once for each end. Whether it is still wanted is decided when it is sent. Who took a place in
    that week read the end there.
    """
    extended = (
        select(
            WindowExtension.recording_id,
            WindowExtension.user_id,
            func.max(WindowExtension.closes_at).label("until"),
        )
        .group_by(WindowExtension.recording_id, WindowExtension.user_id)
        .subquery()
    )
    near = now + WARNED_BEFORE
    rows = db.execute(
        select(
            Recording.session_id,
            Registration.user_id,
            Registration.created_at,
            Recording.closes_at,
            extended.c.until,
        )
        .join(Registration, Registration.session_id == Recording.session_id)
        .outerjoin(
            extended,
            (extended.c.recording_id == Recording.id)
            & (extended.c.user_id == Registration.user_id),
        )
        .where(
            Recording.state.in_((RecordingState.PUBLISHED, RecordingState.CLOSED)),
            Registration.cancelled_at.is_(None),
            or_(
                Recording.closes_at.between(now, near),
                extended.c.until.between(now, near),
            ),
        )
        .order_by(Recording.session_id, Registration.user_id)
    ).all()
    told = _told_of(db, {row.session_id for row in rows}, since=now - WARNED_BEFORE)
    owed = 0
    for row in rows:
        until = max(row.closes_at, row.until or row.closes_at)
        warned_at = until - WARNED_BEFORE
        if not now < until <= near or row.created_at >= warned_at:
            continue
        last = told.get((row.session_id, row.user_id))
        if last is not None and last >= warned_at:
            continue
        deliveries.queue(
            db,
            MailKind.RECORDING_CLOSING,
            user_id=row.user_id,
            subject_id=row.session_id,
            due_at=now,
            revision=_minutes(until),
            now=now,
        )
        owed += 1
        if owed == limit:
            break
    return owed


def has_finished(db: DbSession, session: WebinarSession, user_id: int) -> bool:
    """True if the person has seen it: nearly all of the recording, or of the evening itself."""
    for mode in (ViewingMode.RECORDED, ViewingMode.LIVE):
        seen = attendance.presence_now(db, session, user_id, mode)
        if seen.total_seconds and seen.counted_seconds >= FINISHED * seen.total_seconds:
            return True
    return False


def _told_of(
    db: DbSession, session_ids: Collection[int], *, since: datetime
) -> dict[tuple[int, int], datetime]:
    """(session, person) -> when a mail that names the end was last owed to them."""
    rows = db.execute(
        select(Delivery.subject_id, Delivery.user_id, func.max(Delivery.created_at))
        .where(
            Delivery.kind.in_([kind.value for kind in SAYS_THE_END]),
            Delivery.subject_id.in_(session_ids),
            Delivery.created_at >= since,
        )
        .group_by(Delivery.subject_id, Delivery.user_id)
    )
    return {(session_id, user_id): at for session_id, user_id, at in rows}


def _minutes(until: datetime) -> int:
    """The end as a revision: two clocks that count at once owe one mail."""
    return int(until.timestamp()) // 60
