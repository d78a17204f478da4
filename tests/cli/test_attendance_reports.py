"""Attendance reports from the command line."""

from pathlib import Path

from flask import Flask
from sqlalchemy import select

from tests.builders import make_registration, make_session, make_user
from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.models import AttendanceImport

DATA = Path(__file__).resolve().parents[1] / "data" / "attendance_reports"


def run(app: Flask, *args: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["evidence", "import", *args])
    return result.exit_code, result.output


def test_reports_are_taken_in_all_or_none(app: Flask, db: DbSession) -> None:
    session = make_session(db, status=SessionStatus.ENDED)
    officer = make_user(db, "officer@example.net")
    make_registration(db, session, make_user(db, "anna.keller@example.net"))
    db.commit()
    zoom, teams = str(DATA / "zoom_pages.json"), str(DATA / "teams_stays.csv")

    refused = run(app, session.public_id, zoom, teams, "--by", officer.email)
    taken = run(
        app, session.public_id, zoom, teams, "--by", officer.email, "--zone", "Europe/Zurich"
    )

    assert refused[0] == 1
    assert "Choose the zone" in refused[1]
    assert taken == (
        0,
        "zoom_pages.json: Zoom, 2 visits, 1 known, 1 to look at.\n"
        "  Row 3, iPhone: this was the waiting room. Not counted.\n"
        "teams_stays.csv: Microsoft Teams, 2 visits, 2 known, 0 to look at.\n"
        "  Row 10, Maria Rossi: a time is missing. Not counted.\n",
    )
    assert len(db.scalars(select(AttendanceImport)).all()) == 2
