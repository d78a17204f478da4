"""The log of mails: of one's own societies' people, with what became of each, and nothing more."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.builders import (
    NOW,
    make_faculty,
    make_registration,
    make_series,
    make_session,
    make_society,
    make_user,
)
from webinar.db import DbSession
from webinar.domain.errors import Conflict, NotFound
from webinar.domain.letter import MailKind
from webinar.domain.mail_log import MailState
from webinar.models import AuditEvent, Delivery, Society, User, WebinarSession
from webinar.services import mail_log, registrations

DAY = timedelta(days=1)


@pytest.fixture
def ours(db: DbSession) -> Society:
    return make_society(db)


@pytest.fixture
def session(db: DbSession, ours: Society) -> WebinarSession:
    return make_session(db, society=ours)


@pytest.fixture
def person(db: DbSession, session: WebinarSession) -> User:
    user = make_user(db, "anna@example.net", name="Dr Anna Keller")
    make_registration(db, session, user)
    return user


def put(db: DbSession, user: User, kind: MailKind, subject_id: int, **facts: object) -> Delivery:
    delivery = Delivery(
        kind=kind.value,
        user_id=user.id,
        subject_id=subject_id,
        revision=facts.pop("revision", 0),
        details={},
        created_at=facts.pop("created_at", NOW),
        attempts=1,
        **facts,
    )
    db.add(delivery)
    db.flush()
    return delivery


def given_up(db: DbSession, user: User, session: WebinarSession) -> Delivery:
    return put(
        db,
        user,
        MailKind.SESSION_REMINDER,
        session.id,
        dropped_because="refused by the mail server",
        last_error="550 no such mailbox",
    )


def test_only_people_of_ones_own_societies_are_found(
    db: DbSession, ours: Society, session: WebinarSession, person: User
) -> None:
    faculty, of_series = make_user(db, name="Anna Faculty"), make_user(db, name="Anna Series")
    make_faculty(db, session, user=faculty)
    series = make_series(db, society=ours)
    registrations.register_for_series(db, series.id, of_series.id, now=NOW)
    stranger = make_user(db, name="Anna Stranger")
    make_registration(db, make_session(db), stranger)

    mine = mail_log.people(db, frozenset({ours.id}), words="anna", limit=10)
    everybody = mail_log.people(db, None, words="anna", limit=10)

    assert [user.id for user in mine] == [faculty.id, of_series.id, person.id]
    assert {user.id for user in everybody} == {user.id for user in mine} | {stranger.id}
    with pytest.raises(NotFound):
        mail_log.person(db, frozenset({ours.id}), stranger.id)
    assert mail_log.person(db, frozenset({ours.id}), person.id) is person


def test_a_person_of_two_societies_is_shown_each_ones_mails_alone(
    db: DbSession, ours: Society, session: WebinarSession, person: User
) -> None:
    theirs = make_session(db)
    make_registration(db, theirs, person)
    shown = put(db, person, MailKind.REGISTRATION_CONFIRMED, session.id, sent_at=NOW)
    put(db, person, MailKind.REGISTRATION_CONFIRMED, theirs.id, sent_at=NOW)
    put(db, person, MailKind.SIGN_IN_LINK, session.id, sent_at=NOW)
    put(db, person, MailKind.WEEKLY_DIGEST, session.id, sent_at=NOW)

    mine = mail_log.of_person(db, frozenset({ours.id}), person.id, limit=10)
    all_of_them = mail_log.of_person(db, None, person.id, limit=10)

    assert [(entry.delivery.id, entry.session) for entry in mine] == [(shown.id, session)]
    assert len(all_of_them) == 4


def test_mails_about_what_belongs_to_a_session_or_a_series_count_too(
    db: DbSession, ours: Society, session: WebinarSession, person: User
) -> None:
    member = make_faculty(db, session, user=person)
    series = make_series(db, society=ours)
    invited = put(db, person, MailKind.FACULTY_INVITED, member.id, sent_at=NOW)
    registered = put(db, person, MailKind.SERIES_REGISTERED, series.id, sent_at=NOW)

    found = mail_log.of_person(db, frozenset({ours.id}), person.id, limit=10)

    assert [(entry.delivery.id, entry.session, entry.series) for entry in found] == [
        (registered.id, None, series),
        (invited.id, session, None),
    ]


def test_a_session_is_counted_by_kind_and_state(
    db: DbSession, session: WebinarSession, person: User
) -> None:
    other = make_user(db)
    kind = MailKind.SESSION_REMINDER
    put(db, person, kind, session.id, sent_at=NOW)
    put(db, other, kind, session.id, sent_at=NOW, returned_at=NOW, returned_because="full")
    put(db, other, kind, session.id, revision=1, due_at=NOW)
    put(db, other, MailKind.SESSION_MOVED, session.id, dropped_because="unregistered")
    put(db, other, MailKind.SESSION_MOVED, make_session(db).id, sent_at=NOW)

    assert mail_log.tallies(db, session) == [
        mail_log.Tally(kind, {MailState.SENT: 1, MailState.RETURNED: 1, MailState.WAITING: 1}),
        mail_log.Tally(MailKind.SESSION_MOVED, {MailState.DROPPED: 1}),
    ]
    assert mail_log.reasons(db, session) == [("unregistered", 1)]


def test_what_nobody_got_is_listed_for_a_month(
    db: DbSession, ours: Society, session: WebinarSession, person: User
) -> None:
    lost = given_up(db, person, session)
    put(db, person, MailKind.SESSION_MOVED, session.id, sent_at=NOW)
    reach = frozenset({ours.id})

    now = [entry.delivery.id for entry in mail_log.lost(db, reach, now=NOW, limit=9)]
    later = mail_log.lost(db, reach, now=NOW + 31 * DAY, limit=9)
    elsewhere = mail_log.lost(db, frozenset({make_society(db).id}), now=NOW, limit=9)

    assert (now, later, elsewhere) == ([lost.id], [], [])
    assert [
        entry.because for entry in mail_log.lost(db, reach, now=NOW, limit=9, session_id=session.id)
    ] == ["refused by the mail server: 550 no such mailbox"]


def test_a_reminder_put_down_months_ago_is_listed_from_when_it_came_back(
    db: DbSession, ours: Society, session: WebinarSession, person: User
) -> None:
    reminder = put(
        db,
        person,
        MailKind.SESSION_REMINDER,
        session.id,
        sent_at=NOW - DAY,
        returned_at=NOW,
        returned_because="full",
    )
    reminder.created_at = NOW - 90 * DAY
    db.flush()
    reach = frozenset({ours.id})

    listed = [
        [entry.delivery.id for entry in mail_log.lost(db, reach, now=NOW + after * DAY, limit=9)]
        for after in (0, 29, 31)
    ]

    assert listed == [[reminder.id], [reminder.id], []]


def test_what_is_sent_again_is_owed_anew_and_written_down(
    db: DbSession, ours: Society, session: WebinarSession, person: User
) -> None:
    lost, organiser = given_up(db, person, session), make_user(db)

    mail_log.send_again(db, frozenset({ours.id}), lost.id, actor_id=organiser.id, now=NOW)

    assert (lost.due_at, lost.attempts, lost.dropped_because) == (NOW, 0, None)
    event = db.scalars(select(AuditEvent).where(AuditEvent.action == "mail sent again")).one()
    assert event.subject == f"user {person.id}"


def test_nothing_of_others_is_sent_again(
    db: DbSession, session: WebinarSession, person: User
) -> None:
    lost = given_up(db, person, session)

    with pytest.raises(NotFound):
        mail_log.send_again(
            db, frozenset({make_society(db).id}), lost.id, actor_id=person.id, now=NOW
        )


@pytest.mark.parametrize("is_sent", [True, False])
def test_what_arrived_and_what_held_a_secret_is_not_sent_again(
    db: DbSession, ours: Society, session: WebinarSession, person: User, is_sent: bool
) -> None:
    if is_sent:
        delivery = put(db, person, MailKind.SESSION_MOVED, session.id, sent_at=NOW)
    else:
        member = make_faculty(db, session, user=person)
        delivery = put(
            db,
            person,
            MailKind.FACULTY_INVITED,
            member.id,
            dropped_because="refused by the mail server",
        )

    with pytest.raises(Conflict, match="cannot be sent again"):
        mail_log.send_again(db, frozenset({ours.id}), delivery.id, actor_id=person.id, now=NOW)
