"""A season taken in from a table: all of it or nothing, every problem at once, and out again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from tests.builders import (
    NOW,
    STARTS_AT,
    make_faculty,
    make_registration,
    make_series,
    make_session,
    make_society,
    make_topic,
    make_user,
)
from webinar.db import DbSession, open_db
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.domain.session_details import UNTITLED
from webinar.models import (
    AudienceGroup,
    SeasonChange,
    Series,
    SeriesException,
    WebinarSession,
)
from webinar.services import season_changes, season_sheet, sessions
from webinar.services.feeds import CalendarTool
from webinar.services.season_sheet import Deed, Taken
from webinar.services.session_facts import details_of

HEAD = ["id", "series", "society", "date", "start", "minutes", "title", "topics", "faculty"]


@pytest.fixture
def series(db: DbSession) -> Series:
    series = make_series(db, "grandrounds", society=make_society(db, "school"))
    db.commit()
    return series


def taken(
    db: DbSession,
    calendar: CalendarTool,
    rows: Sequence[Sequence[str]],
    *,
    society_ids: frozenset[int] | None = None,
    actor_id: int | None = None,
) -> Taken:
    return season_sheet.take_in(
        db,
        rows,
        society_ids=society_ids,
        home_zone="Europe/Zurich",
        actor_id=actor_id,
        calendar=calendar,
        now=NOW,
    )


def problems(found: Taken) -> list[tuple[int, str, str]]:
    return [
        (problem.row, problem.column, problem.words)
        for outcome in found.outcomes
        for problem in outcome.problems
    ]


def everything(db: DbSession) -> list[WebinarSession]:
    return list(db.scalars(select(WebinarSession).order_by(WebinarSession.starts_at)))


def test_rows_become_drafts_by_the_hours_of_their_series(
    db: DbSession, calendar: CalendarTool, series: Series
) -> None:
    found = taken(
        db,
        calendar,
        [
            HEAD,
            ["", "grandrounds", "", "2027-01-14", "", "", "First", "Breast", "Dr A (Milan)"],
            ["", "e-grandrounds", "", "15.07.2027", "19:00", "60", "", "", ""],
            ["", "", "school", "2027-01-20", "12:00", "30", "On its own", "", ""],
        ],
    )
    db.commit()

    first, single, second = everything(db)
    assert found.is_clean
    assert [outcome.deed for outcome in found.outcomes] == [Deed.MAKES] * 3
    assert (first.title, first.planned_day, first.series_id) == (
        "First",
        date(2027, 1, 14),
        series.id,
    )
    assert (first.starts_at, first.ends_at) == (
        datetime(2027, 1, 14, 17, 15, tzinfo=UTC),
        datetime(2027, 1, 14, 18, 0, tzinfo=UTC),
    )
    assert [topic.name for topic in first.topics] == ["Breast"]
    assert [(m.part, m.name, m.affiliation) for m in first.faculty] == [
        (FacultyPart.PRESENTER, "Dr A", "Milan")
    ]
    assert (second.title, second.starts_at) == (
        UNTITLED,
        datetime(2027, 7, 15, 17, 0, tzinfo=UTC),
    )
    assert (single.series_id, single.society.slug) == (None, "school")
    assert {session.status for session in (first, second, single)} == {SessionStatus.DRAFT}


def test_every_problem_of_every_row_is_named_at_once(
    db: DbSession, calendar: CalendarTool, series: Series
) -> None:
    make_topic(db, "breast")
    other = make_society(db, "other")
    there = make_session(db, series=series)  # Thursday 26 November 2026
    there.planned_day = date(2026, 11, 26)
    single = make_session(db, society=other)
    db.commit()
    head = [*HEAD, "zone", "language", "level", "audience", "end"]

    found = taken(
        db,
        calendar,
        [
            head,
            ["", "nothing", "", "2027-02-30", "25:00", "0", "T"],
            ["", "grandrounds", "", "2027-03-28", "02:30", "45", "In the gap"],
            ["", "grandrounds", "", "2026-11-26", "", "", "Twice"],
            ["", "", "", "2027-01-14", "18:15", "45", "Whose?"],
            ["x", "", "", "", "", "", "No such"],
            ["", "grandrounds", "other", "2027-01-21", "", "", "Of two"],
            ["", "grandrounds", "", "2027-01-28", "", "45", "", "", "chair: X", "Mars", "Latin"],
            ["", "grandrounds", "", "2027-02-04", "", "45", "", "", "", "", "", "hard", "elders"],
            ["", "grandrounds", "", "2027-02-11", "", "45", "", "", "", "", "", "", "", "19:30"],
            ["", "grandrounds", "", "2027-02-18", "", "", "Once"],
            ["", "grandrounds", "", "2027-02-18", "", "", "Twice in the table"],
            [single.public_id, "grandrounds", "", "", "", "", "Changes series"],
        ],
    )
    db.rollback()

    words = problems(found)
    assert not found.is_clean
    assert [(row, column) for row, column, _ in words] == [
        (2, "series"),
        (2, "date"),
        (2, "start"),
        (2, "minutes"),
        (3, "start"),
        (4, "date"),
        (5, "series"),
        (6, "id"),
        (7, "society"),
        (8, "zone"),
        (8, "language"),
        (8, "faculty"),
        (9, "level"),
        (9, "audience"),
        (10, "end"),
        (12, "date"),
        (13, "series"),
    ]
    assert words[4][2] == (
        "02:30 on 28 March 2027 does not exist in Europe/Zurich: the clocks go forward over it. "
        "Choose another time."
    )
    assert words[5][2] == (
        "The series has a session for this day already: “Sentinel nodes after neoadjuvant "
        f"therapy”. To change that one, put its id {there.public_id} into the first column; "
        "else choose another day."
    )
    assert words[-2][2] == "Row 11 is about the same session. Take one of the two out."


def test_one_bad_row_changes_nothing(db: DbSession, calendar: CalendarTool, series: Series) -> None:
    rows = [[*HEAD], *(["", "grandrounds", "", f"2027-01-{day:02}"] for day in range(1, 31))]
    rows.append(["", "grandrounds", "", "2027-01-32"])

    found = taken(db, calendar, rows)
    db.rollback()

    assert (found.is_clean, found.number(Deed.MAKES), found.number(Deed.REFUSED)) == (False, 30, 1)
    assert everything(db) == []
    assert db.scalar(select(func.count(SeasonChange.id))) == 0


def test_a_planned_date_nobody_has_touched_is_filled(
    db: DbSession, calendar: CalendarTool, series: Series
) -> None:
    planned = make_session(db, series=series, title=UNTITLED, status=SessionStatus.DRAFT)
    planned.planned_day = date(2026, 11, 26)
    db.commit()

    found = taken(
        db, calendar, [HEAD, ["", "grandrounds", "", "2026-11-26", "", "", "Now with a title"]]
    )
    db.commit()

    assert [outcome.deed for outcome in found.outcomes] == [Deed.FILLS]
    assert [session.title for session in everything(db)] == ["Now with a title"]


def test_a_row_with_an_id_changes_only_what_it_says_differently(
    db: DbSession, calendar: CalendarTool, series: Series
) -> None:
    anna = make_user(db, "anna@example.net")
    session = make_session(db, series=series, topics=(make_topic(db),))
    session.abstract, session.objectives = "Abstract", "Know it"
    presenter = make_faculty(db, session, user=anna, name="Anna; the (great)")
    presenter.disclosure = "Nothing to disclose."
    db.commit()
    other = "moderator: Dr New (Basel)"
    head, row = season_sheet.given_out(db, [session.id])
    row[head.index("title")] = "A better title"
    row[head.index("faculty")] += f"; {other}"

    found = taken(db, calendar, [head, row])
    db.commit()

    assert found.is_clean
    assert [outcome.deed for outcome in found.outcomes] == [Deed.CHANGES]
    assert [name for name, _, _ in found.outcomes[0].changes] == ["title", "faculty"]
    assert (session.title, session.abstract, session.revision) == ("A better title", "Abstract", 1)


def test_who_is_named_again_keeps_what_hangs_on_them(
    db: DbSession, calendar: CalendarTool, series: Series
) -> None:
    anna = make_user(db, "anna@example.net")
    session = make_session(db, series=series, status=SessionStatus.DRAFT)
    presenter = make_faculty(db, session, user=anna, name="Dr Anna Keller")
    presenter.disclosure = "Nothing to disclose."
    discussant = make_faculty(db, session, FacultyPart.DISCUSSANT, name="Dr Ben")
    discussant.disclosure = "Advises a company."
    db.commit()
    ids = [presenter.id, discussant.id]
    head = ["id", "faculty"]
    people = "moderator: Dr Ben (Bern); Dr Anna Keller-Roth <anna@example.net>"

    taken(db, calendar, [head, [session.public_id, people]])
    db.commit()
    db.refresh(session)

    assert [(m.id, m.part, m.name, m.disclosure, m.user_id) for m in session.faculty] == [
        (ids[1], FacultyPart.MODERATOR, "Dr Ben", "Advises a company.", None),
        (ids[0], FacultyPart.PRESENTER, "Dr Anna Keller-Roth", "Nothing to disclose.", anna.id),
    ]


def test_a_season_given_out_and_taken_in_again_changes_nothing(
    db: DbSession, calendar: CalendarTool, series: Series
) -> None:
    group = AudienceGroup(slug="juniors", name="Juniors")
    topics = (make_topic(db), make_topic(db))
    ids = []
    for week in range(20):
        session = make_session(
            db,
            series=series if week % 2 else None,
            starts_at=STARTS_AT + timedelta(weeks=2 * week),
            status=list(SessionStatus)[week % 5],
            title=["=Sum", "+1", "Müller; Łoś", UNTITLED][week % 4],
            topics=topics[: week % 3],
        )
        session.audience = [group] if week % 3 else []
        session.level, session.language = ["", "advanced"][week % 2], ["en", "el"][week % 2]
        session.abstract, session.objectives = "Line\n\nline", "One\nTwo"
        session.planned_day = date(2026, 11, 26) + timedelta(weeks=2 * week)
        make_faculty(db, session, name="Prof (odd) <name; of: all")
        make_faculty(db, session, FacultyPart.MODERATOR, user=make_user(db), name="Ben")
        ids.append(session.id)
    db.commit()

    table = season_sheet.given_out(db, ids)
    found = taken(db, calendar, table)
    db.commit()

    assert [outcome.deed for outcome in found.outcomes] == [Deed.KEEPS] * 20
    assert not found.does_something
    assert problems(found) == []
    assert [session.revision for session in everything(db)] == [0] * 20


def test_moving_an_announced_session_by_the_table_tells_who_comes(
    db: DbSession, calendar: CalendarTool, series: Series
) -> None:
    session = make_session(db, series=series)
    make_registration(db, session, make_user(db))
    db.commit()
    head = ["id", "start"]

    found = taken(db, calendar, [head, [session.public_id, "19:00"]])
    db.commit()

    assert found.told == 1
    assert session.starts_at == datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
    assert session.ends_at - session.starts_at == timedelta(minutes=45)


def test_what_an_edit_refuses_is_a_problem_of_the_row(
    db: DbSession, calendar: CalendarTool, series: Series
) -> None:
    over = make_session(db, series=series, status=SessionStatus.ENDED)
    db.commit()

    found = taken(db, calendar, [["id", "date"], [over.public_id, "2027-01-14"]])
    db.rollback()

    assert [(row, column) for row, column, _ in problems(found)] == [(2, "")]
    assert "can no longer change" in problems(found)[0][2]


def test_overlaps_breaks_and_new_topics_are_warnings(
    db: DbSession, calendar: CalendarTool, series: Series
) -> None:
    make_session(db, title="Tumour board")
    db.add(SeriesException(series_id=series.id, day=date(2026, 11, 26), reason="Thanksgiving"))
    db.commit()

    found = taken(
        db, calendar, [HEAD, ["", "grandrounds", "", "2026-11-26", "", "", "T", "Brand new"]]
    )

    assert found.is_clean
    assert problems(found) == [
        (2, "topics", "“Brand new” is a new topic and will be added. Look for a slip of the pen."),
        (2, "date", "The series does not meet on this day: Thanksgiving."),
        (2, "start", "At the same time: “Tumour board”."),
    ]


def test_a_role_for_one_society_imports_for_that_one_alone(
    db: DbSession, calendar: CalendarTool, series: Series
) -> None:
    other = make_society(db, "other")
    theirs = make_session(db, society=other)
    db.commit()

    found = taken(
        db,
        calendar,
        [
            HEAD,
            ["", "grandrounds", "", "2027-01-14"],
            ["", "", "other", "2027-01-14", "18:15", "45"],
            [theirs.public_id, "", "", "", "", "", "Mine now"],
        ],
        society_ids=frozenset({series.society_id}),
    )

    assert [outcome.deed for outcome in found.outcomes] == [
        Deed.MAKES,
        Deed.REFUSED,
        Deed.REFUSED,
    ]
    assert {words for _, _, words in problems(found)} == {
        f"Your account may not plan sessions for {other.name}."
    }


def test_an_import_can_be_taken_back_in_one_go(
    db: DbSession, calendar: CalendarTool, series: Series
) -> None:
    lea = make_user(db)
    session = make_session(db, series=series, title="Before", status=SessionStatus.DRAFT)
    db.commit()
    rows = [
        ["id", "series", "date", "title"],
        [session.public_id, "", "", "After"],
        ["", "grandrounds", "2027-01-14", "New"],
    ]
    taken(db, calendar, rows, actor_id=lea.id)
    db.commit()

    (change,) = season_changes.open_for(db, lea.id, now=NOW)
    season_changes.undo(db, change.id, actor_id=lea.id, calendar=calendar, now=NOW)
    db.commit()

    assert [found.title for found in everything(db)] == ["Before"]


def test_what_somebody_fills_in_while_the_table_is_read_is_not_overwritten(
    db: DbSession, calendar: CalendarTool, series: Series
) -> None:
    session = make_session(db, series=series, status=SessionStatus.DRAFT)
    db.commit()
    with open_db.begin() as colleagues:
        theirs = colleagues.get_one(WebinarSession, session.id)
        filled = replace(details_of(theirs), title="Filled in meanwhile")
        sessions.edit(colleagues, session.id, filled, actor_id=None, calendar=calendar, now=NOW)

    found = taken(db, calendar, [["id", "title"], [session.public_id, "From the table"]])

    assert not found.is_clean
    assert "Somebody else changed this session" in problems(found)[0][2]
    assert session.title == "Filled in meanwhile"
