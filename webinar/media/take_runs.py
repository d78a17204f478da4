"""One take as a row of runs of ffmpeg, each from an entrance on: which bytes, and what is in them.

There is one run unless ffmpeg dies, a worker goes on with what another began, a chunk is damaged
on the disk, or the source changes its codecs on the way.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from webinar.domain.rendition import Rendition
from webinar.media.entrances import Entrance
from webinar.media.ffmpeg import NotAVideo, Probe, streams_of
from webinar.media.recipes import Timebase
from webinar.media.sealing import Position
from webinar.media.take_map import Barrier, TakeFeed, TakeMap
from webinar.media.takes import TakeStore

# Enough to see the tracks of a transport stream, and how long to wait for them.
PROBED_BYTES = 4 * 1024 * 1024
SEEN_SECONDS = 2.0


@dataclass(frozen=True)
class Run:
    """What one ffmpeg gets. `take_seconds`: there is nothing before, where something is lost."""

    feed: TakeFeed
    found: Probe
    timebase: Timebase | None
    take_seconds: float
    is_after_damage: bool


class TakeRuns:
    """Says, as often as asked, what the next ffmpeg for this take gets."""

    def __init__(
        self,
        takes: TakeStore,
        broadcast_id: str,
        number: int,
        work: Path,
        poll_seconds: float,
    ) -> None:
        self._map = TakeMap(takes, broadcast_id, number)
        self._path = takes.path(broadcast_id, number)
        self._work = work
        self._poll_seconds = poll_seconds
        self._passed = 0  # no entrance before it
        self._behind = 0  # no barrier before it or there
        self._is_after_damage = False

    def pass_barrier(self, barrier: Barrier) -> None:
        """The next run begins behind it."""
        self._passed = max(self._passed, barrier.go_on)
        self._behind = barrier.stop
        self._is_after_damage = barrier.is_damage

    def next(
        self, positions: Mapping[Rendition, Position], is_finished: Callable[[], bool]
    ) -> Run | None:
        """The next run, as soon as the take says what it holds; None if there is nothing more.

        Raises NotAVideo for a finished take without media.
        """
        first = min(position.packaged_seconds for position in positions.values())
        while True:
            was_finished = is_finished()
            self._map.look()
            if (run := self._run(first, was_finished=was_finished)) is not None:
                return run
            if was_finished and (self._passed or not self._map.checked_to):
                return None
            time.sleep(self._poll_seconds)

    def _run(self, first: float, *, was_finished: bool) -> Run | None:
        if not self._map.checked_to:
            return None
        entrance = self._map.entrance_before(first)
        if entrance is None or entrance.offset < self._passed:
            entrance = self._map.entrance_after(self._passed)
        if entrance is None and (self._passed or self._map.has_entrances) and not was_finished:
            return None
        if entrance is None and self._passed:
            return None
        try:
            found = self._probe(entrance)
        except NotAVideo:
            if was_finished:
                raise
            return None
        if not was_finished and self._is_too_early(found, entrance):
            return None
        return Run(
            TakeFeed(self._map, entrance, self._behind),
            self._map.heard(found, max(self._behind, entrance.offset if entrance else 0)),
            self._timebase(entrance),
            self._map.seconds_of(entrance) if entrance and self._passed else 0.0,
            self._is_after_damage,
        )

    def _probe(self, entrance: Entrance | None) -> Probe:
        if entrance is None or not entrance.header:
            return streams_of(self._path)
        # A transport stream is what its tables say at this place, and may begin anywhere.
        self._work.mkdir(parents=True, exist_ok=True, mode=0o700)
        sample = self._work / "sample.ts"
        try:
            sample.write_bytes(entrance.header + self._map.read(entrance.offset, PROBED_BYTES))
            return streams_of(sample)
        finally:
            sample.unlink(missing_ok=True)

    def _is_too_early(self, found: Probe, entrance: Entrance | None) -> bool:
        """True while a track that is announced may still come."""
        if entrance is None or self._map.span_seconds(entrance) >= SEEN_SECONDS:
            return False
        return not self._map.is_complete(found)

    def _timebase(self, entrance: Entrance | None) -> Timebase | None:
        if entrance is None:
            return None
        seconds, wrap = self._map.seconds_of(entrance), self._map.wrap_seconds
        stamp = entrance.seconds % wrap if wrap else entrance.seconds
        return Timebase(stamp, seconds, wrap)
