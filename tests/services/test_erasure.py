"""A person leaves: nothing names them any more, what they earned stays, and the chain holds."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import JSON, LargeBinary, String, delete, func, select

from tests.builders import (
    NOW,
    make_faculty,
    make_registration,
    make_series,
    make_session,
    make_topic,
    make_user,
)
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant, watch
from tests.evidence import make_recording as make_recording_of
from tests.services.evidence.test_grounds import import_visit, visit_room
from tests.services.evidence.test_verifying import words
from webinar.db import Base, DbSession
from webinar.domain.access import Role
from webinar.domain.attendance import ViewingMode
from webinar.domain.certificate_paper import Paper
from webinar.domain.errors import Conflict
from webinar.domain.mail_wishes import AddressTrouble, MailTopic
from webinar.models import (
    AttendanceImport,
    AuditEvent,
    Certificate,
    CreditDecision,
    DigestTopic,
    ExtensionRequest,
    FacultyFile,
    FacultyLink,
    FacultyMember,
    Identifier,
    ImportedVisit,
    MailTrouble,
    MailWish,
    Question,
    Registration,
    RoomGuest,
    SeriesRegistration,
    User,
    ViewingPass,
    WatchPlace,
    WatchSegment,
    WebinarSession,
    WindowExtension,
)
from webinar.services import (
    accounts,
    attendance,
    audit,
    certificate_papers,
    certificates,
    credits,
    erasure,
    passwords,
)
from webinar.services.evidence import chain, import_digests
from webinar.services.personal_data import WORDS, Fate
from webinar.services.roles import LastAdministrator

URL = "https://webinar.example"
LATER = AFTER + timedelta(days=1)
EMAIL = "anna.keller@example.net"
NAME = "Dr Anna Keller-Mustermann"


def make_full_person(db: DbSession) -> User:
    """Somebody of whom there is a row wherever there can be one."""
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, session, name=NAME)
    user.email, user.feed_token_hash = EMAIL, "f" * 64
    user.password_hash = passwords.hash_of("six words make a good one")
    recording = make_recording_of(db, session, closes_at=AFTER + timedelta(days=180))
    visit_room(db, session, user, 0, 60)
    file = import_visit(db, session, user, 0, 60)
    visit = db.scalars(select(ImportedVisit)).one()
    visit.name, visit.email, visit.remote_id = NAME, EMAIL.upper(), "id-of-theirs"
    chain.append(db, session.id, [import_digests.link(db, file)], now=AFTER)
    coming = make_session(db, starts_at=AFTER + timedelta(days=30))
    make_registration(db, coming, user)
    member = make_faculty(db, make_session(db), user=user, name=NAME)
    member.biography = f"{NAME} was born in Chur."
    other = make_user(db)
    db.add_all(
        [
            Identifier(user_id=user.id, kind="EFN", value="80276-of-theirs", consented_at=NOW),
            MailWish(
                user_id=user.id,
                topic=next(iter(MailTopic)),
                is_wanted=True,
                changed_at=NOW,
                source="page",
            ),
            DigestTopic(user_id=user.id, topic_id=make_topic(db).id),
            MailTrouble(
                user_id=user.id,
                trouble=next(iter(AddressTrouble)),
                email=EMAIL,
                detail=f"550 {EMAIL}",
                since=NOW,
                last_at=NOW,
            ),
            SeriesRegistration(series_id=make_series(db).id, user_id=user.id, created_at=NOW),
            Question(
                session_id=session.id,
                user_id=user.id,
                client_key="k",
                text=f"I am {NAME}, why?",
                asked_at=NOW,
            ),
            WatchPlace(user_id=user.id, recording_id=recording.id, seconds=5, updated_at=NOW),
            WindowExtension(
                recording_id=recording.id,
                user_id=user.id,
                closes_at=AFTER + timedelta(days=200),
                reason=f"{NAME} is ill",
                granted_by_id=other.id,
                granted_at=NOW,
            ),
            ExtensionRequest(
                recording_id=recording.id,
                user_id=user.id,
                reason=f"I, {NAME}, am ill",
                asked_at=NOW,
            ),
            FacultyFile(
                faculty_id=member.id,
                kind="photo",
                filename=f"{NAME}.jpg",
                media_type="image/jpeg",
                size=1,
                sha256="0" * 64,
                storage_key="photo-1",
                uploaded_at=NOW,
            ),
            FacultyLink(faculty_id=member.id, token_hash="t", created_at=NOW, expires_at=AFTER),
        ]
    )
    accounts.send_link(db, EMAIL, now=AFTER)
    credits.decide_session(db, session.id, public_url=URL, now=AFTER)
    for certificate in db.scalars(select(Certificate)).all():
        paper = Paper(pdf=b"%PDF " + certificate.number.encode(), badge="a.b.c", key_id="k1")
        certificate_papers.keep(db, certificate, paper, now=AFTER)
    db.flush()
    return user


def erase(db: DbSession, user: User, *, now: datetime = LATER) -> User:
    erased = erasure.erase(db, user.id, actor_id=user.id, reason="by themselves", now=now)
    db.flush()
    db.expire_all()
    return erased


def count(db: DbSession, table: type[Base], user: User) -> int:
    own = table.__table__.columns["user_id"] == user.id
    return db.scalar(select(func.count()).select_from(table).where(own)) or 0


def named_in(db: DbSession, *needles: str) -> set[tuple[str, str]]:
    """Every column of the database in which one of these stands."""
    found = set()
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, String | JSON | LargeBinary):
                values = " ".join(str(one) for one in db.scalars(select(column))).casefold()
                if any(needle.casefold() in values for needle in needles):
                    found.add((table.name, column.name))
    return found


def test_what_named_the_person_stays_only_where_the_table_says_so(db: DbSession) -> None:
    user = make_full_person(db)
    before = named_in(db, NAME, EMAIL, "Keller-Mustermann", "80276-of-theirs", "id-of-theirs")

    erase(db, user)

    after = named_in(db, NAME, EMAIL, "Keller-Mustermann", "80276-of-theirs", "id-of-theirs")
    kept = {(place.table, place.column) for place in WORDS if place.fate is Fate.KEPT}
    assert ("question", "text") in before
    assert ("window_extension", "reason") in before
    assert after <= kept
    assert ("certificate", "content") in after


def test_every_row_that_was_to_go_is_gone(db: DbSession) -> None:
    user = make_full_person(db)
    there = [table.__tablename__ for table in erasure.DELETED if count(db, table, user)]

    erase(db, user)

    left = [table.__tablename__ for table in erasure.DELETED if count(db, table, user)]
    assert there == [table.__tablename__ for table in erasure.DELETED]
    assert left == []


def test_the_account_is_nobodys_and_opens_for_nobody(db: DbSession) -> None:
    user = make_full_person(db)
    cookie = user.get_id()

    erased = erase(db, user)

    assert (erased.name, erased.email) == (
        erasure.NOBODY,
        f"erased-{user.id}@erased.invalid",
    )
    assert not erased.is_active
    assert erased.get_id() != cookie
    assert (erased.feed_token_hash, erased.password_hash) == (None, None)
    assert accounts.person_with_password(db, EMAIL, "six words make a good one") is None


def test_what_was_earned_stays_and_the_chain_holds(db: DbSession) -> None:
    user = make_full_person(db)
    session = db.scalars(
        select(WebinarSession).join(CreditDecision, CreditDecision.session_id == WebinarSession.id)
    ).first()
    assert session is not None
    certificates = db.scalars(select(Certificate.number)).all()

    erase(db, user)

    assert words(db, session) == []
    assert audit.first_broken(db) is None
    assert db.scalars(select(Certificate.number)).all() == certificates
    assert count(db, CreditDecision, user) == 1
    content = db.scalars(select(Certificate.content)).first()
    assert NAME in str(content)


def test_nothing_is_decided_or_issued_anew_for_who_has_left(db: DbSession) -> None:
    user = make_full_person(db)
    decision = db.scalars(select(CreditDecision)).one()
    session = db.get_one(WebinarSession, decision.session_id)
    # Some bodies give credit only under a number of their own: it goes with the person.
    decision.due_at = LATER
    db.execute(delete(WatchSegment))
    db.flush()
    number = db.scalars(select(Certificate.number)).one()

    erase(db, user)

    much_later = LATER + timedelta(days=400)
    assert credits.due(db, now=LATER + timedelta(days=1)) == []
    assert credits.decide_session(db, session.id, public_url=URL, now=much_later) == []
    assert db.scalars(select(Certificate.revoked_at)).all() == [None]
    with pytest.raises(Conflict, match="This person has left"):
        certificates.reissue(
            db, number, actor_id=make_user(db).id, reason="typo", public_url=URL, now=much_later
        )


def test_credit_that_hung_on_a_number_that_is_gone_still_verifies(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "de-laek-live", "1")
    user = make_attendee(db, session)
    consent = Identifier(user_id=user.id, kind="EFN", value="802760012345678", consented_at=NOW)
    db.add(consent)
    db.flush()
    (decision,) = credits.decide_session(db, session.id, public_url=URL, now=AFTER)
    before = words(db, session)

    erase(db, user)

    assert (before, words(db, session)) == ([], [])
    assert db.get_one(CreditDecision, decision.id).is_latest


def test_the_same_e_mail_may_open_a_new_account(db: DbSession) -> None:
    erase(db, make_full_person(db))

    fresh = accounts.waiting_account(db, EMAIL, "Dr Anna Keller", now=LATER)

    assert fresh.erased_at is None
    assert count(db, CreditDecision, fresh) == 0


def test_a_name_in_a_report_goes_also_where_nobody_matched_it(db: DbSession) -> None:
    user = make_user(db, EMAIL)
    session = make_ended_session(db)
    file = import_visit(db, session, None, 0, 60)
    visit = db.scalars(select(ImportedVisit)).one()
    visit.name, visit.email = NAME, EMAIL
    chain.append(db, session.id, [import_digests.link(db, file)], now=AFTER)

    erase(db, user)

    row = db.scalars(select(ImportedVisit)).one()
    assert (row.name, row.email, row.remote_id) == (erasure.NOBODY, "", "")
    assert words(db, session) == []
    assert db.scalar(select(func.count(AttendanceImport.id))) == 1


def test_places_ahead_are_given_up_and_past_ones_still_count(db: DbSession) -> None:
    user = make_full_person(db)

    erase(db, user)

    rows = db.execute(
        select(WebinarSession.starts_at, Registration.cancelled_at)
        .join(WebinarSession, WebinarSession.id == Registration.session_id)
        .where(Registration.user_id == user.id)
        .order_by(WebinarSession.starts_at)
    ).all()
    assert [row.cancelled_at for row in rows] == [None, LATER]


def test_an_open_player_ends_and_what_nobody_decided_upon_goes(db: DbSession) -> None:
    user = make_user(db)
    session = make_ended_session(db)
    opened = watch(db, session, user, ViewingMode.RECORDED, 0, 60, at=AFTER)

    erase(db, user)

    assert attendance.known_passes(db, [opened.id]) == set()
    assert db.scalars(select(ViewingPass)).all() == []
    assert db.scalars(select(WatchSegment)).all() == []


def test_faculty_keep_their_place_in_the_programme_and_lose_their_ways_in(db: DbSession) -> None:
    user = make_full_person(db)

    erase(db, user)

    member = db.scalars(select(FacultyMember).where(FacultyMember.user_id == user.id)).one()
    assert (member.name, member.biography) == (NAME, "")
    assert (member.files, member.links) == ([], [])
    assert db.scalars(select(RoomGuest.sealed)).all() == [None]


def test_the_only_administrator_stays(db: DbSession) -> None:
    user = make_user(db, roles=(Role.ADMINISTRATOR,))

    with pytest.raises(LastAdministrator):
        erase(db, user)

    assert user.erased_at is None


def test_one_of_two_administrators_may_go_and_the_trail_says_so(db: DbSession) -> None:
    user = make_user(db, roles=(Role.ADMINISTRATOR, Role.ORGANISER))
    make_user(db, roles=(Role.ADMINISTRATOR,))

    erase(db, user)

    told = db.scalars(
        select(AuditEvent.action)
        .where(AuditEvent.subject == f"user {user.id}")
        .order_by(AuditEvent.id)
    ).all()
    assert told == ["role taken", "role taken", "account erased"]
    assert db.get_one(User, user.id).grants == []


def test_twice_is_once(db: DbSession) -> None:
    user = make_full_person(db)
    first = erase(db, user).sign_in_generation

    assert erase(db, user, now=LATER + timedelta(days=1)).sign_in_generation == first
    assert db.get_one(User, user.id).erased_at == LATER
