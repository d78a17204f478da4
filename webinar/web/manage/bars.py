"""Numbers as bars with a table behind them; small counts of people are kept small."""

from collections.abc import Sequence
from dataclasses import dataclass

from webinar.domain.countries import COUNTRIES
from webinar.domain.wording import plural

FEW = 5
"""In a country with fewer people than this somebody might be recognised."""
BARS_SHOWN = 12


@dataclass(frozen=True)
class Bar:
    """A line of a chart. `key` names its number; `words`, if any, stand in its place."""

    label: str
    value: int
    key: str
    words: str = ""


def country_bars(countries: Sequence[tuple[str, int]]) -> list[Bar]:
    """People by country, most first; countries with few, and all after the twelfth, together."""
    known = [(code, number) for code, number in countries if code in COUNTRIES]
    told = [(code, number) for code, number in known if number >= FEW][:BARS_SHOWN]
    bars = [Bar(COUNTRIES[code], number, f"country {code}") for code, number in told]
    rest = known[len(told) :]
    if rest:
        words = f"fewer than {FEW} each" if len(rest) > 1 else f"fewer than {FEW}"
        if rest[0][1] >= FEW:
            words = "fewer each"
        label = plural(len(rest), "other country" if told else "country", _many(bool(told)))
        bars.append(Bar(label, 0, "", words))
    return bars


def _many(others: bool) -> str:
    return "other countries" if others else "countries"
