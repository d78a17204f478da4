"""Ways in which somebody trusted with credit might give it to themselves, and what stops each."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from tests.builders import NOW, make_faculty, make_registration, make_user
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.attendance_report import Report, ReportedVisit, ReportSource
from webinar.domain.errors import NotAllowed
from webinar.domain.review import MatchedBy
from webinar.models import (
    AttendanceImport,
    Certificate,
    ImportedVisit,
    User,
    WebinarSession,
)
from webinar.services import certificates, credits
from webinar.services.evidence import faculty_credit, imports, reviews
from webinar.services.evidence.faculty_credit import Confirmed
from webinar.services.session_facts import details_of
from webinar.services.session_rows import put_words

URL = "https://webinar.example"


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    return make_ended_session(db)


@pytest.fixture
def officer(db: DbSession) -> User:
    return make_user(db, "officer@example.net", roles=(Role.ACCREDITATION_OFFICER,))


def report_about(*addresses: str) -> Report:
    visits = tuple(
        ReportedVisit(
            row=row,
            name="Somebody",
            email=address,
            joined_at=datetime(2026, 11, 26, 17, 15, tzinfo=UTC),
            left_at=datetime(2026, 11, 26, 17, 45, tzinfo=UTC),
        )
        for row, address in enumerate(addresses, 1)
    )
    return Report(source=ReportSource.TEAMS, rows=len(visits), visits=visits, problems=())


def take_in(
    db: DbSession, session: WebinarSession, report: Report, *, by: User
) -> AttendanceImport:
    return imports.take_in(
        db, session.id, report, filename="r.csv", digest="a" * 64, actor_id=by.id, now=NOW
    )


def test_a_report_that_names_who_brings_it_in_waits_for_a_colleague(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    other = make_user(db, "other@example.net")
    for person in (officer, other):
        make_registration(db, session, person)

    take_in(db, session, report_about(officer.email, other.email), by=officer)

    found = db.execute(
        select(ImportedVisit.email, ImportedVisit.user_id, ImportedVisit.matched_by).order_by(
            ImportedVisit.row
        )
    ).all()
    assert [tuple(row) for row in found] == [
        (officer.email, None, MatchedBy.NOBODY),
        (other.email, other.id, MatchedBy.ADDRESS),
    ]


def test_nobody_says_of_a_visit_that_it_was_their_own(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    colleague = make_user(db)
    file = take_in(db, session, report_about(""), by=officer)
    (visit_id,) = db.scalars(select(ImportedVisit.id))

    with pytest.raises(NotAllowed, match="your own"):
        reviews.assign(db, file, [visit_id], officer.id, actor_id=officer.id, now=NOW)
    reviews.assign(db, file, [visit_id], officer.id, actor_id=colleague.id, now=NOW)

    assert db.scalars(select(ImportedVisit.user_id)).all() == [officer.id]


def test_nobody_revokes_or_issues_anew_a_certificate_of_their_own(
    db: DbSession, session: WebinarSession
) -> None:
    make_grant(db, session, "ama-pra-live", "0.75")
    person = make_attendee(db, session)
    credits.decide_session(db, session.id, public_url=URL, now=AFTER)
    number = db.scalars(select(Certificate.number)).one()

    with pytest.raises(NotAllowed, match="your own"):
        certificates.revoke(db, number, actor_id=person.id, reason="Mine.", now=AFTER)
    certificates.revoke(db, number, actor_id=None, reason="It was bought.", now=AFTER)
    with pytest.raises(NotAllowed, match="your own"):
        certificates.reissue(
            db, number, actor_id=person.id, reason="I want it.", public_url=URL, now=AFTER
        )

    assert db.scalars(select(Certificate.number)).all() == [number]


def test_minutes_presented_do_not_go_over_to_whoever_is_named_in_the_same_place_later(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    presenter = make_user(db, "presenter@example.net", name="Dr Jan Novak")
    member = make_faculty(db, session, name=presenter.name, user=presenter)
    said = Confirmed(minutes=30, is_repeat=True)
    faculty_credit.confirm(db, session, member, said, actor_id=officer.id, now=NOW)

    # By two edits of one form, the first of which only takes the account away.
    for account in (None, officer.id):
        details = details_of(session)
        named = replace(details.faculty[0], user_id=account)
        put_words(db, session, replace(details, faculty=(named,)), now=NOW)
        db.flush()

    assert (member.user_id, member.presented_minutes, member.is_repeat) == (
        officer.id,
        None,
        False,
    )
