"""Find ffmpeg, run it within bounds, and ask it what a file is."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from webinar.domain.errors import DomainError

# A playlist inside a "video" could make ffmpeg read other files or fetch addresses: only these
# protocols and only containers that hold their own media are opened.
PROTOCOLS = "file,pipe,crypto"
CONTAINERS = "matroska,webm,mov,mp4,m4a,3gp,mj2,mpegts,flv,avi,ogg,asf"
SAFE_INPUT = ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", CONTAINERS]
QUIET = ["-hide_banner", "-nostats", "-loglevel", "error"]

PROBE_SECONDS = 60
COPY_SECONDS = 600


class NotAVideo(DomainError):
    """The bytes are not a video this program can play."""


class FfmpegFailed(RuntimeError):
    """ffmpeg stopped with an error; the message holds its last words, for the log."""


@dataclass(frozen=True)
class VideoStream:
    """The first moving picture of a file; 0 where the file does not say."""

    codec: str
    pixel_format: str
    width: int
    height: int
    frames_per_second: float
    is_turned: bool  # a telephone held upright: players are told to turn the picture


@dataclass(frozen=True)
class AudioStream:
    """The first sound of a file."""

    codec: str
    sample_rate: int


@dataclass(frozen=True)
class Probe:
    """What a file holds."""

    duration_seconds: float
    kilobits_per_second: int
    video: VideoStream | None
    audio: AudioStream | None


def find_ffmpeg() -> str:
    """$FFMPEG, else ffmpeg on the PATH, else the one from the imageio-ffmpeg wheel."""
    return (
        os.environ.get("FFMPEG") or shutil.which("ffmpeg") or str(imageio_ffmpeg.get_ffmpeg_exe())
    )


def command(arguments: list[str]) -> list[str]:
    """The whole command line, at low priority: web requests come first."""
    nice = shutil.which("nice")
    return [*([nice, "-n", "10"] if nice else []), find_ffmpeg(), *arguments]


def run(arguments: list[str], *, timeout_seconds: float) -> bytes:
    """Run to the end and return what it printed; raise FfmpegFailed otherwise."""
    try:
        done = subprocess.run(
            command([*QUIET, *arguments]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise FfmpegFailed(f"no end after {timeout_seconds:.0f} s") from late
    if done.returncode != 0:
        raise FfmpegFailed(done.stderr.decode(errors="replace").strip()[-1000:])
    return done.stdout


def streams_of(path: Path) -> Probe:
    """What the file says it holds, fast; a stream being written has no duration yet (0).

    Raises NotAVideo with a sentence that says what was found.
    """
    if not path.exists() or path.stat().st_size == 0:
        raise NotAVideo("The file is empty. Please choose the video again.")
    try:
        done = subprocess.run(
            command(["-hide_banner", *SAFE_INPUT, "-i", str(path)]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise NotAVideo("The file could not be read within a minute.") from late
    # Without an output file ffmpeg always ends with an error; what it said counts.
    said = done.stderr.decode(errors="replace")
    video, audio = _video(said), _audio(said)
    if video is None and audio is None:
        raise NotAVideo(
            "The file is broken or not a video: no picture and no sound was found in it. "
            "Please export it again as MP4 or WebM."
        )
    return Probe(_duration(said), _bitrate(said), video, audio)


def video_of(path: Path) -> Probe:
    """What the file says it holds, fast. Raises NotAVideo; also for sound alone."""
    found = streams_of(path)
    if found.video is None:
        raise NotAVideo(
            f"The file holds sound only ({found.audio.codec if found.audio else 'unknown'}), "
            "no picture. Please choose a video."
        )
    return found


def probe(path: Path) -> Probe:
    """What a finished video holds, its duration measured by reading it to the end.

    Raises NotAVideo; also for sound alone.
    """
    found = video_of(path)
    try:
        duration = exact_duration(path)
    except FfmpegFailed as failure:
        raise NotAVideo("The file is broken: it cannot be read to its end.") from failure
    if duration <= 0:
        raise NotAVideo("The file is broken: it says it is a video, but holds no pictures.")
    return Probe(duration, found.kilobits_per_second, found.video, found.audio)


def exact_duration(path: Path) -> float:
    """Seconds up to the last packet, by reading the file without decoding it."""
    source = [*SAFE_INPUT, "-i", str(path), "-map", "0:v:0?", "-map", "0:a:0?"]
    printed = run(
        [*source, "-c", "copy", "-f", "null", "-progress", "pipe:1", "-"],
        timeout_seconds=COPY_SECONDS,
    )
    times = re.findall(rb"out_time_us=(\d+)", printed)
    return int(times[-1]) / 1_000_000 if times else 0.0


def _video(said: str) -> VideoStream | None:
    for line in re.findall(r"Stream #0:\d+.*?: Video: (.*)", said):
        size = re.search(r"\b(\d{2,5})x(\d{2,5})\b", line)
        # A cover picture inside an audio file is announced as video, too.
        if "(attached pic)" in line or size is None:
            continue
        shown = re.search(r"([\d.]+k?) fps", line) or re.search(r"([\d.]+k?) tbr", line)
        pixels = re.search(r"\b((?:yuv|nv|rgb|bgr|gbr|gray|pal|p0)\w*)", line)
        return VideoStream(
            codec=re.split(r"[ ,]", line, maxsplit=1)[0],
            pixel_format=pixels.group(1) if pixels else "",
            width=int(size.group(1)),
            height=int(size.group(2)),
            frames_per_second=_number(shown.group(1)) if shown else 0.0,
            is_turned=re.search(r"(?i)display ?matrix: rotation of", said) is not None,
        )
    return None


def _audio(said: str) -> AudioStream | None:
    line = re.search(r"Stream #0:\d+.*?: Audio: (\w+)(?:.*?(\d+) Hz)?", said)
    if line is None:
        return None
    return AudioStream(codec=line.group(1), sample_rate=int(line.group(2) or 0))


def _duration(said: str) -> float:
    stated = re.search(r"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", said)
    if stated is None:
        return 0.0
    hours, minutes, seconds = stated.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _bitrate(said: str) -> int:
    stated = re.search(r"Duration: .*bitrate: (\d+) kb/s", said)
    return int(stated.group(1)) if stated else 0


def _number(text: str) -> float:
    return float(text[:-1]) * 1000 if text.endswith("k") else float(text)
