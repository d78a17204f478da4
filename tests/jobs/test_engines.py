"""Mails handed out: each to one at a time, with the row that is marked, and again if unsent."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import func, select, text

from config import Config
from tests.builders import make_registration, make_session, make_user
from tests.components.smtp import SmtpSink
from webinar.db import DbSession, open_db, read_db
from webinar.domain.letter import MailKind
from webinar.jobs.engine import BATCH, Timings, batches
from webinar.jobs.engine_in_process import InProcessEngine
from webinar.jobs.engine_queue import MOST_WAITING, QueueEngine
from webinar.jobs.ticking import Place, Tick
from webinar.jobs.toolbox import Toolbox
from webinar.models import Delivery
from webinar.services import deliveries, offers

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def owe(db: DbSession, count: int, *, kind: MailKind = MailKind.SESSION_REMINDER) -> list[int]:
    """Reminders that are due now, of a session within the hour."""
    now = datetime.now(UTC)
    session = make_session(db, starts_at=now + 50 * MINUTE)
    owed = []
    for _ in range(count):
        user = make_user(db)
        make_registration(db, session, user)
        delivery = deliveries.queue(
            db, kind, user_id=user.id, subject_id=session.id, due_at=now - MINUTE, now=now
        )
        owed.append(delivery.id)
    db.commit()
    return owed


def jobs() -> list[tuple[str, str, list[int]]]:
    """What stands in the queue: the task, its state, the mails."""
    with read_db() as db:
        found = db.execute(
            text("SELECT task_name, status, args FROM procrastinate_jobs ORDER BY id")
        )
        return [(name, status, args.get("delivery_ids", [])) for name, status, args in found]


def idle(_tools: Toolbox, _now: datetime) -> None:
    """A tick with nothing to do."""


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


def test_batches_keep_their_order() -> None:
    assert batches([1, 2, 3, 4, 5], most=2) == [[1, 2], [3, 4], [5]]


def test_what_is_offered_is_not_offered_again_until_its_time_is_over(db: DbSession) -> None:
    owed = owe(db, 3)
    now = datetime.now(UTC)

    assert offers.offer(db, limit=2, now=now) == owed[:2]
    assert offers.offer(db, limit=9, now=now) == owed[2:]
    assert not offers.any_due(db, now=now + offers.OFFERED_FOR - SECOND)
    assert offers.offer(db, limit=9, now=now + offers.OFFERED_FOR) == owed


def test_a_mail_that_somebody_waits_for_goes_before_a_thousand_reminders(db: DbSession) -> None:
    reminders = owe(db, 3)
    [link] = owe(db, 1, kind=MailKind.SIGN_IN_LINK)

    assert offers.offer(db, limit=2, now=datetime.now(UTC)) == [link, reminders[0]]


def test_two_clocks_at_once_are_given_different_mails(db: DbSession) -> None:
    owed = owe(db, 40)
    given: list[list[int]] = []

    def take() -> None:
        with open_db.begin() as own:
            given.append(offers.offer(own, limit=25, now=datetime.now(UTC)))

    threads = [Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(number for one in given for number in one) == owed


def test_the_engine_in_the_process_sends_what_it_takes(
    db: DbSession, config: Config, sink: SmtpSink
) -> None:
    owe(db, 7)
    tools = Toolbox.from_config(_with_smtp(config, sink))
    engine = InProcessEngine(tools, lambda tick, now: None, Timings())

    taken = engine.offer_mails(now=datetime.now(UTC))

    assert taken == 7
    assert len(sink.wait_for(7)) == 7
    engine.stop(wait=True)
    db.expire_all()
    assert db.scalar(select(func.count(Delivery.id)).where(Delivery.sent_at.is_not(None))) == 7


def test_it_takes_no_more_than_it_can_send_at_once(
    db: DbSession, config: Config, sink: SmtpSink
) -> None:
    tools = Toolbox.from_config(_with_smtp(config, sink))
    engine = InProcessEngine(tools, lambda tick, now: None, Timings())

    assert engine.offer_mails(now=datetime.now(UTC)) == 0
    engine.stop(wait=True)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_laptop_that_was_switched_off_takes_its_offers_back_at_once(
    db: DbSession, config: Config
) -> None:
    owed = owe(db, 2)
    offers.offer(db, limit=9, now=datetime.now(UTC))
    db.commit()

    engine = InProcessEngine(Toolbox.from_config(config), lambda tick, now: None, Timings())

    engine.stop(wait=True)
    assert offers.offer(db, limit=9, now=datetime.now(UTC)) == owed


@ON_POSTGRESQL
def test_the_queue_gets_batches_with_the_rows_they_mark(db: DbSession, config: Config) -> None:
    owed = owe(db, BATCH + 3)

    taken = QueueEngine(config, Timings()).offer_mails(now=datetime.now(UTC))

    assert taken == BATCH + 3
    assert jobs() == [
        ("send_batch", "todo", owed[:BATCH]),
        ("send_batch", "todo", owed[BATCH:]),
    ]
    assert not offers.any_due(db, now=datetime.now(UTC))


@ON_POSTGRESQL
def test_without_workers_the_queue_does_not_grow(db: DbSession, config: Config) -> None:
    owe(db, 2)
    engine = QueueEngine(config, Timings())
    now = datetime.now(UTC)

    for minute in range(MOST_WAITING + 20):
        engine.offer_mails(now=now + 2 * minute * MINUTE)

    assert len(jobs()) == MOST_WAITING


@ON_POSTGRESQL
def test_a_tick_waits_in_the_queue_once(db: DbSession, config: Config) -> None:
    engine = QueueEngine(config, Timings())
    tick = Tick("decide credit", 5, idle, Place.ENGINE)

    for _ in range(3):
        engine.hand_out(tick, now=datetime.now(UTC))

    assert jobs() == [("run_tick", "todo", [])]


@ON_POSTGRESQL
def test_clocks_that_hand_out_the_same_tick_at_once_do_not_stumble(
    db: DbSession, config: Config
) -> None:
    tick = Tick("decide credit", 5, idle, Place.ENGINE)
    stumbles: list[Exception] = []

    def hand_out() -> None:
        engine = QueueEngine(config, Timings())
        try:
            for _ in range(20):
                engine.hand_out(tick, now=datetime.now(UTC))
        except Exception as error:
            stumbles.append(error)

    threads = [Thread(target=hand_out) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert stumbles == []
    assert jobs() == [("run_tick", "todo", [])]


@ON_POSTGRESQL
def test_what_a_dead_worker_was_at_is_done_by_another(db: DbSession, config: Config) -> None:
    owed = owe(db, 2)
    # So long that the time this test takes tips neither age over the limit.
    engine = QueueEngine(config, Timings(stalled_after_seconds=2000))
    engine.offer_mails(now=datetime.now(UTC))
    engine.hand_out(Tick("decide credit", 5, idle, Place.ENGINE), now=datetime.now(UTC))
    _begin_and_die(db, seconds_ago=1900)
    engine.mend()
    assert [status for _, status, _ in jobs()] == ["doing", "doing"]

    _begin_and_die(db, seconds_ago=2100)
    engine.mend()

    # The mails go to another worker; the clock lays down the tick anew by itself.
    assert jobs() == [("send_batch", "todo", owed)]


@ON_POSTGRESQL
def test_a_living_worker_is_left_alone(db: DbSession, config: Config) -> None:
    owe(db, 2)
    engine = QueueEngine(config, Timings())
    engine.offer_mails(now=datetime.now(UTC))
    _begin_and_die(db, seconds_ago=0)

    engine.mend()

    assert [status for _, status, _ in jobs()] == ["doing"]


def _begin_and_die(db: DbSession, *, seconds_ago: int) -> None:
    """A worker takes every job, and was heard of so long ago."""
    worker = db.scalar(text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
    db.execute(
        text(
            "UPDATE procrastinate_workers SET last_heartbeat ="
            " now() - make_interval(secs => :seconds) WHERE id = :worker"
        ),
        {"seconds": seconds_ago, "worker": worker},
    )
    db.execute(
        text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker"),
        {"worker": worker},
    )
    db.commit()


def _with_smtp(config: Config, sink: SmtpSink) -> Config:
    return replace(config, SMTP_URL=sink.url)
