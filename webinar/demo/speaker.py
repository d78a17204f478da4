"""A speaker who is always on air: slides with a running clock, sent as a studio would send them."""

import fcntl
import logging
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import OperationalError

from config import Config
from webinar.db import open_db, read_db
from webinar.demo.days import ZONE
from webinar.demo.hosts import ACADEMY
from webinar.demo.live import OPEN_ROUND, end_round, open_round, retire_rounds
from webinar.demo.people import FACULTY, person
from webinar.domain.errors import Conflict, DomainError
from webinar.domain.session import SessionStatus
from webinar.media.demo_clock import Clock, clock_in
from webinar.media.demo_video import FRAMES_PER_SECOND, make_lecture
from webinar.media.ffmpeg import QUIET, FfmpegFailed, command
from webinar.models import BroadcastTake, WebinarSession
from webinar.services import broadcasts
from webinar.tools import calendar_tool, media_shelf

log = logging.getLogger(__name__)

CHUNK_SECONDS = 1.0
READ_BYTES = 256 * 1024
# How often the database hears of a chunk, as from a studio.
NOTE_EVERY_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 1.0
TRY_AGAIN_SECONDS = 5.0
CLIP_SECONDS = 90

Wanted = Callable[[], bool]


class AnotherSpeaks(Conflict):
    """One speaker at a time."""


@dataclass(frozen=True)
class _OnAir:
    """A take of the round that is on air."""

    session_id: int
    ends_at: datetime
    broadcast_id: str
    take_id: int
    take_number: int


def while_parent_lives() -> Wanted:
    """True until the process that started this one has ended."""
    parent = os.getppid()
    return lambda: os.getppid() == parent


def speak(config: Config, *, is_wanted: Wanted, clip_seconds: int = CLIP_SECONDS) -> None:
    """Speak round after round until no longer wanted; raises AnotherSpeaks.

    The round stays live then: whoever speaks next goes on with it in a new take.
    """
    with alone(config.DATA_DIR):
        clip = _clip(config.DATA_DIR / "demo", clip_seconds)
        speaker = _Speaker(config, clip, is_wanted)
        while is_wanted():
            try:
                speaker.speak_a_take()
            except (DomainError, FfmpegFailed, OperationalError) as trouble:
                log.warning("the demonstration speaker pauses: %s", trouble)
                _wait(TRY_AGAIN_SECONDS, is_wanted)


class _Speaker:
    """Broadcasts one take after the other."""

    def __init__(self, config: Config, clip: Path, is_wanted: Wanted) -> None:
        self.calendar = calendar_tool(config)
        self.shelf = media_shelf(config)
        self.clip = clip
        self.is_wanted = is_wanted

    def speak_a_take(self) -> None:
        """One take: until the hour is over, somebody else speaks, or nobody wants more."""
        on_air = self._go_on_air()
        log.info("speaking: session=%s take=%s", on_air.session_id, on_air.take_number)
        clock = clock_in(self.clip.parent, now=datetime.now(UTC), zone=ZONE)
        process = subprocess.Popen(
            command([*QUIET, *_arguments(self.clip, clock)]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        try:
            self._send(on_air, process)
        finally:
            process.kill()
            process.communicate()
        self._wait_for_others(on_air)

    def _go_on_air(self) -> _OnAir:
        now = datetime.now(UTC)
        with open_db.begin() as db:
            session = open_round(db, calendar=self.calendar, now=now)
            broadcast = broadcasts.of_session(db, session)
            if broadcast is None:
                raise Conflict("The open round is live without a broadcast.")
            take = broadcasts.open_take(
                db, broadcast.id, user_id=person(db, FACULTY).id, now=datetime.now(UTC)
            )
            retire_rounds(db, self.shelf, now=now)
            return _OnAir(session.id, session.ends_at, broadcast.public_id, take.id, take.number)

    def _send(self, on_air: _OnAir, process: "subprocess.Popen[bytes]") -> None:
        noted = time.monotonic()
        for number, chunk in enumerate(_chunks(process)):
            self.shelf.takes.append(on_air.broadcast_id, on_air.take_number, number, chunk)
            now = datetime.now(UTC)
            if not self.is_wanted():
                return
            if now >= on_air.ends_at:
                with open_db.begin() as db:
                    end_round(db, on_air.session_id, calendar=self.calendar, now=now)
                return
            if time.monotonic() - noted >= NOTE_EVERY_SECONDS:
                noted = time.monotonic()
                if not _noted(on_air.take_id, now):
                    return

    def _wait_for_others(self, on_air: _OnAir) -> None:
        """Somebody opened the studio of this very round: do not talk over them."""
        while self.is_wanted():
            with read_db() as db:
                session = db.get_one(WebinarSession, on_air.session_id)
                take = db.get_one(BroadcastTake, on_air.take_id)
                is_ours = session.status is not SessionStatus.LIVE or take.closed_at is None
            if is_ours or datetime.now(UTC) >= on_air.ends_at:
                return
            time.sleep(LOOK_AGAIN_SECONDS)


def _noted(take_id: int, now: datetime) -> bool:
    """Write down that chunks come; False if the take gets no more."""
    with open_db.begin() as db:
        take = db.get_one(BroadcastTake, take_id)
        if take.closed_at is not None:
            return False
        take.last_chunk_at = now
        return True


def _chunks(process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """What the encoder writes, in pieces of about a second; ends when it does."""
    if process.stdout is None:
        raise ValueError("the encoder writes to a pipe")
    pipe = process.stdout.fileno()
    with selectors.DefaultSelector() as ready:
        ready.register(pipe, selectors.EVENT_READ)
        chunk = b""
        due = time.monotonic() + CHUNK_SECONDS
        while True:
            if ready.select(max(0.0, due - time.monotonic())):
                piece = os.read(pipe, READ_BYTES)
                if not piece:
                    break
                chunk += piece
            if time.monotonic() >= due:
                due = time.monotonic() + CHUNK_SECONDS
                if chunk:
                    yield chunk
                chunk = b""
    if chunk:
        yield chunk


def _arguments(clip: Path, clock: Clock) -> list[str]:
    """What the encoder is told: the clip again and again, at the speed of life."""
    return [
        *["-re", "-stream_loop", "-1", "-i", str(clip), *clock.inputs],
        *["-filter_complex", clock.filters, "-map", "[picture]", "-map", "0:a"],
        *["-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency", "-crf", "25"],
        *["-g", str(2 * FRAMES_PER_SECOND), "-sc_threshold", "0", "-threads", "1"],
        *["-c:a", "copy", "-flush_packets", "1", "-cluster_time_limit", "1000"],
        *["-f", "matroska", "pipe:1"],
    ]


def _clip(folder: Path, seconds: int) -> Path:
    """The lecture that is spoken again and again, made once."""
    clip = folder / f"open-round-{seconds}.mkv"
    if not clip.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = clip.with_name(f"unfinished-{os.getpid()}.mkv")
        make_lecture(
            unfinished,
            title=OPEN_ROUND.title,
            faculty=["The demonstration speaker, a program"],
            society=ACADEMY,
            topic=OPEN_ROUND.topic,
            seconds=seconds,
        )
        unfinished.replace(clip)
    return clip


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Be the one speaker of this data folder; raises AnotherSpeaks. Killed speakers let go."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "demo-speaker.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise AnotherSpeaks("The demonstration speaker is on air already.") from held
        yield


def _wait(seconds: float, is_wanted: Wanted) -> None:
    until = time.monotonic() + seconds
    while is_wanted() and time.monotonic() < until:
        time.sleep(LOOK_AGAIN_SECONDS)
