"""Figures as people read them, exact: nothing is rounded into looking like enough."""

from decimal import Decimal
from fractions import Fraction


def plain_credit(credit: Decimal) -> str:
    """The amount without needless zeros: 0.5, 1, 0.75."""
    text = format(credit, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def minutes_and_seconds(seconds: int) -> str:
    """2610 as 43:30; minutes go on beyond 60."""
    return f"{seconds // 60}:{seconds % 60:02d}"


def percent(ratio: Fraction) -> str:
    """A share with at most one decimal, rounded down: 80 %, 79.9 %."""
    # 79.99 must not be shown as the 80 that would have been enough.
    tenths = ratio * 1000 // 1
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10} %"


def hours_in_words(hours: Fraction) -> str:
    """72 hours, 1.5 hours."""
    return f"{float(hours):g} hours"
