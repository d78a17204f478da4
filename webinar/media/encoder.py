"""One ffmpeg that turns a take into two-second MPEG-TS segments in a private folder.

Every segment has one picture and one sound track, whatever the take holds: players do not survive
a track that comes or goes. A take without sound gets silence, one without picture a drawing of
its sound.
"""

import logging
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from webinar.media.ffmpeg import QUIET, SAFE_INPUT, FfmpegFailed, Probe, VideoStream, command

log = logging.getLogger(__name__)

SEGMENT_SECONDS = 2
LARGEST_WIDTH, LARGEST_HEIGHT = 1280, 720
MOST_FRAMES_PER_SECOND = 30
USUAL_FRAMES_PER_SECOND = 25
STILL_FRAMES_PER_SECOND = 5
SILENCE = "anullsrc=r=48000:cl=stereo"
STEADY_SOUND = "aresample=async=1000:first_pts=0"
# The wave is made from the sound, so it ends with it; a still picture would have to be cut off.
# 960 columns of 10 samples are 0.2 s at 48 kHz, so that pictures come exactly at their rate; the
# filter dates each by its end, setpts by its beginning.
DRAWN_SOUND = (
    f"[0:a]{STEADY_SOUND},asplit=2[sound][drawn];"
    f"[drawn]showwaves=s=960x240:rate={STILL_FRAMES_PER_SECOND}:mode=cline:colors=0x0b5c5e,"
    "setpts=N[wave];"
    f"color=c=0xfaf7f0:s=1280x720:r={STILL_FRAMES_PER_SECOND}[sheet];"
    f"[sheet][wave]overlay=160:240:shortest=1,fps={STILL_FRAMES_PER_SECOND}[picture]"
)
FEED_WAIT_SECONDS = 0.1
STOP_SECONDS = 5
LISTED = re.compile(r"#EXTINF:([\d.]+),[^\n]*\n(?:#[^\n]*\n)*([^#\n]+)\n")


class TakeReader(Protocol):
    """The durable bytes of one take from a position on, up to its present end."""

    def __call__(self, from_byte: int, /) -> Iterator[bytes]: ...


@dataclass(frozen=True)
class PlainSegment:
    """A finished segment, not encrypted yet; its file is the receiver's to delete."""

    path: Path
    duration_seconds: float


def live_arguments(found: Probe, *, skip_seconds: float) -> list[str]:
    """What ffmpeg is told for a take that comes through a pipe.

    `skip_seconds` of the take are decoded and dropped: they were packaged before.
    """
    # A hair earlier, so that rounding never drops the very frame at the border.
    skip = ["-ss", f"{max(0.0, skip_seconds - 0.005):.6f}"] if skip_seconds > 0 else []
    # ffmpeg would study five seconds of slow pictures first; the header says what it needs.
    source = ["-fflags", "+genpts", "-analyzeduration", "1000000", *SAFE_INPUT, "-i", "pipe:0"]
    return [*source, *_filters(found), *skip, *_encoding(found), "-tune", "zerolatency"]


def file_arguments(path: Path, found: Probe) -> list[str]:
    """What ffmpeg is told to encode a finished video."""
    source = [*SAFE_INPUT, "-i", str(path)]
    return [*source, *_filters(found), *_encoding(found)]


def copy_arguments(path: Path, found: Probe) -> list[str]:
    """What ffmpeg is told to cut a finished video that needs no encoding."""
    sound = ["-c:a", "copy"] if found.audio else ["-c:a", "aac", "-b:a", "32k"]
    return [*SAFE_INPUT, "-i", str(path), *_tracks(found), "-c:v", "copy", *sound]


class Encoder:
    """A running ffmpeg. Leave the `with` block to be rid of it and of its unread segments."""

    def __init__(
        self, arguments: list[str], work: Path, *, segment_seconds: int = SEGMENT_SECONDS
    ) -> None:
        work.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._list = work / "full.m3u8"
        self._work = work
        self._clear()
        self._taken = 0
        self._errors = (work / "ffmpeg.log").open("w+b")
        self._ended = threading.Event()
        self._leaving = threading.Event()
        self._feeder: threading.Thread | None = None
        self._unreadable: OSError | None = None
        self._process = subprocess.Popen(
            command([*QUIET, "-y", *arguments, *_hls(work, segment_seconds)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )

    @property
    def process_id(self) -> int:
        """Of ffmpeg (nice replaces itself with it)."""
        return self._process.pid

    def feed(self, read: TakeReader) -> None:
        """Begin to pass the take on, from its first byte, in a thread of its own."""
        stdin = self._stdin()
        self._feeder = threading.Thread(
            target=self._pass_on, args=(read, stdin), name="take feeder", daemon=True
        )
        self._feeder.start()

    def feed_nothing(self) -> None:
        """Close the pipe: this ffmpeg reads a file."""
        self._stdin().close()

    def end_of_take(self) -> None:
        """Nothing more will be appended; what is there already still goes through."""
        self._ended.set()

    def finished(self) -> list[PlainSegment]:
        """The segments that became whole since the last call."""
        try:
            text = self._list.read_text()
        except FileNotFoundError:
            return []
        listed = LISTED.findall(text)
        fresh = listed[self._taken :]
        self._taken = len(listed)
        return [PlainSegment(self._work / name, float(seconds)) for seconds, name in fresh]

    def is_running(self) -> bool:
        """False once ffmpeg has ended, well or badly; then `finished` gives the rest."""
        return self._process.poll() is None

    def check(self) -> None:
        """Raise FfmpegFailed, with ffmpeg's last words, if it or its feeding ended badly."""
        if self._unreadable is not None:
            raise FfmpegFailed(f"the take could not be read: {self._unreadable}")
        if self._process.poll():
            self._errors.seek(0)
            words = self._errors.read().decode(errors="replace").strip()[-1000:]
            raise FfmpegFailed(f"ffmpeg ended with {self._process.returncode}: {words}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leaving.set()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(STOP_SECONDS)
        if self._feeder is not None:
            self._feeder.join(STOP_SECONDS)
        stdin = self._process.stdin
        if stdin is not None and not stdin.closed:
            _close(stdin)
        self._errors.close()
        self._clear()

    def _pass_on(self, read: TakeReader, stdin: IO[bytes]) -> None:
        try:
            self._pass_pieces(read, stdin)
        except BrokenPipeError:
            log.debug("ffmpeg was gone before its take was read to the end")
        except OSError as failure:
            self._unreadable = failure
        _close(stdin)

    def _pass_pieces(self, read: TakeReader, stdin: IO[bytes]) -> None:
        position = 0
        while not self._leaving.is_set():
            # Asked before reading: what was appended before the end is not missed.
            was_ended = self._ended.is_set()
            before = position
            for piece in read(position):
                stdin.write(piece)
                position += len(piece)
            stdin.flush()
            if position == before:
                if was_ended:
                    return
                self._ended.wait(FEED_WAIT_SECONDS)

    def _stdin(self) -> IO[bytes]:
        if self._process.stdin is None:
            raise ValueError("ffmpeg was started without a pipe")
        return self._process.stdin

    def _clear(self) -> None:
        """No plain media stays behind."""
        for path in self._work.iterdir():
            path.unlink()


def _tracks(found: Probe) -> list[str]:
    """The picture, and the sound or else silence as long as the picture."""
    if found.audio is None:
        return ["-f", "lavfi", "-i", SILENCE, "-map", "0:v:0", "-map", "1:a:0", "-shortest"]
    return ["-map", "0:v:0", "-map", "0:a:0"]


def _filters(found: Probe) -> list[str]:
    """The tracks in one constant shape."""
    if found.video is None:
        return ["-filter_complex", DRAWN_SOUND, "-map", "[picture]", "-map", "[sound]"]
    width, height = _size(found.video)
    # One size for the whole take, even when the shared window is resized on the way.
    picture = (
        f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2,"
        f"pad={width}:{height}:-1:-1,setsar=1,fps={_frames_per_second(found)}:start_time=0"
    )
    return [*_tracks(found), "-vf", picture, "-af", STEADY_SOUND]


def _encoding(found: Probe) -> list[str]:
    video = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
    quality = ["-crf", "23", "-maxrate", "1800k", "-bufsize", "3600k", "-sc_threshold", "0"]
    keyframes = ["-g", str(_frames_per_second(found) * SEGMENT_SECONDS)]
    keyframes += ["-force_key_frames", f"expr:gte(t,n_forced*{SEGMENT_SECONDS})"]
    sound = ["-c:a", "aac", "-b:a", "96k", "-ar", "48000", "-ac", "2"]
    return [*video, *quality, *keyframes, *sound]


def _hls(work: Path, segment_seconds: int) -> list[str]:
    listing = ["-f", "hls", "-hls_time", str(segment_seconds), "-hls_list_size", "0"]
    kind = ["-hls_playlist_type", "event", "-hls_segment_type", "mpegts"]
    # temp_file: a name in the list, or in the folder, is a file that is whole.
    flags = ["-hls_flags", "independent_segments+temp_file"]
    return [
        *listing,
        *kind,
        *flags,
        "-hls_segment_filename",
        str(work / "plain%06d.ts"),
        str(work / "full.m3u8"),
    ]


def _size(video: VideoStream) -> tuple[int, int]:
    """Within 1280 x 720, never enlarged, both even (4:2:0 pictures cannot be odd)."""
    shrink = min(1.0, LARGEST_WIDTH / video.width, LARGEST_HEIGHT / video.height)
    return max(2, int(video.width * shrink) // 2 * 2), max(2, int(video.height * shrink) // 2 * 2)


def _frames_per_second(found: Probe) -> int:
    """A whole and constant rate: recorders in browsers vary theirs and announce odd ones."""
    if found.video is None:
        return STILL_FRAMES_PER_SECOND
    rate = round(found.video.frames_per_second)
    if rate > 120:
        return USUAL_FRAMES_PER_SECOND  # a time base, not a rate: "1k fps"
    return min(rate, MOST_FRAMES_PER_SECOND) or USUAL_FRAMES_PER_SECOND


def _close(stdin: IO[bytes]) -> None:
    try:
        stdin.close()
    except BrokenPipeError:
        log.debug("ffmpeg was gone before its pipe was closed")
