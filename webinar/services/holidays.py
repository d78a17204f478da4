"""Public holidays of countries, as the `holidays` library knows them: national ones only."""

import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from holidays import country_holidays, list_supported_countries

from webinar.domain.countries import COUNTRIES
from webinar.domain.errors import DomainError

MOST_COUNTRIES = 12
ENGLISH = "en_US"
# Beyond Latin letters with accents (U+024F) an organiser elsewhere could not read a name aloud.
LAST_LATIN_LETTER = "\u024f"


class UnknownCountry(DomainError):
    """No country is called so, or its holidays are not known."""


@dataclass(frozen=True)
class Holiday:
    """A public holiday of a country, by its two letters (ISO 3166-1)."""

    day: date
    country: str
    name: str

    @property
    def words(self) -> str:
        """As it stands beside a planned date."""
        return f"Public holiday in {COUNTRIES[self.country]}: {self.name}."


@cache
def countries() -> dict[str, str]:
    """Those whose holidays are known, by their two letters, in the order of their names."""
    known = list_supported_countries(include_aliases=False)
    return {code: name for code, name in COUNTRIES.items() if code in known}


def country_named(words: str) -> str:
    """The two letters for "Italy", "italy" or "IT"; raises UnknownCountry."""
    asked = " ".join(words.split()).casefold()
    for code, name in countries().items():
        if asked in (code.casefold(), name.casefold()):
            return code
    raise UnknownCountry(
        f"The public holidays of “{words.strip()}” are not known. Choose a country from the list."
    )


def ensure_countries(codes: Sequence[str]) -> None:
    """Raise UnknownCountry unless the holidays of all of them are known."""
    if len(codes) > MOST_COUNTRIES:
        raise UnknownCountry(f"Choose {MOST_COUNTRIES} countries at most.")
    for code in codes:
        if code not in countries():
            country_named(code or "a country without a name")


def between(codes: Iterable[str], first_day: date, last_day: date) -> dict[date, list[Holiday]]:
    """The holidays from first_day to last_day, both included, by day in the order of the codes."""
    found: dict[date, list[Holiday]] = defaultdict(list)
    for code in dict.fromkeys(codes):
        for year in range(first_day.year, last_day.year + 1):
            for holiday in _of_year(code, year):
                if first_day <= holiday.day <= last_day:
                    found[holiday.day].append(holiday)
    return dict(found)


@lru_cache(maxsize=512)
def _of_year(code: str, year: int) -> tuple[Holiday, ...]:
    with warnings.catch_warnings():
        # Some calendars follow the moon and are published a few years ahead only; what is missing
        # then is a mark on a preview, nothing else.
        warnings.simplefilter("ignore", UserWarning)
        # The language is always named: else the library would ask the machine's locale.
        own = country_holidays(code, years=year, language=_own_language(code))
        english: dict[date, str] = {}
        if any(not _is_readable(name) for name in own.values()):
            english = dict(country_holidays(code, years=year, language=ENGLISH))
    return tuple(
        Holiday(day, code, name if _is_readable(name) else english.get(day, name))
        for day, name in sorted(own.items())
    )


@cache
def _own_language(code: str) -> str | None:
    language: str | None = country_holidays(code).default_language
    return language


def _is_readable(name: str) -> bool:
    return all(sign <= LAST_LATIN_LETTER for sign in name if sign.isalpha())
