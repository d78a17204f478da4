"""What the packager hands over, and what the playlists are written from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from webinar.domain.rendition import Rendition


@dataclass(frozen=True)
class PackagedSegment:
    """An encrypted segment that is in the storage and waits to be recorded.

    `iv` is 32 hex digits; `take_offset_seconds` counts from the take's first picture;
    `programme_time` is when it was filmed, by the server's clock, UTC. `sequence` counts in its
    rendition, from 0; `sha256` is of the stored bytes, hex.
    """

    sequence: int
    take: int
    key_number: int
    iv: str
    duration_seconds: float
    take_offset_seconds: float
    programme_time: datetime
    discontinuity: bool
    size: int
    name: str
    rendition: Rendition = Rendition.MAIN
    generation: int = 0
    sha256: str = ""


class SegmentSink(Protocol):
    """Records a segment durably. What it raises stops the packaging (a lost lease, say)."""

    def __call__(self, segment: PackagedSegment, /) -> None: ...


class ListedSegment(Protocol):
    """What a playlist says of a segment; a PackagedSegment or a database row will do."""

    @property
    def sequence(self) -> int: ...
    @property
    def key_number(self) -> int: ...
    @property
    def iv(self) -> str: ...
    @property
    def duration_seconds(self) -> float: ...
    @property
    def programme_time(self) -> datetime: ...
    @property
    def discontinuity(self) -> bool: ...
    @property
    def name(self) -> str: ...
