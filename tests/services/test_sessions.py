"""Sessions: announced, edited, moved, cancelled, restored, discarded, ended."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.builders import (
    NOW,
    STARTS_AT,
    make_faculty,
    make_ready,
    make_registration,
    make_series,
    make_session,
    make_society,
    make_user,
)
from webinar.db import DbSession
from webinar.domain.errors import Conflict, DomainError, NotFound
from webinar.domain.session import (
    ChangedMeanwhile,
    FacultyPart,
    IllegalStep,
    InThePast,
    NotADraft,
    PeopleAreComing,
    ReasonMissing,
    SessionStatus,
    TimeIsFixed,
)
from webinar.domain.session_details import (
    EndBeforeStart,
    FacultyDetails,
    FacultyNameMissing,
    NotReady,
    SessionDetails,
    TooLong,
    UnknownLevel,
)
from webinar.domain.timezone import AmbiguousWallTime, NonexistentWallTime, UnknownZone
from webinar.models import (
    AudienceGroup,
    AuditEvent,
    Delivery,
    SeriesException,
    SeriesRegistration,
    User,
    WebinarSession,
)
from webinar.services import deliveries, registrations, sessions
from webinar.services.feeds import CalendarTool
from webinar.services.session_facts import details_of
from webinar.services.session_rows import UnknownAudience

LATER = NOW + timedelta(hours=1)
A_WEEK_LATER = datetime(2026, 12, 3, 18, 15)


@pytest.fixture
def edit(db: DbSession, calendar: CalendarTool) -> Callable[..., sessions.Change]:
    def change(session: WebinarSession, now: datetime = LATER, **values: object) -> sessions.Change:
        details: SessionDetails = replace(details_of(session), **values)
        return sessions.edit(db, session.id, details, actor_id=None, calendar=calendar, now=now)

    return change


def owed(db: DbSession, kind: str) -> list[tuple[int, int]]:
    """(user, revision) of what is still to be sent."""
    rows = db.execute(
        select(Delivery.user_id, Delivery.revision)
        .where(Delivery.kind == kind, Delivery.due_at.is_not(None))
        .order_by(Delivery.user_id)
    )
    return [(user_id, revision) for user_id, revision in rows]


def place_for(db: DbSession, session: WebinarSession) -> User:
    user = make_user(db)
    registrations.register(db, session.id, user.id, now=NOW)
    return user


def test_an_unknown_address_is_not_found(db: DbSession) -> None:
    with pytest.raises(NotFound, match="There is no such session"):
        sessions.by_public_id(db, "nothing")


def test_only_a_draft_is_hidden(db: DbSession) -> None:
    visible = {
        status: sessions.visible_to_public(make_session(db, status=status))
        for status in SessionStatus
    }

    assert [status for status, seen in visible.items() if not seen] == [SessionStatus.DRAFT]


def test_publishing_renders_the_calendar_entry(announced: WebinarSession) -> None:
    assert announced.status is SessionStatus.PUBLISHED
    assert announced.ical_sequence == 0
    assert f"/sessions/{announced.public_id}/live" in announced.ical_public.replace("\r\n ", "")
    assert "TRANSP:TRANSPARENT" in announced.ical_public
    assert "TRANSP:OPAQUE" in announced.ical_personal


def test_publishing_gives_a_place_to_who_registered_for_the_series(
    db: DbSession, calendar: CalendarTool
) -> None:
    series = make_series(db)
    user = make_user(db)
    db.add(SeriesRegistration(series=series, user_id=user.id, created_at=NOW))
    session = make_ready(db, make_session(db, status=SessionStatus.DRAFT, series=series))

    sessions.publish(db, session.id, actor_id=None, calendar=calendar, now=NOW)

    assert registrations.is_registered(db, session.id, user.id)


@pytest.mark.parametrize(
    ("title", "abstract", "part", "missing"),
    [
        (
            "To be announced",
            "",
            None,
            "a title, an abstract, learning objectives and a presenter",
        ),
        ("Nodes", "", FacultyPart.PRESENTER, "an abstract and learning objectives"),
        ("Nodes", "About it.", FacultyPart.MODERATOR, "learning objectives and a presenter"),
    ],
)
def test_publishing_says_what_is_missing(
    db: DbSession,
    calendar: CalendarTool,
    title: str,
    abstract: str,
    part: FacultyPart | None,
    missing: str,
) -> None:
    session = make_session(db, status=SessionStatus.DRAFT, title=title)
    session.abstract = abstract
    if part:
        make_faculty(db, session, part)
    db.commit()

    with pytest.raises(NotReady) as refused:
        sessions.publish(db, session.id, actor_id=None, calendar=calendar, now=NOW)
    db.rollback()

    sentence = f"The session still needs {missing} before people can see it."
    assert str(refused.value) == sentence
    assert session.status is SessionStatus.DRAFT


def test_what_is_over_cannot_be_announced(db: DbSession, calendar: CalendarTool) -> None:
    session = make_ready(db, make_session(db, status=SessionStatus.DRAFT))

    with pytest.raises(InThePast, match=r"Thu 26 Nov 2026, 18:15 CET, which is over"):
        sessions.publish(
            db, session.id, actor_id=None, calendar=calendar, now=STARTS_AT + timedelta(hours=1)
        )


def test_publishing_twice_is_refused(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    with pytest.raises(IllegalStep, match="published cannot become published"):
        sessions.publish(db, announced.id, actor_id=None, calendar=calendar, now=NOW)


def test_unpublishing_makes_a_draft_again(db: DbSession, announced: WebinarSession) -> None:
    sessions.unpublish(db, announced.id, actor_id=None, now=LATER)

    assert announced.status is SessionStatus.DRAFT


def test_what_people_registered_for_is_not_unpublished(
    db: DbSession, announced: WebinarSession
) -> None:
    place_for(db, announced)

    with pytest.raises(PeopleAreComing, match="1 person has registered already"):
        sessions.unpublish(db, announced.id, actor_id=None, now=LATER)

    assert announced.status is SessionStatus.PUBLISHED


def test_an_edit_is_kept_raises_the_sequence_once_and_is_written_down(
    db: DbSession, announced: WebinarSession, edit: Callable[..., sessions.Change]
) -> None:
    place_for(db, announced)

    change = edit(
        announced,
        title="Nodes, revisited",
        topics=("Breast cancer", "Surgery"),
        faculty=(
            FacultyDetails(FacultyPart.MODERATOR, "Dr Jan Novak"),
            FacultyDetails(FacultyPart.PRESENTER, "Prof Elena Marchetti", "Ticino", "None."),
        ),
    )

    assert change.fields == ("title", "topics", "faculty")
    assert change.told == 0
    assert announced.ical_sequence == 1
    assert announced.ical_changed_at == LATER
    assert [member.name for member in announced.faculty] == [
        "Dr Jan Novak",
        "Prof Elena Marchetti",
    ]
    event = db.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.action, event.subject) == ("session edited", f"session {announced.id}")
    assert event.before is not None
    assert event.before["title"] == "Sentinel nodes after neoadjuvant therapy"
    assert event.after is not None
    assert event.after["topics"] == "Breast cancer, Surgery"
    assert owed(db, "session_moved") == []


def test_saying_the_same_again_changes_nothing(
    db: DbSession, announced: WebinarSession, edit: Callable[..., sessions.Change]
) -> None:
    events = len(db.scalars(select(AuditEvent)).all())

    change = edit(announced)

    assert (change.fields, change.told) == ((), 0)
    assert announced.ical_sequence == 0
    assert len(db.scalars(select(AuditEvent)).all()) == events


def test_an_abstract_is_in_no_calendar(
    announced: WebinarSession, edit: Callable[..., sessions.Change]
) -> None:
    change = edit(announced, abstract="Said better.")

    assert change.fields == ("abstract",)
    assert announced.ical_sequence == 0


def test_a_new_time_is_told_once_and_the_reminder_follows(
    db: DbSession, announced: WebinarSession, edit: Callable[..., sessions.Change]
) -> None:
    user = place_for(db, announced)

    change = edit(announced, starts=A_WEEK_LATER, ends=A_WEEK_LATER + timedelta(minutes=45))

    assert change.told == 1
    assert announced.starts_at == datetime(2026, 12, 3, 17, 15, tzinfo=UTC)
    assert announced.moved_from == STARTS_AT
    assert "Moved from Thu 26 November 18:15" in announced.ical_public
    assert announced.ical_sequence == 1
    assert owed(db, "session_moved") == [(user.id, 1)]
    reminder = db.scalars(
        select(Delivery).where(Delivery.kind == "session_reminder", Delivery.due_at.is_not(None))
    ).one()
    assert reminder.due_at == announced.starts_at - deliveries.REMINDER_BEFORE


def test_moving_twice_takes_back_what_was_not_sent(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    user = place_for(db, announced)

    for starts in (A_WEEK_LATER, A_WEEK_LATER + timedelta(days=1)):
        sessions.move(db, announced.id, starts, actor_id=None, calendar=calendar, now=LATER)

    assert owed(db, "session_moved") == [(user.id, 2)]


def test_who_unregistered_is_not_told(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    user = place_for(db, announced)
    registrations.unregister(db, announced.id, user.id, now=NOW)

    change = sessions.move(
        db, announced.id, A_WEEK_LATER, actor_id=None, calendar=calendar, now=LATER
    )

    assert change.told == 0


def test_a_draft_moves_silently(db: DbSession, calendar: CalendarTool) -> None:
    session = make_session(db, status=SessionStatus.DRAFT)

    change = sessions.move(
        db, session.id, A_WEEK_LATER, minutes=60, actor_id=None, calendar=calendar, now=NOW
    )

    assert change.told == 0
    assert session.ends_at - session.starts_at == timedelta(minutes=60)
    assert session.moved_from is None
    assert session.ical_digest == ""


@pytest.mark.parametrize(
    ("values", "refusal", "sentence"),
    [
        ({"ends": datetime(2026, 11, 26, 18, 15)}, EndBeforeStart, "ends before it starts"),
        ({"ends": datetime(2026, 11, 27, 18, 15)}, TooLong, "12 hours at most"),
        ({"title": "x" * 301}, TooLong, "at most 300 characters"),
        ({"title": " "}, NotReady, "Give the session a title"),
        ({"abstract": ""}, NotReady, "still needs an abstract"),
        ({"objectives": " "}, NotReady, "still needs learning objectives"),
        ({"faculty": ()}, NotReady, "still needs a presenter"),
        (
            {"faculty": (FacultyDetails(FacultyPart.PRESENTER, "Prof Elena Marchetti"),)},
            NotReady,
            "still needs the disclosure of Prof Elena Marchetti",
        ),
        (
            {"faculty": (FacultyDetails(FacultyPart.PRESENTER, " "),)},
            FacultyNameMissing,
            "needs a name",
        ),
        ({"zone": "Mars/Olympus"}, UnknownZone, "no time zone called 'Mars/Olympus'"),
        (
            {"starts": datetime(2027, 3, 28, 2, 30), "ends": datetime(2027, 3, 28, 3, 30)},
            NonexistentWallTime,
            "02:30 on 28 March 2027 does not exist",
        ),
        (
            {"starts": datetime(2027, 10, 31, 2, 30), "ends": datetime(2027, 10, 31, 3, 30)},
            AmbiguousWallTime,
            "happens twice",
        ),
        (
            {"starts": datetime(2026, 11, 2, 18, 15), "ends": datetime(2026, 11, 2, 19, 0)},
            InThePast,
            "Mon 2 Nov 2026, 18:15 CET is over",
        ),
    ],
)
def test_a_refused_edit_changes_nothing(
    db: DbSession,
    announced: WebinarSession,
    edit: Callable[..., sessions.Change],
    values: dict[str, object],
    refusal: type[DomainError],
    sentence: str,
) -> None:
    place_for(db, announced)
    db.commit()
    before = details_of(announced)

    with pytest.raises(refusal, match=sentence):
        edit(announced, **values)
    db.rollback()

    assert details_of(announced) == before
    assert announced.ical_sequence == 0
    assert owed(db, "session_moved") == []


@pytest.mark.parametrize(
    "status", [SessionStatus.LIVE, SessionStatus.ENDED, SessionStatus.CANCELLED]
)
def test_the_time_of_what_is_on_air_over_or_cancelled_is_fixed(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool, status: SessionStatus
) -> None:
    announced.status = status

    with pytest.raises(TimeIsFixed, match=f"that is {status} can no longer change"):
        sessions.move(db, announced.id, A_WEEK_LATER, actor_id=None, calendar=calendar, now=LATER)


def test_the_words_of_what_is_over_can_still_be_corrected(
    announced: WebinarSession, edit: Callable[..., sessions.Change]
) -> None:
    announced.status = SessionStatus.ENDED

    edit(announced, title="Sentinel nodes after neoadjuvant chemotherapy")

    assert announced.title == "Sentinel nodes after neoadjuvant chemotherapy"


def test_cancelling_tells_everybody_once_and_no_reminder_follows(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    user = place_for(db, announced)

    change = sessions.cancel(
        db, announced.id, reason="The speaker is ill.", actor_id=None, calendar=calendar, now=LATER
    )

    assert change.told == 1
    assert announced.status is SessionStatus.CANCELLED
    assert (announced.cancelled_at, announced.cancellation_reason) == (
        LATER,
        "The speaker is ill.",
    )
    assert announced.ical_sequence == 1
    assert "STATUS:CANCELLED" in announced.ical_public
    assert owed(db, "session_cancelled") == [(user.id, 1)]
    assert owed(db, "session_reminder") == []


def test_cancelling_needs_a_reason(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    with pytest.raises(ReasonMissing, match="Say why"):
        sessions.cancel(db, announced.id, reason=" ", actor_id=None, calendar=calendar, now=LATER)

    assert announced.status is SessionStatus.PUBLISHED


def test_a_draft_is_not_cancelled(db: DbSession, calendar: CalendarTool) -> None:
    session = make_session(db, status=SessionStatus.DRAFT)

    with pytest.raises(Conflict, match="Discard it instead"):
        sessions.cancel(
            db, session.id, reason="Congress", actor_id=None, calendar=calendar, now=NOW
        )


def test_a_restored_session_is_confirmed_anew(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    user = place_for(db, announced)
    sessions.cancel(db, announced.id, reason="Ill.", actor_id=None, calendar=calendar, now=LATER)

    sessions.restore(db, announced.id, actor_id=None, calendar=calendar, now=LATER)

    assert announced.status is SessionStatus.PUBLISHED
    assert announced.cancelled_at is None
    assert announced.ical_sequence == 2
    assert owed(db, "session_cancelled") == []
    assert owed(db, "registration_confirmed") == [(user.id, 1)]
    assert [user_id for user_id, _ in owed(db, "session_reminder")] == [user.id]


def test_a_discarded_draft_becomes_an_exception_of_its_series(db: DbSession) -> None:
    series = make_series(db)
    session = make_session(db, status=SessionStatus.DRAFT, series=series)
    session.planned_day = date(2026, 11, 26)
    db.flush()

    sessions.discard(db, session.id, reason="Congress", actor_id=None, now=NOW)

    assert db.scalars(select(WebinarSession)).all() == []
    exception = db.scalars(select(SeriesException)).one()
    assert (exception.series_id, exception.day, exception.reason) == (
        series.id,
        date(2026, 11, 26),
        "Congress",
    )


def test_what_people_have_seen_is_not_discarded(db: DbSession, announced: WebinarSession) -> None:
    with pytest.raises(NotADraft, match="Only a draft can be discarded"):
        sessions.discard(db, announced.id, reason="Congress", actor_id=None, now=NOW)


def test_a_draft_that_others_hang_on_is_kept(db: DbSession) -> None:
    session = make_session(db, status=SessionStatus.DRAFT)
    make_registration(db, session, make_user(db))
    db.commit()

    with pytest.raises(Conflict, match="Leave it as a draft"):
        sessions.discard(db, session.id, reason="Congress", actor_id=None, now=NOW)
    db.rollback()

    assert db.scalars(select(WebinarSession)).all() == [session]


def test_overlapping_sessions_are_found_and_neighbours_are_not(db: DbSession) -> None:
    session = make_session(db)
    clash = make_session(db, starts_at=STARTS_AT + timedelta(minutes=30))
    make_session(db, starts_at=STARTS_AT + timedelta(minutes=45))
    make_session(db, starts_at=STARTS_AT, status=SessionStatus.CANCELLED)

    assert sessions.overlapping(db, session) == [clash]


def test_a_session_nobody_aired_ends_half_an_hour_after_its_hour(
    db: DbSession, announced: WebinarSession, calendar: CalendarTool
) -> None:
    over = announced.ends_at + timedelta(minutes=31)

    assert sessions.past_and_not_ended(db, now=over - timedelta(minutes=2)) == []
    assert sessions.past_and_not_ended(db, now=over) == [announced.id]

    sessions.end_unaired(db, announced.id, calendar=calendar, now=over)
    sessions.end_unaired(db, announced.id, calendar=calendar, now=over)

    assert announced.status is SessionStatus.ENDED
    assert announced.actual_ended_at is None


def test_an_end_that_the_clocks_show_twice_keeps_the_length(
    db: DbSession, calendar: CalendarTool, edit: Callable[..., sessions.Change]
) -> None:
    # 31 October 2027 in Zurich: 03:00 becomes 02:00 at 01:00 UTC.
    session = make_session(
        db,
        starts_at=datetime(2027, 10, 30, 23, 30, tzinfo=UTC),
        minutes=105,
        status=SessionStatus.DRAFT,
    )
    assert details_of(session).ends == datetime(2027, 10, 31, 2, 15)

    edit(session, title="A night of its own")
    assert session.ends_at == datetime(2027, 10, 31, 1, 15, tzinfo=UTC)

    edit(session, starts=datetime(2027, 10, 31, 1, 45), ends=datetime(2027, 10, 31, 2, 30))
    assert (session.starts_at, session.ends_at) == (
        datetime(2027, 10, 30, 23, 45, tzinfo=UTC),
        datetime(2027, 10, 31, 1, 30, tzinfo=UTC),
    )

    with pytest.raises(AmbiguousWallTime, match="02:20 on 31 October 2027 happens twice"):
        edit(session, ends=datetime(2027, 10, 31, 2, 20))


def test_faculty_are_changed_in_place(
    db: DbSession, announced: WebinarSession, edit: Callable[..., sessions.Change]
) -> None:
    member = announced.faculty[0]
    kept, user = member.id, make_user(db, "jan@example.net")
    member.biography = "Surgeon."
    said = details_of(announced).faculty[0]

    edit(announced, faculty=(replace(said, name="Prof E. Marchetti", email="jan@example.net"),))
    by_account = replace(said, id=None, name="Prof Elena M.", user_id=user.id)
    newcomer = FacultyDetails(FacultyPart.MODERATOR, "Dr Ida Berg", email="ida@example.net")
    edit(announced, faculty=(newcomer, by_account))

    db.expire_all()
    moderator, presenter = announced.faculty
    assert (presenter.id, presenter.name, presenter.biography, presenter.user_id) == (
        kept,
        "Prof Elena M.",
        "Surgeon.",
        user.id,
    )
    waiting = db.get_one(User, moderator.user_id)
    assert (waiting.email, waiting.name, waiting.verified_at) == (
        "ida@example.net",
        "Dr Ida Berg",
        None,
    )


def test_whoever_edits_an_older_revision_is_told(
    db: DbSession,
    announced: WebinarSession,
    edit: Callable[..., sessions.Change],
    calendar: CalendarTool,
) -> None:
    seen = announced.revision
    mine = replace(details_of(announced), title="My title")
    edit(announced, abstract="Somebody else's abstract.")

    with pytest.raises(ChangedMeanwhile, match="Compare both versions"):
        sessions.edit(
            db,
            announced.id,
            mine,
            actor_id=None,
            calendar=calendar,
            now=LATER,
            seen_revision=seen,
        )

    assert announced.revision == seen + 1
    assert announced.title == "Sentinel nodes after neoadjuvant therapy"


def test_a_placeholder_is_announced_with_a_reason_and_filled_later(
    db: DbSession, calendar: CalendarTool, edit: Callable[..., sessions.Change]
) -> None:
    session = make_session(db, status=SessionStatus.DRAFT, title="To be announced")

    sessions.publish(
        db,
        session.id,
        actor_id=None,
        calendar=calendar,
        now=NOW,
        override_reason=" The speaker is named in May. ",
    )
    edit(session, title="Nodes, at last")

    assert session.override_reason == "The speaker is named in May."
    assert session.title == "Nodes, at last"
    event = db.scalars(
        select(AuditEvent).where(AuditEvent.action == "session published with an override")
    ).one()
    assert event.reason == "The speaker is named in May."


def test_a_reason_is_not_kept_where_nothing_is_missing(
    db: DbSession, calendar: CalendarTool
) -> None:
    session = make_ready(db, make_session(db, status=SessionStatus.DRAFT))

    sessions.publish(
        db, session.id, actor_id=None, calendar=calendar, now=NOW, override_reason="In a hurry."
    )

    assert session.override_reason == ""


def test_a_session_of_its_own_is_created_as_a_draft(db: DbSession, calendar: CalendarTool) -> None:
    society = make_society(db)
    db.add(AudienceGroup(slug="juniors", name="Juniors"))
    db.flush()
    details = SessionDetails(
        title="Board for a rare tumour",
        starts=datetime(2027, 1, 14, 18, 15),
        ends=datetime(2027, 1, 14, 19, 0),
        zone="Europe/Zurich",
        level="advanced",
        audience=("Juniors",),
        topics=("Sarcoma",),
        faculty=(FacultyDetails(FacultyPart.PRESENTER, "Dr Ida Berg"),),
    )

    session = sessions.create(
        db, details, society_id=society.id, actor_id=None, calendar=calendar, now=NOW
    )

    said = details_of(session)
    assert replace(said, faculty=()) == replace(details, faculty=())
    assert (session.status, session.series_id, session.revision, session.ical_sequence) == (
        SessionStatus.DRAFT,
        None,
        0,
        0,
    )
    assert session.ical_uid == f"session-{session.public_id}@{calendar.calendar_domain}"


@pytest.mark.parametrize(
    ("values", "refusal"),
    [({"level": "expert"}, UnknownLevel), ({"audience": ("Elders",)}, UnknownAudience)],
)
def test_unknown_levels_and_groups_are_refused(
    announced: WebinarSession,
    edit: Callable[..., sessions.Change],
    values: dict[str, object],
    refusal: type[DomainError],
) -> None:
    with pytest.raises(refusal):
        edit(announced, **values)
