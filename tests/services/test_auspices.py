from datetime import date

import pytest
from sqlalchemy import select

from tests.builders import NOW, make_session, make_society
from webinar.db import DbSession
from webinar.models import AuditEvent, Society, WebinarSession
from webinar.services import auspices, feeds
from webinar.services.auspices import NotDecidedYet, OwnSociety, ReferenceTooLong
from webinar.services.feeds import CalendarTool

DECIDED = date(2026, 11, 3)


@pytest.fixture
def session(db: DbSession, calendar: CalendarTool) -> WebinarSession:
    session = make_session(db)
    feeds.refresh(db, session, calendar=calendar, now=NOW)
    return session


def put(
    db: DbSession,
    session: WebinarSession,
    society: Society,
    calendar: CalendarTool,
    *,
    decided_on: date = DECIDED,
    reference: str = "123",
) -> bool:
    return auspices.put(
        db,
        session,
        society,
        decided_on=decided_on,
        reference=reference,
        actor_id=None,
        calendar=calendar,
        now=NOW,
    )


def test_lent_auspices_stand_in_the_calendar_from_one_change_on(
    db: DbSession, session: WebinarSession, calendar: CalendarTool
) -> None:
    society = make_society(db)

    changed = [put(db, session, society, calendar) for _ in range(2)]

    assert changed == [True, False]
    assert session.ical_sequence == 1
    assert society.name in session.ical_public
    event = db.scalars(select(AuditEvent)).one()
    assert (event.action, event.subject) == ("auspices added", f"session {session.id}")
    assert event.after == {
        "society": society.name,
        "decided on": "2026-11-03",
        "reference": "123",
    }


def test_a_corrected_reference_is_no_news_for_calendars(
    db: DbSession, session: WebinarSession, calendar: CalendarTool
) -> None:
    society = make_society(db)
    put(db, session, society, calendar)

    assert put(db, session, society, calendar, reference="124") is True

    assert session.ical_sequence == 1
    assert [one.reference for one in session.auspices] == ["124"]


def test_auspices_are_taken_away_once(
    db: DbSession, session: WebinarSession, calendar: CalendarTool
) -> None:
    society = make_society(db)
    put(db, session, society, calendar)

    gone = [
        auspices.take_away(db, session, society, actor_id=None, calendar=calendar, now=NOW)
        for _ in range(2)
    ]

    assert (gone, session.auspices, session.ical_sequence) == ([True, False], [], 2)
    assert society.name not in session.ical_public


def test_a_society_does_not_lend_its_name_to_itself(
    db: DbSession, session: WebinarSession, calendar: CalendarTool
) -> None:
    with pytest.raises(OwnSociety):
        put(db, session, session.society, calendar)


def test_a_decision_is_never_in_the_future(
    db: DbSession, session: WebinarSession, calendar: CalendarTool
) -> None:
    with pytest.raises(NotDecidedYet):
        put(db, session, make_society(db), calendar, decided_on=date(2026, 11, 21))


def test_a_reference_has_its_measure(
    db: DbSession, session: WebinarSession, calendar: CalendarTool
) -> None:
    with pytest.raises(ReferenceTooLong):
        put(db, session, make_society(db), calendar, reference="x" * 121)
