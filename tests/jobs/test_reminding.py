"""The clock's own mails, from what is due to the mail server; and what wishes make of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from config import Config
from tests.builders import NOW, STARTS_AT, make_session, make_user
from tests.components.smtp import SmtpSink
from tests.evidence import make_attendee, make_ended_session, make_grant
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.mail_wishes import MailTopic, WishSource
from webinar.jobs import mail, reminding
from webinar.jobs.toolbox import Toolbox
from webinar.mail.transport import SmtpTransport
from webinar.models import CreditDecision, Delivery, User
from webinar.services import credits, mail_wishes, registrations

MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def tools(config: Config) -> Toolbox:
    return Toolbox.from_config(replace(config, PUBLIC_URL="https://rounds.example"))


def send(db: DbSession, tools: Toolbox, sink: SmtpSink, *, now: datetime) -> None:
    db.commit()
    mail.send_due(SmtpTransport(sink.url), tools.composer, now=now)
    db.expire_all()


def heads(sink: SmtpSink, *, since: int = 0) -> list[tuple[str, str]]:
    """Whom each mail went to, and its subject; `since`: without so many that came first."""
    return sorted(
        (str(one["To"]).split("<")[-1].rstrip(">"), str(one["Subject"]))
        for one in sink.messages[since:]
    )


def say(db: DbSession, user: User, topic: MailTopic, is_wanted: bool) -> None:
    mail_wishes.set_wish(db, user.id, topic, is_wanted, source=WishSource.PAGE, now=NOW)


def test_the_weeks_sessions_reach_who_asked_for_them(
    db: DbSession, tools: Toolbox, sink: SmtpSink
) -> None:
    asked = make_user(db, "asked@example.net")
    make_user(db, "silent@example.net")
    say(db, asked, MailTopic.DIGEST, True)
    make_session(db)
    db.commit()

    for minutes in (0, 5, 10):
        reminding.write_of_the_week(tools, MONDAY + minutes * MINUTE)
    send(db, tools, sink, now=MONDAY + 11 * MINUTE)

    assert heads(sink) == [("asked@example.net", "This week: 1 session from 23 Nov 2026")]
    message = sink.messages[0]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_each_gets_the_reminders_they_want(db: DbSession, tools: Toolbox, sink: SmtpSink) -> None:
    both, hour_only, none = (make_user(db, f"{name}@example.net") for name in ("a", "b", "c"))
    session = make_session(db)
    for user in (both, hour_only, none):
        registrations.register(db, session.id, user.id, now=NOW)
    say(db, hour_only, MailTopic.REMINDER_DAY, False)
    say(db, none, MailTopic.REMINDER_DAY, False)
    say(db, none, MailTopic.REMINDER_HOUR, False)
    send(db, tools, sink, now=NOW)
    confirmed = len(sink.messages)

    send(db, tools, sink, now=STARTS_AT - DAY)
    day = heads(sink, since=confirmed)
    send(db, tools, sink, now=STARTS_AT - HOUR)
    hour = heads(sink, since=confirmed + len(day))

    title = session.title
    assert day == [("a@example.net", f"Thu, 18:15 CET: {title}")]
    assert hour == [
        ("a@example.net", f"Reminder, 18:15 CET: {title}"),
        ("b@example.net", f"Reminder, 18:15 CET: {title}"),
    ]
    refused = db.scalars(
        select(Delivery.user_id).where(Delivery.dropped_because == "they do not want it")
    ).all()
    assert sorted(refused) == sorted([hour_only.id, none.id, none.id])


def test_who_owes_the_evaluation_is_told_two_days_before_its_deadline(
    db: DbSession, tools: Toolbox, sink: SmtpSink
) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "eaccme-3.0-live", "0.5")
    make_attendee(db, session)
    ended = session.ends_at
    credits.decide_session(db, session.id, public_url="https://rounds.example", now=ended + HOUR)
    due_at = db.scalars(select(CreditDecision.due_at).where(CreditDecision.is_latest)).one()
    assert due_at is not None
    db.commit()

    reminding.remind_of_credit(tools, due_at - 2 * DAY - MINUTE)
    too_early = db.scalars(select(Delivery.kind)).all()
    db.rollback()
    for minutes in (0, 5, 10):
        reminding.remind_of_credit(tools, due_at - 2 * DAY + minutes * MINUTE)
    send(db, tools, sink, now=due_at - 2 * DAY + 11 * MINUTE)

    assert too_early == []
    assert [subject for _, subject in heads(sink)] == [
        f"Your credit waits for you: {session.title}"
    ]


def test_officers_are_asked_for_a_report_once(
    db: DbSession, tools: Toolbox, sink: SmtpSink
) -> None:
    make_user(db, "officer@example.net", roles=(Role.ACCREDITATION_OFFICER,))
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "1")
    db.commit()
    now = session.ends_at + 21 * DAY

    for hours in (0, 1, 2):
        reminding.ask_for_reports(tools, now + hours * HOUR)
    send(db, tools, sink, now=now + 3 * HOUR)

    assert [(to, subject.partition(" due ")[2]) for to, subject in heads(sink)] == [
        ("officer@example.net", f"24 December 2026: {session.title}")
    ]


def test_places_without_reminders_get_them(db: DbSession, tools: Toolbox) -> None:
    session, user = make_session(db), make_user(db)
    registrations.register(db, session.id, user.id, now=NOW)
    for delivery in db.scalars(select(Delivery)):
        db.delete(delivery)
    db.commit()

    reminding.owe_missing_reminders(tools, STARTS_AT - 2 * DAY)

    assert db.scalars(select(Delivery.kind)).all() == ["session_tomorrow"]
