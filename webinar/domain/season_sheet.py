"""A season as a table: the columns, what each cell may say, and what is wrong with it.

A row with the id of a session is about that session, a row without one is a new session. A column
that is left out says nothing; an emptied cell empties, where that is possible.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TypeVar

from webinar.domain.errors import DomainError
from webinar.domain.languages import NAMES as LANGUAGES
from webinar.domain.session import FacultyPart
from webinar.domain.session_details import LONGEST_HOURS, SessionLevel

Value = TypeVar("Value")

MOST_ROWS = 500
LONGEST_CELL = 20_000
MOST_PEOPLE = 20
# Before the text of a cell that a spreadsheet would calculate: it says nothing by itself.
FORMULA_MARK = "\N{SYMBOL FOR START OF TEXT}"


class SheetRefused(DomainError):
    """The table as a whole cannot be read."""


class CellRefused(DomainError):
    """The sentence says what is wrong with a cell and what to write."""


@dataclass(frozen=True)
class Column:
    """One column: its name in the first row, what it says, and an example."""

    name: str
    says: str
    example: str = ""


COLUMNS = (
    Column("id", "Empty for a new session. With the id of a session the row changes that session."),
    Column("series", "Short name or name of the series. Empty: a session of its own.", "monthly"),
    Column("society", "Needed without a series: the society’s short name.", "eso"),
    Column("date", "The day: 2027-01-14, or 14.01.2027.", "2027-01-14"),
    Column("start", "The hour on the clocks of the zone. Empty: as the series meets.", "18:15"),
    Column("minutes", "How long it lasts. Empty: as the series.", "45"),
    Column("end", "In place of minutes, if you like: the hour it ends.", ""),
    Column("zone", "Empty: the zone of the series.", "Europe/Zurich"),
    Column("title", "Empty: “To be announced”.", "Sentinel nodes after neoadjuvant therapy"),
    Column("abstract", "What it is about; several lines are fine.", "When to spare the axilla."),
    Column("objectives", "One a line.", "Choose between surgery and radiotherapy"),
    Column("topics", "Several with a semicolon between them.", "Breast cancer; Surgery"),
    Column("language", "A code or a name: en, German. Empty: English.", "en"),
    Column("level", "introductory, intermediate, advanced, or empty.", "intermediate"),
    Column("audience", "Names of groups, with a semicolon between them.", ""),
    Column(
        "faculty",
        "Part: name (affiliation) <e-mail>; several with a semicolon or a new line between them. "
        "Parts are presenter, discussant and moderator; without one it is presenter.",
        "presenter: Prof Elena Marchetti (Milan) <elena@example.org>; moderator: Dr Anna Keller",
    ),
    Column("state", "Only written by the export; an import leaves it as it is."),
)
NAMES = tuple(column.name for column in COLUMNS)
# The export says how long a session lasts, so that a start can be changed alone.
EXPORTED = tuple(name for name in NAMES if name != "end")
OTHER_NAMES = {
    "day": "date",
    "starts": "start",
    "time": "start",
    "ends": "end",
    "duration": "minutes",
    "time zone": "zone",
    "timezone": "zone",
    "topic": "topics",
    "speaker": "faculty",
    "speakers": "faculty",
    "objective": "objectives",
    "status": "state",
}
PARTS = {part.value: part for part in FacultyPart} | {"speaker": FacultyPart.PRESENTER}
PERSON = re.compile(
    r"(?:(?P<part>[A-Za-z]+)\s*:)?\s*(?P<name>[^<(]*?)\s*"
    r"(?:\((?P<affiliation>.*)\))?\s*(?:<(?P<email>[^<>]*)>)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Problem:
    """What is wrong in a row and what to do; a warning keeps nothing from being imported."""

    row: int
    column: str
    words: str
    is_warning: bool = False


@dataclass(frozen=True)
class Row:
    """A row under its number in the spreadsheet; a column that is left out is not in `cells`."""

    number: int
    cells: dict[str, str]

    def text(self, name: str) -> str:
        """What stands in the column; "" also where there is no such column."""
        return self.cells.get(name, "")


@dataclass(frozen=True)
class Table:
    """The rows that say something, and what is to be said of the first one."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Person:
    """Somebody of the faculty, as one cell names them."""

    part: FacultyPart
    name: str
    affiliation: str = ""
    email: str = ""

    def __str__(self) -> str:
        """As it stands in a cell."""
        return (
            f"{self.part}: {self.name}"
            + (f" ({self.affiliation})" if self.affiliation else "")
            + (f" <{self.email}>" if self.email else "")
        )


def table_of(rows: Sequence[Sequence[str]]) -> Table:
    """The table under its first row; raises SheetRefused if that names no columns."""
    names = [_name(cell) for cell in rows[0]] if rows else []
    known = [name for name in names if name in NAMES]
    if "date" not in known and "id" not in known:
        raise SheetRefused(
            "The first row has to name the columns: date, start, title and so on. "
            "Take the template below and fill it in."
        )
    twice = sorted({name for name in known if known.count(name) > 1})
    if twice:
        raise SheetRefused(f"Two columns are called {twice[0]}. Take one of them out.")
    filled = [
        Row(number, {name: _cell(cells, at) for at, name in enumerate(names) if name in NAMES})
        for number, cells in enumerate(rows[1:], start=2)
        if any(cell.strip() for cell in cells)
    ]
    if not filled:
        raise SheetRefused("There is no session in this table, only the names of the columns.")
    if len(filled) > MOST_ROWS:
        raise SheetRefused(
            f"The table has {len(filled)} rows; {MOST_ROWS} can be imported at a time. "
            "Split it in two."
        )
    problems = [
        Problem(1, name, "There is no such column here; it is not read.", is_warning=True)
        for name in names
        if name and name not in NAMES
    ]
    for row in filled:
        for name, text in row.cells.items():
            if text.startswith(FORMULA_MARK):
                words = "The cell holds a formula. Put its result there, as a value."
                problems.append(Problem(row.number, name, words))
            elif len(text) > LONGEST_CELL:
                words = f"The text has more than {LONGEST_CELL} characters. Shorten it."
                problems.append(Problem(row.number, name, words))
    return Table(tuple(filled), tuple(problems))


def day_in(text: str) -> date:
    """A day: 2027-01-14, or 14.01.2027; raises CellRefused."""
    if not text:
        raise CellRefused("The day is missing. Write it like 2027-01-14.")
    text = text.removesuffix(" 00:00:00")
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 -- a day
        except ValueError:
            pass
    if re.fullmatch(r"\d{1,2}/\d{1,2}/\d{2,4}", text):
        raise CellRefused(f"“{text}” can be read in two ways. Write the day like 2027-01-14.")
    raise CellRefused(f"“{text[:40]}” is not a day. Write it like 2027-01-14.")


def hour_in(text: str) -> time:
    """An hour on the clock: 18:15; raises CellRefused."""
    if not text:
        raise CellRefused("The hour is missing. Write it like 18:15.")
    for form in ("%H:%M", "%H:%M:%S", "%H.%M"):
        try:
            return datetime.strptime(text, form).time().replace(second=0)  # noqa: DTZ007
        except ValueError:
            pass
    raise CellRefused(f"“{text[:40]}” is not an hour. Write it like 18:15.")


def minutes_in(text: str) -> int:
    """A length in minutes; raises CellRefused."""
    if not text:
        raise CellRefused("Say how long it lasts, in minutes, such as 45.")
    digits = text.removesuffix("min").strip().removesuffix(".0")
    most = LONGEST_HOURS * 60
    if digits.isascii() and digits.isdigit() and 0 < int(digits[:9]) <= most:
        return int(digits)
    raise CellRefused(f"“{text[:40]}” is no length. Write minutes, 1 to {most}, such as 45.")


def language_in(text: str) -> str:
    """The code of a language named by code or name, English if not said; raises CellRefused."""
    wanted = text.casefold()
    for code, name in LANGUAGES.items():
        if wanted in ("", code, name.casefold()):
            return code
    known = ", ".join(LANGUAGES)
    raise CellRefused(f"“{text[:40]}” is not a language sessions are held in. Use one of {known}.")


def level_in(text: str) -> str:
    """A SessionLevel's value, or ""; raises CellRefused."""
    if text and text.casefold() not in set(SessionLevel):
        known = ", ".join(SessionLevel)
        raise CellRefused(f"“{text[:40]}” is not a level. Use one of {known}, or leave it empty.")
    return text.casefold()


def several_in(text: str) -> tuple[str, ...]:
    """What stands between semicolons or new lines, each once."""
    parts = (" ".join(part.split()) for part in re.split(r"[;\n]", text))
    return tuple(dict.fromkeys(part for part in parts if part))


def people_in(text: str) -> tuple[Person, ...]:
    """The faculty of a cell; raises CellRefused."""
    people = tuple(_person(part) for part in several_in(text))
    if len(people) > MOST_PEOPLE:
        raise CellRefused(f"A session has at most {MOST_PEOPLE} members of the faculty.")
    return people


def _person(text: str) -> Person:
    read = PERSON.fullmatch(text)
    if read is None or not read["name"]:
        raise CellRefused(
            f"“{text[:60]}” names nobody. Write it like “presenter: Dr Anna Keller (Zurich)”."
        )
    part = (read["part"] or FacultyPart.PRESENTER.value).casefold()
    if part not in PARTS:
        raise CellRefused(f"“{part}” is no part. Use presenter, discussant or moderator.")
    email = (read["email"] or "").strip()
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        raise CellRefused(f"“{email[:60]}” is not an e-mail address.")
    return Person(PARTS[part], read["name"], (read["affiliation"] or "").strip(), email)


def read_cell(
    row: Row, name: str, read: Callable[[str], Value], problems: list[Problem]
) -> Value | None:
    """What the cell says, or None and one more problem."""
    try:
        return read(row.text(name))
    except CellRefused as refusal:
        problems.append(Problem(row.number, name, str(refusal)))
        return None


def _name(cell: str) -> str:
    name = " ".join(cell.split()).casefold().replace("_", " ")
    return OTHER_NAMES.get(name, name)


def _cell(cells: Sequence[str], at: int) -> str:
    text = cells[at] if at < len(cells) else ""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
