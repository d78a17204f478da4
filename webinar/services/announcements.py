"""Telling the people who have a place when a session moves, is cancelled, or takes place after all.

Each notice keeps what its reader was last told. Whatever happens before it leaves replaces it by
what is new to that reader then: moved twice is told once, from the hour they know; moved there and
back is not told at all. Told is what was really sent: while somebody holds an older notice that is
not known, so the new one keeps what its reader knows in either case, and is decided after it.

The revision of a notice is the calendar's sequence number, which rises with every change that can
be seen.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, func, or_, select

from webinar import letterbox
from webinar.db import DbSession
from webinar.domain.announcement import Standing, what_to_say
from webinar.domain.letter import MailKind
from webinar.domain.mail_wishes import REMINDED_BEFORE
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, Registration, WebinarSession
from webinar.services import deliveries, reminders

NOTICES = (MailKind.SESSION_MOVED, MailKind.SESSION_CANCELLED, MailKind.SESSION_RESTORED)
CANCELLED = "the session is cancelled"


@dataclass(frozen=True)
class Knowledge:
    """What a reader of notices knows."""

    known: Standing
    unless: dict[int, Standing] = field(default_factory=dict)
    """What they know instead if the delivery of this id was sent; the highest id counts."""

    def news(self, stands: Standing) -> list[MailKind | None]:
        """What there may be to say to them, each once; None: nothing is new."""
        maybe = (self.known, *self.unless.values())
        return list(dict.fromkeys(what_to_say(known, stands) for known in maybe))

    def as_details(self) -> dict[str, str]:
        """As a delivery keeps it."""
        details = self.known.as_details()
        if self.unless:
            details["unless"] = json.dumps(
                {number: known.as_details() for number, known in self.unless.items()}
            )
        return details

    @classmethod
    def from_details(cls, details: dict[str, str]) -> "Knowledge | None":
        """What a delivery keeps, or None where it keeps nothing."""
        known = Standing.from_details(details)
        if known is None:
            return None
        unless = {
            int(number): standing
            for number, kept in json.loads(details.get("unless", "{}")).items()
            if (standing := Standing.from_details(kept)) is not None
        }
        return cls(known, unless)


def standing_of(session: WebinarSession) -> Standing:
    """What people can rely on now."""
    return Standing(
        takes_place=session.status is not SessionStatus.CANCELLED,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
    )


def tell(
    db: DbSession, session: WebinarSession, before: Standing, *, due_at: datetime, now: datetime
) -> int:
    """Owe everybody with a place what is new to them, let the reminders follow; how many.

    `before` is how the session stood: what those know who wait for no notice.
    """
    letterbox.shut(db)
    _hold_all(db, session.id)
    stands = standing_of(session)
    unsaid = _unsaid(db, session.id, before, now=now)
    for kind in NOTICES:
        deliveries.drop(db, kind, subject_id=session.id, because="something newer is to be said")
    if stands.takes_place:
        reminders.follow_session(db, session, now=now)
    else:
        for kind in (*REMINDED_BEFORE, MailKind.REGISTRATION_CONFIRMED):
            deliveries.drop(db, kind, subject_id=session.id, because=CANCELLED)
    told, for_certain = 0, set()
    for user_id in places(db, session.id):
        knows = unsaid.get(user_id, Knowledge(before))
        maybe = knows.news(stands)
        news = [kind for kind in maybe if kind is not None]
        for kind in news:
            deliveries.queue(
                db,
                kind,
                user_id=user_id,
                subject_id=session.id,
                due_at=due_at,
                revision=session.ical_sequence,
                details=knows.as_details(),
                now=now,
            )
        if news:
            told += 1
        if None not in maybe:
            for_certain.add(user_id)
    if stands.takes_place:
        _confirm_anew(db, session, told=for_certain, now=now)
    return told


def told_of_last(db: DbSession, session: WebinarSession, *, now: datetime) -> Standing:
    """Where people still believe the session to be, as long as nobody has told them otherwise."""
    stands = standing_of(session)
    unsaid = _unsaid(db, session.id, stands, now=now).values()
    return next((knows.known for knows in unsaid if not knows.unless), stands)


def settled(db: DbSession, some: dict[int, Knowledge], *, now: datetime) -> dict[int, Knowledge]:
    """The same with what is written down by now of the notices it hangs on.

    One whose lease is over without a word may have been sent by who died with it: it counts as
    sent, for it is better to correct an hour that nobody heard of than to leave a wrong one.
    """
    ids = {number for knows in some.values() for number in knows.unless}
    if not ids:
        return some
    rows = db.execute(
        select(Delivery.id, Delivery.sent_at, Delivery.lease_until).where(Delivery.id.in_(ids))
    )
    fates = {number: (sent_at, lease_until) for number, sent_at, lease_until in rows}
    found: dict[int, Knowledge] = {}
    for key, knows in some.items():
        known, unless = knows.known, dict[int, Standing]()
        for number in sorted(knows.unless):
            sent_at, lease_until = fates.get(number, (None, None))
            if sent_at is None and lease_until is None:
                continue
            if sent_at is None and lease_until is not None and lease_until > now:
                unless[number] = knows.unless[number]
            else:
                known, unless = knows.unless[number], {}
        found[key] = Knowledge(known, unless)
    return found


def unsaid_until(db: DbSession, user_id: int, session_ids: Iterable[int]) -> datetime | None:
    """When the last notice leaves that the person waits for, or None.

    What is mailed before must not give the news away: the change may still be taken back.
    """
    return unsaid_of(db, [user_id], session_ids).get(user_id)


def unsaid_of(
    db: DbSession, user_ids: Iterable[int], session_ids: Iterable[int]
) -> dict[int, datetime]:
    """The same for many people: those who wait for no notice are left out."""
    rows = db.execute(
        select(Delivery.user_id, func.max(Delivery.due_at))
        .where(Delivery.kind.in_([kind.value for kind in NOTICES]))
        .where(Delivery.subject_id.in_(list(session_ids)))
        .where(Delivery.user_id.in_(list(user_ids)))
        .where(Delivery.due_at.is_not(None))
        .group_by(Delivery.user_id)
    )
    return {user_id: until for user_id, until in rows if until is not None}


def has_left(db: DbSession, session_ids: Iterable[int], *, since: datetime, now: datetime) -> bool:
    """True if a notice owed since then is sent, or being sent."""
    left = (
        select(Delivery.id)
        .where(Delivery.kind.in_([kind.value for kind in NOTICES]))
        .where(Delivery.subject_id.in_(list(session_ids)))
        .where(Delivery.created_at >= since)
        .where(or_(Delivery.sent_at.is_not(None), Delivery.lease_until > now))
        .limit(1)
    )
    return db.scalar(left) is not None


def places(db: DbSession, session_id: int) -> list[int]:
    """Ids of the people with a place."""
    return list(
        db.scalars(
            select(Registration.user_id)
            .where(Registration.session_id == session_id, Registration.cancelled_at.is_(None))
            .order_by(Registration.user_id)
        )
    )


def _hold_all(db: DbSession, session_id: int) -> None:
    """Each row of what may be given up or put off here, always in the order of their ids."""
    kinds = (*NOTICES, *REMINDED_BEFORE, MailKind.REGISTRATION_CONFIRMED)
    db.execute(
        select(Delivery.id)
        .where(Delivery.kind.in_([kind.value for kind in kinds]))
        .where(Delivery.subject_id == session_id)
        .where(Delivery.due_at.is_not(None))
        .order_by(Delivery.id)
        .with_for_update()
    ).all()


def _unsaid(
    db: DbSession, session_id: int, stands: Standing, *, now: datetime
) -> dict[int, Knowledge]:
    """For each person who waits for a notice, what they know until it leaves.

    `stands` is what a notice says that somebody holds: whether it was sent is seen later. No other
    leaves before this transaction ends: else it would count as unsaid and be sent.
    """
    waiting: Select[Delivery] = (
        select(Delivery)
        .where(Delivery.kind.in_([kind.value for kind in NOTICES]))
        .where(Delivery.subject_id == session_id)
        .where(Delivery.due_at.is_not(None))
        .order_by(Delivery.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found: dict[int, Knowledge] = {}
    for delivery in db.scalars(waiting):
        knows = Knowledge.from_details(delivery.details)
        if knows is None:
            continue
        knows = found.get(delivery.user_id, knows)
        if delivery.lease_until is not None:
            knows = Knowledge(knows.known, {**knows.unless, delivery.id: stands})
        found[delivery.user_id] = knows
    return settled(db, found, now=now)


def _confirm_anew(db: DbSession, session: WebinarSession, *, told: set[int], now: datetime) -> None:
    """Owe the confirmation again that a cancellation cut short, unless more is said anyway."""
    kind = MailKind.REGISTRATION_CONFIRMED
    last: dict[int, Delivery] = {
        delivery.user_id: delivery
        for delivery in db.scalars(
            select(Delivery)
            .where(Delivery.kind == kind.value, Delivery.subject_id == session.id)
            .order_by(Delivery.revision)
        )
    }
    for user_id in places(db, session.id):
        delivery = last.get(user_id)
        if delivery is None or user_id in told or delivery.dropped_because != CANCELLED:
            continue
        deliveries.queue(
            db,
            kind,
            user_id=user_id,
            subject_id=session.id,
            due_at=now,
            revision=delivery.revision + 1,
            now=now,
        )
