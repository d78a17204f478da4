"""From an owed mail to the mail server, and what is decided on the way."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from config import Config
from tests import sending
from tests.builders import NOW, STARTS_AT, make_series, make_session, make_user
from tests.components.smtp import SmtpSink
from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.domain.mail_wishes import AddressTrouble, MailTopic, WishSource
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.jobs import mail
from webinar.jobs.toolbox import Toolbox
from webinar.mail.compose import Composer
from webinar.mail.transport import SmtpTransport
from webinar.models import Delivery, MailTrouble, Recording, User, WebinarSession
from webinar.services import accounts, deliveries, mail_wishes, registrations

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "mail"
COMPOSER = Composer(
    TEMPLATES,
    public_url="https://rounds.example",
    site_name="Grand Rounds Online",
    sender="webinars@rounds.example",
    home_zone="Europe/Zurich",
    secret="a secret of the tests, long enough to start",
)
HOUR = timedelta(hours=1)
REMINDED_AT = STARTS_AT - HOUR


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


def send(db: DbSession, sink: SmtpSink, *, now: datetime) -> int:
    db.commit()
    sent = mail.send_due(SmtpTransport(sink.url), COMPOSER, now=now)
    db.expire_all()
    return sent


def subjects(sink: SmtpSink) -> list[str]:
    return [str(message["Subject"]) for message in sink.messages]


def reasons(db: DbSession) -> list[str | None]:
    return list(db.scalars(select(Delivery.dropped_because).order_by(Delivery.id)))


def place(db: DbSession) -> WebinarSession:
    session = make_session(db)
    registrations.register(db, session.id, make_user(db).id, now=NOW)
    return session


def test_a_registration_is_confirmed_at_once_and_reminded_of_in_time(
    db: DbSession, sink: SmtpSink
) -> None:
    place(db)

    at_once = send(db, sink, now=NOW)
    too_early = send(db, sink, now=REMINDED_AT - timedelta(seconds=1))
    in_time = send(db, sink, now=REMINDED_AT)
    afterwards = send(db, sink, now=REMINDED_AT + timedelta(hours=1))

    assert (at_once, too_early, in_time, afterwards) == (1, 0, 1, 0)
    assert subjects(sink) == [
        "Registered: Sentinel nodes after neoadjuvant therapy, Thu 26 Nov 2026",
        "Reminder, 18:15 CET: Sentinel nodes after neoadjuvant therapy",
    ]


def test_who_gave_up_the_place_is_not_reminded(db: DbSession, sink: SmtpSink) -> None:
    session = place(db)
    send(db, sink, now=NOW)
    user_id = db.scalars(select(Delivery.user_id)).first()
    assert user_id is not None
    registrations.unregister(db, session.id, user_id, now=NOW)

    assert send(db, sink, now=REMINDED_AT) == 0


def test_a_cancelled_session_is_neither_confirmed_nor_reminded_of(
    db: DbSession, sink: SmtpSink
) -> None:
    session = place(db)
    session.status = SessionStatus.CANCELLED

    sent = send(db, sink, now=REMINDED_AT)

    assert sent == 0
    assert reasons(db) == ["the session is cancelled"] * 3


def test_a_reminder_waits_for_a_session_that_was_moved_behind_its_back(
    db: DbSession, sink: SmtpSink
) -> None:
    session = place(db)
    send(db, sink, now=NOW)
    session.starts_at += timedelta(days=1)
    session.ends_at += timedelta(days=1)

    too_early = send(db, sink, now=REMINDED_AT)
    in_time = send(db, sink, now=REMINDED_AT + timedelta(days=1))

    assert (too_early, in_time) == (0, 1)
    assert subjects(sink)[-1] == "Reminder, 18:15 CET: Sentinel nodes after neoadjuvant therapy"


def test_what_was_not_tried_is_free_again_beside_a_mail_that_came_too_early(
    db: DbSession, sink: SmtpSink
) -> None:
    session = place(db)
    send(db, sink, now=NOW)
    session.starts_at += timedelta(days=1)
    session.ends_at += timedelta(days=1)
    owe_links(db, 8)
    db.execute(update(Delivery).where(Delivery.sent_at.is_(None)).values(due_at=NOW - HOUR))
    for number in range(8):
        sink.refuse(f"anna{number}@example.net", "451 4.3.0 Later")

    send(db, sink, now=NOW)

    unsent = db.scalars(select(Delivery).where(Delivery.sent_at.is_(None))).all()
    assert {delivery.lease_until for delivery in unsent} == {None}
    assert sorted(delivery.attempts for delivery in unsent) == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]


def test_a_reminder_that_comes_after_the_end_is_not_sent(db: DbSession, sink: SmtpSink) -> None:
    place(db)
    send(db, sink, now=NOW)

    sent = send(db, sink, now=STARTS_AT + timedelta(hours=2))

    assert sent == 0
    assert reasons(db)[-1] == "the session is over"


def test_a_link_that_is_too_old_is_not_sent_and_forgotten(db: DbSession, sink: SmtpSink) -> None:
    make_user(db, "anna@example.net")
    accounts.send_link(db, "anna@example.net", now=NOW)

    sent = send(db, sink, now=NOW + timedelta(minutes=15))

    delivery = db.scalars(select(Delivery)).one()
    assert sent == 0
    assert (delivery.dropped_because, delivery.details) == ("the link is used or too old", {})


def test_a_link_that_is_sent_is_forgotten_too(db: DbSession, sink: SmtpSink) -> None:
    make_user(db, "anna@example.net")
    accounts.send_link(db, "anna@example.net", now=NOW)
    token = db.scalars(select(Delivery)).one().details["token"]

    send(db, sink, now=NOW)

    delivery = db.scalars(select(Delivery)).one()
    text = sink.messages[0].get_body(("plain",))
    assert text is not None
    assert f"https://rounds.example/sign-in/{token}" in text.get_content()
    assert delivery.details == {}


def test_a_refused_address_is_given_up_and_the_others_get_theirs(
    db: DbSession, sink: SmtpSink
) -> None:
    make_user(db, "gone@example.net")
    make_user(db, "anna@example.net")
    sink.refuse("gone@example.net")
    accounts.send_link(db, "gone@example.net", now=NOW)
    accounts.send_link(db, "anna@example.net", now=NOW)

    sent = send(db, sink, now=NOW)

    assert sent == 1
    assert reasons(db) == ["refused by the mail server", None]


def test_a_mail_server_that_is_away_costs_no_mail_a_try(db: DbSession) -> None:
    make_user(db, "anna@example.net")
    accounts.send_link(db, "anna@example.net", now=NOW)
    db.commit()
    with SmtpSink() as sink:
        url = sink.url

    sent = mail.send_due(SmtpTransport(url), COMPOSER, now=NOW)

    delivery = db.scalars(select(Delivery)).one()
    assert sent == 0
    assert (delivery.due_at, delivery.attempts, delivery.lease_until) == (NOW, 0, None)
    assert str(delivery.last_error).startswith("the mail server could not be reached")


def test_a_mail_that_cannot_be_written_does_not_hold_up_the_others(
    db: DbSession, sink: SmtpSink
) -> None:
    user = make_user(db, "anna@example.net")
    deliveries.queue(
        db, MailKind.SESSION_MOVED, user_id=user.id, subject_id=999, due_at=NOW, now=NOW
    )
    accounts.send_link(db, "anna@example.net", now=NOW)

    sent = send(db, sink, now=NOW)

    broken = db.scalars(select(Delivery).where(Delivery.kind == "session_moved")).one()
    assert sent == 1
    assert broken.attempts == 1
    assert broken.due_at is not None
    assert broken.due_at >= NOW + timedelta(minutes=1)
    assert broken.last_error is not None
    assert broken.last_error.startswith("NoResultFound")


def test_two_clocks_send_every_mail_once(db: DbSession, sink: SmtpSink) -> None:
    session = make_session(db)
    for _ in range(5):
        registrations.register(db, session.id, make_user(db).id, now=NOW)
    held = deliveries.due(db, now=NOW, limit=2)
    for delivery_id in held:
        sending.claim(db, delivery_id, now=NOW)

    second = send(db, sink, now=NOW + timedelta(seconds=1))
    after_the_lease = send(db, sink, now=NOW + deliveries.LEASE + timedelta(seconds=1))

    assert (second, after_the_lease) == (3, 2)
    assert len({message["To"] for message in sink.messages}) == 5


def test_a_recording_is_announced_with_the_readers_own_end(db: DbSession, sink: SmtpSink) -> None:
    session = place(db)
    user_id = db.scalars(select(Delivery.user_id)).first()
    assert user_id is not None
    send(db, sink, now=NOW)
    session.status = SessionStatus.ENDED
    ended = session.ends_at
    recording = Recording(
        public_id="r1",
        session_id=session.id,
        state=RecordingState.PUBLISHED,
        opens_at=ended,
        closes_at=datetime.fromisoformat("2027-05-26T17:00:00+00:00"),
        created_at=NOW,
    )
    db.add(recording)
    kind = MailKind.RECORDING_PUBLISHED
    deliveries.queue(db, kind, user_id=user_id, subject_id=session.id, due_at=ended, now=ended)

    send(db, sink, now=ended)

    assert subjects(sink)[-1] == (
        "Recording: Sentinel nodes after neoadjuvant therapy, watch until 26 May 2027, 19:00 Zurich"
    )


def test_a_series_is_confirmed_with_its_next_sessions(db: DbSession, sink: SmtpSink) -> None:
    series, user = make_series(db), make_user(db)
    make_session(db, series=series)
    registrations.register_for_series(db, series.id, user.id, now=NOW)

    send(db, sink, now=NOW)

    assert subjects(sink) == ["Registered for all sessions of e-grandrounds"]


def owe_links(db: DbSession, people: int) -> list[int]:
    for number in range(people):
        make_user(db, f"anna{number}@example.net")
        accounts.send_link(db, f"anna{number}@example.net", now=NOW)
    ids = list(db.scalars(select(Delivery.id).order_by(Delivery.id)))
    db.commit()
    return ids


def test_what_a_person_does_not_want_is_not_sent(db: DbSession, sink: SmtpSink) -> None:
    place(db)
    send(db, sink, now=NOW)
    user_id = db.scalars(select(Delivery.user_id)).first()
    assert user_id is not None
    mail_wishes.set_wish(
        db, user_id, MailTopic.REMINDER_HOUR, False, source=WishSource.PAGE, now=NOW
    )

    send(db, sink, now=REMINDED_AT)

    last = db.scalars(select(Delivery).where(Delivery.kind == "session_reminder")).one()
    assert last.dropped_because == "they do not want it"


def test_an_address_that_nobody_has_is_known_from_then_on(db: DbSession, sink: SmtpSink) -> None:
    session = place(db)
    email = db.scalars(select(User.email)).one()
    sink.refuse(email, "550 5.1.1 No such user")

    send(db, sink, now=NOW)
    send(db, sink, now=REMINDED_AT)

    trouble = db.scalars(select(MailTrouble)).one()
    assert (trouble.trouble, trouble.email) == (AddressTrouble.RETURNED, email)
    last = db.scalars(select(Delivery).where(Delivery.kind == "session_reminder")).one()
    assert (last.subject_id, last.dropped_because) == (
        session.id,
        "mail to this address comes back",
    )


def test_a_server_that_is_away_is_left_alone_for_a_while(db: DbSession) -> None:
    owe_links(db, 3)
    with SmtpSink() as sink:
        transport = SmtpTransport(sink.url)

    mail.send_due(transport, COMPOSER, now=NOW)
    paused = transport.breaker.is_open()
    mail.send_due(transport, COMPOSER, now=NOW + timedelta(seconds=1))
    db.expire_all()

    assert paused
    assert {delivery.attempts for delivery in db.scalars(select(Delivery))} == {0}


def test_one_failure_waits_and_five_in_a_row_are_a_server_that_is_away(
    db: DbSession, sink: SmtpSink
) -> None:
    owe_links(db, 8)
    for number in range(8):
        sink.refuse(f"anna{number}@example.net", "451 4.3.0 Later")
    transport = SmtpTransport(sink.url)

    mail.send_due(transport, COMPOSER, now=NOW)

    db.expire_all()
    tries = [delivery.attempts for delivery in db.scalars(select(Delivery).order_by(Delivery.id))]
    assert tries == [1, 1, 1, 1, 1, 0, 0, 0]
    assert transport.breaker.is_open()


def test_mails_leave_no_faster_than_they_may(db: DbSession, sink: SmtpSink) -> None:
    owe_links(db, 4)
    transport = SmtpTransport(sink.url, per_minute=600)
    began = time.monotonic()

    sent = mail.send_due(transport, COMPOSER, now=NOW)

    assert sent == 4
    assert time.monotonic() - began >= 0.3


def test_a_batch_that_meets_a_mail_being_sent_says_so_and_sends_the_others(
    db: DbSession, sink: SmtpSink, config: Config
) -> None:
    ids = owe_links(db, 3)
    sending.claim(db, ids[1], now=NOW)
    db.commit()
    tools = replace(Toolbox.from_config(config), transport=SmtpTransport(sink.url))

    with pytest.raises(mail.StillLeased, match=f"\\[{ids[1]}\\]"):
        mail.send_batch(tools, ids, now=NOW)
    after = mail.send_batch(tools, ids, now=NOW + deliveries.LEASE)

    assert after == 1
    assert sorted(str(message["To"]) for message in sink.messages) == [
        f'"Dr Anna Keller" <anna{number}@example.net>'.replace('"', "") for number in range(3)
    ]


def test_every_copy_of_a_mail_is_known_for_the_same(db: DbSession, sink: SmtpSink) -> None:
    [delivery_id] = owe_links(db, 1)
    delivery = db.get_one(Delivery, delivery_id)
    secrets = dict(delivery.details)
    send(db, sink, now=NOW)
    # As if the process had died after the mail server's yes.
    delivery.sent_at, delivery.due_at, delivery.details = None, NOW, secrets

    send(db, sink, now=NOW + timedelta(minutes=1))

    first, second = (message["Message-ID"] for message in sink.messages)
    assert first == second
