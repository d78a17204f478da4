"""What counted of a person's evidence, as people look at it: stretches, where they came from, sum.

It is kept with an appeal as it was when the appeal was raised, so it goes to JSON and back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from webinar.domain.attendance import ViewingMode
from webinar.domain.counting import without
from webinar.domain.figures import minutes_and_seconds
from webinar.domain.span import Span, clip, covered_seconds, union
from webinar.domain.timezone import to_local
from webinar.domain.wording import media_time

FORGIVEN = "outage, counted"
TAKEN_OUT = "outage, taken out"
MOST_STRETCHES = 40
"""More lines than that nobody reads; the bar above them shows them all."""


@dataclass(frozen=True)
class Source:
    """One device or one program's report: what it says was seen, before anything is joined."""

    words: str
    seconds: int


@dataclass(frozen=True)
class Stretch:
    """Seconds after the window's start that counted, or that did not, and why if not by sight."""

    start: int
    end: int
    counted: bool
    because: str = ""

    @property
    def seconds(self) -> int:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True, kw_only=True)
class EvidencePicture:
    """Of one person, one session and one mode. All spans are seconds after the window's start."""

    mode: ViewingMode
    starts: int
    """The window's start: Unix time of a live session, second of the shown recording."""
    total_seconds: int
    """What is asked for: without the outages that were taken out."""
    parts: tuple[Span[int], ...]
    """What counted, the forgiven among it."""
    counted_seconds: int
    threshold_seconds: int | None = None
    sources: tuple[Source, ...] = ()
    taken_out: tuple[Span[int], ...] = ()
    forgiven: tuple[Span[int], ...] = ()
    """Outages that nobody saw and that counted."""

    @property
    def bar(self) -> tuple[Span[int], ...]:
        """What counted, as it lies in `total_seconds`: the outages taken out are closed up."""
        drawn = []
        for part in self._counted:
            start = part.start - covered_seconds(clip(self.taken_out, Span(0, part.start)))
            drawn.append(Span(start, start + part.end - part.start))
        return tuple(union(drawn))

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The whole window in order, what counted and what is missing between."""
        length = self.total_seconds + covered_seconds(self.taken_out)
        given = union(clip(self.forgiven, Span(0, length)))
        named = [Stretch(one.start, one.end, True) for one in without(self._counted, given)]
        named += [Stretch(one.start, one.end, True, FORGIVEN) for one in given]
        named += [Stretch(one.start, one.end, False, TAKEN_OUT) for one in union(self.taken_out)]
        missing = without([Span(0, length)], [Span(one.start, one.end) for one in named])
        named += [Stretch(one.start, one.end, False) for one in missing]
        return tuple(sorted(named, key=lambda stretch: stretch.start))

    @property
    def _counted(self) -> list[Span[int]]:
        length = self.total_seconds + covered_seconds(self.taken_out)
        return without(clip(self.parts, Span(0, length)), self.taken_out)


@dataclass(frozen=True)
class Line:
    """A stretch in words: `18:15:00 to 18:43:30`, `28:30`."""

    words: str
    length: str
    counted: bool
    because: str = ""

    @property
    def standing(self) -> str:
        """What became of it: `counted`."""
        return self.because or ("counted" if self.counted else "not seen")


def lines_of(picture: EvidencePicture, zone: str) -> tuple[Line, ...]:
    """The stretches as people read them: the clock of the session, or of the player."""
    return tuple(
        Line(
            f"{_at(picture, stretch.start, zone)} to {_at(picture, stretch.end, zone)}",
            minutes_and_seconds(stretch.seconds),
            stretch.counted,
            stretch.because,
        )
        for stretch in picture.stretches[:MOST_STRETCHES]
    )


def record_of_picture(picture: EvidencePicture) -> dict[str, object]:
    """As plain JSON data."""
    return {
        "mode": picture.mode.value,
        "starts": picture.starts,
        "total_seconds": picture.total_seconds,
        "parts": [[part.start, part.end] for part in picture.parts],
        "counted_seconds": picture.counted_seconds,
        "threshold_seconds": picture.threshold_seconds,
        "sources": [[source.words, source.seconds] for source in picture.sources],
        "taken_out": [[part.start, part.end] for part in picture.taken_out],
        "forgiven": [[part.start, part.end] for part in picture.forgiven],
    }


def picture_of(record: Mapping[str, object]) -> EvidencePicture:
    """What `record_of_picture` wrote; ValueError for anything else."""
    threshold = record.get("threshold_seconds")
    return EvidencePicture(
        mode=ViewingMode(str(record.get("mode", ""))),
        starts=_whole(record.get("starts")),
        total_seconds=_whole(record.get("total_seconds")),
        parts=_spans(record.get("parts")),
        counted_seconds=_whole(record.get("counted_seconds")),
        threshold_seconds=None if threshold is None else _whole(threshold),
        sources=tuple(
            Source(str(pair[0]), _whole(pair[1])) for pair in _pairs(record.get("sources"))
        ),
        # Pictures of before had none.
        taken_out=_spans(record.get("taken_out", [])),
        forgiven=_spans(record.get("forgiven", [])),
    )


def _at(picture: EvidencePicture, second: int, zone: str) -> str:
    if picture.mode is ViewingMode.LIVE:
        at = to_local(datetime.fromtimestamp(picture.starts + second, UTC), zone)
        return f"{at:%H:%M:%S}"
    return media_time(picture.starts + second)


def _spans(value: object) -> tuple[Span[int], ...]:
    return tuple(Span(_whole(pair[0]), _whole(pair[1])) for pair in _pairs(value))


def _pairs(value: object) -> list[Sequence[object]]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is no list")
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError(f"{pair!r} is no pair")
    return value


def _whole(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{value!r} is no whole number")
    return value
