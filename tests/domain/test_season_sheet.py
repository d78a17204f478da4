"""What cells of a season's table may say."""

from datetime import date, time

import pytest

from webinar.domain.season_sheet import (
    CellRefused,
    Person,
    SheetRefused,
    day_in,
    hour_in,
    language_in,
    level_in,
    minutes_in,
    people_in,
    several_in,
    table_of,
)
from webinar.domain.session import FacultyPart


@pytest.mark.parametrize("text", ["2027-01-14", "14.01.2027", "14.1.2027", "2027-01-14 00:00:00"])
def test_a_day_can_be_written_in_two_ways(text: str) -> None:
    assert day_in(text) == date(2027, 1, 14)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("01/02/2027", "“01/02/2027” can be read in two ways. Write the day like 2027-01-14."),
        ("2027-02-30", "“2027-02-30” is not a day. Write it like 2027-01-14."),
        ("", "The day is missing. Write it like 2027-01-14."),
    ],
)
def test_a_day_that_is_none_is_refused(text: str, words: str) -> None:
    with pytest.raises(CellRefused) as refusal:
        day_in(text)

    assert str(refusal.value) == words


@pytest.mark.parametrize("text", ["18:15", "18.15", "18:15:00"])
def test_an_hour_can_be_written_as_spreadsheets_do(text: str) -> None:
    assert hour_in(text) == time(18, 15)


def test_a_length_is_minutes_up_to_half_a_day() -> None:
    assert [minutes_in(text) for text in ("45", "45.0", "45 min", "720")] == [45, 45, 45, 720]


@pytest.mark.parametrize("text", ["0", "-5", "721", "1h", "", "²", "9" * 5000])
def test_a_length_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CellRefused):
        minutes_in(text)


def test_languages_and_levels_are_known_by_their_names() -> None:
    assert [language_in(text) for text in ("", "DE", "german", "Greek")] == ["en", "de", "de", "el"]
    assert [level_in(text) for text in ("", "Advanced")] == ["", "advanced"]
    with pytest.raises(CellRefused):
        language_in("Latin")
    with pytest.raises(CellRefused):
        level_in("hard")


def test_several_things_stand_between_semicolons_or_lines() -> None:
    assert several_in("Breast  cancer; Surgery\nSurgery;;") == ("Breast cancer", "Surgery")


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Dr Anna Keller", Person(FacultyPart.PRESENTER, "Dr Anna Keller")),
        (
            "Moderator: Dr Anna Keller (Zurich (USZ)) <anna@example.org>",
            Person(FacultyPart.MODERATOR, "Dr Anna Keller", "Zurich (USZ)", "anna@example.org"),
        ),
        ("speaker:Nikos P. <n@e.gr>", Person(FacultyPart.PRESENTER, "Nikos P.", "", "n@e.gr")),
    ],
)
def test_a_person_is_named_with_part_affiliation_and_address(text: str, person: Person) -> None:
    assert people_in(text) == (person,)
    assert people_in(str(person)) == (person,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("chair: Anna", "“chair” is no part. Use presenter, discussant or moderator."),
        (
            "(Zurich)",
            "“(Zurich)” names nobody. Write it like “presenter: Dr Anna Keller (Zurich)”.",
        ),
        ("Anna <anna>", "“anna” is not an e-mail address."),
    ],
)
def test_a_person_that_cannot_be_read_is_refused(text: str, words: str) -> None:
    with pytest.raises(CellRefused) as refusal:
        people_in(text)

    assert str(refusal.value) == words


def test_rows_keep_the_numbers_of_the_spreadsheet_and_blank_ones_are_left_out() -> None:
    table = table_of([["Date", "START", "Colour"], ["", " ", ""], ["2027-01-14", "18:15"]])

    assert [(row.number, row.cells) for row in table.rows] == [
        (3, {"date": "2027-01-14", "start": "18:15"})
    ]
    assert [(found.row, found.column, found.is_warning) for found in table.problems] == [
        (1, "colour", True)
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [["Hello"], ["World"]],
        [["date", "title"]],
        [["date", "Date"], ["2027-01-14", ""]],
        [["date"], *([["2027-01-14"]] * 501)],
    ],
)
def test_what_is_no_season_is_refused_as_a_whole(rows: list[list[str]]) -> None:
    with pytest.raises(SheetRefused):
        table_of(rows)
