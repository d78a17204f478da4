"""A session changes while its reminders are on their way: whom the old hour still reaches."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from config import Config
from tests.builders import NOW, STARTS_AT, make_ready, make_session, make_user
from tests.components.smtp import SmtpSink
from webinar import letterbox
from webinar.db import DbSession, open_db
from webinar.domain.session import SessionStatus
from webinar.jobs import mail
from webinar.mail.compose import Composer
from webinar.mail.transport import SmtpTransport
from webinar.models import Delivery
from webinar.services import deliveries, registrations, sessions
from webinar.services.feeds import CalendarTool
from webinar.tools import calendar_tool

Change = Callable[[DbSession, int, CalendarTool, datetime], object]

PEOPLE = 40
BEFORE_THE_CHANGE = 8
# Less than a mail may take.
MOST_HELD_SECONDS = 8
TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "mail"
COMPOSER = Composer(
    TEMPLATES,
    public_url="https://rounds.example",
    site_name="Grand Rounds Online",
    sender="webinars@rounds.example",
    home_zone="Europe/Zurich",
    secret="a secret of the tests, long enough to start",
)
REMINDED_AT = STARTS_AT - timedelta(hours=1)


class SlowSink(SmtpSink):
    """Thinks about every mail, and keeps when it had each one and when it said yes.

    After the first eight it says nothing until `change_begins` is set.
    """

    def __init__(self, change_begins: threading.Event) -> None:
        super().__init__()
        self.times: list[tuple[float, float]] = []
        self._change_begins = change_begins

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Called by aiosmtpd with each whole mail."""
        had = time.monotonic()
        await asyncio.sleep(0.015)
        if len(self.times) >= BEFORE_THE_CHANGE and not self._change_begins.is_set():
            await asyncio.to_thread(self._change_begins.wait, MOST_HELD_SECONDS)
            # A change that did not wait for this one is committed in the meantime.
            await asyncio.sleep(0.5)
        answer = await super().handle_DATA(server, session, envelope)
        self.times.append((had, time.monotonic()))
        return answer


def move_a_day(db: DbSession, session_id: int, calendar: CalendarTool, now: datetime) -> object:
    starts = datetime(2026, 11, 27, 18, 15)
    return sessions.move(db, session_id, starts, actor_id=None, calendar=calendar, now=now)


def move_a_little(db: DbSession, session_id: int, calendar: CalendarTool, now: datetime) -> object:
    # Earlier: the reminder stays due.
    starts = datetime(2026, 11, 26, 18, 5)
    return sessions.move(db, session_id, starts, actor_id=None, calendar=calendar, now=now)


def cancel(db: DbSession, session_id: int, calendar: CalendarTool, now: datetime) -> object:
    return sessions.cancel(
        db, session_id, reason="The speaker is ill.", actor_id=None, calendar=calendar, now=now
    )


@pytest.fixture
def session_id(db: DbSession, config: Config) -> int:
    """Announced, with places for all, confirmed, and reminded a day ahead."""
    calendar = calendar_tool(config)
    session = make_ready(db, make_session(db, status=SessionStatus.DRAFT))
    sessions.publish(db, session.id, actor_id=None, calendar=calendar, now=NOW)
    for _ in range(PEOPLE):
        registrations.register(db, session.id, make_user(db).id, now=NOW)
    db.commit()
    with SmtpSink() as elsewhere:
        send_all(elsewhere, now=REMINDED_AT - timedelta(hours=22))
    return session.id


@pytest.fixture
def change_begins(session_id: int, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when a change comes to the letterbox to shut it."""
    begins = threading.Event()
    shut = letterbox.shut

    def tell_and_shut(db: DbSession) -> None:
        begins.set()
        shut(db)

    monkeypatch.setattr(letterbox, "shut", tell_and_shut)
    return begins


def send_all(sink: SmtpSink, *, now: datetime) -> None:
    mail.send_due(SmtpTransport(sink.url), COMPOSER, now=now)


@pytest.mark.parametrize("change", [move_a_day, move_a_little, cancel])
def test_nobody_gets_the_old_hour_once_a_change_is_committed(
    db: DbSession,
    config: Config,
    session_id: int,
    change_begins: threading.Event,
    change: Change,
) -> None:
    calendar = calendar_tool(config)
    with SlowSink(change_begins) as sink, ThreadPoolExecutor(2) as senders:
        batches = [senders.submit(send_all, sink, now=REMINDED_AT) for _ in range(2)]
        sink.wait_for(BEFORE_THE_CHANGE)
        with open_db() as other:
            change(other, session_id, calendar, REMINDED_AT)
            other.commit()
        committed = time.monotonic()
        for batch in batches:
            batch.result(timeout=60)
        # What leaves when the change can no longer be taken back, in as many ticks as it takes.
        for minutes in (1, 11, 12, 13, 14):
            send_all(sink, now=REMINDED_AT + timedelta(minutes=minutes))
        subjects = [str(message["Subject"]) for message in sink.messages]
        last_word = {str(message["To"]): str(message["Subject"]) for message in sink.messages}

    old = [subject.startswith("Reminder, 18:15 CET") for subject in subjects]
    stale = [
        said
        for said, (had, _), is_old in zip(subjects, sink.times, old, strict=True)
        if is_old and had > committed
    ]
    on_the_way = [
        said
        for said, (_, yes), is_old in zip(subjects, sink.times, old, strict=True)
        if is_old and yes > committed
    ]
    assert stale == []
    assert on_the_way == []
    assert BEFORE_THE_CHANGE <= sum(old) < PEOPLE
    assert len(last_word) == PEOPLE
    assert [said for said in last_word.values() if said.startswith("Reminder, 18:15")] == []


def test_everybody_is_reminded_of_the_new_hour_when_it_moves_while_reminders_leave(
    db: DbSession, config: Config, session_id: int, change_begins: threading.Event
) -> None:
    calendar = calendar_tool(config)
    with SlowSink(change_begins) as sink, ThreadPoolExecutor(2) as senders:
        batches = [senders.submit(send_all, sink, now=REMINDED_AT) for _ in range(2)]
        sink.wait_for(BEFORE_THE_CHANGE)
        with open_db() as other:
            move_a_day(other, session_id, calendar, REMINDED_AT)
            other.commit()
        for batch in batches:
            batch.result(timeout=60)

    owed = db.scalars(
        select(Delivery.due_at)
        .where(Delivery.kind == "session_reminder")
        .where(Delivery.due_at.is_not(None))
    ).all()
    assert owed == [REMINDED_AT + timedelta(days=1)] * PEOPLE


def test_moved_back_while_notices_leave_is_told_only_those_who_were_told_of_the_move(
    db: DbSession, config: Config, session_id: int, change_begins: threading.Event
) -> None:
    calendar = calendar_tool(config)
    with open_db() as other:
        move_a_day(other, session_id, calendar, NOW)
        other.commit()
    change_begins.clear()
    leaving = NOW + timedelta(hours=1)
    with SlowSink(change_begins) as sink, ThreadPoolExecutor(1) as sender:
        batch = sender.submit(send_all, sink, now=leaving)
        sink.wait_for(BEFORE_THE_CHANGE)
        with open_db() as other:
            back = datetime(2026, 11, 26, 18, 15)
            sessions.move(other, session_id, back, actor_id=None, calendar=calendar, now=leaving)
            other.commit()
        batch.result(timeout=60)
        for minutes in (15, 30):
            send_all(sink, now=leaving + timedelta(minutes=minutes))
        mails = Counter(str(message["To"]) for message in sink.messages)

    # One of the move, one of the way back.
    assert set(mails.values()) == {2}
    assert BEFORE_THE_CHANGE <= len(mails) < PEOPLE


def test_a_change_waits_for_the_mails_on_their_way_and_no_longer(
    db: DbSession, config: Config, session_id: int
) -> None:
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with letterbox.held_open():
            held.set()
            let_go.wait(timeout=10)

    def change() -> float:
        with open_db() as other:
            cancel(other, session_id, calendar_tool(config), NOW)
            other.commit()
        return time.monotonic()

    with ThreadPoolExecutor(2) as threads:
        holding = threads.submit(hold)
        held.wait(timeout=10)
        changing = threads.submit(change)
        waited = not changing.done()
        time.sleep(0.2)
        waited = waited and not changing.done()
        released = time.monotonic()
        let_go.set()
        holding.result(timeout=10)
        changed = changing.result(timeout=20)

    assert waited
    assert changed > released


def test_two_changes_do_not_wait_for_each_others_letterbox(db: DbSession) -> None:
    if db.get_bind().dialect.name == "sqlite":
        # One writes at a time there anyway; what matters is that asking twice is no trouble.
        letterbox.shut(db)
        letterbox.shut(db)
        db.commit()
        return
    with open_db() as first, open_db() as second:
        letterbox.shut(first)
        letterbox.shut(second)
        second.commit()
        first.commit()


def test_a_letterbox_that_was_shut_is_open_after_a_refusal(db: DbSession) -> None:
    letterbox.shut(db)
    db.rollback()

    with letterbox.held_open() as reading:
        found = deliveries.with_readers(reading, [])

    assert found == []
