"""Doors for auditors: made with bounds, closed for good, a sample drawn once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.builders import make_session, make_society, make_user
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant
from webinar.db import DbSession
from webinar.domain.errors import Conflict, NotFound
from webinar.domain.session import SessionStatus
from webinar.models import AuditEvent, AuditorDoor, User, WebinarSession
from webinar.services import auditor_doors as doors
from webinar.services import credits
from webinar.services.auditor_doors import DoorClosed, DoorRefused


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """Ended, with thirty people decided."""
    session = make_ended_session(db)
    make_grant(db, session, "esmo-mora-live", "1")
    for number in range(30):
        make_attendee(db, session, name=f"Dr Number {number}")
    credits.decide_session(db, session.id, public_url="http://localhost", now=AFTER)
    return session


@pytest.fixture
def officer(db: DbSession) -> User:
    return make_user(db)


@pytest.fixture
def made(db: DbSession, session: WebinarSession, officer: User) -> tuple[AuditorDoor, str]:
    return doors.make(
        db,
        session.society_id,
        [session.id],
        label=" EACCME, November ",
        days=14,
        actor_id=officer.id,
        now=AFTER,
    )


def actions(db: DbSession) -> list[str]:
    return list(
        db.scalars(
            select(AuditEvent.action)
            .where(AuditEvent.subject.startswith("auditor door"))
            .order_by(AuditEvent.id)
        )
    )


def test_a_door_opens_by_its_secret_which_is_not_kept(
    db: DbSession, made: tuple[AuditorDoor, str]
) -> None:
    door, token = made

    assert doors.look_up(db, token, now=AFTER).id == door.id
    assert door.label == "EACCME, November"
    assert token not in str([door.token_hash, door.label])
    assert actions(db) == ["auditor door made"]


def test_a_door_is_open_until_its_last_instant_and_not_after(
    db: DbSession, made: tuple[AuditorDoor, str]
) -> None:
    _, token = made
    ends = AFTER + timedelta(days=14)

    doors.look_up(db, token, now=ends - timedelta(microseconds=1))
    with pytest.raises(DoorClosed):
        doors.look_up(db, token, now=ends)


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "\x00", "…"])
def test_no_other_secret_opens_a_door(
    db: DbSession, made: tuple[AuditorDoor, str], token: str
) -> None:
    with pytest.raises(DoorClosed):
        doors.look_up(db, token, now=AFTER)


def test_a_closed_door_stays_closed(
    db: DbSession, made: tuple[AuditorDoor, str], officer: User
) -> None:
    door, token = made

    doors.revoke(db, door.id, door.society_id, actor_id=officer.id, now=AFTER)

    with pytest.raises(DoorClosed):
        doors.look_up(db, token, now=AFTER)
    with pytest.raises(Conflict):
        doors.revoke(db, door.id, door.society_id, actor_id=officer.id, now=AFTER)


def test_a_society_does_not_close_the_door_of_another(
    db: DbSession, made: tuple[AuditorDoor, str], officer: User
) -> None:
    with pytest.raises(NotFound):
        doors.revoke(db, made[0].id, make_society(db).id, actor_id=officer.id, now=AFTER)


@pytest.mark.parametrize(
    ("label", "days", "field"),
    [
        (" ", 14, "label"),
        ("x" * 201, 14, "label"),
        ("EACCME", 0, "days"),
        ("EACCME", 61, "days"),
        ("EACCME", -3, "days"),
    ],
)
def test_a_door_without_bounds_is_refused(
    db: DbSession, session: WebinarSession, officer: User, label: str, days: int, field: str
) -> None:
    with pytest.raises(DoorRefused) as refusal:
        doors.make(
            db,
            session.society_id,
            [session.id],
            label=label,
            days=days,
            actor_id=officer.id,
            now=AFTER,
        )

    assert refusal.value.field == field


def test_a_door_opens_announced_sessions_of_its_society_only(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    draft = make_session(db, status=SessionStatus.DRAFT, society=session.society)
    other = make_session(db)

    for ids in ([], [draft.id], [session.id, other.id], [999_999], list(range(1, 102))):
        with pytest.raises(DoorRefused) as refusal:
            doors.make(
                db,
                session.society_id,
                ids,
                label="EACCME",
                days=14,
                actor_id=officer.id,
                now=AFTER,
            )
        assert refusal.value.field == "sessions"


def test_a_sample_is_drawn_once_and_written_down(
    db: DbSession, session: WebinarSession, made: tuple[AuditorDoor, str]
) -> None:
    door = doors.draw_sample(db, made[0].id, 5, now=AFTER)

    drawn = list(door.sample or [])
    with pytest.raises(Conflict):
        doors.draw_sample(db, door.id, 5, now=AFTER)
    names = doors.names_of(db, door)
    assert len({tuple(pair) for pair in drawn}) == 5
    assert {pair[0] for pair in drawn} == {session.id}
    assert sorted(names) == [tuple(pair) for pair in drawn]
    assert all(name.startswith("Dr Number") for name in names.values())
    assert actions(db)[-1] == "auditor drew a sample"


def test_the_lot_falls_differently_each_time(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    samples = set()
    for _ in range(4):
        door, _ = doors.make(
            db,
            session.society_id,
            [session.id],
            label="EACCME",
            days=1,
            actor_id=officer.id,
            now=AFTER,
        )
        samples.add(str(doors.draw_sample(db, door.id, 10, now=AFTER).sample))

    # Four times the same ten of thirty: once in more than 10^22 runs.
    assert len(samples) > 1


@pytest.mark.parametrize("size", [0, -1, 21, 1000])
def test_a_sample_has_its_bounds(db: DbSession, made: tuple[AuditorDoor, str], size: int) -> None:
    with pytest.raises(DoorRefused):
        doors.draw_sample(db, made[0].id, size, now=AFTER)

    assert made[0].sample is None


def test_more_than_there_are_is_everybody(db: DbSession, officer: User) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "esmo-mora-live", "1")
    make_attendee(db, session)
    credits.decide_session(db, session.id, public_url="http://localhost", now=AFTER)
    door, _ = doors.make(
        db, session.society_id, [session.id], label="E", days=1, actor_id=officer.id, now=AFTER
    )

    assert len(doors.draw_sample(db, door.id, 20, now=AFTER).sample or []) == 1


def test_nobody_decided_is_no_sample(db: DbSession, officer: User) -> None:
    session = make_ended_session(db)
    door, _ = doors.make(
        db, session.society_id, [session.id], label="E", days=1, actor_id=officer.id, now=AFTER
    )

    with pytest.raises(DoorRefused):
        doors.draw_sample(db, door.id, 1, now=AFTER)
