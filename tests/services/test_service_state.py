"""What the tables tell of the service: mails by day, the schema, what was forgotten."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests import sending
from tests.builders import make_user
from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.models import Delivery, RetentionRun
from webinar.services import deliveries, service_state
from webinar.services.service_state import MailCounts
from webinar.tools import newest_schema

NOW = datetime(2026, 11, 26, 17, 15, tzinfo=UTC)
DAY = timedelta(days=1)


def owe(db: DbSession, *, queued_at: datetime, subject_id: int) -> Delivery:
    return deliveries.queue(
        db,
        MailKind.SESSION_REMINDER,
        user_id=1,
        subject_id=subject_id,
        due_at=queued_at,
        now=queued_at,
    )


def claimed(db: DbSession, number: int, *, now: datetime) -> Delivery:
    """A reminder that waited for three months and is in somebody's hands now."""
    delivery = sending.claim(db, owe(db, queued_at=NOW - 90 * DAY, subject_id=number).id, now=now)
    assert delivery is not None
    return delivery


def test_mails_count_on_the_day_they_left_or_were_given_up_in_the_home_zone(db: DbSession) -> None:
    make_user(db)
    before_midnight = datetime(2026, 11, 25, 22, 59, tzinfo=UTC)
    sent, late = claimed(db, 1, now=before_midnight), claimed(db, 2, now=NOW)
    refused, given_up = claimed(db, 3, now=NOW), claimed(db, 4, now=NOW)
    unwanted = claimed(db, 5, now=NOW)
    owe(db, queued_at=NOW + DAY, subject_id=6)
    given_up.attempts = deliveries.TRIES
    db.flush()

    sending.mark_sent(db, sent, now=before_midnight)
    sending.mark_sent(db, late, now=before_midnight + timedelta(minutes=1))
    deliveries.mark_refused(db, refused, error="550 no such person")
    deliveries.mark_failed(db, given_up, error="451 later", now=NOW)
    deliveries.mark_dropped(db, unwanted, because="they do not want it")

    assert service_state.mails_by_day(db, days=3, zone="Europe/Zurich", now=NOW) == [
        (date(2026, 11, 24), MailCounts()),
        (date(2026, 11, 25), MailCounts(sent=1)),
        (date(2026, 11, 26), MailCounts(sent=1, refused=1, given_up=1)),
    ]
    assert service_state.mails_since(db, NOW - DAY, now=NOW).lost == 2


def test_a_mail_that_failed_once_and_was_not_wanted_then_is_not_lost(db: DbSession) -> None:
    make_user(db)
    delivery = claimed(db, 1, now=NOW)
    deliveries.mark_failed(db, delivery, error="451 later", now=NOW)

    deliveries.drop(db, MailKind.SESSION_REMINDER, subject_id=1, because="the session is cancelled")

    assert service_state.mails_since(db, NOW - DAY, now=NOW) == MailCounts()


def test_of_each_kind_of_data_the_last_look_counts(db: DbSession) -> None:
    for kind, days, left_over in (("mail", 2, 5), ("mail", 1, 0), ("links", 1, 2)):
        db.add(
            RetentionRun(
                kind=kind,
                ran_at=NOW - days * DAY,
                older_than=NOW - 400 * DAY,
                deleted=1,
                left_over=left_over,
            )
        )
    db.flush()

    runs = service_state.last_retention(db)

    assert [(run.kind, run.left_over) for run in runs] == [("links", 2), ("mail", 0)]


def test_the_schema_tells_its_revision(db: DbSession) -> None:
    assert service_state.schema_revision(db) == newest_schema()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_tells_its_time(db: DbSession) -> None:
    theirs = service_state.database_time(db)

    assert theirs is not None
    assert abs(theirs - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_has_no_clock_of_its_own(db: DbSession) -> None:
    assert service_state.database_time(db) is None
