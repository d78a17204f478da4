"""Half-open stretches [start, end): union, clip, length. Any ordered type; seconds or instants."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

Point = TypeVar("Point", int, float, datetime)


@dataclass(frozen=True)
class Span(Generic[Point]):
    """[start, end): the start belongs to it, the end does not."""

    start: Point
    end: Point

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a span cannot end before it starts: {self.start} > {self.end}")

    def __contains__(self, point: Point) -> bool:
        return self.start <= point < self.end

    def overlaps(self, other: "Span[Point]") -> bool:
        """True if they share more than a border."""
        return self.start < other.end and other.start < self.end


def union(spans: Iterable[Span[Point]]) -> list[Span[Point]]:
    """The same ground without overlaps, in order; touching spans become one."""
    merged: list[Span[Point]] = []
    for span in sorted(spans, key=lambda s: s.start):
        if span.start == span.end:
            continue
        if merged and span.start <= merged[-1].end:
            if span.end > merged[-1].end:
                merged[-1] = Span(merged[-1].start, span.end)
        else:
            merged.append(span)
    return merged


def clip(spans: Iterable[Span[Point]], window: Span[Point]) -> list[Span[Point]]:
    """What of the spans lies inside the window."""
    clipped = []
    for span in spans:
        start, end = max(span.start, window.start), min(span.end, window.end)
        if start < end:
            clipped.append(Span(start, end))
    return clipped


def covered_seconds(spans: Iterable[Span[int]]) -> int:
    """Seconds covered at least once."""
    return sum(span.end - span.start for span in union(spans))
