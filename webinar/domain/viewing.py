"""All that one person played of a session: many page loads, one coverage, one budget of time."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from webinar.domain.attendance import (
    ALLOWED_RATE,
    SLACK_SECONDS,
    PassFacts,
    SegmentRow,
    accepted_segments,
    most_played,
)
from webinar.domain.span import Span, union


@dataclass(frozen=True)
class PageLoad:
    """One viewing pass and the segments heard under it, at least one."""

    facts: PassFacts
    rows: tuple[SegmentRow, ...]

    @property
    def last_seen_at(self) -> datetime:
        """When its last beat came."""
        return max(row.last_seen_at for row in self.rows)


@dataclass(frozen=True)
class StoredLoad:
    """The rows of a page load as they stand in the database: their digest, and the last beat."""

    pass_id: str
    digest: str
    last_seen_at: datetime


@dataclass(frozen=True)
class Viewing:
    """The page loads of one person in one session and one mode."""

    loads: tuple[PageLoad, ...] = ()
    stored: tuple[StoredLoad, ...] = ()
    """All it was read from, also what was left out since."""

    @property
    def last_seen_at(self) -> datetime | None:
        """When the last beat came; None if there was none."""
        return max((load.last_seen_at for load in self.loads), default=None)

    @property
    def wall_seconds(self) -> int:
        """Seconds of the server's clock in which at least one page was open and heard of."""
        open_for = union(Span(load.facts.issued_at, load.last_seen_at) for load in self._in_order())
        return int(sum((span.end - span.start).total_seconds() for span in open_for))

    def before(self, instant: datetime, *, allowed_rate: float = ALLOWED_RATE) -> "Viewing":
        """What had been played by then. Of a segment that went on, what can have been."""
        loads = []
        for load in self.loads:
            rows = tuple(
                _before(row, instant, allowed_rate)
                for row in load.rows
                if row.first_seen_at < instant
            )
            if rows:
                loads.append(PageLoad(load.facts, rows))
        return Viewing(tuple(loads), self.stored)

    def spans(self, *, allowed_rate: float = ALLOWED_RATE) -> list[Span[float]]:
        """The union of what counts as played, over all page loads and devices.

        Many pages opened at once do not play more than one person can watch: the union is
        held against the time in which any of them was open, and what is over is cut off.
        """
        loads = self._in_order()
        if not loads:
            return []
        # Of one session in one mode: all page loads are alike.
        left = most_played(loads[0].facts.mode, self._open_seconds(loads), allowed_rate)
        played: list[Span[float]] = []
        for load in loads:
            for span in accepted_segments(load.facts, load.rows, allowed_rate=allowed_rate):
                left = _add(played, span, left)
        return played

    def _in_order(self) -> list[PageLoad]:
        return sorted(
            (load for load in self.loads if load.last_seen_at >= load.facts.issued_at),
            key=lambda load: (load.facts.issued_at, load.facts.pass_id),
        )

    @staticmethod
    def _open_seconds(loads: list[PageLoad]) -> float:
        open_for = union(Span(load.facts.issued_at, load.last_seen_at) for load in loads)
        return sum((span.end - span.start).total_seconds() for span in open_for)


def _add(played: list[Span[float]], span: Span[float], left: float) -> float:
    """Put the span into `played`, which is in order and without overlaps; what is left.

    Only what the span touches is looked at: a page can make up very many short stretches.
    """
    first = bisect_left(played, span.start, key=lambda known: known.end)
    last = bisect_right(played, span.end, key=lambda known: known.start)
    if first == last and span.start < span.end and span.end - span.start <= left:
        played.insert(first, span)
        return left - (span.end - span.start)
    played[first:last], left = _with(played[first:last], span, left)
    return left


def _with(
    played: list[Span[float]], span: Span[float], left: float
) -> tuple[list[Span[float]], float]:
    """The union with one more span, of which at most `left` may be new, and what is left."""
    new = _length(union([*played, span])) - _length(played)
    if new > left:
        span = Span(span.start, _end_within(played, span, left))
    after = union([*played, span])
    return after, left - (_length(after) - _length(played))


def _end_within(played: list[Span[float]], span: Span[float], left: float) -> float:
    """Where the span must end so that at most `left` of it is new."""
    at = span.start
    for known in [*played, Span(span.end, span.end)]:
        if known.end <= at:
            continue
        gap = min(known.start, span.end) - at
        if gap >= left:
            return at + max(left, 0.0)
        left -= max(gap, 0.0)
        at = max(at, min(known.end, span.end))
    return at


def _length(spans: list[Span[float]]) -> float:
    return sum(span.end - span.start for span in spans)


def _before(row: SegmentRow, instant: datetime, allowed_rate: float) -> SegmentRow:
    if row.last_seen_at < instant:
        return row
    heard_for = (instant - row.first_seen_at) / timedelta(seconds=1)
    end = min(row.segment.end, row.segment.start + heard_for * allowed_rate + SLACK_SECONDS)
    segment = replace(row.segment, end=max(end, row.segment.start))
    return SegmentRow(segment, row.first_seen_at, instant)
