"""All that a person has earned, line by line, added up by year and body."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one body gave for one session."""

    day: date
    """Of the session, in its own zone."""
    title: str
    provider: str
    how: str
    body: str
    unit: str
    reference: str
    credit: Decimal
    minutes: int
    certificate: str
    """Its number; "" where none stands."""


@dataclass(frozen=True)
class BodyYear:
    """What one body gave in one calendar year, the earliest session first."""

    body: str
    unit: str
    entries: tuple[Entry, ...]

    @property
    def credit(self) -> Decimal:
        """The sum; exact, because credit is decimal."""
        return sum((entry.credit for entry in self.entries), Decimal(0))


@dataclass(frozen=True)
class Year:
    """A calendar year of sessions, by body in alphabetical order."""

    year: int
    bodies: tuple[BodyYear, ...]


def by_year(entries: Iterable[Entry]) -> tuple[Year, ...]:
    """The latest year first. Units are never added to one another: each body has its own sum."""
    ordered = sorted(
        entries, key=lambda one: (-one.day.year, one.body.casefold(), one.unit, one.day, one.title)
    )
    return tuple(
        Year(year, _bodies(list(of_year)))
        for year, of_year in groupby(ordered, key=lambda one: one.day.year)
    )


def _bodies(entries: Sequence[Entry]) -> tuple[BodyYear, ...]:
    return tuple(
        BodyYear(body, unit, tuple(found))
        for (body, unit), found in groupby(entries, key=lambda one: (one.body, one.unit))
    )
