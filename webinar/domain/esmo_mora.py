"""The list of who earned ESMO-MORA points: no form for it is published, so it says what counts.

ESMO asks that certificates state the points of each event; a list of participants is our offer
to the office (docs/registries.md).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

KIND = "ESMO"
"""Of the identifier a person gives for it: their ESMO number, with consent to be named."""


@dataclass(frozen=True, kw_only=True)
class Credited:
    """One person's points for one event."""

    name: str
    country: str
    number: str
    """Their own at ESMO."""
    points: Decimal
    attended_on: date
    certificate: str


def problems_of(row: Credited) -> tuple[str, ...]:
    """Why this row cannot leave, each as a sentence."""
    problems = []
    if row.points <= 0:
        problems.append("No points were earned.")
    if not row.certificate:
        problems.append("There is no certificate that states the points.")
    return tuple(problems)
