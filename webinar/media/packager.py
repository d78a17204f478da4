"""Takes and videos into encrypted segments: what the media worker does for one broadcast.

Knows no database: whoever calls says where to go on, and records each segment in the sink.
"""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from webinar.media.encoder import (
    Encoder,
    PlainSegment,
    copy_arguments,
    file_arguments,
    live_arguments,
)
from webinar.media.ffmpeg import FfmpegFailed, NotAVideo, Probe, probe, streams_of, video_of
from webinar.media.keys import KeyStore
from webinar.media.sealing import Origin, Placed, Position, SegmentWriter
from webinar.media.segments import PackagedSegment, SegmentSink
from webinar.media.storage import Storage
from webinar.media.takes import TakeStore

log = logging.getLogger(__name__)

KEY_SECONDS = 300.0
POLL_SECONDS = 0.2
STALLED_SECONDS = 120.0
ATTEMPTS_WITHOUT_PROGRESS = 3

FILE_SEGMENT_SECONDS = 4
STORING_AT_ONCE = 4
LONGEST_COPIED_SECONDS = 10.0
MOST_COPIED_KILOBITS = 4000
LARGEST_COPIED_HEIGHT = 1080


@dataclass(frozen=True)
class Take:
    """One take to package. `started_at` is the server's time when its first chunk arrived."""

    recording_id: str
    broadcast_id: str
    number: int
    started_at: datetime


class Packager:
    """Encrypts into `storage` under keys from `keys`; `work` is private to this worker."""

    def __init__(
        self,
        storage: Storage,
        keys: KeyStore,
        work: Path,
        *,
        key_seconds: float = KEY_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._storage = storage
        self._keys = keys
        self._work = work
        self._key_seconds = key_seconds
        self._poll_seconds = poll_seconds

    def package_take(
        self,
        take: Take,
        takes: TakeStore,
        sink: SegmentSink,
        *,
        start: Position,
        is_finished: Callable[[], bool],
    ) -> Position:
        """Follow the take until `is_finished` and all of it is packaged; where it ended.

        An ffmpeg that dies is started again where the last segment ended. What the two callbacks
        raise (a lost lease, a shutdown) stops the work and passes through. Raises NotAVideo for a
        finished take without media, FfmpegFailed when going on is hopeless.
        """
        found = self._streams_when_there(take, takes, is_finished)
        if found is None:
            return start
        origin = Origin(take.recording_id, take.number, take.started_at)
        writer = self._writer(origin, sink, start)
        attempts = 0
        while True:
            before = writer.position
            arguments = live_arguments(found, skip_seconds=before.packaged_seconds)
            try:
                with Encoder(arguments, self._work) as encoder:
                    encoder.feed(partial(takes.follow, take.broadcast_id, take.number))
                    for segment in self._finished(encoder, is_finished):
                        writer.write(segment)
                return writer.position
            except FfmpegFailed as failure:
                attempts = 0 if writer.position != before else attempts + 1
                if attempts == ATTEMPTS_WITHOUT_PROGRESS:
                    raise
                log.warning(
                    "encoder restarted: recording=%s take=%s at=%.3f s: %s",
                    take.recording_id,
                    take.number,
                    writer.position.packaged_seconds,
                    failure,
                )
                writer.mark_discontinuity()

    def package_file(
        self,
        path: Path,
        recording_id: str,
        sink: SegmentSink,
        *,
        started_at: datetime,
        progress: Callable[[float], None],
        take: int = 0,
    ) -> Position:
        """Package a finished video from the beginning; `progress` hears of 0 to 1.

        H.264 with AAC that can be cut often enough is copied, everything else encoded.
        Raises NotAVideo.
        """
        found = video_of(path)
        if found.duration_seconds <= 0:
            found = probe(path)
        origin = Origin(recording_id, take, started_at)

        def tell(position: Position) -> None:
            progress(min(1.0, position.packaged_seconds / found.duration_seconds))

        writer = self._writer(origin, sink, Position())
        if not (_may_be_copied(path, found) and self._copy(path, found, writer, tell)):
            writer = self._writer(origin, sink, Position())
            self._encode(path, found, writer, tell)
        progress(1.0)
        return writer.position

    def _streams_when_there(
        self, take: Take, takes: TakeStore, is_finished: Callable[[], bool]
    ) -> Probe | None:
        """What the take holds, as soon as it says so; None for one that ended before it began."""
        while True:
            was_finished = is_finished()
            if takes.length(take.broadcast_id, take.number) > 0:
                try:
                    return streams_of(takes.path(take.broadcast_id, take.number))
                except NotAVideo:
                    if was_finished:
                        raise
            elif was_finished:
                return None
            time.sleep(self._poll_seconds)

    def _copy(
        self, path: Path, found: Probe, writer: SegmentWriter, tell: Callable[[Position], None]
    ) -> bool:
        """Cut without encoding; False, with nothing recorded, if it does not lend itself to it."""
        arguments = copy_arguments(path, found)
        placed: list[Placed] = []
        # Stored while ffmpeg still cuts and by several at once: the disk is what takes time.
        with (
            Encoder(arguments, self._work, segment_seconds=FILE_SEGMENT_SECONDS) as encoder,
            ThreadPoolExecutor(STORING_AT_ONCE, thread_name_prefix="storing") as pool,
        ):
            encoder.feed_nothing()
            stored: list[Future[PackagedSegment]] = []
            try:
                for piece in self._finished(encoder):
                    # Keyframes too far apart: people could hardly seek.
                    if piece.duration_seconds > LONGEST_COPIED_SECONDS:
                        raise FfmpegFailed(f"{piece.duration_seconds:.1f} s without a keyframe")
                    if (one := writer.place(piece)) is not None:
                        placed.append(one)
                        stored.append(pool.submit(writer.store, one))
                        tell(writer.position)
            except FfmpegFailed as failure:
                log.info("video could not be copied and is encoded: %s", failure)
                wait(stored)
                for one in placed:
                    writer.discard(one)
                return False
            whole = [future.result() for future in stored]
        for segment in whole:
            writer.record(segment)
        return bool(placed)

    def _encode(
        self, path: Path, found: Probe, writer: SegmentWriter, tell: Callable[[Position], None]
    ) -> None:
        try:
            with Encoder(file_arguments(path, found), self._work) as encoder:
                encoder.feed_nothing()
                for piece in self._finished(encoder):
                    writer.write(piece)
                    tell(writer.position)
        except FfmpegFailed as failure:
            raise NotAVideo(
                "The video is broken: it could not be read to its end. Please export it again."
            ) from failure

    def _finished(
        self, encoder: Encoder, is_finished: Callable[[], bool] = lambda: True
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
                if not ended:
                    raise FfmpegFailed("ffmpeg ended before the take did")
                return
            if ended and time.monotonic() - moved_at > STALLED_SECONDS:
                raise FfmpegFailed(f"no segment for {STALLED_SECONDS:.0f} s")
            time.sleep(self._poll_seconds)

    def _writer(self, origin: Origin, sink: SegmentSink, start: Position) -> SegmentWriter:
        return SegmentWriter(
            self._storage,
            self._keys,
            sink,
            origin,
            start=start,
            key_seconds=self._key_seconds,
        )


def _may_be_copied(path: Path, found: Probe) -> bool:
    """True if every browser plays these very streams, at a size a small server can send."""
    video, audio = found.video, found.audio
    return (
        video is not None
        and video.codec == "h264"
        and video.pixel_format in ("yuv420p", "yuvj420p")
        and video.height <= LARGEST_COPIED_HEIGHT
        and not video.is_turned
        and (audio is None or audio.codec == "aac")
        and path.stat().st_size * 8 / 1000 / found.duration_seconds <= MOST_COPIED_KILOBITS
    )
