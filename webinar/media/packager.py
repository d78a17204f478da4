"""Takes and videos into encrypted segments: what the media worker does for one broadcast.

Knows no database: whoever calls says where to go on, and records each segment in the sink.
"""

import errno
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from webinar.domain.errors import DomainError
from webinar.domain.rendition import Rendition
from webinar.media.encoder import Encoder, PlainSegment
from webinar.media.ffmpeg import FfmpegFailed, probe, video_of
from webinar.media.file_packaging import FilePackaging, Writers
from webinar.media.keys import KeyStore
from webinar.media.recipes import live_arguments
from webinar.media.sealing import KeyRing, Origin, Position, SegmentWriter
from webinar.media.segments import SegmentSink
from webinar.media.storage import Storage
from webinar.media.take_runs import Run, TakeRuns
from webinar.media.takes import TakeStore

log = logging.getLogger(__name__)

KEY_SECONDS = 300.0
POLL_SECONDS = 0.2
STALLED_SECONDS = 120.0
ATTEMPTS_WITHOUT_PROGRESS = 3
FULL = (errno.ENOSPC, errno.EDQUOT)

Positions = Mapping[Rendition, Position]


class NoRoom(DomainError):
    """The disk is full. Nothing is lost: go on from the last segment that was recorded."""

    status = 507


@dataclass(frozen=True)
class Take:
    """One take to package. `started_at` is the server's time when its first chunk arrived."""

    recording_id: str
    broadcast_id: str
    number: int
    started_at: datetime


@dataclass(frozen=True)
class Damage:
    """Some of the take's bytes are not what was acknowledged; what was missing in seconds."""

    from_seconds: float
    to_seconds: float


class Packager:
    """Encrypts into `storage` under keys from `keys`; `work` is private to this worker."""

    def __init__(
        self,
        storage: Storage,
        keys: KeyStore,
        work: Path,
        *,
        renditions: tuple[Rendition, ...] = (Rendition.MAIN,),
        key_seconds: float = KEY_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._storage = storage
        self._keys = keys
        self._work = work
        self._renditions = renditions
        self._key_seconds = key_seconds
        self._poll_seconds = poll_seconds

    def package_take(
        self,
        take: Take,
        takes: TakeStore,
        sink: SegmentSink,
        *,
        start: Positions,
        is_finished: Callable[[], bool],
        on_damage: Callable[[Damage], None] = lambda damage: None,
    ) -> dict[Rendition, Position]:
        """Follow the take until `is_finished` and all of it is packaged; where it ended.

        A rendition that `start` does not name begins with the take. An ffmpeg that dies is
        started again where the last segments ended. What the callbacks raise (a lost lease, a
        shutdown) stops the work and passes through. Raises NotAVideo for a finished take without
        media, NoRoom, FfmpegFailed when going on is hopeless.
        """
        origin = Origin(take.recording_id, take.number, take.started_at)
        writers = self._writers(origin, sink, start)
        runs = TakeRuns(takes, take.broadcast_id, take.number, self._work, self._poll_seconds)
        attempts = 0
        while (run := runs.next(_positions(writers), is_finished)) is not None:
            before = _positions(writers)
            for writer in writers.values():
                writer.skip_to(run.take_seconds)
            self._tell_damage(run, before, on_damage)
            try:
                self._run(run, writers, is_finished)
                if run.feed.barrier is None:
                    break
                runs.pass_barrier(run.feed.barrier)
                attempts = 0
            except FfmpegFailed as failure:
                attempts = 0 if _positions(writers) != before else attempts + 1
                if attempts == ATTEMPTS_WITHOUT_PROGRESS:
                    raise
                log.warning(
                    "encoder restarted: recording=%s take=%s at=%.3f s: %s",
                    take.recording_id,
                    take.number,
                    writers[Rendition.MAIN].position.packaged_seconds,
                    failure,
                )
            for writer in writers.values():
                writer.mark_discontinuity()
        return _positions(writers)

    def package_file(
        self,
        path: Path,
        recording_id: str,
        sink: SegmentSink,
        *,
        started_at: datetime,
        progress: Callable[[float], None],
        take: int = 0,
        generation: int = 0,
        start: Positions | None = None,
    ) -> dict[Rendition, Position]:
        """Package a finished video from the beginning; `progress` hears of 0 to 1.

        H.264 with AAC that can be cut often enough is copied, everything else encoded. `start`
        says with which numbers to go on (its seconds do not count). Raises NotAVideo, NoRoom.
        """
        found = video_of(path)
        if found.duration_seconds <= 0:
            found = probe(path)
        origin = Origin(recording_id, take, started_at, generation)
        numbers = {
            rendition: Position(0.0, position.next_sequence)
            for rendition, position in (start or {}).items()
        }
        packaging = FilePackaging(
            path,
            found,
            self._work,
            lambda: self._writers(origin, sink, numbers),
            self._finished,
            progress,
        )
        with _room():
            writers = packaging.package()
        progress(1.0)
        return _positions(writers)

    def _run(self, run: Run, writers: Writers, is_finished: Callable[[], bool]) -> None:
        skip = {one: writer.position.packaged_seconds for one, writer in writers.items()}
        arguments = live_arguments(run.found, skip, self._work, timebase=run.timebase)
        is_silent = run.found.audio is None and Rendition.AUDIO in writers
        endless = Rendition.AUDIO if is_silent else None
        with (
            _room(),
            Encoder(arguments, self._work, skip, endless=endless) as encoder,
        ):
            encoder.feed(run.feed)
            for segment in self._finished(encoder, is_finished, run):
                writers[segment.rendition].write(segment)

    def _tell_damage(
        self, run: Run, before: Positions, on_damage: Callable[[Damage], None]
    ) -> None:
        reached = before[Rendition.MAIN].packaged_seconds
        if run.is_after_damage and run.take_seconds > reached:
            on_damage(Damage(reached, run.take_seconds))

    def _finished(
        self,
        encoder: Encoder,
        is_finished: Callable[[], bool] = lambda: True,
        run: Run | None = None,
    ) -> Iterator[PlainSegment]:
        """Segments as they become whole, until ffmpeg ends; raises FfmpegFailed if it does badly.

        Before the take is finished ffmpeg may wait for ever, afterwards it may not.
        """
        ended = False
        moved_at = time.monotonic()
        while True:
            if not ended and is_finished():
                ended = True
                moved_at = time.monotonic()
                encoder.end_of_take()
            # Asked before looking: what is finished at its end is not missed.
            running = encoder.is_running()
            for segment in encoder.finished():
                yield segment
                moved_at = time.monotonic()
            if not running:
                encoder.check()
                if not ended and not (run and run.feed.barrier):
                    raise FfmpegFailed("ffmpeg ended before the take did")
                return
            if ended and time.monotonic() - moved_at > STALLED_SECONDS:
                raise FfmpegFailed(f"no segment for {STALLED_SECONDS:.0f} s")
            time.sleep(self._poll_seconds)

    def _writers(self, origin: Origin, sink: SegmentSink, start: Positions) -> Writers:
        ring = KeyRing(self._keys, origin.recording_id, self._key_seconds)
        return {
            rendition: SegmentWriter(
                self._storage,
                ring,
                sink,
                origin,
                rendition,
                start=start.get(rendition, Position()),
            )
            for rendition in self._renditions
        }


def _positions(writers: Writers) -> dict[Rendition, Position]:
    return {rendition: writer.position for rendition, writer in writers.items()}


@contextmanager
def _room() -> Iterator[None]:
    """Raises NoRoom for a disk that takes no more, whoever found it full."""
    try:
        yield
    except OSError as failure:
        if failure.errno not in FULL:
            raise
        raise NoRoom(_NO_ROOM) from failure
    except FfmpegFailed as failure:
        if "No space left on device" not in str(failure):
            raise
        raise NoRoom(_NO_ROOM) from failure


_NO_ROOM = (
    "The server's disk is full. What is sent is kept and shown as soon as there is room again: "
    "please call the administrator."
)
