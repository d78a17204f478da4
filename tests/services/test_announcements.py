"""What a person is told of a session that changes again while its notices are on their way."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from config import Config
from tests import sending
from tests.builders import NOW, STARTS_AT, make_ready, make_session, make_user
from webinar.db import DbSession
from webinar.domain.letter import Letter, MailKind, Postponed
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, WebinarSession
from webinar.services import announcements, deliveries, registrations, sessions
from webinar.services.feeds import CalendarTool
from webinar.services.season_changes import GRACE
from webinar.tools import calendar_tool

FIRST_LEAVES = NOW + GRACE
AGAIN = FIRST_LEAVES + timedelta(seconds=5)
LATER = AGAIN + GRACE + timedelta(minutes=1)
# Wall times in Zurich; STARTS_AT is the Thursday.
THURSDAY = datetime(2026, 11, 26, 18, 15)
FRIDAY = datetime(2026, 11, 27, 18, 15)
SATURDAY = datetime(2026, 11, 28, 18, 15)
ON_FRIDAY = STARTS_AT + timedelta(days=1)
NOTICES = [kind.value for kind in announcements.NOTICES]

Move = Callable[[datetime, datetime], object]
Step = Callable[[datetime], object]


@pytest.fixture
def calendar(config: Config) -> CalendarTool:
    return calendar_tool(config)


@pytest.fixture
def announced(db: DbSession, calendar: CalendarTool) -> WebinarSession:
    """With one place."""
    session = make_ready(db, make_session(db, status=SessionStatus.DRAFT))
    sessions.publish(db, session.id, actor_id=None, calendar=calendar, now=NOW)
    registrations.register(db, session.id, make_user(db).id, now=NOW)
    return session


@pytest.fixture
def move(db: DbSession, announced: WebinarSession, calendar: CalendarTool) -> Move:
    def moved(starts: datetime, now: datetime) -> object:
        return sessions.move(db, announced.id, starts, actor_id=None, calendar=calendar, now=now)

    return moved


@pytest.fixture
def cancel(db: DbSession, announced: WebinarSession, calendar: CalendarTool) -> Step:
    def cancelled(now: datetime) -> object:
        return sessions.cancel(
            db, announced.id, reason="Ill.", actor_id=None, calendar=calendar, now=now
        )

    return cancelled


@pytest.fixture
def restore(db: DbSession, announced: WebinarSession, calendar: CalendarTool) -> Step:
    def restored(now: datetime) -> object:
        return sessions.restore(db, announced.id, actor_id=None, calendar=calendar, now=now)

    return restored


def held(db: DbSession, *, now: datetime = FIRST_LEAVES) -> Delivery:
    """The notice that is owed, in the hands of somebody who sends it."""
    waiting = select(Delivery.id).where(Delivery.kind.in_(NOTICES), Delivery.due_at.is_not(None))
    claimed = sending.claim(db, db.scalars(waiting).one(), now=now)
    assert claimed is not None
    db.expunge(claimed)
    return claimed


def was_sent(db: DbSession, notice: Delivery) -> None:
    assert notice.lease_until is not None
    deliveries.mark_all_sent(
        db.connection(), [notice.id], leased_until=notice.lease_until, now=AGAIN
    )


def was_not_sent(db: DbSession, notice: Delivery) -> None:
    """Whoever holds it reads it again and lets it go."""
    read_anew = db.get_one(Delivery, notice.id, populate_existing=True)
    outcome = sending.letter_for(db, read_anew, now=AGAIN)
    assert not isinstance(outcome, Letter)
    deliveries.mark_dropped(db, read_anew, because="not sent")


def said(db: DbSession, *, now: datetime = LATER) -> list[tuple[MailKind, datetime | None]]:
    """(kind, from which hour) of the notices that leave by then."""
    owed = db.scalars(
        select(Delivery)
        .where(Delivery.kind.in_(NOTICES), Delivery.due_at <= now)
        .order_by(Delivery.id)
        .execution_options(populate_existing=True)
    ).all()
    outcomes = [sending.letter_for(db, delivery, now=now) for delivery in owed]
    return [
        (one.kind, one.session.moved_from)
        for one in outcomes
        if isinstance(one, Letter) and one.session is not None
    ]


def test_moved_there_and_back_is_told_nobody_whose_notice_was_held_but_not_sent(
    db: DbSession, move: Move
) -> None:
    move(FRIDAY, NOW)
    notice = held(db)

    move(THURSDAY, AGAIN)
    was_not_sent(db, notice)

    assert said(db) == []


def test_moved_there_and_back_is_told_who_heard_of_it_though_it_was_written_down_late(
    db: DbSession, move: Move
) -> None:
    move(FRIDAY, NOW)
    notice = held(db)

    move(THURSDAY, AGAIN)
    was_sent(db, notice)

    assert said(db) == [(MailKind.SESSION_MOVED, ON_FRIDAY)]


@pytest.mark.parametrize(("fate", "known"), [(was_sent, ON_FRIDAY), (was_not_sent, STARTS_AT)])
def test_moved_twice_is_told_from_the_hour_that_was_really_sent(
    db: DbSession, move: Move, fate: Callable[[DbSession, Delivery], None], known: datetime
) -> None:
    move(FRIDAY, NOW)
    notice = held(db)

    move(SATURDAY, AGAIN)
    fate(db, notice)

    assert said(db) == [(MailKind.SESSION_MOVED, known)]


@pytest.mark.parametrize(
    ("fate", "news"), [(was_sent, [(MailKind.SESSION_RESTORED, None)]), (was_not_sent, [])]
)
def test_it_takes_place_after_all_only_for_who_heard_that_it_does_not(
    db: DbSession,
    cancel: Step,
    restore: Step,
    fate: Callable[[DbSession, Delivery], None],
    news: list[tuple[MailKind, datetime | None]],
) -> None:
    cancel(NOW)
    notice = held(db)

    restore(AGAIN)
    fate(db, notice)

    assert said(db) == news


def test_whose_confirmation_a_cancellation_cut_short_is_confirmed_if_it_is_not_sent(
    db: DbSession, cancel: Step, restore: Step
) -> None:
    cancel(NOW)
    notice = held(db)

    restore(AGAIN)
    was_not_sent(db, notice)

    owed = select(Delivery.revision).where(
        Delivery.kind == "registration_confirmed", Delivery.due_at.is_not(None)
    )
    assert db.scalars(owed).all() == [1]


@pytest.mark.parametrize(
    ("fate", "kind"),
    [(was_sent, MailKind.SESSION_RESTORED), (was_not_sent, MailKind.SESSION_MOVED)],
)
def test_cancelled_restored_and_moved_is_one_mail_that_fits_what_was_sent(
    db: DbSession,
    move: Move,
    cancel: Step,
    restore: Step,
    fate: Callable[[DbSession, Delivery], None],
    kind: MailKind,
) -> None:
    cancel(NOW)
    notice = held(db)

    restore(AGAIN)
    move(FRIDAY, AGAIN)
    fate(db, notice)

    assert [one for one, _ in said(db)] == [kind]


def test_the_newer_notice_waits_until_it_is_known_whether_the_older_was_sent(
    db: DbSession, move: Move
) -> None:
    move(FRIDAY, NOW)
    held(db, now=FIRST_LEAVES)
    move(SATURDAY, AGAIN)
    newer = db.scalars(
        select(Delivery).where(Delivery.kind == "session_moved", Delivery.due_at.is_not(None))
    ).one()

    meanwhile = sending.letter_for(db, newer, now=AGAIN)

    assert isinstance(meanwhile, Postponed)


def test_a_notice_counts_as_sent_if_whoever_held_it_died(db: DbSession, move: Move) -> None:
    move(FRIDAY, NOW)
    held(db)

    move(THURSDAY, AGAIN)

    assert said(db) == [(MailKind.SESSION_MOVED, ON_FRIDAY)]


def test_a_notice_whose_holder_died_before_the_next_change_counts_as_sent(
    db: DbSession, move: Move
) -> None:
    move(FRIDAY, NOW)
    held(db)

    move(THURSDAY, FIRST_LEAVES + deliveries.LEASE + timedelta(seconds=1))

    assert said(db) == [(MailKind.SESSION_MOVED, ON_FRIDAY)]


def test_knowledge_is_handed_on_over_several_changes(db: DbSession, move: Move) -> None:
    move(FRIDAY, NOW)
    notice = held(db)
    move(SATURDAY, AGAIN)

    move(THURSDAY, AGAIN + timedelta(seconds=1))
    was_not_sent(db, notice)

    assert said(db) == []
