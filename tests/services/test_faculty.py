"""What the faculty send in, and what organisers write down about it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from config import Config
from tests.builders import NOW, STARTS_AT, make_faculty, make_session, make_user
from webinar.db import DbSession, open_db
from webinar.domain.disclosure import Relation, Typed
from webinar.domain.errors import NotFound
from webinar.domain.faculty import FileKind, Need, Words
from webinar.domain.gate import missing_before_publishing
from webinar.domain.person import FormRefused
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.models import AuditEvent, FacultyMember, WebinarSession
from webinar.services import audit, faculty, gate, sessions
from webinar.services.faculty import NewFile, NothingSaid
from webinar.services.feeds import CalendarTool
from webinar.services.session_facts import details_of
from webinar.tools import calendar_tool

NOTHING = Typed(has_nothing=True, signed_by="Elena Marchetti", is_complete=True)
ADVISES = Typed(
    relations=(Relation("Roche", "advisory"),), signed_by="Elena Marchetti", is_complete=True
)


@pytest.fixture
def calendar(config: Config) -> CalendarTool:
    return calendar_tool(config)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    return make_session(db)


@pytest.fixture
def member(db: DbSession, session: WebinarSession) -> FacultyMember:
    """Presenter and moderator in one person, who has sent nothing in yet."""
    user = make_user(db)
    member = make_faculty(db, session, user=user, disclosure="")
    make_faculty(db, session, FacultyPart.MODERATOR, user=user, disclosure="")
    return member


def owed(member: FacultyMember) -> list[Need]:
    return [one.need for one in faculty.missing_of(faculty.rows_of(member), now=NOW)]


def a_file(key: str, *, name: str = "talk.pdf") -> NewFile:
    return NewFile(name, "application/pdf", 5, "0" * 64, key)


def actions(db: DbSession) -> list[str]:
    return list(db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def test_two_parts_of_one_account_are_one_person(
    db: DbSession, session: WebinarSession, member: FacultyMember
) -> None:
    make_faculty(db, session, FacultyPart.DISCUSSANT, name="Dr Jan Novak")
    db.refresh(session)

    people = faculty.people_of(session)

    assert [[row.part.value for row in rows] for rows in people] == [
        ["presenter", "moderator"],
        ["discussant"],
    ]
    assert faculty.rows_of(people[0][1]) == people[0]


def test_nobody_of_another_session_is_found(db: DbSession, member: FacultyMember) -> None:
    other = make_session(db)

    with pytest.raises(NotFound):
        faculty.of_session(other, member.id)


def test_what_people_say_of_themselves_holds_for_all_their_parts(
    db: DbSession, session: WebinarSession, member: FacultyMember, calendar: CalendarTool
) -> None:
    words = Words(" Prof  Elena Marchetti ", "Milan", "She operates.")

    faculty.describe(db, member.id, words, calendar=calendar, now=NOW)
    revision = session.revision
    faculty.describe(db, member.id, words, calendar=calendar, now=NOW)

    said = {(one.name, one.affiliation, one.biography) for one in session.faculty}
    assert said == {("Prof Elena Marchetti", "Milan", "She operates.")}
    assert Need.BIOGRAPHY not in owed(member)
    # Whoever edits an older state is told; the same words again change nothing.
    assert (revision, session.revision) == (1, 1)


def test_a_new_name_of_the_faculty_reaches_calendars(
    db: DbSession, session: WebinarSession, member: FacultyMember, calendar: CalendarTool
) -> None:
    faculty.describe(db, member.id, Words("E. Marchetti"), calendar=calendar, now=NOW)
    before = session.ical_sequence

    faculty.describe(db, member.id, Words("Elena Marchetti-Rossi"), calendar=calendar, now=NOW)

    assert session.ical_sequence == before + 1
    assert "Elena Marchetti-Rossi" in session.ical_public


def test_a_signed_disclosure_opens_the_gate_for_all_parts(
    db: DbSession, session: WebinarSession, member: FacultyMember
) -> None:
    before = gate.facts_of(db, session).undisclosed

    faculty.disclose(db, member.id, NOTHING, now=NOW)

    assert before == ("Prof Elena Marchetti",)
    assert gate.facts_of(db, session).undisclosed == ()
    assert [one.disclosure for one in session.faculty] == ["Nothing to disclose."] * 2
    assert faculty.form_of(member) is not None
    assert member.disclosed_at == NOW
    assert actions(db) == ["faculty disclosed"]
    assert audit.first_broken(db) is None


def test_relations_keep_the_gate_shut_until_somebody_says_what_was_done(
    db: DbSession, session: WebinarSession, member: FacultyMember
) -> None:
    organiser = make_user(db)
    faculty.disclose(db, member.id, ADVISES, now=NOW)
    before = missing_before_publishing(gate.facts_of(db, session))[-1]

    faculty.mitigate(db, member.id, "The slides were reviewed.", actor_id=organiser.id, now=NOW)

    assert before == "what is done about the relations of Prof Elena Marchetti"
    assert gate.facts_of(db, session).unmitigated == ()
    assert member.disclosure == "Advisory board: Roche. Mitigated: The slides were reviewed."


def test_new_relations_ask_for_a_new_mitigation(
    db: DbSession, session: WebinarSession, member: FacultyMember
) -> None:
    organiser = make_user(db)
    faculty.disclose(db, member.id, ADVISES, now=NOW)
    faculty.mitigate(db, member.id, "Reviewed.", actor_id=organiser.id, now=NOW)

    faculty.disclose(db, member.id, ADVISES, now=NOW)

    assert gate.facts_of(db, session).unmitigated == ("Prof Elena Marchetti",)
    assert member.disclosure == "Advisory board: Roche."


def test_nothing_is_mitigated_where_nothing_was_disclosed(
    db: DbSession, member: FacultyMember
) -> None:
    organiser = make_user(db)
    faculty.disclose(db, member.id, NOTHING, now=NOW)

    with pytest.raises(NothingSaid):
        faculty.mitigate(db, member.id, "Reviewed.", actor_id=organiser.id, now=NOW)


def test_an_unsigned_disclosure_changes_nothing(db: DbSession, member: FacultyMember) -> None:
    with pytest.raises(FormRefused):
        faculty.disclose(db, member.id, Typed(has_nothing=True), now=NOW)

    assert (member.disclosure, actions(db)) == ("", [])


def test_a_disclosure_on_paper_is_written_down_with_its_day(
    db: DbSession, session: WebinarSession, member: FacultyMember
) -> None:
    organiser = make_user(db)
    faculty.disclose(db, member.id, ADVISES, now=NOW)

    faculty.record_paper(
        db,
        member.id,
        " No relations. ",
        signed_on=date(2026, 11, 2),
        actor_id=organiser.id,
        now=NOW,
    )

    assert {one.disclosure for one in session.faculty} == {"No relations."}
    assert faculty.form_of(member) is None
    assert gate.facts_of(db, session).unmitigated == ()
    event = db.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert event.after["signed_on"] == "2026-11-02"
    assert event.actor_id == organiser.id


@pytest.mark.parametrize(
    ("text", "signed_on"),
    [(" ", date(2026, 11, 2)), ("None.", date(2026, 11, 21)), ("x" * 2001, date(2026, 11, 2))],
    ids=["empty", "tomorrow", "too long"],
)
def test_a_paper_that_cannot_be_is_refused(
    db: DbSession, member: FacultyMember, text: str, signed_on: date
) -> None:
    organiser = make_user(db)

    with pytest.raises(NothingSaid):
        faculty.record_paper(
            db, member.id, text, signed_on=signed_on, actor_id=organiser.id, now=NOW
        )


def test_the_last_word_on_being_recorded_counts_and_all_of_them_are_kept(
    db: DbSession, member: FacultyMember
) -> None:
    later = NOW + timedelta(days=1)
    answers = [faculty.consents(member)]
    for agrees in (True, True, False, True, False):
        faculty.answer_consent(db, member.id, agrees=agrees, now=later if not agrees else NOW)
        answers.append(faculty.consents(member))

    assert answers == [None, True, True, False, True, False]
    assert (member.consented_at, member.consent_withdrawn_at) == (NOW, later)
    yes, no = "recording agreed to", "recording not agreed to"
    assert actions(db) == [yes, no, yes, no]
    assert Need.CONSENT not in owed(member)


def test_a_newer_file_takes_the_place_of_the_one_before(
    db: DbSession, session: WebinarSession, member: FacultyMember
) -> None:
    moderates = session.faculty[1]
    first = faculty.keep_file(db, member.id, FileKind.SLIDES, a_file("1.pdf"), now=NOW)
    photo = faculty.keep_file(db, member.id, FileKind.PHOTO, a_file("2.jpg"), now=NOW)
    second = faculty.keep_file(db, moderates.id, FileKind.SLIDES, a_file("3.pdf"), now=NOW)

    rows = faculty.rows_of(member)
    slides = faculty.file_of(rows, FileKind.SLIDES)
    assert slides is not None
    assert (first, photo, second) == ([], [], ["1.pdf"])
    assert slides.storage_key == "3.pdf"
    assert faculty.stored_keys(db) == {"2.jpg", "3.pdf"}
    assert owed(member) == [Need.DISCLOSURE, Need.CONSENT, Need.BIOGRAPHY]


def test_a_file_can_be_taken_back(db: DbSession, member: FacultyMember) -> None:
    faculty.keep_file(db, member.id, FileKind.PHOTO, a_file("2.jpg"), now=NOW)

    removed = faculty.remove_file(db, member.id, FileKind.PHOTO, now=NOW)
    again = faculty.remove_file(db, member.id, FileKind.PHOTO, now=NOW)

    assert (removed, again) == (["2.jpg"], [])
    assert actions(db) == ["photo sent in", "photo taken back"]


def test_somebody_else_in_the_part_starts_anew(
    db: DbSession, session: WebinarSession, member: FacultyMember, calendar: CalendarTool
) -> None:
    member.biography, member.invited_at = "She operates.", NOW
    faculty.disclose(db, member.id, NOTHING, now=NOW)
    faculty.answer_consent(db, member.id, agrees=True, now=NOW)
    faculty.keep_file(db, member.id, FileKind.PHOTO, a_file("2.jpg"), now=NOW)
    session.status = SessionStatus.DRAFT
    details = details_of(session)
    first = replace(details.faculty[0], name="Dr Jan Novak", email="jan@example.net")

    sessions.edit(
        db,
        session.id,
        replace(details, faculty=(first,)),
        actor_id=None,
        calendar=calendar,
        now=NOW,
    )

    assert [one.id for one in session.faculty] == [member.id]
    assert (member.name, member.biography, member.disclosure) == ("Dr Jan Novak", "", "")
    assert (member.disclosure_form, member.invited_at, faculty.consents(member)) == (
        None,
        None,
        None,
    )
    assert faculty.stored_keys(db) == set()


def test_a_corrected_name_keeps_what_was_sent_in(
    db: DbSession, session: WebinarSession, member: FacultyMember, calendar: CalendarTool
) -> None:
    faculty.disclose(db, member.id, NOTHING, now=NOW)
    details = details_of(session)
    people = tuple(replace(one, name="Prof Elena Rossi") for one in details.faculty)

    sessions.edit(
        db,
        session.id,
        replace(details, faculty=people),
        actor_id=None,
        calendar=calendar,
        now=NOW,
    )

    assert (member.name, member.disclosure) == ("Prof Elena Rossi", "Nothing to disclose.")
    assert faculty.form_of(member) is not None


def test_somebody_taken_out_meanwhile_is_told_so(db: DbSession, member: FacultyMember) -> None:
    gone = member.id
    db.delete(member)
    db.flush()

    with pytest.raises(NotFound):
        faculty.answer_consent(db, gone, agrees=True, now=STARTS_AT)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_is_signed_while_the_part_goes_to_somebody_else_is_not_theirs(
    db: DbSession, member: FacultyMember
) -> None:
    somebody = make_user(db)
    db.commit()
    with open_db.begin() as organisers:
        organisers.get_one(FacultyMember, member.id).user_id = somebody.id

    with pytest.raises(NotFound):
        faculty.disclose(db, member.id, NOTHING, now=NOW)
