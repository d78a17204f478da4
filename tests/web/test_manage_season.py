"""A season from a spreadsheet and back, as a browser without scripts does it."""

import io
import re
from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import func, select

from tests.builders import make_series, make_session, make_society, make_user
from webinar.db import DbSession
from webinar.documents.sheets import as_csv, as_xlsx, read_sheet
from webinar.domain.access import Role
from webinar.domain.session import SessionStatus
from webinar.models import Series, User, UserRole, WebinarSession

HEAD = ["series", "date", "title"]


@pytest.fixture
def series(db: DbSession) -> Series:
    series = make_series(db, "rounds", society=make_society(db, "school"))
    db.commit()
    return series


def sent(client: FlaskClient, content: bytes, *, status: int = 200) -> str:
    answer = client.post("/manage/import", data={"file": (io.BytesIO(content), "season.bin")})
    assert answer.status_code == status
    return unescape(answer.text)


def hidden(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(table|digest)" value="([^"]*)">', text))


def number(db: DbSession) -> int:
    counted = db.scalar(select(func.count(WebinarSession.id))) or 0
    db.rollback()
    return counted


def season(days: int, *bad: list[str]) -> list[list[str]]:
    rows = [
        ["rounds", f"2126-{1 + day // 28:02}-{1 + day % 28:02}", f"Evening {day}"]
        for day in range(days)
    ]
    return [HEAD, *rows, *bad]


def test_a_season_is_looked_through_before_it_is_imported(
    organiser: FlaskClient, db: DbSession, series: Series
) -> None:
    text = sent(organiser, as_xlsx(season(50)))
    before = number(db)
    answer = organiser.post("/manage/import/confirm", data=hidden(text), follow_redirects=True)

    assert "This is what the file would do: 50 new drafts." in text
    assert (before, number(db)) == (0, 50)
    assert "Imported: 50 new drafts." in answer.text


def test_three_bad_rows_of_fifty_are_named_and_nothing_is_imported(
    organiser: FlaskClient, db: DbSession, series: Series
) -> None:
    bad = [["nothing", "2126-12-01", "A"], ["rounds", "2126-12-32", "B"], ["rounds", "", "C"]]

    text = sent(organiser, as_csv(season(47, *bad)), status=422)
    answer = organiser.post("/manage/import/confirm", data=hidden(text))

    assert "47 new drafts, 3 rows that cannot be imported" in text
    for words in (
        "<strong>Row 49, series:</strong> There is no series called “nothing”.",
        "<strong>Row 50, date:</strong> “2126-12-32” is not a day.",
        "<strong>Row 51, date:</strong> The day is missing.",
    ):
        assert words in text
    assert hidden(text) == {}
    assert answer.status_code == 422
    assert number(db) == 0


def test_what_changed_meanwhile_is_shown_again_instead_of_imported(
    organiser: FlaskClient, db: DbSession, series: Series
) -> None:
    text = sent(organiser, as_csv(season(2)))
    planned = make_session(db, series=series, title="Planned meanwhile")
    planned.planned_day = planned.starts_at.replace(year=2126, month=1, day=1).date()
    db.commit()

    answer = organiser.post("/manage/import/confirm", data=hidden(text))

    assert answer.status_code == 422
    assert "The season changed meanwhile" in answer.text
    assert number(db) == 1


def test_what_is_confirmed_is_what_was_looked_through(
    organiser: FlaskClient,
    db: DbSession,
    series: Series,
    signed_in_as: Callable[[User], FlaskClient],
) -> None:
    form = hidden(sent(organiser, as_csv(season(2))))
    other = make_user(db, roles=(Role.ORGANISER,))
    db.commit()

    forged = organiser.post("/manage/import/confirm", data={**form, "table": form["table"][1:]})
    borrowed = signed_in_as(other).post("/manage/import/confirm", data=form)

    assert (forged.status_code, borrowed.status_code) == (422, 422)
    assert number(db) == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        (b"\x89PNG\0\0", "This is not a table."),
        (b"a,b\n1,2\n", "The first row has to name the columns"),
        (b"date,title\n", "There is no session in this table"),
    ],
)
def test_a_file_that_is_no_season_is_refused_beside_the_field(
    organiser: FlaskClient, content: bytes, words: str
) -> None:
    text = sent(organiser, content, status=422)

    assert f'id="f-file-error">{words}' in text


def test_the_page_explains_every_column_and_gives_templates(organiser: FlaskClient) -> None:
    text = organiser.get("/manage/import").text
    as_table = organiser.get("/manage/import/template?format=csv").data
    as_book = organiser.get("/manage/import/template?format=xlsx").data

    assert '<th scope="row"><code>faculty</code></th>' in text
    assert read_sheet(as_table) == read_sheet(as_book)
    assert read_sheet(as_table)[0][:4] == ["id", "series", "society", "date"]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_imported_again_changes_nothing(
    organiser: FlaskClient, db: DbSession, series: Series, form: str
) -> None:
    make_session(db, series=series, title="=1+1", status=SessionStatus.DRAFT)
    make_session(db, series=series, title="Zoë")
    db.commit()

    exported = organiser.get(f"/manage/sessions/export?when=all&series=rounds&format={form}")
    text = sent(organiser, exported.data)

    assert exported.headers["Content-Disposition"].endswith(f".{form}")
    assert "Nothing to import" in text
    assert text.count("No change") == 2


def test_an_export_holds_what_the_list_shows(
    organiser: FlaskClient, db: DbSession, series: Series
) -> None:
    make_session(db, series=series, title="Draft", status=SessionStatus.DRAFT)
    make_session(db, title="Elsewhere")
    db.commit()

    book = organiser.get("/manage/sessions/export?when=all&status=draft&format=xlsx").data

    rows = list(load_workbook(io.BytesIO(book)).active.values)
    assert [row[rows[0].index("title")] for row in rows] == ["title", "Draft"]


def test_an_organiser_of_one_society_exports_and_imports_for_that_one(
    db: DbSession, series: Series, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    theirs = make_session(db, title="Of another society")
    user = make_user(db)
    user.grants = [UserRole(role=Role.ORGANISER, society_id=series.society_id)]
    db.commit()
    client = signed_in_as(user)

    exported = client.get("/manage/sessions/export?when=all&format=csv").data
    text = sent(client, as_csv([["id", "title"], [theirs.public_id, "Mine"]]), status=422)

    assert len(read_sheet(exported)) == 1
    assert "Your account may not plan sessions for" in text
