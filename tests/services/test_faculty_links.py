"""Personal addresses: whose they are, when they end, whom they sign in; and reminders."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests import sending
from tests.builders import NOW, STARTS_AT, make_faculty, make_moderated, make_session, make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.disclosure import Typed
from webinar.domain.errors import Conflict
from webinar.domain.faculty import FileKind
from webinar.domain.letter import Dropped, Letter, MailKind
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.models import Delivery, FacultyLink, FacultyMember, User, WebinarSession
from webinar.services import accounts, faculty, faculty_links, links
from webinar.services.faculty import NewFile
from webinar.services.faculty_links import LinkEnded, NoEmail, Reminder, SignInFirst

DAY = timedelta(days=1)
LONG_BEFORE = STARTS_AT - 60 * DAY


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    return make_session(db)


@pytest.fixture
def member(db: DbSession, session: WebinarSession) -> FacultyMember:
    person = accounts.waiting_account(db, "elena@example.net", "Prof Elena Marchetti", now=NOW)
    return make_faculty(db, session, user=person, disclosure="")


@pytest.fixture
def organiser(db: DbSession) -> User:
    return make_user(db, roles=(Role.ORGANISER,))


def owed(db: DbSession, kind: MailKind) -> list[Delivery]:
    found = select(Delivery).where(Delivery.kind == kind.value, Delivery.due_at.is_not(None))
    return list(db.scalars(found.order_by(Delivery.id)))


def token_of(delivery: Delivery) -> str:
    return str(delivery.details["token"])


def signed_in(db: DbSession, member: FacultyMember) -> User:
    """By a new address."""
    token = faculty_links.issue(db, member, now=NOW)
    return faculty_links.sign_in(db, member, token, now=NOW)


def complete(db: DbSession, member: FacultyMember) -> None:
    """Send everything in."""
    member.biography = "She operates."
    faculty.disclose(
        db, member.id, Typed(has_nothing=True, signed_by="E M", is_complete=True), now=NOW
    )
    faculty.answer_consent(db, member.id, agrees=True, now=NOW)
    for number, kind in enumerate(FileKind):
        file = NewFile("a", "b", 1, "c", f"{number}.pdf")
        faculty.keep_file(db, member.id, kind, file, now=NOW)


def test_an_address_is_known_by_its_hash_alone(db: DbSession, member: FacultyMember) -> None:
    token = faculty_links.issue(db, member, now=NOW)

    stored = db.scalars(select(FacultyLink)).one()
    assert stored.token_hash == links.hash_of(token)
    assert token not in stored.token_hash
    assert faculty_links.look_up(db, token, now=NOW) is member


@pytest.mark.parametrize("days", [-1, 29])
def test_an_address_lasts_until_thirty_days_after_the_session(
    db: DbSession, session: WebinarSession, member: FacultyMember, days: int
) -> None:
    token = faculty_links.issue(db, member, now=NOW)

    assert faculty_links.look_up(db, token, now=session.ends_at + days * DAY) is member


def test_after_that_it_has_ended(
    db: DbSession, session: WebinarSession, member: FacultyMember
) -> None:
    token = faculty_links.issue(db, member, now=NOW)

    with pytest.raises(LinkEnded):
        faculty_links.look_up(db, token, now=session.ends_at + 30 * DAY)


def test_an_address_follows_a_session_that_moves(
    db: DbSession, session: WebinarSession, member: FacultyMember
) -> None:
    token = faculty_links.issue(db, member, now=NOW)
    session.starts_at += 90 * DAY
    session.ends_at += 90 * DAY

    assert faculty_links.look_up(db, token, now=session.starts_at) is member


@pytest.mark.parametrize("token", ["", "1.", "0.x", "nonsense"])
def test_a_guess_opens_nothing(db: DbSession, member: FacultyMember, token: str) -> None:
    faculty_links.issue(db, member, now=NOW)

    with pytest.raises(LinkEnded):
        faculty_links.look_up(db, token, now=NOW)


def test_an_address_ends_when_somebody_else_gets_the_part(
    db: DbSession, member: FacultyMember
) -> None:
    token = faculty_links.issue(db, member, now=NOW)
    member.user_id = make_user(db).id

    with pytest.raises(LinkEnded):
        faculty_links.look_up(db, token, now=NOW)


def test_an_invitation_is_mailed_once_for_all_parts(
    db: DbSession, session: WebinarSession, member: FacultyMember, organiser: User
) -> None:
    assert member.user_id is not None
    person = db.get_one(User, member.user_id)
    moderates = make_faculty(db, session, FacultyPart.MODERATOR, user=person)
    make_faculty(db, session, FacultyPart.DISCUSSANT, name="No E-mail")
    db.refresh(session)

    invited = faculty_links.invite_all(db, session, actor_id=organiser.id, now=NOW)
    again = faculty_links.invite_all(db, session, actor_id=organiser.id, now=NOW)

    mails = owed(db, MailKind.FACULTY_INVITED)
    assert (invited, again) == (1, 0)
    assert [(mail.user_id, mail.subject_id) for mail in mails] == [(person.id, member.id)]
    assert (member.invited_at, moderates.invited_at) == (NOW, NOW)
    assert faculty_links.look_up(db, token_of(mails[0]), now=NOW) is member
    letter = sending.letter_for(db, mails[0], now=NOW)
    assert isinstance(letter, Letter)
    assert letter.faculty is not None
    assert letter.faculty.parts == ("presenter", "moderator")
    assert [one.words for one in letter.faculty.missing][:2] == [
        "your disclosure",
        "whether you may be recorded",
    ]


def test_nobody_is_written_to_without_an_email(
    db: DbSession, session: WebinarSession, organiser: User
) -> None:
    member = make_faculty(db, session)

    with pytest.raises(NoEmail):
        faculty_links.invite(db, member.id, actor_id=organiser.id, now=NOW)


def test_nobody_is_written_to_about_a_cancelled_session(
    db: DbSession, session: WebinarSession, member: FacultyMember, organiser: User
) -> None:
    session.status = SessionStatus.CANCELLED

    with pytest.raises(Conflict):
        faculty_links.invite(db, member.id, actor_id=organiser.id, now=NOW)


def test_a_new_address_ends_the_old_ones_and_what_was_on_its_way(
    db: DbSession, member: FacultyMember, organiser: User
) -> None:
    faculty_links.invite(db, member.id, actor_id=organiser.id, now=NOW)
    old = token_of(owed(db, MailKind.FACULTY_INVITED)[0])

    shown = faculty_links.replace(db, member.id, actor_id=organiser.id, now=NOW)

    db.expire_all()
    mails = owed(db, MailKind.FACULTY_INVITED)
    assert shown is None
    assert len(mails) == 1
    assert faculty_links.look_up(db, token_of(mails[0]), now=NOW).id == member.id
    with pytest.raises(LinkEnded):
        faculty_links.look_up(db, old, now=NOW)


def test_who_has_no_email_gets_an_address_from_the_organiser_that_signs_nobody_in(
    db: DbSession, session: WebinarSession, organiser: User
) -> None:
    member = make_faculty(db, session)

    token = faculty_links.replace(db, member.id, actor_id=organiser.id, now=NOW)

    assert token is not None
    assert faculty_links.look_up(db, token, now=NOW) is member
    with pytest.raises(Conflict):
        signed_in(db, member)
    # Nor does it once an account is there: whoever was handed it never had the mailbox.
    member.user_id = make_user(db).id
    with pytest.raises(LinkEnded):
        faculty_links.look_up(db, token, now=NOW)


def test_the_address_proves_the_email_and_forgets_a_strangers_password(
    db: DbSession, member: FacultyMember
) -> None:
    waiting = db.get_one(User, member.user_id)
    waiting.password_hash = "chosen by a stranger"

    user = signed_in(db, member)

    assert user is waiting
    assert (user.is_active, user.verified_at, user.password_hash) == (True, NOW, None)


def test_a_proved_person_keeps_their_password(db: DbSession, session: WebinarSession) -> None:
    person = make_user(db)
    person.password_hash = "theirs"
    member = make_faculty(db, session, user=person)

    assert signed_in(db, member).password_hash == "theirs"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PARTICIPANT])
def test_whoever_may_do_more_than_take_part_signs_in_the_ordinary_way(
    db: DbSession, session: WebinarSession, role: Role
) -> None:
    member = make_faculty(db, session, user=make_user(db, roles=(role,)))

    with pytest.raises(SignInFirst):
        signed_in(db, member)


@pytest.mark.parametrize("status", [SessionStatus.ENDED, SessionStatus.CANCELLED])
def test_after_the_session_nobody_is_signed_in(
    db: DbSession, session: WebinarSession, member: FacultyMember, status: SessionStatus
) -> None:
    session.status = status

    with pytest.raises(Conflict):
        signed_in(db, member)


def test_an_erased_person_is_not_signed_in(db: DbSession, member: FacultyMember) -> None:
    db.get_one(User, member.user_id).erased_at = NOW

    with pytest.raises(Conflict):
        signed_in(db, member)


def test_who_signs_out_everywhere_is_signed_in_by_no_address_of_before(
    db: DbSession, member: FacultyMember
) -> None:
    token = faculty_links.issue(db, member, now=NOW)
    accounts.end_sign_ins(db, member.user_id, now=NOW)

    assert faculty_links.look_up(db, token, now=NOW) is member
    with pytest.raises(SignInFirst):
        faculty_links.sign_in(db, member, token, now=NOW)
    assert signed_in(db, member).id == member.user_id


def test_who_owes_something_is_reminded_once_for_each_of_the_days(
    db: DbSession, member: FacultyMember
) -> None:
    member.invited_at = LONG_BEFORE
    sent = []
    for days in range(25, -2, -1):
        now = STARTS_AT - days * DAY
        for reminder in faculty_links.reminders_due(db, now=now):
            faculty_links.remind_by_clock(db, reminder, now=now)
            faculty_links.remind_by_clock(db, reminder, now=now)
            sent.append(days)

    assert sent == [21, 10, 3]
    mails = owed(db, MailKind.FACULTY_REMINDER)
    assert [mail.revision for mail in mails] == [21, 10, 3]
    assert {faculty_links.look_up(db, token_of(mail), now=NOW).id for mail in mails} == {member.id}


def test_a_clock_that_stood_still_sends_one_reminder(db: DbSession, member: FacultyMember) -> None:
    member.invited_at = LONG_BEFORE

    assert faculty_links.reminders_due(db, now=STARTS_AT - 2 * DAY) == [Reminder(member.id, 3)]


def test_nobody_is_reminded_who_was_not_invited_or_owes_nothing(
    db: DbSession, session: WebinarSession, member: FacultyMember
) -> None:
    uninvited = faculty_links.reminders_due(db, now=STARTS_AT - DAY)
    member.invited_at = LONG_BEFORE
    complete(db, member)

    assert uninvited == []
    assert faculty_links.reminders_due(db, now=STARTS_AT - DAY) == []


@pytest.mark.parametrize(
    "status", [SessionStatus.LIVE, SessionStatus.ENDED, SessionStatus.CANCELLED]
)
def test_nobody_is_reminded_of_what_is_on_air_over_or_cancelled(
    db: DbSession, session: WebinarSession, member: FacultyMember, status: SessionStatus
) -> None:
    member.invited_at = LONG_BEFORE
    session.status = status

    assert faculty_links.reminders_due(db, now=STARTS_AT - DAY) == []


def test_the_faculty_of_a_draft_are_reminded_too(
    db: DbSession, session: WebinarSession, member: FacultyMember
) -> None:
    member.invited_at = LONG_BEFORE
    session.status = SessionStatus.DRAFT

    assert faculty_links.reminders_due(db, now=STARTS_AT - DAY) == [Reminder(member.id, 3)]


def test_a_reminder_by_hand_takes_no_turn_of_the_clock(
    db: DbSession, member: FacultyMember, organiser: User
) -> None:
    member.invited_at = LONG_BEFORE

    faculty_links.remind(db, member.id, actor_id=organiser.id, now=NOW)
    faculty_links.remind(db, member.id, actor_id=organiser.id, now=NOW)

    assert [mail.revision for mail in owed(db, MailKind.FACULTY_REMINDER)] == [100, 101]
    assert faculty_links.reminders_due(db, now=STARTS_AT - DAY) == [Reminder(member.id, 3)]


def test_nobody_is_reminded_by_hand_of_nothing(
    db: DbSession, member: FacultyMember, organiser: User
) -> None:
    complete(db, member)

    with pytest.raises(Conflict):
        faculty_links.remind(db, member.id, actor_id=organiser.id, now=NOW)


def test_a_reminder_is_dropped_when_all_is_in_meanwhile(
    db: DbSession, member: FacultyMember
) -> None:
    faculty_links.remind_by_clock(db, Reminder(member.id, 10), now=NOW)
    mail = owed(db, MailKind.FACULTY_REMINDER)[0]
    before = sending.letter_for(db, mail, now=NOW)

    complete(db, member)

    assert isinstance(before, Letter)
    assert sending.letter_for(db, mail, now=NOW) == Dropped("nothing is missing any more")


@pytest.mark.parametrize(
    ("status", "because"),
    [
        (SessionStatus.CANCELLED, "the session is cancelled"),
        (SessionStatus.ENDED, "the session is over"),
    ],
)
@pytest.mark.parametrize("kind", [MailKind.FACULTY_INVITED, MailKind.FACULTY_REMINDER])
def test_mails_about_what_does_not_happen_any_more_are_dropped(
    db: DbSession,
    session: WebinarSession,
    member: FacultyMember,
    organiser: User,
    status: SessionStatus,
    because: str,
    kind: MailKind,
) -> None:
    faculty_links.invite(db, member.id, actor_id=organiser.id, now=NOW)
    faculty_links.remind(db, member.id, actor_id=organiser.id, now=NOW)

    session.status = status

    assert sending.letter_for(db, owed(db, kind)[0], now=NOW) == Dropped(because)


def test_a_mail_to_somebody_who_was_taken_out_is_dropped(
    db: DbSession, session: WebinarSession, member: FacultyMember, organiser: User
) -> None:
    make_moderated(db, session)
    faculty_links.invite(db, member.id, actor_id=organiser.id, now=NOW)
    mail = owed(db, MailKind.FACULTY_INVITED)[0]

    member.user_id = organiser.id
    other = sending.letter_for(db, mail, now=NOW)
    db.delete(member)
    db.flush()

    gone = Dropped("the person is not of the faculty any more")
    assert (other, sending.letter_for(db, mail, now=NOW)) == (gone, gone)
