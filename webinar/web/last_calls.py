"""The last call in words: a sentence for the card and the live page, rows for the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from webinar.domain.figures import plain_credit
from webinar.domain.wording import local_time, zone_abbreviation
from webinar.services.last_calls import BodyCalls


@dataclass(frozen=True)
class Row:
    """One amount of one body; hours are rounded down to the minute, so that they are safe."""

    body: str
    credit: str
    by: datetime


@dataclass(frozen=True)
class LastCalls:
    """What a page says of joining in time."""

    sentence: str
    rows: tuple[Row, ...]


def told(calls: Sequence[BodyCalls], zone: str) -> LastCalls | None:
    """None if there is nothing to say: no live credit, or it is over."""
    if not calls:
        return None
    rows = tuple(
        Row(one.body, plain_credit(step.credit), step.by) for one in calls for step in one.steps
    )
    parts = []
    best = sorted(((one.steps[0].by, one) for one in calls if one.steps), key=lambda pair: pair[0])
    if best:
        by = ", ".join(
            f"by {local_time(at, zone)} for {plain_credit(one.steps[0].credit)} {one.body}"
            for at, one in best
        )
        parts.append(f"Join {by} ({zone_abbreviation(best[0][0], zone)}), and stay to the end.")
    earned = [f"{plain_credit(one.earned)} {one.body}" for one in calls if one.earned]
    if earned:
        parts.append(f"What you watched is enough for {_listed(earned)} already.")
    late = [one.body for one in calls if not one.steps and not one.earned]
    if late:
        parts.append(f"It is too late for live credit of {_listed(late)}.")
    return LastCalls(" ".join(parts), rows)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
