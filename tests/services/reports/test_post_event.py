"""The post-event report: every field counted, small groups masked, signed once and for all."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from tests.builders import make_faculty, make_registration, make_user
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant, make_test
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.attendance import ViewingMode
from webinar.domain.report import Report, report_data, report_from_data
from webinar.domain.review import AppealState, CorrectionKind, CorrectionState
from webinar.models import (
    AccreditationGrant,
    Appeal,
    AttentionCheck,
    AuditEvent,
    CreditCorrection,
    EvaluationAnswers,
    EvaluationGiven,
    Incident,
    Question,
    TestAttempt,
    User,
    WebinarSession,
)
from webinar.services import credits
from webinar.services.reports import post_event
from webinar.services.reports.post_event import (
    AlreadySigned,
    ReportRefused,
    ReportWords,
    mark_sent,
    owed,
    report_of,
    save_words,
    sign,
    take_back,
)

DAY = timedelta(days=1)
LATER = AFTER + 3 * DAY


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    session = make_ended_session(db)
    member = make_faculty(db, session, disclosure="Grant from Example Pharma.")
    member.mitigation = "Slides were looked at."
    member.disclosed_at = session.starts_at - 7 * DAY
    return session


@pytest.fixture
def grant(db: DbSession, session: WebinarSession) -> AccreditationGrant:
    return make_grant(db, session, "ama-pra-live", "1")


@pytest.fixture
def officer(db: DbSession) -> User:
    return make_user(db, roles=(Role.ACCREDITATION_OFFICER,))


def attend(db: DbSession, session: WebinarSession, people: int, *, country: str = "CH") -> None:
    for _ in range(people):
        make_attendee(db, session).country = country
    db.flush()


def answer(
    db: DbSession, session: WebinarSession, people: int, *, bias: str = "no", rating: str = "5"
) -> None:
    for number in range(people):
        user = make_user(db)
        db.add(EvaluationGiven(session_id=session.id, user_id=user.id, given_at=AFTER))
        db.add(
            EvaluationAnswers(
                id=f"{bias}{rating}{number:06d}",
                session_id=session.id,
                answers={
                    "objectives": [rating, rating],
                    "relevance": rating,
                    "speakers": [rating],
                    "quality": "3",
                    "bias": bias,
                    "bias_words": "A logo on every slide." if bias == "yes" else "",
                    "practice": "change",
                    "practice_words": "",
                    "topics": "",
                    "remarks": "",
                },
            )
        )
    db.flush()


def counted(db: DbSession, session: WebinarSession, grant: AccreditationGrant) -> Report:
    post_event.refresh_figures(db, session, now=AFTER)
    return report_of(db, session, grant, now=AFTER)


def test_the_report_of_an_empty_session_has_every_section(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    report = counted(db, session, grant)

    assert [section.title for section in report.sections] == [
        "Accreditation",
        "Programme as delivered",
        "Participants",
        "Minutes attended",
        "Credit",
        "Interaction",
        "Feedback",
        "Test",
        "Incidents and corrections",
        "Declarations of interest",
        "Sponsors",
        "Certificates",
        "Improvements planned",
    ]


def test_people_are_counted_once_and_credit_as_it_was_decided(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    attend(db, session, 6)
    attend(db, session, 2, country="GR")
    make_attendee(db, session, start=0, end=300)
    make_registration(db, session, make_user(db))
    credits.decide_session(db, session.id, public_url="http://localhost", now=AFTER)

    figures = dict(counted(db, session, grant).figures)

    assert {key: figures[key] for key in ("registered", "attended", "credited", "decided")} == {
        "registered": 10,
        "attended": 9,
        "credited": 8,
        "decided": 9,
    }
    assert figures["seconds_counted"] == 8 * 2700 + 300


def test_countries_of_few_people_cannot_be_found_by_subtraction(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    attend(db, session, 7)
    attend(db, session, 5, country="DE")
    attend(db, session, 2, country="GR")

    chart = counted(db, session, grant).section("participants").charts[0]

    assert [(line.label, line.number) for line in chart.lines] == [
        ("Switzerland", 7),
        ("2 other countries", 7),
    ]


def test_minutes_are_told_in_stretches_of_five_people_at_least(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    attend(db, session, 6)
    make_attendee(db, session, start=0, end=700)

    chart = counted(db, session, grant).section("attendance").charts[0]

    assert [(line.label, line.number) for line in chart.lines] == [
        ("0 to below 5 min", 0),
        ("5 to below 10 min", 0),
        ("10 min or more", 7),
    ]


def test_ratings_stay_with_the_words_they_were_given_to(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    attend(db, session, 8)
    answer(db, session, 6)
    for number, row in enumerate(db.scalars(select(EvaluationAnswers))):
        few = number == 0
        row.answers = row.answers | {
            "objectives_asked": ["Know two trials." if few else "Know three trials."],
            "speakers_asked": ["Prof Elena Marchetti"],
            "barriers": "No scanner on Fridays." if few else "",
        }
    session.objectives = "Something else."
    db.flush()

    section = counted(db, session, grant).section("feedback")

    assert [chart.title for chart in section.charts] == [
        "Reached: Know three trials.",
        "Relevant for my work",
        "Presented well: Prof Elena Marchetti",
        "Picture, sound, organisation",
        "Will you change something in your practice?",
    ]
    assert [(grid.title, grid.rows) for grid in section.grids] == [
        ("What stands in the way", (("1", "No scanner on Fridays."),))
    ]


def test_feedback_is_told_by_question_with_the_words_about_bias(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    attend(db, session, 8)
    answer(db, session, 5)
    answer(db, session, 1, bias="yes", rating="1")

    section = counted(db, session, grant).section("feedback")

    assert section.facts == (
        ("Evaluations given", "6"),
        ("Share of those who attended", "75 %"),
        ("Noticed commercial bias", "1 of 6"),
        ("Objectives reached (rated 4 or 5)", "83.3 %"),
    )
    assert [chart.title for chart in section.charts] == [
        "Reached: Say when to dissect.",
        "Reached: Know the trials.",
        "Relevant for my work",
        "Presented well: Prof Elena Marchetti",
        "Picture, sound, organisation",
        "Will you change something in your practice?",
    ]
    assert [line.number for line in section.charts[0].lines] == [1, 0, 0, 0, 5]
    assert section.grids[0].rows == (("1", "A logo on every slide."),)


def test_feedback_of_few_people_is_not_told_by_question(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    answer(db, session, 4)

    section = counted(db, session, grant).section("feedback")

    assert section.charts == ()
    assert section.words[0].startswith("Fewer than 5 people answered")


def test_the_test_is_told_by_first_tries(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    first, second = make_test(db, session, questions=2)
    for number in range(5):
        person = make_user(db)
        answers = [[first.id, 2], [second.id, 0 if number else 2]]
        for try_number, correct in ((1, 1 if number else 2), (2, 2)):
            db.add(
                TestAttempt(
                    session_id=session.id,
                    user_id=person.id,
                    number=try_number,
                    answers=answers,
                    correct=correct,
                    of=2,
                    taken_at=AFTER,
                )
            )
    db.flush()

    section = counted(db, session, grant).section("test")

    assert dict(section.facts) == {
        "Questions": "2",
        "People who took it": "5",
        "Right answers in the first try, on average": "60 %",
        "Tries altogether": "10",
    }
    assert [line.shown for line in section.charts[0].lines] == ["100 %", "20 %"]


def test_questions_checks_incidents_and_corrections_are_counted(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, officer: User
) -> None:
    person = make_attendee(db, session)
    for number in range(3):
        db.add(
            Question(
                session_id=session.id,
                user_id=person.id,
                client_key=f"key{number}",
                text="Why?",
                asked_at=AFTER,
                answered_at=AFTER if number else None,
            )
        )
    db.add(
        AttentionCheck(
            id="check",
            session_id=session.id,
            user_id=person.id,
            mode=ViewingMode.LIVE,
            number=1,
            planned_second=0,
            issued_at=AFTER,
            expires_at=AFTER,
            answered_at=AFTER,
        )
    )
    for withdrawn in (None, AFTER):
        db.add(
            Incident(
                session_id=session.id,
                starts_at=session.starts_at,
                ends_at=session.starts_at + timedelta(minutes=2),
                what="The picture stood still.",
                declared_by_id=officer.id,
                declared_at=AFTER,
                withdrawn_at=withdrawn,
            )
        )
    for state in (CorrectionState.APPROVED, CorrectionState.PROPOSED):
        db.add(
            CreditCorrection(
                session_id=session.id,
                user_id=person.id,
                mode=ViewingMode.LIVE,
                kind=CorrectionKind.WAIVE_CHECKS,
                reason="It was not shown.",
                state=state,
                proposed_by_id=officer.id,
                proposed_at=AFTER,
            )
        )
    db.add(
        Appeal(
            session_id=session.id,
            user_id=person.id,
            grant_id=grant.id,
            words="I was there.",
            picture={},
            raised_at=AFTER,
            state=AppealState.UPHELD,
        )
    )
    db.flush()

    report = counted(db, session, grant)

    assert report.section("interaction").facts[0] == ("Questions received", "3")
    assert dict(report.section("incidents").facts) == {
        "Technical incidents": "1",
        "Corrections of credit, each seen by two people": "Attention checks waived: 1",
        "Appeals": "1",
        "Appeals upheld": "1",
    }
    assert report.section("incidents").grids[0].rows[0][1] == "The picture stood still."
    figures = dict(report.figures)
    assert (figures["questions_answered"], figures["checks_answered"]) == (2, 1)


def test_interests_say_what_was_done_and_since_when(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    grid = counted(db, session, grant).section("interests").grids[0]

    assert grid.rows == (
        (
            "Prof Elena Marchetti",
            "Grant from Example Pharma.",
            "Slides were looked at.",
            "Thu 19 Nov 2026, 18:15 CET",
        ),
    )


def test_what_is_signed_stays_as_it_was(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, officer: User
) -> None:
    attend(db, session, 6)
    sign(
        db,
        session,
        grant,
        chair_name="Prof  Elena Marchetti",
        chair_role="Scientific chair",
        actor_id=officer.id,
        now=AFTER,
    )
    signed = report_of(db, session, grant, now=AFTER)
    attend(db, session, 3)

    again = report_of(db, session, grant, now=LATER)

    assert again == signed
    assert dict(again.figures)["attended"] == 6
    with pytest.raises(AlreadySigned):
        save_words(db, grant, ReportWords(changes="None"), actor_id=officer.id, now=LATER)


def test_a_signature_taken_back_needs_a_reason_and_stays_in_the_trail(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, officer: User
) -> None:
    sign(db, session, grant, chair_name="A", chair_role="", actor_id=officer.id, now=AFTER)
    with pytest.raises(ReportRefused):
        take_back(db, grant, reason=" ", actor_id=officer.id, now=LATER)

    take_back(db, grant, reason="A wrong sponsor.", actor_id=officer.id, now=LATER)

    assert post_event.words_of(db, grant).signed_at is None
    event = db.query(AuditEvent).order_by(AuditEvent.id.desc()).first()
    assert event is not None
    assert (event.action, event.reason) == ("report reopened", "A wrong sponsor.")
    assert event.before is not None
    assert event.before["chair"] == "A"


def test_only_a_signed_report_is_sent_and_then_no_longer_owed(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, officer: User
) -> None:
    with pytest.raises(ReportRefused):
        mark_sent(db, grant, actor_id=officer.id, now=AFTER)
    assert [due.due_on for due in owed(db, society_ids=None, now=AFTER)] == [date(2026, 12, 24)]
    sign(db, session, grant, chair_name="A", chair_role="", actor_id=officer.id, now=AFTER)

    mark_sent(db, grant, actor_id=officer.id, now=AFTER)

    assert owed(db, society_ids=None, now=AFTER) == []


def test_a_grant_may_name_its_own_last_day(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, officer: User
) -> None:
    words = ReportWords(due_on=date(2026, 12, 1), sponsors="Example Pharma: 2,000 EUR")
    save_words(db, grant, words, actor_id=officer.id, now=AFTER)

    assert owed(db, society_ids=[session.society_id], now=AFTER)[0].due_on == date(2026, 12, 1)
    assert owed(db, society_ids=[], now=AFTER) == []
    assert counted(db, session, grant).section("sponsors").words == ("Example Pharma: 2,000 EUR",)


def test_a_report_comes_back_from_storage_as_it_was(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    attend(db, session, 6)
    answer(db, session, 6)
    report = counted(db, session, grant)

    assert report_from_data(report_data(report)) == report


def test_a_report_on_faculty_credit_counts_who_presented(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    grant.mode = ViewingMode.FACULTY
    attend(db, session, 6)

    report = counted(db, session, grant)

    assert ("Presented (different people)", "0") in report.section("participants").facts
    assert ("For", "presenting") in report.section("accreditation").facts
