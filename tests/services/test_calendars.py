"""Which sessions stand in which feed, on the day itself and on its edges."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import make_registration, make_session, make_user
from webinar.db import DbSession
from webinar.domain.errors import NotFound
from webinar.domain.session import SessionStatus
from webinar.models import WebinarSession
from webinar.services import calendars

ZURICH = "Europe/Zurich"
NOON = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
# 22 May 2026 in Zurich begins at 22:00 UTC the day before: summer time.
SIX_MONTHS_BACK = datetime(2026, 5, 21, 22, 0, tzinfo=UTC)


def rendered(
    db: DbSession, starts_at: datetime, *, status: SessionStatus = SessionStatus.PUBLISHED
) -> WebinarSession:
    session = make_session(db, starts_at=starts_at, status=status)
    session.ical_public = f"public {session.public_id}"
    session.ical_personal = f"personal {session.public_id}"
    db.flush()
    return session


def in_feed(db: DbSession, feed: calendars.Feed, now: datetime) -> list[str]:
    found = calendars.events(db, feed, now=now, home_zone=ZURICH)
    return [event.vevent.decode() for event in found]


def test_the_window_begins_at_midnight_in_zurich_six_months_ago(db: DbSession) -> None:
    rendered(db, SIX_MONTHS_BACK - timedelta(seconds=1))
    inside = rendered(db, SIX_MONTHS_BACK)

    assert in_feed(db, calendars.everything("All"), NOON) == [f"public {inside.public_id}"]


def test_the_version_changes_once_a_day_at_most_by_itself(db: DbSession) -> None:
    rendered(db, SIX_MONTHS_BACK)
    feed = calendars.everything("All")

    def version(now: datetime) -> str:
        return calendars.state(db, feed, now=now, home_zone=ZURICH).version

    assert version(NOON) == version(datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC))
    assert version(datetime(2026, 11, 22, 23, 0, tzinfo=UTC)) == ""


def test_a_cancelled_session_stays_for_a_week_after_its_date(db: DbSession) -> None:
    session = rendered(
        db, datetime(2026, 11, 26, 17, 15, tzinfo=UTC), status=SessionStatus.CANCELLED
    )
    feed = calendars.everything("All")

    assert in_feed(db, feed, NOON) == [f"public {session.public_id}"]
    assert in_feed(db, feed, datetime(2026, 12, 3, 22, 59, tzinfo=UTC)) != []
    assert in_feed(db, feed, datetime(2026, 12, 3, 23, 0, tzinfo=UTC)) == []


def test_a_personal_feed_goes_back_two_years_and_is_busy(db: DbSession) -> None:
    anna = make_user(db)
    anna.feed_token_hash = "f" * 64
    old = rendered(db, datetime(2025, 1, 9, 17, 15, tzinfo=UTC), status=SessionStatus.ENDED)
    make_registration(db, old, anna)
    feed = calendars.of_person(db, "f" * 64, "All")

    assert in_feed(db, feed, NOON) == [f"personal {old.public_id}"]


def test_the_feed_of_an_erased_person_is_gone(db: DbSession) -> None:
    anna = make_user(db)
    anna.feed_token_hash, anna.erased_at = "f" * 64, NOON
    db.flush()

    with pytest.raises(NotFound):
        calendars.of_person(db, "f" * 64, "All")


def test_the_order_is_by_start_then_by_id_and_the_version_says_so(db: DbSession) -> None:
    later, sooner = rendered(db, NOON + timedelta(days=2)), rendered(db, NOON + timedelta(days=1))
    same = rendered(db, NOON + timedelta(days=1))
    later.ical_sequence = 4
    db.flush()
    feed = calendars.everything("All")

    assert in_feed(db, feed, NOON) == [
        f"public {session.public_id}" for session in (sooner, same, later)
    ]
    assert (
        calendars.state(db, feed, now=NOON, home_zone=ZURICH).version
        == f"{sooner.id}.0,{same.id}.0,{later.id}.4"
    )


def test_a_session_that_was_never_rendered_is_left_out(db: DbSession) -> None:
    make_session(db, starts_at=NOON + timedelta(days=1))

    assert in_feed(db, calendars.everything("All"), NOON) == []


def test_two_changes_within_a_second_are_two_instants(db: DbSession) -> None:
    now = NOON + timedelta(milliseconds=300)
    first = calendars.remember(db, "all", "a", now=now)
    again = calendars.remember(db, "all", "a", now=now + timedelta(hours=1))
    second = calendars.remember(db, "all", "b", now=now)
    third = calendars.remember(db, "all", "a", now=now)

    assert [first, again, second, third] == [
        NOON,
        NOON,
        NOON + timedelta(seconds=1),
        NOON + timedelta(seconds=2),
    ]
