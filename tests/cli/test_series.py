"""flask series, as a person types it."""

import json

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from tests.builders import NOW, make_series, make_session, make_society
from webinar.db import DbSession
from webinar.models import Series, Society, WebinarSession
from webinar.services import series_breaks

CREATE = [
    "series", "create", "--slug", "e-grandrounds", "--name", "e-grandrounds",
    "--rule", "FREQ=WEEKLY;BYDAY=TH", "--start", "18:15", "--minutes", "45",
    "--zone", "Europe/Zurich", "--from", "2026-11-26",
]  # fmt: skip


def run(app: Flask, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=list(args))


def changed(option: str, value: str) -> list[str]:
    args = list(CREATE)
    args[args.index(option) + 1] = value
    return args


def test_a_series_is_created_on_an_empty_database(app: Flask, db: DbSession) -> None:
    result = run(app, *CREATE)

    assert result.output == (
        "Created e-grandrounds of grand-rounds-online: every Thursday, 18:15, Europe/Zurich.\n"
        "Next: series plan e-grandrounds --until YYYY-MM-DD\n"
    )
    assert result.exit_code == 0
    assert db.scalars(select(Society.slug)).all() == ["grand-rounds-online"]


def test_a_series_is_created_for_the_society_named(app: Flask, db: DbSession) -> None:
    make_society(db, "first")
    second = make_society(db, "second")
    db.commit()

    result = run(app, *CREATE, "--society", "second", "--months", "3")

    assert result.exit_code == 0
    made = db.scalars(select(Series)).one()
    assert (made.society_id, made.recording_months) == (second.id, 3)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (changed("--rule", "FREQ=WEEKLY;UNTIL=20200101"), "The rule names no date"),
        (changed("--rule", "weekly"), "FREQ=WEEKLY;BYDAY=TH"),
        (changed("--minutes", "0"), "A session has to end after it starts."),
        (changed("--minutes", "-45"), "A session has to end after it starts."),
        (changed("--zone", "Europe/Zuerich"), "There is no time zone called 'Europe/Zuerich'."),
        (changed("--start", "25:15"), "'25:15' is not a time of day. Write it like 18:15."),
        (changed("--from", "2026-02-30"), "'2026-02-30' is not a day."),
        (changed("--slug", "E Grandrounds"), "cannot stand in an address"),
        ([*CREATE, "--society", "nobody"], "There is no society called 'nobody'."),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    app: Flask, db: DbSession, args: list[str], sentence: str
) -> None:
    result = run(app, *args)

    assert sentence in result.output
    assert "Traceback" not in result.output
    assert result.exit_code != 0
    assert db.scalars(select(Series)).all() == []


def test_a_wall_time_that_does_not_exist_is_refused(app: Flask, db: DbSession) -> None:
    args = changed("--rule", "FREQ=WEEKLY;BYDAY=SU")
    args[args.index("--start") + 1] = "02:30"

    result = run(app, *args)

    assert result.output == (
        "Error: 02:30 on 28 March 2027 does not exist in Europe/Zurich: "
        "the clocks go forward over it. Choose another time.\n"
    )
    assert db.scalars(select(Series)).all() == []


def test_a_dry_run_prints_json_over_the_clock_change_and_plans_nothing(
    app: Flask, db: DbSession
) -> None:
    run(app, *changed("--from", "2027-03-25"))

    result = run(
        app, "series", "plan", "e-grandrounds", "--until", "2027-04-01", "--dry-run", "--json"
    )

    assert json.loads(result.output) == [
        {
            "starts_at": "2027-03-25T17:15:00Z",
            "ends_at": "2027-03-25T18:00:00Z",
            "local": "2027-03-25T18:15:00",
            "zone": "Europe/Zurich",
        },
        {
            "starts_at": "2027-04-01T16:15:00Z",
            "ends_at": "2027-04-01T17:00:00Z",
            "local": "2027-04-01T18:15:00",
            "zone": "Europe/Zurich",
        },
    ]
    assert db.scalar(select(func.count()).select_from(WebinarSession)) == 0


def test_planning_says_what_is_new_and_what_collides(app: Flask, db: DbSession) -> None:
    make_session(db, title="Another evening")
    make_series(db, "rounds")
    db.commit()

    first = run(app, "series", "plan", "rounds", "--until", "2026-11-26")
    second = run(app, "series", "plan", "rounds", "--until", "2026-12-03")

    assert first.output == (
        "Thu 26 Nov 2026, 18:15–19:00 CET  new  At the same time: Another evening.\n"
        "1 new date, planned as drafts.\n"
    )
    assert second.output == (
        "Thu 26 Nov 2026, 18:15–19:00 CET  planned  At the same time: Another evening.\n"
        "Thu 3 Dec 2026, 18:15–19:00 CET  new\n"
        "1 new date, planned as drafts.\n"
    )


def test_an_unknown_series_cannot_be_planned(app: Flask) -> None:
    result = run(app, "series", "plan", "nothing", "--until", "2026-12-03")

    assert (result.output, result.exit_code) == (
        "Error: There is no series called 'nothing'.\n",
        1,
    )


def test_series_are_listed_with_their_rule_in_words(app: Flask, db: DbSession) -> None:
    make_series(db, "rounds")
    db.commit()

    assert run(app, "series", "list").output == (
        "rounds\tevery Thursday, 18:15 Zurich time, 45 minutes\n"
    )


def test_a_series_by_two_rules_is_created_planned_and_listed(app: Flask, db: DbSession) -> None:
    both = [*CREATE, "--rule", "FREQ=MONTHLY;BYDAY=1TU", "--start", "12:00"]

    created = run(app, *both)
    planned = run(app, "series", "plan", "e-grandrounds", "--until", "2026-12-03")
    listed = run(app, "series", "list")

    assert created.output.startswith(
        "Created e-grandrounds of grand-rounds-online: "
        "every Thursday, 18:15; first Tuesday of the month, 12:00, Europe/Zurich.\n"
    )
    assert planned.output == (
        "Thu 26 Nov 2026, 18:15–19:00 CET  new\n"
        "Tue 1 Dec 2026, 12:00–12:45 CET  new\n"
        "Thu 3 Dec 2026, 18:15–19:00 CET  new\n"
        "3 new dates, planned as drafts.\n"
    )
    assert [line.split(", from")[0] for line in listed.output.splitlines()] == [
        "e-grandrounds\tevery Thursday, 18:15 Zurich time, 45 minutes",
        "e-grandrounds\tfirst Tuesday of the month, 12:00 Zurich time, 45 minutes",
    ]


def test_two_starts_for_three_rules_are_refused(app: Flask, db: DbSession) -> None:
    result = run(app, *CREATE, "--rule", "FREQ=DAILY", "--rule", "FREQ=WEEKLY", "--start", "12:00")

    assert "Give --start once, or once for each --rule." in result.output
    assert db.scalars(select(Series)).all() == []


def test_an_excepted_day_is_left_out(app: Flask, db: DbSession) -> None:
    made = make_series(db, "rounds")
    series_breaks.add(
        db, made.id, made.rules[0].first_day, reason="Congress", actor_id=None, now=NOW
    )
    db.commit()

    result = run(app, "series", "plan", "rounds", "--until", "2026-12-03")

    assert result.output == (
        "Thu 3 Dec 2026, 18:15–19:00 CET  new\n1 new date, planned as drafts.\n"
    )
