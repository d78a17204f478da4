"""What lies where in one take: which bytes are damaged, and where decoding can begin."""

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, replace

from webinar.media.entrances import Entrance
from webinar.media.ffmpeg import Probe
from webinar.media.matroska import SOUND, VIDEO, MatroskaWalk
from webinar.media.takes import EBML, READ_BYTES, TakeStore
from webinar.media.transport import SYNC_BYTE, TransportWalk

# Sound may lie before the picture of its time in the file: that much is gone over again.
MARGIN_SECONDS = 1.0


@dataclass(frozen=True)
class Barrier:
    """One run of ffmpeg ends before byte `stop`; the next begins at `go_on` or behind it.

    Either the bytes between are damaged, or the source sends other tracks from there on.
    """

    stop: int
    go_on: int
    is_damage: bool


class TakeMap:
    """Grows with its take; holds a few numbers for each keyframe, nothing of the media."""

    def __init__(self, takes: TakeStore, broadcast_id: str, number: int) -> None:
        self.barriers: list[Barrier] = []
        self.checked_to = 0  # bytes that were looked at, the damaged ones among them
        self._takes = takes
        self._broadcast_id = broadcast_id
        self._number = number
        self._walk: MatroskaWalk | TransportWalk | None = None
        self._hole_end = 0

    def look(self) -> None:
        """Take in what came since the last look."""
        for start, end, is_whole in self._takes.checked(
            self._broadcast_id, self._number, self.checked_to
        ):
            if not is_whole:
                self._walk_to(start)
                self.barriers.append(Barrier(start, end, is_damage=True))
                self._hole_end = end
            self.checked_to = end
        self._walk_to(self.checked_to)

    @property
    def has_entrances(self) -> bool:
        """False for a container that can only be read from its beginning, or not told yet."""
        return self._walk is not None

    @property
    def wrap_seconds(self) -> float:
        """After which the medium's time stamps come round again; 0: never."""
        return self._walk.wrap_seconds if self._walk else 0.0

    def header(self, entrance: Entrance) -> bytes:
        """What goes before the entrance."""
        if isinstance(self._walk, MatroskaWalk):
            return self.read(0, self._walk.header_end)
        return entrance.header

    def entrance_before(self, seconds: float) -> Entrance | None:
        """The last from which everything from this second of the take on is decoded."""
        if self._walk is None or self._walk.zero is None or not self._walk.entrances:
            return None
        entrances = self._walk.entrances
        stamp = self._walk.zero + seconds - MARGIN_SECONDS
        found = bisect.bisect_right(entrances, stamp, key=lambda one: one.seconds)
        return entrances[max(0, found - 1)]

    def entrance_after(self, byte: int) -> Entrance | None:
        """The first that lies at this byte or behind it."""
        entrances = self._walk.entrances if self._walk else []
        found = bisect.bisect_left(entrances, byte, key=lambda one: one.offset)
        return entrances[found] if found < len(entrances) else None

    def seconds_of(self, entrance: Entrance) -> float:
        """Of the take."""
        if self._walk is None or self._walk.zero is None:
            raise ValueError("a take with an entrance has a first picture")
        return entrance.seconds - self._walk.zero

    def span_seconds(self, entrance: Entrance) -> float:
        """From this entrance to the last, so that waiting has an end."""
        return self._walk.entrances[-1].seconds - entrance.seconds if self._walk else 0.0

    def is_complete(self, found: Probe) -> bool:
        """True if every track that was announced has begun."""
        if isinstance(self._walk, MatroskaWalk):
            return self._walk.sending[0][1] == self._walk.announced
        return found.audio is None or found.audio.sample_rate > 0

    def heard(self, found: Probe, byte: int) -> Probe:
        """What is found, without tracks that are announced and never come from this byte on."""
        if isinstance(self._walk, MatroskaWalk):
            sending = [kinds for start, kinds in self._walk.sending if start <= byte][-1]
            if VIDEO not in sending and SOUND in sending:
                return replace(found, video=None)
            return found if SOUND in sending else replace(found, audio=None)
        if found.audio is not None and found.audio.sample_rate == 0:
            return replace(found, audio=None)
        return found

    def barrier_from(self, byte: int) -> Barrier | None:
        """The first at this byte or behind it, as far as is known."""
        return next((one for one in self.barriers if one.stop >= byte), None)

    def read(self, at: int, count: int) -> bytes:
        """Bytes of the take as they lie on the disk."""
        return self._takes.read(self._broadcast_id, self._number, at, count)

    def _walk_to(self, end: int) -> None:
        """Over whole bytes; what lies before the newest hole was walked over before."""
        if end == 0:
            return
        if self._walk is None:
            self._walk = self._fitting()
        walk = self._walk
        if walk is None:
            return
        if walk.at < self._hole_end and not walk.leap(self.read, self._hole_end, end):
            return
        if isinstance(walk, MatroskaWalk):
            known = len(walk.sending)
            walk.go_on(self.read, end)
            # The same tracks as before: what comes after can be decoded from further back.
            self.barriers += [Barrier(stop, 0, is_damage=False) for stop, _ in walk.sending[known:]]
        else:
            known = len(walk.changes)
            walk.go_on(self.read, end)
            self.barriers += [Barrier(stop, stop, is_damage=False) for stop in walk.changes[known:]]

    def _fitting(self) -> MatroskaWalk | TransportWalk | None:
        beginning = self.read(0, 4)
        if beginning == EBML:
            return MatroskaWalk()
        return TransportWalk() if beginning[:1] == bytes([SYNC_BYTE]) else None


class TakeFeed:
    """What goes through the pipe of one ffmpeg: from an entrance on, up to the next barrier."""

    def __init__(self, take_map: TakeMap, entrance: Entrance | None, behind: int = 0) -> None:
        """`behind`: barriers up to this byte were reached before."""
        self.barrier: Barrier | None = None  # the one that was reached
        self._map = take_map
        self._at = entrance.offset if entrance else 0
        self._behind = max(self._at, behind)
        self._header = take_map.header(entrance) if entrance else b""

    def more(self) -> Iterator[bytes]:
        """What is there at this moment; call again for what came meanwhile."""
        if self._header:
            yield self._header
            self._header = b""
        self._map.look()
        barrier = self._map.barrier_from(self._behind + 1)
        end = min(barrier.stop, self._map.checked_to) if barrier else self._map.checked_to
        while self._at < end and (
            piece := self._map.read(self._at, min(READ_BYTES, end - self._at))
        ):
            self._at += len(piece)
            yield piece
        if barrier is not None and self._at >= barrier.stop:
            self.barrier = barrier
