"""Who was in a room of others, as its provider says: kept with its source, credited elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from webinar.db import DbSession
from webinar.domain.rooms import (
    Heard,
    RoomEvent,
    RoomEventKind,
    RoomState,
    RoomWork,
    Visit,
    VisitSource,
)
from webinar.domain.session import SessionStatus
from webinar.models import ExternalRoom, RoomGuest, RoomNotice, RoomVisit
from webinar.services import redeciding, room_work, rooms

# Asked every minute: who is missing once may have been missed.
SEEN_AGAIN = timedelta(seconds=150)


def take(db: DbSession, room: ExternalRoom, heard: Heard, *, now: datetime) -> bool:
    """Act on what a provider reports; False if it was reported before."""
    notice = RoomNotice(
        digest=heard.digest,
        provider=room.provider,
        room_id=room.id,
        kind=heard.kind,
        # Not the body as it came: it may name people who are none of our guests.
        body={"events": [_as_json(event) for event in heard.events]},
        received_at=now,
        handled_at=now,
    )
    try:
        with db.begin_nested():
            db.add(notice)
    except IntegrityError:
        return False
    note(db, room, heard.events, now=now)
    return True


def note(db: DbSession, room: ExternalRoom, events: Iterable[RoomEvent], *, now: datetime) -> None:
    """People come and go; the room starts and ends."""
    room = rooms.locked(db, room.id)
    for event in events:
        match event.kind:
            case RoomEventKind.JOINED:
                _joined(db, room, event, now)
            case RoomEventKind.LEFT:
                _left(db, room, event, now)
            case RoomEventKind.ENDED:
                _room_ended(db, room, event, now)
            case RoomEventKind.RECORDED:
                room_work.at_once(db, room.id, RoomWork.RECORDING, now=now)
            case RoomEventKind.STARTED:
                rooms.put_fact(room, "used", True)
    _decide_anew(db, room, now)


def hint_of_end(db: DbSession, room: ExternalRoom, *, now: datetime) -> None:
    """Somebody says it is over, without proof: ask the provider now instead of in a minute."""
    if room.state is RoomState.OPEN:
        room_work.at_once(db, room.id, RoomWork.FOLLOW, now=now)


def note_report(
    db: DbSession, room: ExternalRoom, visits: Sequence[Visit], *, now: datetime
) -> int:
    """Keep what the provider's list says; how many visits are new."""
    guests = _guests(db, room, (visit.person for visit in visits))
    known = set(
        db.scalars(
            select(RoomVisit.remote_event).where(
                RoomVisit.room_id == room.id, RoomVisit.source == VisitSource.REPORT
            )
        )
    )
    new = {visit.remote_event: visit for visit in visits if visit.remote_event not in known}
    for visit in new.values():
        db.add(
            RoomVisit(
                room_id=room.id,
                # By the number we were given for the person alone: names are no proof.
                guest_id=guests.get(visit.person),
                remote_person=visit.person,
                joined_at=visit.joined_at,
                left_at=max(visit.left_at, visit.joined_at),
                source=VisitSource.REPORT,
                remote_event=visit.remote_event,
                noted_at=now,
            )
        )
    db.flush()
    if new:
        _decide_anew(db, room, now)
    return len(new)


def note_present(
    db: DbSession, room: ExternalRoom, people: Iterable[str], *, now: datetime
) -> None:
    """Who was inside at this moment: a visit grows while it is seen again."""
    people = set(people)
    guests = _guests(db, room, people)
    latest = {
        visit.remote_person: visit
        for visit in db.scalars(
            select(RoomVisit)
            .where(
                RoomVisit.room_id == room.id,
                RoomVisit.source == VisitSource.POLL,
                RoomVisit.remote_person.in_(people),
                RoomVisit.left_at >= now - SEEN_AGAIN,
            )
            .order_by(RoomVisit.left_at, RoomVisit.id)
        )
    }
    for person in people:
        if (visit := latest.get(person)) is not None:
            visit.left_at = now
            continue
        db.add(
            RoomVisit(
                room_id=room.id,
                guest_id=guests.get(person),
                remote_person=person,
                joined_at=now,
                left_at=now,
                source=VisitSource.POLL,
                remote_event=f"{person}@{_stamp(now)}",
                noted_at=now,
            )
        )
    db.flush()


@dataclass(frozen=True)
class Figures:
    """What we know of a room's visits, by source."""

    source: VisitSource
    visits: int
    people: int
    """Guests of ours among them."""


def figures(db: DbSession, room: ExternalRoom) -> list[Figures]:
    """How much evidence there is; no names."""
    rows = db.execute(
        select(RoomVisit.source, func.count(), func.count(RoomVisit.guest_id.distinct()))
        .where(RoomVisit.room_id == room.id)
        .group_by(RoomVisit.source)
        .order_by(RoomVisit.source)
    )
    return [Figures(VisitSource(source), visits, people) for source, visits, people in rows]


def _decide_anew(db: DbSession, room: ExternalRoom, now: datetime) -> None:
    """What is told after the end comes into a case that may have been decided."""
    if room.session.status is SessionStatus.ENDED:
        redeciding.mark_held(db, room.session_id, now=now)


def _joined(db: DbSession, room: ExternalRoom, event: RoomEvent, now: datetime) -> None:
    rooms.put_fact(room, "used", True)
    for visit in _of_connection(db, room, event):
        if visit.joined_at == event.at:
            return
        if visit.left_at == visit.joined_at and visit.left_at > event.at:
            # Its end was reported first.
            visit.joined_at, visit.noted_at = event.at, now
            return
    _add(db, room, event, left_at=None, now=now)


def _left(db: DbSession, room: ExternalRoom, event: RoomEvent, now: datetime) -> None:
    for visit in _of_connection(db, room, event):
        if visit.left_at == event.at:
            return
        if visit.left_at is None and visit.joined_at <= event.at:
            visit.left_at, visit.noted_at = event.at, now
            return
    _add(db, room, event, left_at=event.at, now=now)


def _room_ended(db: DbSession, room: ExternalRoom, event: RoomEvent, now: datetime) -> None:
    for visit in db.scalars(
        select(RoomVisit).where(
            RoomVisit.room_id == room.id,
            RoomVisit.source == VisitSource.WEBHOOK,
            RoomVisit.left_at.is_(None),
            RoomVisit.joined_at <= event.at,
        )
    ):
        visit.left_at, visit.noted_at = event.at, now
    if rooms.is_end_believed(room, event.at):
        rooms.ended(db, room.id, now=now)


def _of_connection(db: DbSession, room: ExternalRoom, event: RoomEvent) -> list[RoomVisit]:
    """What is known of one connection, the latest first."""
    name = event.connection or event.person
    return list(
        db.scalars(
            select(RoomVisit)
            .where(
                RoomVisit.room_id == room.id,
                RoomVisit.source == VisitSource.WEBHOOK,
                RoomVisit.remote_event.startswith(f"{name}@", autoescape=True),
            )
            .order_by(RoomVisit.joined_at.desc(), RoomVisit.id.desc())
        )
    )


def _add(
    db: DbSession, room: ExternalRoom, event: RoomEvent, *, left_at: datetime | None, now: datetime
) -> None:
    name = event.connection or event.person
    if not name:
        return
    db.add(
        RoomVisit(
            room_id=room.id,
            guest_id=_guests(db, room, [event.person]).get(event.person),
            remote_person=event.person or event.connection,
            joined_at=event.at,
            left_at=left_at,
            source=VisitSource.WEBHOOK,
            remote_event=f"{name}@{_stamp(event.at)}",
            noted_at=now,
        )
    )
    db.flush()


def _guests(db: DbSession, room: ExternalRoom, people: Iterable[str]) -> Mapping[str, int]:
    """Guests by what the provider calls them."""
    names = {name for name in people if name}
    if not names:
        return {}
    rows = db.execute(
        select(RoomGuest.remote_id, RoomGuest.id).where(
            RoomGuest.room_id == room.id, RoomGuest.remote_id.in_(names)
        )
    )
    return {row.remote_id: row.id for row in rows}


def _stamp(at: datetime) -> str:
    return str(round(at.timestamp() * 1000))


def _as_json(event: RoomEvent) -> dict[str, str]:
    return {
        "kind": event.kind.value,
        "at": event.at.isoformat(),
        "person": event.person,
        "connection": event.connection,
    }
