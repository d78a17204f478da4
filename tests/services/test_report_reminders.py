"""Reports that are due: asked for a week ahead and on the last day, of who can write them."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from tests import sending
from tests.builders import make_society, make_user
from tests.evidence import make_ended_session, make_grant
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.letter import Dropped, Letter
from webinar.models import (
    AccreditationGrant,
    Delivery,
    PostEventReport,
    User,
    UserRole,
    WebinarSession,
)
from webinar.services import report_reminders

DAY = timedelta(days=1)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """Ended on 26 November 2026: its reports are due on 24 December."""
    return make_ended_session(db)


@pytest.fixture
def grant(db: DbSession, session: WebinarSession) -> AccreditationGrant:
    return make_grant(db, session, "ama-pra-live", "1")


@pytest.fixture
def officer(db: DbSession, session: WebinarSession) -> User:
    user = make_user(db)
    user.grants = [UserRole(role=Role.ACCREDITATION_OFFICER, society_id=session.society_id)]
    db.flush()
    return user


def days_after(session: WebinarSession, days: int) -> datetime:
    return session.ends_at + days * DAY


def owed(db: DbSession) -> list[Delivery]:
    return list(db.scalars(select(Delivery).order_by(Delivery.id)))


@pytest.mark.usefixtures("grant", "officer")
def test_it_is_asked_for_twice_a_week_ahead_and_on_the_last_day(
    db: DbSession, session: WebinarSession
) -> None:
    asked = [
        days for days in range(60) if report_reminders.owe_due(db, now=days_after(session, days))
    ]

    assert asked == [21, 28]


@pytest.mark.usefixtures("grant", "officer")
def test_the_mail_names_the_bodies_and_the_day(db: DbSession, session: WebinarSession) -> None:
    report_reminders.owe_due(db, now=days_after(session, 21))

    letter = sending.letter_for(db, owed(db)[0], now=days_after(session, 21))

    assert isinstance(letter, Letter)
    assert letter.report is not None
    assert (letter.report.due, letter.report.is_last_day) == ("24 December 2026", False)
    assert len(letter.report.bodies) == 1


@pytest.mark.usefixtures("officer")
def test_another_last_day_is_asked_for_anew(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    report_reminders.owe_due(db, now=days_after(session, 21))
    db.add(PostEventReport(grant_id=grant.id, due_on=date(2027, 3, 1)))
    db.flush()

    assert report_reminders.owe_due(db, now=days_after(session, 28)) == 0
    assert report_reminders.owe_due(db, now=datetime.fromisoformat("2027-02-22T12:00Z")) == 1


@pytest.mark.usefixtures("officer")
def test_what_is_sent_is_not_asked_for(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    now = days_after(session, 21)
    report_reminders.owe_due(db, now=now)
    db.add(PostEventReport(grant_id=grant.id, sent_at=now))
    db.flush()

    assert sending.letter_for(db, owed(db)[0], now=now) == Dropped("every report is sent")
    assert report_reminders.owe_due(db, now=days_after(session, 28)) == 0


@pytest.mark.usefixtures("grant")
def test_it_goes_to_organisers_and_officers_there_and_everywhere(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    everywhere = make_user(db, roles=(Role.ORGANISER,))
    elsewhere = make_user(db)
    elsewhere.grants = [UserRole(role=Role.ORGANISER, society_id=make_society(db).id)]
    make_user(db, roles=(Role.ADMINISTRATOR,))
    make_user(db)
    db.flush()

    assert report_reminders.responsible(db, session.society_id) == sorted(
        [officer.id, everywhere.id]
    )


@pytest.mark.usefixtures("grant")
def test_without_any_of_them_administrators_are_asked(
    db: DbSession, session: WebinarSession
) -> None:
    administrator = make_user(db, roles=(Role.ADMINISTRATOR,))

    assert report_reminders.responsible(db, session.society_id) == [administrator.id]


@pytest.mark.usefixtures("grant")
def test_who_lost_the_role_is_not_written_to(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    now = days_after(session, 21)
    report_reminders.owe_due(db, now=now)
    officer.grants = []
    db.flush()

    assert sending.letter_for(db, owed(db)[0], now=now) == Dropped("the role was taken back")
