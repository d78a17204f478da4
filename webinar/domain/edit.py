"""What stays of a recording after trims and cuts, and the two times that follow from it.

*Source time* counts from the first picture of the whole recording; evidence, captions, chapters,
slides and places are kept in it, so that a later cut moves nothing. *Shown time* is what the
player's clock says: the kept spans one after the other. Both are whole milliseconds here.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from webinar.domain.errors import DomainError
from webinar.domain.span import Span, clip, union

SHORTEST_KEPT_MS = 1_000
"""A recording shorter than this is no recording."""
SNAP_MS = 100
"""A time is written with tenths of a second: what is this near to a border means the border."""


class CannotCut(DomainError):
    """A trim or cut that makes no sense, or would leave nothing."""


class Timed(Protocol):
    """Anything with a length, such as a media segment."""

    @property
    def duration_seconds(self) -> float:
        """How long it plays."""


S = TypeVar("S", bound=Timed)


@dataclass(frozen=True)
class Shown(Generic[S]):
    """A segment that is shown; `after_cut` if the one before it in the source is not."""

    segment: S
    after_cut: bool


@dataclass(frozen=True)
class Kept:
    """The spans of source time that are shown, in order, apart, none empty."""

    spans: tuple[Span[int], ...]

    def __post_init__(self) -> None:
        if not self.spans or list(self.spans) != union(self.spans) or self.spans[0].start < 0:
            raise ValueError(f"kept spans are in order, apart and not empty: {self.spans}")

    @property
    def total_ms(self) -> int:
        """How long the recording is to a viewer."""
        return sum(span.end - span.start for span in self.spans)

    def shown_of(self, source_ms: int) -> int | None:
        """When this moment of the source is shown; None if it was cut out."""
        before = 0
        for span in self.spans:
            if source_ms in span:
                return before + source_ms - span.start
            before += span.end - span.start
        return None

    def source_of(self, shown_ms: int) -> int:
        """The moment of the source shown then; what is past the end is the end of the last span."""
        left = max(shown_ms, 0)
        for span in self.spans:
            if left < span.end - span.start:
                return span.start + left
            left -= span.end - span.start
        return self.spans[-1].end

    def next_shown(self, source_ms: int) -> int | None:
        """When this moment, or the first one after it that was not cut out, is shown."""
        before = 0
        for span in self.spans:
            if source_ms < span.end:
                return before + max(source_ms - span.start, 0)
            before += span.end - span.start
        return None

    def shown_spans(self, spans: Iterable[Span[float]]) -> list[Span[float]]:
        """Stretches of source time, in seconds, as they lie in shown time; cuts fall out."""
        stretches = list(spans)
        shown: list[Span[float]] = []
        before = 0
        for kept in self.spans:
            moved = (before - kept.start) / 1000
            inside = clip(stretches, Span(kept.start / 1000, kept.end / 1000))
            shown += [Span(one.start + moved, one.end + moved) for one in inside]
            before += kept.end - kept.start
        return union(shown)

    def cuts(self, whole_ms: int) -> list[Span[int]]:
        """What is left out of a recording of this length, in order."""
        borders = [0, *(border for span in self.spans for border in (span.start, span.end))]
        pairs = zip(borders[::2], [*borders[1::2], whole_ms], strict=True)
        return [Span(start, end) for start, end in pairs if start < end]

    def stored(self) -> list[list[int]]:
        """As it lies in the database and in the page: [[from, to], ...]."""
        return [[span.start, span.end] for span in self.spans]


def everything(whole_ms: int) -> Kept:
    """The kept spans of a recording nobody cut; raises ValueError for an empty one."""
    return Kept((Span(0, whole_ms),))


def kept_of(stored: Sequence[Sequence[int]] | None) -> Kept | None:
    """From the column of the recording; None means that all of it is shown."""
    if stored is None:
        return None
    return Kept(tuple(Span(int(start), int(end)) for start, end in stored))


def to_ms(seconds: float) -> int:
    """Seconds as the nearest whole millisecond."""
    return round(seconds * 1000)


def borders_of(durations: Iterable[float]) -> list[int]:
    """Where segments of these lengths (seconds) begin and end, from 0 on."""
    borders, total = [0], 0.0
    for seconds in durations:
        total += seconds
        borders.append(to_ms(total))
    return borders


def shown_segments(segments: Sequence[S], kept: Kept | None) -> list[Shown[S]]:
    """The segments whose middle lies in a kept span, in their order; None keeps all.

    `segments` are all of one rendition from the first on: their lengths make up source time.
    """
    shown: list[Shown[S]] = []
    total, skipped = 0.0, False
    for segment in segments:
        middle = to_ms(total + segment.duration_seconds / 2)
        total += segment.duration_seconds
        if kept is None or kept.shown_of(middle) is not None:
            shown.append(Shown(segment, after_cut=skipped and bool(shown)))
            skipped = False
        else:
            skipped = True
    return shown


def trimmed(kept: Kept, borders: Sequence[int], *, start_ms: int, end_ms: int) -> Kept:
    """Begin and end here, at the borders around: nothing that was asked for is lost.

    `borders` are those of the main segments, of the whole recording. Raises CannotCut.
    """
    whole = borders[-1]
    if start_ms < 0 or end_ms > whole:
        raise CannotCut(f"The recording goes from 0:00 to {clock(whole)}; choose times within it.")
    if end_ms <= start_ms:
        raise CannotCut("The end must come after the start.")
    span = Span(_border_before(borders, start_ms), _border_after(borders, end_ms))
    inner = [cut for cut in kept.cuts(whole) if cut.start > 0 and cut.end < whole]
    return _ensure_enough(_minus([span], inner))


def without(kept: Kept, borders: Sequence[int], span: Span[int]) -> Kept:
    """Cut this span out, and what it touches of a segment with it: none of it stays visible.

    Raises CannotCut.
    """
    if span.start < 0 or span.end > borders[-1]:
        raise CannotCut(
            f"The recording goes from 0:00 to {clock(borders[-1])}; choose times within it."
        )
    if span.start == span.end:
        raise CannotCut("The end of the cut must come after its start.")
    cut = Span(_border_before(borders, span.start), _border_after(borders, span.end))
    after = _ensure_enough(_minus(kept.spans, [cut]))
    if after == kept:
        raise CannotCut("All of this was cut out before.")
    return after


def restored(kept: Kept, span: Span[int], whole_ms: int) -> Kept:
    """Show again what a cut left out; raises CannotCut if there is no such cut any more."""
    if span not in kept.cuts(whole_ms):
        raise CannotCut("This cut is not there any more; somebody changed the cuts meanwhile.")
    return Kept(tuple(union([*kept.spans, span])))


def clock(milliseconds: int) -> str:
    """`12:05`, `1:02:05` or `12:05.4`, rounded down to tenths."""
    tenths = milliseconds // 100
    minutes, seconds = divmod(tenths // 10, 60)
    hours, minutes = divmod(minutes, 60)
    whole = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{whole}.{tenths % 10}" if tenths % 10 else whole


def read_clock(typed: str) -> int:
    """Milliseconds of `75`, `1:15`, `1:02:05` or `1:15.25`; raises CannotCut."""
    parts = typed.strip().replace(",", ".").split(":")
    try:
        seconds = float(parts[-1])
        minutes = [int(part) for part in parts[:-1]]
    except ValueError:
        raise CannotCut(_NO_TIME) from None
    is_time = len(parts) <= 3 and all(part >= 0 for part in minutes) and len(typed) <= 20
    if not is_time or not 0 <= seconds < (60 if minutes else 360_000):
        raise CannotCut(_NO_TIME)
    if len(minutes) == 2 and minutes[1] >= 60:
        raise CannotCut(_NO_TIME)
    for number, part in enumerate(reversed(minutes), start=1):
        seconds += part * 60**number
    return to_ms(seconds)


_NO_TIME = "Write a time as minutes and seconds, such as 1:15, or 1:02:05 with hours."


def _ensure_enough(spans: Sequence[Span[int]]) -> Kept:
    if sum(span.end - span.start for span in spans) < SHORTEST_KEPT_MS:
        raise CannotCut("Nothing would be left. Leave at least a second of the recording.")
    return Kept(tuple(spans))


def _minus(spans: Iterable[Span[int]], cuts: Iterable[Span[int]]) -> list[Span[int]]:
    left = list(spans)
    for cut in cuts:
        left = [
            part
            for one in left
            for part in (
                *clip([one], Span(min(one.start, cut.start), cut.start)),
                *clip([one], Span(cut.end, max(one.end, cut.end))),
            )
        ]
    return left


def _border_before(borders: Sequence[int], at: int) -> int:
    return borders[bisect_right(borders, at + SNAP_MS) - 1]


def _border_after(borders: Sequence[int], at: int) -> int:
    return borders[min(bisect_left(borders, at - SNAP_MS), len(borders) - 1)]
