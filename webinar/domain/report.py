"""A post-event report as people and programs read it: sections of facts, words, counts, tables.

One structure for the page, the PDF and the spreadsheets; stored as it is once it is signed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from webinar.domain.timezone import to_local

DUE_AFTER = timedelta(days=28)
"""Where a grant names no day. EACCME's own period could not be found (docs/registries.md)."""


@dataclass(frozen=True)
class Line:
    """One bar of a chart and one row of its table."""

    label: str
    number: int
    words: str = ""
    """Shown instead of the number, if any."""

    @property
    def shown(self) -> str:
        return self.words or str(self.number)


@dataclass(frozen=True)
class Chart:
    """Numbers drawn as lying bars, with the same numbers as a table."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    note: str = ""


@dataclass(frozen=True)
class Grid:
    """A table of text; the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A part of the report under its heading."""

    key: str
    title: str
    facts: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    grids: tuple[Grid, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything a report says. `figures` are the plain numbers, by name, for programs."""

    title: str
    body: str
    provider: str
    reference: str
    held: str
    counted_at: datetime
    sections: tuple[Section, ...]
    figures: tuple[tuple[str, int], ...] = ()

    def section(self, key: str) -> Section:
        """The section of this key; raises KeyError."""
        for section in self.sections:
            if section.key == key:
                return section
        raise KeyError(key)


def due_date(ended_at: datetime, zone: str, chosen: date | None) -> date:
    """The last day for the report: as the grant says, else 28 days after the end."""
    return chosen or to_local(ended_at + DUE_AFTER, zone).date()


def report_data(report: Report) -> dict[str, object]:
    """As JSON keeps it."""
    return {
        "title": report.title,
        "body": report.body,
        "provider": report.provider,
        "reference": report.reference,
        "held": report.held,
        "counted_at": report.counted_at.isoformat(),
        "figures": dict(report.figures),
        "sections": [
            {
                "key": section.key,
                "title": section.title,
                "facts": [list(fact) for fact in section.facts],
                "words": list(section.words),
                "charts": [
                    {
                        "title": chart.title,
                        "unit": chart.unit,
                        "note": chart.note,
                        "lines": [[line.label, line.number, line.words] for line in chart.lines],
                    }
                    for chart in section.charts
                ],
                "tables": [
                    {
                        "title": grid.title,
                        "columns": list(grid.columns),
                        "rows": [list(row) for row in grid.rows],
                    }
                    for grid in section.grids
                ],
            }
            for section in report.sections
        ],
    }


def report_from_data(data: Mapping[str, object]) -> Report:
    """A report as it was stored."""
    return Report(
        title=_text(data["title"]),
        body=_text(data["body"]),
        provider=_text(data["provider"]),
        reference=_text(data["reference"]),
        held=_text(data["held"]),
        counted_at=datetime.fromisoformat(_text(data["counted_at"])),
        figures=tuple((name, _number(value)) for name, value in _mapping(data["figures"]).items()),
        sections=tuple(_section(_mapping(item)) for item in _items(data["sections"])),
    )


def _section(data: Mapping[str, object]) -> Section:
    return Section(
        key=_text(data["key"]),
        title=_text(data["title"]),
        facts=tuple((_text(_items(f)[0]), _text(_items(f)[1])) for f in _items(data["facts"])),
        words=tuple(_text(item) for item in _items(data["words"])),
        charts=tuple(_chart(_mapping(item)) for item in _items(data["charts"])),
        grids=tuple(_grid(_mapping(item)) for item in _items(data["tables"])),
    )


def _chart(data: Mapping[str, object]) -> Chart:
    lines = [_items(line) for line in _items(data["lines"])]
    return Chart(
        title=_text(data["title"]),
        unit=_text(data["unit"]),
        note=_text(data["note"]),
        lines=tuple(Line(_text(a), _number(b), _text(c)) for a, b, c in lines),
    )


def _grid(data: Mapping[str, object]) -> Grid:
    return Grid(
        title=_text(data["title"]),
        columns=tuple(_text(item) for item in _items(data["columns"])),
        rows=tuple(tuple(_text(cell) for cell in _items(row)) for row in _items(data["rows"])),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a stored report has {value!r} where text belongs")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError(f"a stored report has {value!r} where a number belongs")
    return value


def _items(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise ValueError(f"a stored report has {value!r} where a list belongs")
    return value


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"a stored report has {value!r} where names belong")
    return value
