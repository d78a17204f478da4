"""Attendance reports taken in: who is known for certain, who waits for a person, what is undone."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from tests.builders import NOW, make_registration, make_session, make_user
from webinar.db import DbSession
from webinar.domain.attendance_report import (
    Report,
    ReportedVisit,
    ReportRefused,
    ReportSource,
)
from webinar.domain.errors import Conflict, NotFound
from webinar.domain.evidence_chain import LinkKind
from webinar.domain.review import MatchedBy
from webinar.domain.rooms import RoomProvider, RoomState
from webinar.domain.session import SessionStatus
from webinar.models import (
    AttendanceImport,
    EvidenceLink,
    ExternalRoom,
    ImportedVisit,
    RoomGuest,
    User,
    WebinarSession,
)
from webinar.services.evidence import import_digests, imports, reviews, visits


def at(minute: int) -> datetime:
    return datetime(2026, 11, 26, 17, minute, tzinfo=UTC)


def visit(name: str, start: int = 15, end: int = 45, **more: str) -> ReportedVisit:
    return ReportedVisit(row=1, name=name, joined_at=at(start), left_at=at(end), **more)


def report_of(
    *found: ReportedVisit, source: ReportSource = ReportSource.ZOOM, problems: tuple[str, ...] = ()
) -> Report:
    return Report(source=source, rows=len(found), visits=found, problems=problems)


def take_in(
    db: DbSession, session: WebinarSession, report: Report, *, by: User, digest: str = "a" * 64
) -> AttendanceImport:
    return imports.take_in(
        db, session.id, report, filename="report.csv", digest=digest, actor_id=by.id, now=NOW
    )


def guest(db: DbSession, session: WebinarSession, by: User, provider: RoomProvider) -> User:
    """Somebody we let into a room as Participant 4821."""
    room = ExternalRoom(
        public_id=f"room-{provider.value}",
        session_id=session.id,
        provider=provider,
        state=RoomState.ENDED,
        remote_id="817",
        facts={},
        made_by_id=by.id,
        made_at=NOW,
    )
    user = make_user(db)
    db.add(room)
    db.flush()
    db.add(
        RoomGuest(
            room_id=room.id,
            user_id=user.id,
            pseudonym="Participant 4821",
            remote_id="abcdef",
            made_at=NOW,
        )
    )
    db.flush()
    return user


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    return make_session(db, status=SessionStatus.ENDED)


@pytest.fixture
def officer(db: DbSession) -> User:
    return make_user(db)


def stored(db: DbSession) -> list[tuple[str, int | None, MatchedBy]]:
    query = select(ImportedVisit).order_by(ImportedVisit.id)
    return [(one.name, one.user_id, one.matched_by) for one in db.scalars(query)]


def test_an_address_with_a_place_is_known_and_a_name_alone_is_not(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    anna = make_user(db, "anna@example.net", name="Anna Keller")
    make_registration(db, session, anna)

    take_in(
        db,
        session,
        report_of(visit("Anna K.", email="anna@example.net"), visit("Anna Keller")),
        by=officer,
    )

    assert stored(db) == [
        ("Anna K.", anna.id, MatchedBy.ADDRESS),
        ("Anna Keller", None, MatchedBy.NOBODY),
    ]
    assert visits.people(db, session.id) == {anna.id}


@pytest.mark.parametrize("how", ["no place", "place given up", "address not proved"])
def test_an_address_without_a_proved_place_waits(
    db: DbSession, session: WebinarSession, officer: User, how: str
) -> None:
    anna = make_user(db, "anna@example.net", verified=how != "address not proved")
    if how != "no place":
        place = make_registration(db, session, anna)
        place.cancelled_at = NOW if how == "place given up" else None

    take_in(db, session, report_of(visit("Anna", email="anna@example.net")), by=officer)

    assert stored(db) == [("Anna", None, MatchedBy.NOBODY)]


def test_a_guest_of_our_room_is_known_by_number_and_by_neutral_name(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    user = guest(db, session, officer, RoomProvider.ZOOM)

    take_in(
        db,
        session,
        report_of(visit("Somebody", remote_id="abcdef"), visit("Participant 4821")),
        by=officer,
    )

    assert [one[1:] for one in stored(db)] == [(user.id, MatchedBy.PSEUDONYM)] * 2


def test_a_neutral_name_of_another_program_is_nobodys(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    guest(db, session, officer, RoomProvider.BIGBLUEBUTTON)

    take_in(db, session, report_of(visit("Participant 4821")), by=officer)

    assert stored(db) == [("Participant 4821", None, MatchedBy.NOBODY)]


def test_what_contradicts_itself_waits_for_a_person(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    guest(db, session, officer, RoomProvider.ZOOM)
    anna = make_user(db, "anna@example.net")
    make_registration(db, session, anna)

    take_in(
        db,
        session,
        report_of(visit("Participant 4821", email="anna@example.net")),
        by=officer,
    )

    assert stored(db) == [("Participant 4821", None, MatchedBy.NOBODY)]


def test_a_name_with_letters_beyond_english_is_suggested(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    person = make_user(db, name="Dr Katarzyna Łączyńska")
    make_registration(db, session, person)

    file = take_in(db, session, report_of(visit("Dr Katarzyna Łączyńska")), by=officer)

    (waiting,) = reviews.people(db, file, [MatchedBy.NOBODY], limit=10, offset=0)
    assert [user.id for user in waiting.suggested] == [person.id]


def test_two_namesakes_with_a_place_are_both_suggested_and_neither_is_credited(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    both = [make_user(db, name="Maria Rossi"), make_user(db, name="Maria Rossi")]
    for one in both:
        make_registration(db, session, one)

    file = take_in(db, session, report_of(visit("maria rossi")), by=officer)

    (waiting,) = reviews.people(db, file, [MatchedBy.NOBODY], limit=10, offset=0)
    assert [user.id for user in waiting.suggested] == [user.id for user in both]
    assert visits.people(db, session.id) == set()


def test_one_name_twice_at_once_is_pointed_out(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    file = take_in(
        db,
        session,
        report_of(visit("Maria", 15, 30), visit("Maria", 20, 40), visit("Jan", 15, 20)),
        by=officer,
    )

    jan, maria = reviews.people(db, file, [MatchedBy.NOBODY], limit=10, offset=0)
    assert (jan.overlaps, maria.overlaps) == (False, True)


def test_a_person_looks_assigns_some_visits_and_takes_it_back(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    maria = make_user(db, name="Maria Rossi")
    file = take_in(db, session, report_of(visit("Maria"), visit("Maria", 50, 55)), by=officer)
    first, second = db.scalars(select(ImportedVisit.id).order_by(ImportedVisit.id)).all()

    reviews.assign(db, file, [first], maria.id, actor_id=officer.id, now=NOW)

    assert [one[1:] for one in stored(db)] == [
        (maria.id, MatchedBy.HAND),
        (None, MatchedBy.NOBODY),
    ]
    assert visits.people(db, session.id) == {maria.id}

    reviews.dismiss(db, file, [second], actor_id=officer.id, now=NOW)
    reviews.undo(db, file, [first], actor_id=officer.id, now=NOW)

    assert [one[1:] for one in stored(db)] == [
        (None, MatchedBy.NOBODY),
        (None, MatchedBy.DISMISSED),
    ]
    assert visits.people(db, session.id) == set()
    assert reviews.figures(db, [file.id])[file.id] == reviews.Figures(
        known=0, waiting=1, dismissed=1
    )


def test_a_visit_of_another_report_is_not_touched(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    maria = make_user(db)
    file = take_in(db, session, report_of(visit("A")), by=officer)
    take_in(db, session, report_of(visit("B")), by=officer, digest="b" * 64)
    other = db.scalars(select(ImportedVisit.id).where(ImportedVisit.name == "B")).one()

    with pytest.raises(Conflict, match="Choose at least one visit"):
        reviews.assign(db, file, [other], maria.id, actor_id=officer.id, now=NOW)
    with pytest.raises(NotFound):
        reviews.somebody(db, file, other)


def test_nobody_is_assigned_who_has_no_open_account(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    file = take_in(db, session, report_of(visit("A")), by=officer)
    (one,) = db.scalars(select(ImportedVisit.id))

    with pytest.raises(NotFound):
        reviews.assign(db, file, [one], 987_654, actor_id=officer.id, now=NOW)


def test_people_are_found_by_name_with_a_place_and_else_by_their_whole_address(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    with_place = make_user(db, "jan@example.net", name="Jan Novak")
    make_registration(db, session, with_place)
    make_user(db, "eva@example.net", name="Eva Novak")
    file = take_in(db, session, report_of(visit("A")), by=officer)

    assert [user.name for user in reviews.search(db, file, "novak")] == ["Jan Novak"]
    assert [user.name for user in reviews.search(db, file, "EVA@example.net")] == ["Eva Novak"]
    assert reviews.search(db, file, "eva") == []


def test_the_same_file_is_taken_once_and_another_may_overlap_it(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    anna = make_user(db, "anna@example.net")
    make_registration(db, session, anna)
    same = report_of(visit("Anna", email="anna@example.net"))
    first = take_in(db, session, same, by=officer)

    with pytest.raises(imports.SameFile, match="Nothing was changed") as refused:
        take_in(db, session, same, by=officer)
    take_in(db, session, same, by=officer, digest="b" * 64)

    assert refused.value.import_id == first.id
    assert len(stored(db)) == 2
    (spans,) = visits.spans(db, session, user_ids=[anna.id]).values()
    assert len({(span.start, span.end) for span in spans}) == 1


def test_a_withdrawn_report_counts_for_nobody_until_it_is_brought_back(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    anna = make_user(db, "anna@example.net")
    make_registration(db, session, anna)
    file = take_in(db, session, report_of(visit("Anna", email="anna@example.net")), by=officer)

    with pytest.raises(Conflict, match="Say why"):
        imports.withdraw(db, session.id, file.id, actor_id=officer.id, reason=" ", now=NOW)
    imports.withdraw(db, session.id, file.id, actor_id=officer.id, reason="Wrong file", now=NOW)

    assert visits.people(db, session.id) == set()
    with pytest.raises(imports.SameFile, match="Bring it back"):
        take_in(db, session, report_of(visit("Anna")), by=officer)
    with pytest.raises(Conflict, match="withdrawn"):
        reviews.undo(db, file, [1], actor_id=officer.id, now=NOW)

    imports.restore(db, session.id, file.id, actor_id=officer.id, now=NOW)

    assert visits.people(db, session.id) == {anna.id}


def test_a_report_of_another_evening_is_refused(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    other = ReportedVisit(
        row=1,
        name="A",
        joined_at=datetime(2026, 11, 19, 17, 15, tzinfo=UTC),
        left_at=datetime(2026, 11, 19, 18, 0, tzinfo=UTC),
    )

    with pytest.raises(ReportRefused, match="19 Nov 2026"):
        take_in(db, session, report_of(other), by=officer)
    with pytest.raises(ReportRefused, match="Row 3, A: it ends"):
        take_in(db, session, report_of(problems=("Row 3, A: it ends.",)), by=officer)


@pytest.mark.parametrize("status", [SessionStatus.DRAFT, SessionStatus.CANCELLED])
def test_what_did_not_take_place_has_no_attendance(
    db: DbSession, officer: User, status: SessionStatus
) -> None:
    session = make_session(db, status=status)

    with pytest.raises(Conflict, match="did not take place"):
        take_in(db, session, report_of(visit("A")), by=officer)


def test_the_chain_vouches_for_the_import_as_it_stands_after_every_change(
    db: DbSession, session: WebinarSession, officer: User
) -> None:
    maria = make_user(db)
    file = take_in(db, session, report_of(visit("Maria")), by=officer)
    (one,) = db.scalars(select(ImportedVisit))

    reviews.assign(db, file, [one.id], maria.id, actor_id=officer.id, now=NOW)

    links = db.scalars(select(EvidenceLink).order_by(EvidenceLink.number)).all()
    assert [(link.kind, link.subject) for link in links] == [(LinkKind.IMPORT, str(file.id))] * 2
    assert import_digests.stored(db, str(file.id)) == links[-1].digest != links[0].digest

    one.left_at = at(46)
    db.flush()

    assert import_digests.stored(db, str(file.id)) != links[-1].digest
    assert import_digests.stored(db, "987654") is None
