"""What was changed a moment ago: who is told, what they are told, how it is taken back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from config import Config
from tests import sending
from tests.builders import (
    NOW,
    STARTS_AT,
    make_faculty,
    make_ready,
    make_series,
    make_session,
    make_user,
)
from webinar.db import DbSession, open_db
from webinar.domain.errors import Conflict, NotAllowed
from webinar.domain.faculty import FileKind
from webinar.domain.letter import Dropped, Letter, MailKind, Postponed
from webinar.domain.session import ChangedMeanwhile, FacultyPart, SessionStatus
from webinar.domain.session_details import FacultyDetails
from webinar.models import Delivery, SeriesException, User, WebinarSession
from webinar.services import (
    announcements,
    deliveries,
    faculty,
    faculty_links,
    registrations,
    season_changes,
    sessions,
    topic_tree,
    topics,
)
from webinar.services.faculty import NewFile
from webinar.services.faculty_links import LinkEnded
from webinar.services.feeds import CalendarTool
from webinar.services.season_changes import GRACE, TooLate
from webinar.services.session_facts import details_of
from webinar.tools import calendar_tool

MINUTE = timedelta(minutes=1)
AFTER = NOW + GRACE
# Wall times in Zurich.
TUESDAY = datetime(2026, 12, 1, 18, 15)
WEDNESDAY = datetime(2026, 12, 2, 18, 15)
THURSDAY = datetime(2026, 11, 26, 18, 15)
NOTICES = ("session_moved", "session_cancelled", "session_restored")


@pytest.fixture
def calendar(config: Config) -> CalendarTool:
    return calendar_tool(config)


@pytest.fixture
def announced(db: DbSession, calendar: CalendarTool) -> WebinarSession:
    session = make_ready(db, make_session(db, status=SessionStatus.DRAFT))
    return sessions.publish(db, session.id, actor_id=None, calendar=calendar, now=NOW)


@pytest.fixture
def move(db: DbSession, announced: WebinarSession, calendar: CalendarTool) -> Callable[..., int]:
    def moved(starts: datetime, now: datetime = NOW) -> int:
        change = sessions.move(db, announced.id, starts, actor_id=None, calendar=calendar, now=now)
        return change.told

    return moved


def place_for(db: DbSession, session: WebinarSession, *, now: datetime = NOW) -> User:
    """Somebody who has a place, and the confirmation of it."""
    user = make_user(db)
    registrations.register(db, session.id, user.id, now=now)
    sent(db, now=now)
    return user


def sent(db: DbSession, *, now: datetime) -> list[Letter]:
    """Send what is due as the mail job does; the notices among it."""
    mails = []
    for delivery_id in deliveries.due(db, now=now, limit=100):
        delivery = sending.claim(db, delivery_id, now=now)
        assert delivery is not None
        letter = sending.letter_for(db, delivery, now=now)
        if isinstance(letter, Dropped):
            deliveries.mark_dropped(db, delivery, because=letter.because)
        elif isinstance(letter, Postponed):
            deliveries.mark_postponed(db, delivery, until=letter.until)
        else:
            sending.mark_sent(db, delivery, now=now)
            mails.append(letter)
        db.expire_all()
    return [mail for mail in mails if mail.kind in NOTICES]


def undo_last(db: DbSession, calendar: CalendarTool, *, now: datetime) -> season_changes.Undone:
    change = season_changes.open_for(db, None, now=now)[0]
    return season_changes.undo(db, change.id, actor_id=None, calendar=calendar, now=now)


def test_nobody_is_told_of_a_move_before_the_grace_is_over(
    db: DbSession, announced: WebinarSession, move: Callable[..., int]
) -> None:
    place_for(db, announced)

    told = move(TUESDAY)

    assert told == 1
    assert sent(db, now=AFTER - MINUTE) == []
    [mail] = sent(db, now=AFTER)
    assert mail.session is not None
    assert (mail.kind, mail.session.moved_from) == (MailKind.SESSION_MOVED, STARTS_AT)
    assert sent(db, now=AFTER + GRACE) == []


def test_who_is_moved_twice_is_told_once_from_the_hour_they_know(
    db: DbSession, announced: WebinarSession, move: Callable[..., int]
) -> None:
    place_for(db, announced)

    move(TUESDAY)
    move(WEDNESDAY, NOW + MINUTE)

    [mail] = sent(db, now=AFTER + MINUTE)
    assert mail.session is not None
    assert mail.session.moved_from == STARTS_AT
    assert mail.session.starts_at == datetime(2026, 12, 2, 17, 15, tzinfo=UTC)
    assert announced.moved_from == STARTS_AT


def test_who_is_moved_there_and_back_is_not_told(
    db: DbSession, announced: WebinarSession, move: Callable[..., int]
) -> None:
    place_for(db, announced)

    move(TUESDAY)
    told = move(THURSDAY, NOW + MINUTE)

    assert told == 0
    assert sent(db, now=AFTER + GRACE) == []
    assert announced.moved_from is None
    assert announced.ical_sequence == 2


def test_who_registers_within_the_grace_knows_the_new_hour(
    db: DbSession, announced: WebinarSession, move: Callable[..., int]
) -> None:
    early = place_for(db, announced)
    move(TUESDAY)
    late = place_for(db, announced, now=NOW + MINUTE)

    mails = sent(db, now=AFTER)

    assert [mail.email for mail in mails] == [early.email]

    move(WEDNESDAY, AFTER + MINUTE)
    mails = sent(db, now=AFTER + MINUTE + GRACE)
    tuesday = datetime(2026, 12, 1, 17, 15, tzinfo=UTC)
    assert {mail.email: mail.session and mail.session.moved_from for mail in mails} == {
        early.email: tuesday,
        late.email: tuesday,
    }


def test_taking_a_move_back_tells_only_who_registered_for_the_new_hour(
    db: DbSession, announced: WebinarSession, move: Callable[..., int], calendar: CalendarTool
) -> None:
    place_for(db, announced)
    move(TUESDAY)
    late = place_for(db, announced, now=NOW + MINUTE)

    undone = undo_last(db, calendar, now=NOW + 2 * MINUTE)

    assert (undone.sessions, undone.told) == (1, 1)
    assert announced.starts_at == STARTS_AT
    assert announced.moved_from is None
    assert announced.ical_sequence == 2
    assert [mail.email for mail in sent(db, now=AFTER)] == [late.email]


def test_a_confirmation_waits_for_what_may_be_taken_back(
    db: DbSession, announced: WebinarSession, move: Callable[..., int], calendar: CalendarTool
) -> None:
    user = make_user(db)
    registrations.register(db, announced.id, user.id, now=NOW)
    move(TUESDAY)
    assert sent(db, now=NOW + MINUTE) == []
    undo_last(db, calendar, now=NOW + 2 * MINUTE)

    assert sent(db, now=AFTER) == []
    confirmation = db.scalars(
        select(Delivery).where(Delivery.kind == "registration_confirmed")
    ).one()
    assert confirmation.sent_at == AFTER


def test_once_the_mails_may_leave_it_is_too_late(
    db: DbSession, announced: WebinarSession, move: Callable[..., int], calendar: CalendarTool
) -> None:
    place_for(db, announced)
    change = sessions.move(db, announced.id, TUESDAY, actor_id=None, calendar=calendar, now=NOW)
    assert change.undo is not None

    with pytest.raises(TooLate, match="People have been told already"):
        season_changes.undo(db, change.undo.id, actor_id=None, calendar=calendar, now=AFTER)

    assert season_changes.open_for(db, None, now=AFTER) == []


def test_there_is_no_time_to_lose_shortly_before_a_session(
    db: DbSession, announced: WebinarSession, move: Callable[..., int], calendar: CalendarTool
) -> None:
    place_for(db, announced)
    soon = STARTS_AT - timedelta(minutes=55)

    move(TUESDAY, soon)

    assert len(sent(db, now=soon)) == 1
    assert season_changes.open_for(db, None, now=soon) == []


def test_who_is_told_of_no_cancellation_is_told_of_no_restoration(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    user = make_user(db)
    registrations.register(db, announced.id, user.id, now=NOW)
    sessions.cancel(db, announced.id, reason="Ill.", actor_id=None, calendar=calendar, now=NOW)

    change = sessions.restore(db, announced.id, actor_id=None, calendar=calendar, now=NOW + MINUTE)

    assert change.told == 0
    assert sent(db, now=AFTER + GRACE) == []
    # The confirmation that the cancellation cut short comes after all, and the reminders.
    owed = db.scalars(
        select(Delivery.kind)
        .where((Delivery.due_at.is_not(None)) | (Delivery.sent_at.is_not(None)))
        .order_by(Delivery.kind)
    )
    assert list(owed) == ["registration_confirmed", "session_reminder", "session_tomorrow"]


def test_who_was_told_of_a_cancellation_is_told_that_it_takes_place_after_all(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    place_for(db, announced)
    sessions.cancel(
        db, announced.id, reason="The speaker is ill.", actor_id=None, calendar=calendar, now=NOW
    )
    [cancelled] = sent(db, now=AFTER)

    sessions.restore(db, announced.id, actor_id=None, calendar=calendar, now=AFTER)
    [restored] = sent(db, now=AFTER + GRACE)

    assert cancelled.session is not None
    assert (cancelled.kind, cancelled.session.cancellation_reason) == (
        MailKind.SESSION_CANCELLED,
        "The speaker is ill.",
    )
    assert restored.kind == MailKind.SESSION_RESTORED


def test_a_cancellation_names_the_hour_people_know(
    db: DbSession, announced: WebinarSession, move: Callable[..., int], calendar: CalendarTool
) -> None:
    place_for(db, announced)
    move(TUESDAY)
    sessions.cancel(
        db, announced.id, reason="Ill.", actor_id=None, calendar=calendar, now=NOW + MINUTE
    )

    [mail] = sent(db, now=AFTER + MINUTE)

    assert mail.session is not None
    assert (mail.kind, mail.session.starts_at) == (MailKind.SESSION_CANCELLED, STARTS_AT)


def test_a_cancellation_is_taken_back(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    place_for(db, announced)
    sessions.cancel(db, announced.id, reason="Ill.", actor_id=None, calendar=calendar, now=NOW)

    undone = undo_last(db, calendar, now=NOW + MINUTE)

    assert undone.told == 0
    assert (announced.status, announced.cancelled_at, announced.cancellation_reason) == (
        SessionStatus.PUBLISHED,
        None,
        "",
    )
    assert announced.ical_sequence == 2
    assert sent(db, now=AFTER) == []
    reminders = db.scalars(
        select(Delivery).where(Delivery.kind == "session_reminder", Delivery.due_at.is_not(None))
    ).all()
    assert [reminder.due_at for reminder in reminders] == [STARTS_AT - timedelta(hours=1)]


def test_an_edit_is_taken_back_with_faculty_and_topics(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    details = details_of(announced)
    member = announced.faculty[0]
    kept = member.id
    changed = replace(
        details,
        title="Nodes, revisited",
        topics=("Surgery",),
        faculty=(FacultyDetails(FacultyPart.PRESENTER, "Dr Jan Novak", "Brno", "None."),),
    )
    sessions.edit(db, announced.id, changed, actor_id=None, calendar=calendar, now=NOW)
    assert [member.name for member in announced.faculty] == ["Dr Jan Novak"]

    undo_last(db, calendar, now=NOW + MINUTE)
    db.expire_all()

    assert details_of(announced) == details
    assert announced.faculty[0].id == kept
    assert announced.revision == 3  # published, edited, taken back


def test_two_changes_are_taken_back_one_after_the_other(
    db: DbSession, announced: WebinarSession, move: Callable[..., int], calendar: CalendarTool
) -> None:
    place_for(db, announced)
    move(TUESDAY)
    move(WEDNESDAY, NOW + MINUTE)
    last, first = season_changes.open_for(db, None, now=NOW + MINUTE)

    with pytest.raises(ChangedMeanwhile, match="was changed again since"):
        season_changes.undo(db, first.id, actor_id=None, calendar=calendar, now=NOW + MINUTE)
    for change in (last, first):
        season_changes.undo(db, change.id, actor_id=None, calendar=calendar, now=NOW + MINUTE)

    assert announced.starts_at == STARTS_AT
    assert sent(db, now=AFTER + GRACE) == []


def test_a_change_is_taken_back_once_and_by_who_made_it(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    anna, ben = make_user(db), make_user(db)
    change = sessions.move(
        db, announced.id, TUESDAY, actor_id=anna.id, calendar=calendar, now=NOW
    ).undo
    assert change is not None

    with pytest.raises(NotAllowed, match="Only who made this change"):
        season_changes.undo(db, change.id, actor_id=ben.id, calendar=calendar, now=NOW)
    season_changes.undo(db, change.id, actor_id=anna.id, calendar=calendar, now=NOW)
    with pytest.raises(Conflict, match="taken back already"):
        season_changes.undo(db, change.id, actor_id=anna.id, calendar=calendar, now=NOW)


def test_a_discarded_draft_comes_back_under_its_identity(
    db: DbSession, calendar: CalendarTool
) -> None:
    series = make_series(db)
    draft = make_ready(db, make_session(db, status=SessionStatus.DRAFT, series=series))
    draft.planned_day = date(2026, 11, 26)
    db.flush()
    identity = (draft.id, draft.public_id, draft.ical_uid)
    details = details_of(draft)
    sessions.discard(db, draft.id, reason="Congress", actor_id=None, now=NOW)

    undo_last(db, calendar, now=NOW + MINUTE)

    again = db.scalars(select(WebinarSession)).one()
    assert (again.id, again.public_id, again.ical_uid) == identity
    assert details_of(again) == details
    assert again.planned_day == date(2026, 11, 26)
    assert db.scalars(select(SeriesException)).all() == []


def test_drafts_that_a_change_made_go_with_it_unless_somebody_worked_on_them(
    db: DbSession, calendar: CalendarTool
) -> None:
    untouched = make_session(db, status=SessionStatus.DRAFT)
    touched = make_session(db, status=SessionStatus.DRAFT)
    first = season_changes.begin(db, actor_id=None, summary="Planned one", now=NOW)
    season_changes.note_made(first, untouched)
    second = season_changes.begin(db, actor_id=None, summary="Planned another", now=NOW)
    season_changes.note_made(second, touched)
    details = replace(details_of(touched), title="Nodes")
    sessions.edit(db, touched.id, details, actor_id=None, calendar=calendar, now=NOW)

    season_changes.undo(db, first.id, actor_id=None, calendar=calendar, now=NOW)
    with pytest.raises(ChangedMeanwhile):
        season_changes.undo(db, second.id, actor_id=None, calendar=calendar, now=NOW)

    assert db.scalars(select(WebinarSession.id)).all() == [touched.id]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_no_notice_leaves_while_something_newer_takes_its_place(
    db: DbSession, announced: WebinarSession, move: Callable[..., int]
) -> None:
    place_for(db, announced)
    move(TUESDAY)
    db.commit()
    (waiting,) = deliveries.due(db, now=AFTER, limit=100)

    announcements.told_of_last(db, announced, now=NOW)

    with open_db() as mails:
        mails.execute(text("SET lock_timeout = '100ms'"))
        with pytest.raises(OperationalError):
            sending.claim(mails, waiting, now=AFTER)
    db.commit()
    assert sending.claim(db, waiting, now=AFTER) is not None


def test_somebody_taken_out_comes_back_although_their_number_is_somebody_elses(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    everybody = details_of(announced)
    joined = FacultyDetails(FacultyPart.DISCUSSANT, "Dr Jan Novak")
    for people in ((*everybody.faculty, joined), everybody.faculty):
        details = replace(details_of(announced), faculty=people)
        sessions.edit(db, announced.id, details, actor_id=None, calendar=calendar, now=NOW)
    newcomer = make_faculty(db, make_session(db), name="Dr Eva Lang")

    undo_last(db, calendar, now=NOW + MINUTE)

    assert "Dr Jan Novak" in [member.name for member in announced.faculty]
    assert newcomer.name == "Dr Eva Lang"


def test_a_topic_that_was_merged_meanwhile_comes_back_as_what_it_is_now(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    for names in (("Breast",), ("Surgery",)):
        details = replace(details_of(announced), topics=names)
        sessions.edit(db, announced.id, details, actor_id=None, calendar=calendar, now=NOW)
    (breast, into) = topics.named(db, ("Breast", "Breast cancer"))
    topic_tree.merge(db, breast.id, into.id, actor_id=None, calendar=calendar, now=NOW)

    undo_last(db, calendar, now=NOW + MINUTE)

    assert [topic.name for topic in announced.topics] == ["Breast cancer"]


@pytest.mark.parametrize("somebody_else", [True, False])
def test_somebody_taken_out_comes_back_with_their_slides_and_their_address(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool, somebody_else: bool
) -> None:
    elena, eva = make_user(db, "elena@example.net"), make_user(db, "eva@example.net")
    member = make_faculty(
        db, announced, FacultyPart.DISCUSSANT, user=elena, name="Prof Elena Marchetti"
    )
    file = NewFile("talk.pdf", "application/pdf", 5, "0" * 64, "talk.pdf")
    faculty.keep_file(db, member.id, FileKind.SLIDES, file, now=NOW)
    token = faculty_links.issue(db, member, now=NOW)
    details, there = details_of(announced), member.id
    rest = tuple(one for one in details.faculty if one.id != there)
    other = FacultyDetails(
        FacultyPart.DISCUSSANT, "Dr Eva Lang", disclosure="None.", user_id=eva.id, id=there
    )
    changed = replace(details, faculty=(*rest, other) if somebody_else else rest)
    sessions.edit(db, announced.id, changed, actor_id=None, calendar=calendar, now=NOW)
    db.commit()
    gone, kept = faculty.stored_keys(db), season_changes.file_keys(db, now=NOW)

    undo_last(db, calendar, now=NOW + MINUTE)
    db.commit()
    db.expire_all()

    found = faculty_links.look_up(db, token, now=NOW)
    assert (gone, kept) == (set(), {"talk.pdf"})
    assert (found.user_id, found.name) == (elena.id, "Prof Elena Marchetti")
    assert [one.storage_key for one in found.files] == ["talk.pdf"]


def test_an_address_that_was_ended_since_stays_ended(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    organiser = make_user(db)
    member = make_faculty(db, announced, FacultyPart.DISCUSSANT, user=make_user(db))
    token = faculty_links.issue(db, member, now=NOW)
    details = details_of(announced)
    joined = FacultyDetails(FacultyPart.DISCUSSANT, "Dr Eva Lang")
    changed = replace(details, faculty=(*details.faculty, joined))
    sessions.edit(db, announced.id, changed, actor_id=None, calendar=calendar, now=NOW)
    faculty_links.replace(db, member.id, actor_id=organiser.id, now=NOW)

    undo_last(db, calendar, now=NOW + MINUTE)

    with pytest.raises(LinkEnded):
        faculty_links.look_up(db, token, now=NOW)
