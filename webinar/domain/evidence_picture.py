"""What counted of a person's evidence, as people look at it: stretches, where they came from, sum.

It is kept with an appeal as it was when the appeal was raised, so it goes to JSON and back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from webinar.domain.attendance import ViewingMode
from webinar.domain.figures import minutes_and_seconds
from webinar.domain.span import Span, clip, union
from webinar.domain.timezone import to_local
from webinar.domain.wording import media_time

MOST_STRETCHES = 40
"""More lines than that nobody reads; the bar above them shows them all."""


@dataclass(frozen=True)
class Source:
    """One device or one program's report: what it says was seen, before anything is joined."""

    words: str
    seconds: int


@dataclass(frozen=True)
class Stretch:
    """Seconds after the window's start that counted, or that did not."""

    start: int
    end: int
    counted: bool

    @property
    def seconds(self) -> int:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True, kw_only=True)
class EvidencePicture:
    """Of one person, one session and one mode. `parts` are seconds after the window's start."""

    mode: ViewingMode
    starts: int
    """The window's start: Unix time of a live session, second of the shown recording."""
    total_seconds: int
    parts: tuple[Span[int], ...]
    counted_seconds: int
    threshold_seconds: int | None = None
    sources: tuple[Source, ...] = ()

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The whole window in order, what counted and what is missing between."""
        found, at = [], 0
        for part in union(clip(self.parts, Span(0, self.total_seconds))):
            if part.start > at:
                found.append(Stretch(at, part.start, counted=False))
            found.append(Stretch(part.start, part.end, counted=True))
            at = part.end
        if at < self.total_seconds:
            found.append(Stretch(at, self.total_seconds, counted=False))
        return tuple(found)


@dataclass(frozen=True)
class Line:
    """A stretch in words: `18:15:00 to 18:43:30`, `28:30`."""

    words: str
    length: str
    counted: bool


def lines_of(picture: EvidencePicture, zone: str) -> tuple[Line, ...]:
    """The stretches as people read them: the clock of the session, or of the player."""
    return tuple(
        Line(
            f"{_at(picture, stretch.start, zone)} to {_at(picture, stretch.end, zone)}",
            minutes_and_seconds(stretch.seconds),
            stretch.counted,
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
    }


def picture_of(record: Mapping[str, object]) -> EvidencePicture:
    """What `record_of_picture` wrote; ValueError for anything else."""
    threshold = record.get("threshold_seconds")
    return EvidencePicture(
        mode=ViewingMode(str(record.get("mode", ""))),
        starts=_whole(record.get("starts")),
        total_seconds=_whole(record.get("total_seconds")),
        parts=tuple(Span(_whole(pair[0]), _whole(pair[1])) for pair in _pairs(record.get("parts"))),
        counted_seconds=_whole(record.get("counted_seconds")),
        threshold_seconds=None if threshold is None else _whole(threshold),
        sources=tuple(
            Source(str(pair[0]), _whole(pair[1])) for pair in _pairs(record.get("sources"))
        ),
    )


def _at(picture: EvidencePicture, second: int, zone: str) -> str:
    if picture.mode is ViewingMode.LIVE:
        at = to_local(datetime.fromtimestamp(picture.starts + second, UTC), zone)
        return f"{at:%H:%M:%S}"
    return media_time(picture.starts + second)


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
