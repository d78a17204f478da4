"""One edit on one session, on it and those after it, or on all of its series to come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

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
    make_topic,
    make_user,
)
from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.domain.session import ChangedMeanwhile, FacultyPart, SessionStatus
from webinar.domain.session_details import FacultyDetails, SessionDetails, SessionLevel
from webinar.models import AudienceGroup, SeasonChange, WebinarSession
from webinar.services import season_changes, session_audience, session_scope, sessions
from webinar.services.feeds import CalendarTool
from webinar.services.session_audience import Audience
from webinar.services.session_copies import duplicate
from webinar.services.session_facts import details_of
from webinar.services.session_scope import Scope

WEEK = timedelta(days=7)


@pytest.fixture
def four(db: DbSession) -> list[WebinarSession]:
    """A session that is over and three to come, the last one a draft; all of one series."""
    series = make_series(db)
    found = [
        make_session(db, series=series, starts_at=STARTS_AT + number * WEEK)
        for number in (-2, 0, 1, 2)
    ]
    found[3].status = SessionStatus.DRAFT
    return [make_ready(db, session) for session in found]


def at(details: SessionDetails, hour: int, minute: int, *, minutes: int = 45) -> SessionDetails:
    starts = details.starts.replace(hour=hour, minute=minute)
    return replace(details, starts=starts, ends=starts + timedelta(minutes=minutes))


def test_a_new_hour_keeps_each_ones_own_day(
    db: DbSession, four: list[WebinarSession], calendar: CalendarTool
) -> None:
    over, first, second, third = four
    second.starts_at += timedelta(days=1)
    second.ends_at += timedelta(days=1)
    db.flush()

    edits = session_scope.preview(db, first, at(details_of(first), 19, 30), Scope.ALL, now=NOW)
    changes = session_scope.apply(
        db,
        first.id,
        at(details_of(first), 19, 30),
        Scope.ALL,
        actor_id=None,
        calendar=calendar,
        now=NOW,
    )

    starts = [
        datetime(2026, 11, 26, 18, 30, tzinfo=UTC),
        datetime(2026, 12, 4, 18, 30, tzinfo=UTC),
        datetime(2026, 12, 10, 18, 30, tzinfo=UTC),
    ]
    assert [(edit.session.id, edit.new_starts_at) for edit in edits] == list(
        zip([first.id, second.id, third.id], starts, strict=True)
    )
    assert [edit.fields for edit in edits] == [("starts_at", "ends_at")] * 3
    assert [change.session.starts_at for change in changes] == starts
    assert over.starts_at == STARTS_AT - 2 * WEEK


def test_this_and_later_leaves_what_comes_before(
    db: DbSession, four: list[WebinarSession], calendar: CalendarTool
) -> None:
    _, first, second, third = four
    details = replace(details_of(second), language="de")

    session_scope.apply(
        db, second.id, details, Scope.LATER, actor_id=None, calendar=calendar, now=NOW
    )

    assert [session.language for session in (first, second, third)] == ["en", "de", "de"]


def test_only_what_differs_is_put_on_the_others(
    db: DbSession, four: list[WebinarSession], calendar: CalendarTool
) -> None:
    _, first, second, _ = four
    second.title, second.abstract = "Another talk", "Of its own."
    second.topics = [make_topic(db)]
    own_presenter = details_of(second).faculty
    db.flush()
    # Another day for the first alone: the others keep their days and their hours.
    details = replace(
        details_of(first),
        objectives="Said better.",
        starts=details_of(first).starts + timedelta(days=1),
        ends=details_of(first).ends + timedelta(days=1),
    )

    edits = session_scope.preview(db, first, details, Scope.ALL, now=NOW)
    session_scope.apply(db, first.id, details, Scope.ALL, actor_id=None, calendar=calendar, now=NOW)

    assert [edit.fields for edit in edits] == [
        ("objectives", "starts_at", "ends_at"),
        ("objectives",),
        ("objectives",),
    ]
    assert (second.title, second.abstract, second.objectives) == (
        "Another talk",
        "Of its own.",
        "Said better.",
    )
    assert details_of(second).faculty == own_presenter
    assert second.starts_at == STARTS_AT + WEEK


def test_a_moderator_for_all_keeps_rows_and_disclosures(
    db: DbSession, four: list[WebinarSession], calendar: CalendarTool
) -> None:
    _, first, second, _ = four
    theirs = second.faculty[0]
    theirs.disclosure = "Fees from Acme."
    db.flush()
    kept = theirs.id
    moderator = FacultyDetails(FacultyPart.MODERATOR, "Dr Jan Novak", email="jan@example.net")
    details = details_of(first)
    details = replace(details, faculty=(*details.faculty, moderator))

    session_scope.apply(db, first.id, details, Scope.ALL, actor_id=None, calendar=calendar, now=NOW)

    assert [(member.name, member.disclosure) for member in second.faculty] == [
        ("Prof Elena Marchetti", "Fees from Acme."),
        ("Dr Jan Novak", ""),
    ]
    assert second.faculty[0].id == kept
    assert {session.faculty[1].user_id for session in four[1:]} == {first.faculty[1].user_id}
    assert first.faculty[1].user_id is not None


def test_one_refusal_changes_nothing(
    db: DbSession, four: list[WebinarSession], calendar: CalendarTool
) -> None:
    _, first, second, _ = four
    db.commit()
    before = details_of(second)
    # At 03:00 this evening is over, while the others are still to come.
    now = STARTS_AT - timedelta(hours=3)

    with pytest.raises(DomainError, match="is over"):
        session_scope.apply(
            db,
            first.id,
            at(details_of(first), 3, 0),
            Scope.ALL,
            actor_id=None,
            calendar=calendar,
            now=now,
        )
    db.rollback()

    assert details_of(second) == before
    assert db.scalars(select(SeasonChange)).all() == []


def test_all_of_it_is_taken_back_at_once(
    db: DbSession, four: list[WebinarSession], calendar: CalendarTool
) -> None:
    first = four[1]
    before = [details_of(session) for session in four]
    session_scope.apply(
        db,
        first.id,
        replace(at(details_of(first), 19, 30), level=SessionLevel.ADVANCED.value),
        Scope.ALL,
        actor_id=None,
        calendar=calendar,
        now=NOW,
    )
    [change] = season_changes.open_for(db, None, now=NOW)

    undone = season_changes.undo(db, change.id, actor_id=None, calendar=calendar, now=NOW)

    assert change.summary == "e-grandrounds: edited 3 sessions"
    assert undone.sessions == 3
    assert [details_of(session) for session in four] == before


def test_an_older_revision_is_noticed(
    db: DbSession, four: list[WebinarSession], calendar: CalendarTool
) -> None:
    first = four[1]
    seen = first.revision
    changed = replace(details_of(first), title="Nodes, revisited")
    sessions.edit(db, first.id, changed, actor_id=None, calendar=calendar, now=NOW)

    with pytest.raises(ChangedMeanwhile, match="Somebody else changed this session"):
        session_scope.apply(
            db,
            first.id,
            changed,
            Scope.ONE,
            actor_id=None,
            calendar=calendar,
            now=NOW,
            seen_revision=seen,
        )


def test_who_is_told_is_counted_once_and_whose_clock_shows_another_hour(
    db: DbSession, four: list[WebinarSession]
) -> None:
    _, first, second, draft = four
    zurich, new_york = make_user(db), make_user(db, zone="America/New_York")
    for session in (first, second, draft):
        make_registration(db, session, zurich)
    make_registration(db, second, new_york)
    # 25 March 2027, 18:15 in Zurich: New York is five hours behind instead of six.
    spring = datetime(2027, 3, 25, 17, 15, tzinfo=UTC)

    one = session_audience.of_moves(db, [(first, first.starts_at + timedelta(days=1))])
    both = session_audience.of_moves(db, [(first, spring), (second, spring), (draft, spring)])
    cancelled = session_audience.of_cancellation(db, second)
    hour = session_scope.audience_of(
        db,
        session_scope.preview(db, first, at(details_of(first), 19, 0), Scope.ALL, now=NOW),
    )

    assert one == Audience(told=1, new_hour=0)
    assert both == Audience(told=2, new_hour=1)
    assert cancelled == Audience(told=2, new_hour=0)
    assert hour == Audience(told=2, new_hour=2)


def test_a_copy_says_the_same_and_nothing_hangs_on_it(
    db: DbSession, four: list[WebinarSession], calendar: CalendarTool
) -> None:
    first = four[1]
    first.topics = [make_topic(db)]
    first.audience = [AudienceGroup(slug="juniors", name="Juniors")]
    first.recording_months, first.reviews_recording = 3, True
    make_faculty(db, first, FacultyPart.MODERATOR, user=make_user(db), name="Dr Jan Novak")
    make_registration(db, first, make_user(db))

    copy = duplicate(
        db,
        first.id,
        starts=datetime(2027, 1, 14, 19, 0),
        actor_id=None,
        calendar=calendar,
        now=NOW,
    )
    db.expire_all()

    said, meant = details_of(copy), details_of(first)
    assert replace(
        said,
        starts=meant.starts,
        ends=meant.ends,
        faculty=tuple(replace(member, id=None) for member in said.faculty),
    ) == replace(
        meant,
        faculty=tuple(replace(member, id=None, disclosure="") for member in meant.faculty),
    )
    assert (copy.starts_at, copy.ends_at - copy.starts_at) == (
        datetime(2027, 1, 14, 18, 0, tzinfo=UTC),
        timedelta(minutes=45),
    )
    assert (copy.recording_months, copy.reviews_recording) == (3, True)
    assert (copy.status, copy.series_id, copy.planned_day) == (
        SessionStatus.DRAFT,
        first.series_id,
        None,
    )
    assert copy.ical_uid != first.ical_uid
