"""What a mail server does to one mail, and a machine to its hour, must not hold up the others."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select, text

from config import Config
from tests.builders import NOW
from tests.components.smtp import SmtpSink
from tests.jobs.test_mail import COMPOSER, owe_links
from webinar import letterbox
from webinar.db import DbSession, open_db
from webinar.jobs import mail
from webinar.jobs.toolbox import Toolbox
from webinar.mail.pace import FIRST_PAUSE, Breaker
from webinar.mail.transport import SmtpTransport
from webinar.models import Delivery
from webinar.services import deliveries, offers

MINUTE = timedelta(minutes=1)
HANGS_UP = "hangs up"
CLOSES = "421 4.7.0 This one is never taken"


class TouchySink(SmtpSink):
    """Ends the connection when it hears certain addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.cannot_bear: set[str] = set()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        """Called by aiosmtpd for each recipient."""
        if address in self.cannot_bear and server.transport is not None:
            server.transport.close()
        return await super().handle_RCPT(server, session, envelope, address, rcpt_options)


@pytest.fixture
def sink() -> Iterator[TouchySink]:
    with TouchySink() as sink:
        yield sink


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def tries(db: DbSession) -> list[int]:
    db.expire_all()
    return [delivery.attempts for delivery in db.scalars(select(Delivery).order_by(Delivery.id))]


def spoil(sink: TouchySink, how: str, number: int) -> None:
    email = f"anna{number}@example.net"
    if how == HANGS_UP:
        sink.cannot_bear.add(email)
    else:
        sink.refuse(email, how)


@pytest.mark.parametrize("how", [CLOSES, HANGS_UP])
@pytest.mark.parametrize("number", [0, 3])
def test_a_mail_the_server_cannot_bear_waits_and_the_others_leave(
    db: DbSession, sink: TouchySink, how: str, number: int
) -> None:
    owe_links(db, 8)
    spoil(sink, how, number)
    transport = SmtpTransport(sink.url)

    sent = mail.send_due(transport, COMPOSER, now=NOW)

    db.expire_all()
    [poison] = db.scalars(select(Delivery).where(Delivery.due_at.is_not(None)))
    assert sent == 7
    assert tries(db) == [1] * 8
    assert poison.due_at is not None
    assert poison.due_at >= NOW + MINUTE
    assert poison.lease_until is None
    assert not transport.breaker.is_open()


@pytest.mark.parametrize("how", [CLOSES, HANGS_UP])
def test_a_second_mail_that_meets_the_same_means_that_the_server_is_away(
    db: DbSession, sink: TouchySink, how: str
) -> None:
    owe_links(db, 8)
    for number in range(8):
        spoil(sink, how, number)
    transport = SmtpTransport(sink.url)

    sent = mail.send_due(transport, COMPOSER, now=NOW)

    assert sent == 0
    assert tries(db) == [1, 1, 0, 0, 0, 0, 0, 0]
    assert transport.breaker.is_open()


def test_two_such_mails_do_not_make_the_others_wait_long(db: DbSession, sink: TouchySink) -> None:
    owe_links(db, 12)
    for number in range(12):
        spoil(sink, CLOSES, number)
    transport = SmtpTransport(sink.url)
    clock = Clock()
    transport.breaker = Breaker(clock)
    pauses = []

    for _ in range(5):
        mail.send_due(transport, COMPOSER, now=NOW)
        pauses.append(transport.breaker.left())
        clock.seconds += pauses[-1].total_seconds()

    longest = mail.DOUBTFUL_PAUSE
    assert pauses == [FIRST_PAUSE, 2 * FIRST_PAUSE, longest, longest, longest]


def test_many_mails_the_server_cannot_bear_do_not_hold_up_the_others_for_ever(
    db: DbSession, sink: TouchySink
) -> None:
    owe_links(db, 12)
    for number in range(6):
        spoil(sink, CLOSES, number)
    transport = SmtpTransport(sink.url)

    for _ in range(4):
        mail.send_due(transport, COMPOSER, now=NOW)
        transport.breaker = Breaker()  # as if it had been left alone long enough

    assert len(sink.messages) == 6


def test_a_server_that_wants_to_be_asked_twice_for_each_reader_is_not_away(
    db: DbSession, sink: TouchySink
) -> None:
    owe_links(db, 12)
    for number in range(11):
        spoil(sink, "450 4.2.0 Greylisted", number)
    transport = SmtpTransport(sink.url)

    first = mail.send_due(transport, COMPOSER, now=NOW)
    sink.clear()
    second = mail.send_due(transport, COMPOSER, now=NOW + 2 * MINUTE)

    assert (first, second) == (1, 11)
    assert not transport.breaker.is_open()


def offered(db: DbSession) -> set[datetime | None]:
    db.expire_all()
    return set(db.scalars(select(Delivery.offered_until)))


def test_mails_are_offered_again_when_the_server_may_be_tried_again(
    db: DbSession, config: Config
) -> None:
    ids = owe_links(db, 3)
    with SmtpSink() as gone:
        transport = SmtpTransport(gone.url)
    transport.breaker = Breaker(Clock())
    tools = replace(Toolbox.from_config(config), transport=transport)
    offers.offer(db, limit=3, now=NOW)
    db.commit()

    mail.send_batch(tools, ids, now=NOW)
    [met] = offered(db)
    offers.forget(db)
    offers.offer(db, limit=3, now=NOW + MINUTE)
    db.commit()
    mail.send_batch(tools, ids, now=NOW + MINUTE)
    [heard] = offered(db)

    assert met is not None
    assert heard is not None
    assert met - (NOW + FIRST_PAUSE) < timedelta(seconds=30)
    assert met < NOW + offers.OFFERED_FOR
    assert heard - (NOW + MINUTE + FIRST_PAUSE) < timedelta(seconds=30)


def test_an_hour_that_is_set_back_holds_up_no_mail(db: DbSession, sink: TouchySink) -> None:
    before = NOW - timedelta(hours=1)
    owe_links(db, 3)
    transport = SmtpTransport(sink.url, per_minute=600)
    mail.send_due(transport, COMPOSER, now=NOW)
    for delivery in db.scalars(select(Delivery)):
        delivery.due_at, delivery.sent_at = before, None
    db.commit()

    mail.send_due(transport, COMPOSER, now=before)

    assert tries(db) == [2, 2, 2]


def test_a_batch_ends_where_its_next_mail_would_wait_too_long(
    db: DbSession, sink: TouchySink
) -> None:
    owe_links(db, 3)
    transport = SmtpTransport(sink.url, per_minute=1)

    sent = mail.send_due(transport, COMPOSER, now=NOW)

    assert sent == 1
    assert tries(db) == [1, 0, 0]


def test_no_mail_is_begun_under_a_lease_that_ended_before_the_letterbox(
    db: DbSession, sink: TouchySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A second is left to begin a mail.
    monkeypatch.setattr(deliveries, "LEASE", mail.TWO_MAILS + timedelta(seconds=1))
    ids = owe_links(db, 1)
    shut, let_go = threading.Event(), threading.Event()

    def change() -> None:
        with open_db() as other:
            if other.get_bind().dialect.name == "sqlite":
                # The letterbox without the database, that the other process can take the mail.
                letterbox.shut(other)
                file = other.info.pop(letterbox.FILE)
                other.rollback()
                shut.set()
                let_go.wait(timeout=30)
                os.close(file)
                return
            letterbox.shut(other)
            shut.set()
            let_go.wait(timeout=30)
            other.rollback()

    def send() -> int:
        return mail.send_due(SmtpTransport(sink.url), COMPOSER, now=NOW)

    with ThreadPoolExecutor(2) as threads:
        changing = threads.submit(change)
        shut.wait(timeout=10)
        sending = threads.submit(send)
        # As another process would, when the lease is over.
        give_up_at = time.monotonic() + 10
        while not deliveries.leased_among(db, ids) and time.monotonic() < give_up_at:
            db.rollback()
            time.sleep(0.01)
        db.rollback()
        time.sleep(1.5)
        taken, _ = deliveries.claim_all(db, ids, now=NOW + 2 * MINUTE)
        db.commit()
        let_go.set()
        changing.result(timeout=30)
        sent = sending.result(timeout=30)

    assert taken == ids
    assert sent == 0
    assert sink.messages == []


def test_who_sends_does_not_wait_for_ever_for_one_who_takes_long_over_a_change(
    db: DbSession, sink: TouchySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    if db.get_bind().dialect.name == "sqlite":
        # There whoever takes long over a change keeps everybody from writing at all.
        return
    monkeypatch.setattr(letterbox, "PATIENCE", text("SET LOCAL lock_timeout = '100ms'"))
    owe_links(db, 2)
    transport = SmtpTransport(sink.url)

    with open_db() as changing:
        letterbox.shut(changing)
        meanwhile = mail.send_due(transport, COMPOSER, now=NOW)
        untried = tries(db)
        changing.rollback()
    afterwards = mail.send_due(transport, COMPOSER, now=NOW)

    assert (meanwhile, untried) == (0, [0, 0])
    assert afterwards == 2
