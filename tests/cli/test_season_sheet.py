"""flask sessions export, import and reindex, as a person types them."""

from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, text

from tests.builders import make_series, make_session
from webinar.db import DbSession
from webinar.documents.sheets import as_csv, read_sheet
from webinar.models import Series, WebinarSession


@pytest.fixture
def series(db: DbSession) -> Series:
    series = make_series(db, "rounds")
    make_session(db, series=series, title="Müller")
    db.commit()
    return series


def run(app: Flask, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=["sessions", *args])


@pytest.mark.parametrize("name", ["season.csv", "season.xlsx"])
def test_a_season_goes_to_a_file_and_comes_back_unchanged(
    app: Flask, series: Series, tmp_path: Path, name: str
) -> None:
    exported = run(app, "export", str(tmp_path / name), "--series", "rounds")
    imported = run(app, "import", str(tmp_path / name), "--dry-run")

    assert exported.output == f"Wrote 1 session to {tmp_path / name}.\n"
    assert read_sheet((tmp_path / name).read_bytes())[1][7] == "Müller"
    assert imported.output == (
        "Row 2  Thu 26 Nov 2026, 18:15 CET  no change             Müller\n"
        "Nothing was changed: this was a dry run.\n"
    )


def test_a_dry_run_imports_nothing_and_an_import_all_or_nothing(
    app: Flask, db: DbSession, series: Series, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    rows = [["series", "date", "title"], ["rounds", "2126-01-03", "New"]]
    good.write_bytes(as_csv(rows))
    bad.write_bytes(as_csv([*rows, ["rounds", "2126-01-99", "Bad"]]))

    results = [
        run(app, "import", str(good), "--dry-run"),
        run(app, "import", str(bad)),
        run(app, "import", str(good)),
    ]

    assert [result.exit_code for result in results] == [0, 1, 0]
    assert "Row 3  2126-01-99  to put right          Bad\n  date: “2126-01-99”" in results[1].output
    assert "1 row is wrong; nothing was imported." in results[1].output
    assert set(db.scalars(select(WebinarSession.title))) == {"Müller", "New"}


def test_the_words_of_sessions_are_written_anew(app: Flask, db: DbSession, series: Series) -> None:
    db.execute(text("DELETE FROM session_text"))
    db.commit()

    first, again = run(app, "reindex"), run(app, "reindex")

    assert first.output == "1 session indexed anew.\n"
    assert again.output == "0 sessions indexed anew.\n"
