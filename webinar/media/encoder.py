"""A running ffmpeg that cuts a take or a file into MPEG-TS segments in a private folder."""

import logging
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from webinar.domain.rendition import Rendition
from webinar.media.ffmpeg import QUIET, FfmpegFailed, command
from webinar.media.recipes import list_of

log = logging.getLogger(__name__)

FEED_WAIT_SECONDS = 0.1
STOP_SECONDS = 5
LISTED = re.compile(r"#EXTINF:([\d.]+),[^\n]*\n(?:#[^\n]*\n)*([^#\n]+)\n")
# ffmpeg keeps its outputs together to a fraction of a second while all of them go on.
AHEAD_SECONDS = 5.0


class Feed(Protocol):
    """The durable bytes of one take, as they come."""

    @property
    def barrier(self) -> object | None:
        """Where this ffmpeg's bytes end although the take does not; None: not reached."""

    def more(self) -> Iterator[bytes]:
        """What is there at this moment and was not given before."""


@dataclass(frozen=True)
class PlainSegment:
    """A finished segment, not encrypted yet; its file is the receiver's to delete."""

    path: Path
    duration_seconds: float
    rendition: Rendition = Rendition.MAIN


class Encoder:
    """A running ffmpeg. Leave the `with` block to be rid of it and of its unread segments."""

    def __init__(
        self,
        arguments: list[str],
        work: Path,
        begins: Mapping[Rendition, float],
        *,
        endless: Rendition | None = None,
    ) -> None:
        """`begins`: with which second each rendition begins.

        `endless` is a rendition of silence alone: it ends when all others have.
        """
        self._work = work
        self._clear()
        self._taken = dict.fromkeys(begins, 0)
        self._read: dict[Rendition, int] = {}
        self._begins = begins
        self._reached = dict(begins)
        self._endless = endless
        self._was_told_to_end = False
        self._errors = (work / "ffmpeg.log").open("w+b")
        self._ended = threading.Event()
        self._leaving = threading.Event()
        self._feeder: threading.Thread | None = None
        self._unreadable: OSError | None = None
        self._process = subprocess.Popen(
            command([*QUIET, "-y", *arguments]),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )

    @property
    def process_id(self) -> int:
        """Of ffmpeg (nice replaces itself with it)."""
        return self._process.pid

    def feed(self, feed: Feed) -> None:
        """Begin to pass the take on, in a thread of its own."""
        stdin = self._stdin()
        self._feeder = threading.Thread(
            target=self._pass_on, args=(feed, stdin), name="take feeder", daemon=True
        )
        self._feeder.start()

    def feed_nothing(self) -> None:
        """Close the pipe: this ffmpeg reads a file."""
        self._stdin().close()

    def end_of_take(self) -> None:
        """Nothing more will be appended; what is there already still goes through."""
        self._ended.set()

    def finished(self) -> list[PlainSegment]:
        """The segments that became whole since the last call, of each rendition in order."""
        fresh: list[PlainSegment] = []
        for rendition in self._reached:
            path = list_of(self._work, rendition)
            try:
                written_at = path.stat().st_mtime_ns
                if written_at == self._read.get(rendition) and not self._endless:
                    continue  # the lists of a long evening are long
                text = path.read_text()
            except FileNotFoundError:
                continue
            self._read[rendition] = written_at
            listed = LISTED.findall(text)
            if rendition is self._endless:
                self._end_when_alone(
                    self._begins[rendition] + sum(float(seconds) for seconds, _ in listed)
                )
            for seconds, name in listed[self._taken[rendition] :]:
                if rendition is self._endless and self._reached[rendition] >= self._picture_end():
                    break  # silence for which there is no picture yet, or never
                fresh.append(PlainSegment(self._work / name, float(seconds), rendition))
                self._taken[rendition] += 1
                self._reached[rendition] += float(seconds)
        return fresh

    def _picture_end(self) -> float:
        others = [end for one, end in self._reached.items() if one is not self._endless]
        return min(others, default=0.0)

    def _end_when_alone(self, silence_end: float) -> None:
        """Silence that runs ahead after the last byte was passed on: the pictures have ended."""
        is_fed = self._feeder is not None and not self._feeder.is_alive()
        is_ahead = silence_end > self._picture_end() + AHEAD_SECONDS
        if is_fed and is_ahead and not self._was_told_to_end:
            self._was_told_to_end = True
            self._process.send_signal(signal.SIGTERM)

    def is_running(self) -> bool:
        """False once ffmpeg has ended, well or badly; then `finished` gives the rest."""
        return self._process.poll() is None

    def check(self) -> None:
        """Raise FfmpegFailed, with ffmpeg's last words, if it or its feeding ended badly."""
        if self._unreadable is not None:
            raise FfmpegFailed(f"the take could not be read: {self._unreadable}")
        if self._process.poll() and not self._was_told_to_end:
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

    def _pass_on(self, feed: Feed, stdin: IO[bytes]) -> None:
        try:
            self._pass_pieces(feed, stdin)
        except BrokenPipeError:
            log.debug("ffmpeg was gone before its take was read to the end")
        except OSError as failure:
            self._unreadable = failure
        _close(stdin)

    def _pass_pieces(self, feed: Feed, stdin: IO[bytes]) -> None:
        while not self._leaving.is_set():
            # Asked before reading: what was appended before the end is not missed.
            was_ended = self._ended.is_set()
            is_quiet = True
            for piece in feed.more():
                stdin.write(piece)
                is_quiet = False
            stdin.flush()
            if feed.barrier is not None:
                return
            if is_quiet:
                if was_ended:
                    return
                self._ended.wait(FEED_WAIT_SECONDS)

    def _stdin(self) -> IO[bytes]:
        if self._process.stdin is None:
            raise ValueError("ffmpeg was started without a pipe")
        return self._process.stdin

    def _clear(self) -> None:
        """No plain media stays behind."""
        self._work.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in self._work.iterdir():
            path.unlink()


def _close(stdin: IO[bytes]) -> None:
    try:
        stdin.close()
    except BrokenPipeError:
        log.debug("ffmpeg was gone before its pipe was closed")
