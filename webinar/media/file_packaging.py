"""A finished video into all renditions: what can be copied is copied, the rest encoded."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from webinar.domain.rendition import Rendition
from webinar.media.encoder import Encoder, PlainSegment
from webinar.media.ffmpeg import FfmpegFailed, NotAVideo, Probe
from webinar.media.recipes import copy_arguments, file_arguments
from webinar.media.sealing import Placed, SegmentWriter
from webinar.media.segments import PackagedSegment

log = logging.getLogger(__name__)

STORING_AT_ONCE = 4
LONGEST_COPIED_SECONDS = 10.0
MOST_COPIED_KILOBITS = 4000
LARGEST_COPIED_HEIGHT = 1080
# Of the whole work, when something is left to encode: copying takes a moment.
COPYING_SHARE = 0.1

Writers = dict[Rendition, SegmentWriter]


class FilePackaging:
    """One video on its way. `fresh_writers` begins anew what could not be copied."""

    def __init__(
        self,
        path: Path,
        found: Probe,
        work: Path,
        fresh_writers: Callable[[], Writers],
        segments_of: Callable[[Encoder], Iterator[PlainSegment]],
        progress: Callable[[float], None],
    ) -> None:
        self._path = path
        self._found = found
        self._work = work
        self._fresh_writers = fresh_writers
        self._segments_of = segments_of
        self._progress = progress
        self._told = 0.0

    def package(self) -> Writers:
        """All renditions; the writers say where they ended. Raises NotAVideo."""
        writers = self._fresh_writers()
        copied = [one for one in writers if one is not Rendition.LOW]
        if not may_be_copied(self._path, self._found):
            self._encode(writers, list(writers), from_share=0.0)
            return writers
        rest = [one for one in writers if one not in copied]
        if self._copy(writers, copied, to_share=COPYING_SHARE if rest else 1.0):
            if rest:
                self._encode(writers, rest, from_share=COPYING_SHARE)
            return writers
        writers = self._fresh_writers()
        self._encode(writers, list(writers), from_share=0.0)
        return writers

    def _copy(self, writers: Writers, renditions: Sequence[Rendition], *, to_share: float) -> bool:
        """Cut without encoding; False, with nothing recorded, if it does not lend itself to it."""
        arguments = copy_arguments(self._path, self._found, renditions, self._work)
        placed: list[Placed] = []
        # Stored while ffmpeg still cuts and by several at once: the disk is what takes time.
        with (
            Encoder(arguments, self._work, dict.fromkeys(renditions, 0.0)) as encoder,
            ThreadPoolExecutor(STORING_AT_ONCE, thread_name_prefix="storing") as pool,
        ):
            encoder.feed_nothing()
            stored: list[Future[PackagedSegment]] = []
            try:
                for piece in self._segments_of(encoder):
                    writer = writers[piece.rendition]
                    # Keyframes too far apart: people could hardly seek.
                    if piece.duration_seconds > LONGEST_COPIED_SECONDS:
                        raise FfmpegFailed(f"{piece.duration_seconds:.1f} s without a keyframe")
                    if (one := writer.place(piece)) is not None:
                        placed.append(one)
                        stored.append(pool.submit(writer.store, one))
                        self._tell(piece.rendition, writer, 0.0, to_share)
            except FfmpegFailed as failure:
                log.info("video could not be copied and is encoded: %s", failure)
                wait(stored)
                for one in placed:
                    writers[one.segment.rendition].discard(one)
                return False
            whole = [future.result() for future in stored]
        for segment in whole:
            writers[segment.rendition].record(segment)
        return bool(placed)

    def _encode(
        self, writers: Writers, renditions: Sequence[Rendition], *, from_share: float
    ) -> None:
        arguments = file_arguments(self._path, self._found, renditions, self._work)
        try:
            with Encoder(arguments, self._work, dict.fromkeys(renditions, 0.0)) as encoder:
                encoder.feed_nothing()
                for piece in self._segments_of(encoder):
                    writers[piece.rendition].write(piece)
                    self._tell(piece.rendition, writers[piece.rendition], from_share, 1.0)
        except FfmpegFailed as failure:
            if "No space left on device" in str(failure):
                raise
            raise NotAVideo(
                "The video is broken: it could not be read to its end. Please export it again."
            ) from failure

    def _tell(
        self, rendition: Rendition, writer: SegmentWriter, from_share: float, to_share: float
    ) -> None:
        if rendition is Rendition.AUDIO:
            return  # always ahead of the picture
        done = min(1.0, writer.position.packaged_seconds / self._found.duration_seconds)
        # With two pictures in the making the one that is behind is no step back.
        self._told = max(self._told, from_share + done * (to_share - from_share))
        self._progress(self._told)


def may_be_copied(path: Path, found: Probe) -> bool:
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
