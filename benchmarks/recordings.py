"""What one broadcast costs: packaging an hour, encoding a second live, memory, the last minutes."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks._servers import TICKS_PER_SECOND, migrated
from config import Config
from tests.builders import make_moderated, make_session, make_user
from webinar.app import create_app
from webinar.db import open_db, read_db
from webinar.domain.recording import RecordingState
from webinar.domain.rendition import Rendition
from webinar.media.ffmpeg import run
from webinar.media.keys import KeyStore
from webinar.media.packager import Packager, Take
from webinar.media.sealing import Position
from webinar.media.segments import PackagedSegment
from webinar.media.storage import FileStorage
from webinar.media.takes import LARGEST_CHUNK, TakeStore
from webinar.models import Recording
from webinar.services import broadcasts
from webinar.tools import media_shelf

SECRET = "a secret of the benchmarks, long enough"
CLIP_SECONDS = 30
HOUR = 3600
SESSION_SECONDS = 45 * 60
LIVE_SECONDS = CLIP_SECONDS
EVERYTHING = tuple(Rendition)
PICTURE = f"testsrc2=s=1280x720:r=25:d={CLIP_SECONDS}"
TONE = f"sine=f=330:r=48000:d={CLIP_SECONDS}"
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-b:v", "1500k")


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of the processors: this process and the ffmpegs it ran."""

    wall: float
    cpu: float


def costs(work: Callable[[], object]) -> Cost:
    wall, cpu = time.monotonic(), _cpu_seconds()
    work()
    return Cost(time.monotonic() - wall, _cpu_seconds() - cpu)


def _cpu_seconds() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in (
            resource.getrusage(resource.RUSAGE_SELF),
            resource.getrusage(resource.RUSAGE_CHILDREN),
        )
    )


def clip(path: Path, *how: str) -> Path:
    sources = ["-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", TONE]
    run(["-y", *sources, *H264, "-g", "50", *how, str(path)], timeout_seconds=300)
    return path


def repeated(path: Path, source: Path, seconds: int, *how: str) -> Path:
    again = ["-stream_loop", str(seconds // CLIP_SECONDS - 1), "-i", str(source)]
    run(["-y", *again, "-c", "copy", *how, str(path)], timeout_seconds=300)
    return path


def packager(folder: Path, *renditions: Rendition) -> Packager:
    storage, keys = FileStorage(folder / "storage"), KeyStore(folder / "keys", SECRET)
    return Packager(storage, keys, folder / "work", renditions=renditions)


def package_an_hour(folder: Path, path: Path, *renditions: Rendition) -> Cost:
    segments: list[PackagedSegment] = []
    return costs(
        lambda: packager(folder, *renditions).package_file(
            path, "hour", segments.append, started_at=datetime.now(UTC), progress=lambda _: None
        )
    )


def go_on_at_the_end(folder: Path, path: Path) -> Cost:
    """A worker dies when a long session is almost over: what the next one needs."""
    takes = TakeStore(folder / "takes")
    data = path.read_bytes()
    for seq, start in enumerate(range(0, len(data), LARGEST_CHUNK // 16)):
        takes.append("long", 0, seq, data[start : start + LARGEST_CHUNK // 16])
    reached = {one: Position(SESSION_SECONDS - 5.0, 2_695) for one in EVERYTHING}
    segments: list[PackagedSegment] = []
    return costs(
        lambda: packager(folder, *EVERYTHING).package_take(
            Take("long", "long", 0, datetime.now(UTC)),
            takes,
            segments.append,
            start=reached,
            is_finished=lambda: True,
        )
    )


@dataclass(frozen=True)
class Live:
    """One broadcast in real time through its worker: a process of its own."""

    cpu_per_second: float
    worker_megabytes: float
    ffmpeg_megabytes: float
    ready_seconds: float


def broadcast_live(folder: Path, path: Path) -> Live:
    config = Config(
        SECRET_KEY=SECRET,
        DATABASE_URL=f"sqlite:///{folder / 'bench.sqlite3'}",
        DATA_DIR=folder / "data",
    )
    migrated(config)
    app = create_app(config)
    now = datetime.now(UTC)
    with open_db.begin() as db:
        session = make_moderated(db, make_session(db, starts_at=now + timedelta(minutes=5)))
        user = make_user(db)
        broadcast = broadcasts.go_live(db, session.id, user_id=user.id, now=now)
        broadcasts.open_take(db, broadcast.id, user_id=user.id, now=now)
    takes, data = media_shelf(config).takes, path.read_bytes()
    worker = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "media", "work", str(broadcast.id)],
        env=os.environ | config.to_env(),
    )
    size = len(data) // (LIVE_SECONDS * 4) + 1
    for seq in range(LIVE_SECONDS * 4):
        takes.append(broadcast.public_id, 0, seq, data[seq * size : (seq + 1) * size])
        time.sleep(0.25)
        if seq == LIVE_SECONDS * 2:
            _wait_until_packaged(LIVE_SECONDS / 2 - 3)
            (encoder,) = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
            before, since = _used(worker.pid) + _used(int(encoder)), time.monotonic()

    used = (_used(worker.pid) + _used(int(encoder)) - before) / (time.monotonic() - since)
    ffmpeg_megabytes, worker_megabytes = _peak(int(encoder)), _peak(worker.pid)
    stopped = time.monotonic()
    with open_db.begin() as db:
        broadcasts.stop(db, session.id, user_id=user.id, now=datetime.now(UTC))
    worker.wait(120)
    ready_seconds = time.monotonic() - stopped
    with read_db() as db:
        recording = db.query(Recording).one()
    if recording.state is not RecordingState.PUBLISHED:
        raise RuntimeError(f"the recording is {recording.state}")
    app.extensions["engine"].dispose()
    return Live(used, worker_megabytes, ffmpeg_megabytes, ready_seconds)


def _wait_until_packaged(seconds: float) -> None:
    """The worker has started and caught up with what was sent."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        with read_db() as db:
            if db.query(Recording).one().duration_seconds >= seconds:
                return
        time.sleep(0.2)
    raise RuntimeError("the worker packages nothing")


def _used(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def _peak(pid: int) -> float:
    """The most memory a process ever had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mp4 = clip(folder / "clip.mp4", "-c:a", "aac", "-b:a", "96k")
        hour = repeated(folder / "hour.mp4", mp4, HOUR)
        webm = clip(folder / "clip.webm", "-c:a", "libopus", "-live", "1", "-f", "matroska")
        session = repeated(
            folder / "long.webm", webm, SESSION_SECONDS, "-live", "1", "-f", "matroska"
        )
        listing = ["-f", "hls", "-hls_time", "4", "-hls_list_size", "0"]
        bare = folder / "bare"
        bare.mkdir()
        floor = costs(
            lambda: run(
                ["-i", str(hour), "-c", "copy", *listing, str(bare / "list.m3u8")],
                timeout_seconds=300,
            )
        )
        main_alone = package_an_hour(folder / "one", hour, Rendition.MAIN)
        with_sound = package_an_hour(folder / "two", hour, Rendition.MAIN, Rendition.AUDIO)
        resumed = go_on_at_the_end(folder / "three", session)
        live = broadcast_live(folder, webm)
    lines = [
        "| an hour, not encoded | over ffmpeg alone, CPU | CPU, s | clock, s |",
        "| --- | --- | --- | --- |",
        _row("ffmpeg alone cuts it, nothing encrypted or stored", floor, floor),
        _row("main", main_alone, floor),
        _row("main and audio", with_sound, floor),
        "",
        f"Going on 5 s before the end of a session of 45 minutes: {resumed.wall:.1f} s "
        f"({resumed.cpu:.1f} s of CPU), all renditions.",
        f"Live, 720p at 25 pictures a second, all renditions: **{live.cpu_per_second:.2f}** s of "
        "CPU a second, ffmpeg and its worker together.",
        f"Memory of one broadcast on top of ffmpeg: **{live.worker_megabytes:.0f} MB** "
        f"(ffmpeg itself: {live.ffmpeg_megabytes:.0f} MB).",
        f"From the stop to the published recording: **{live.ready_seconds:.1f} s**.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _row(name: str, cost: Cost, floor: Cost) -> str:
    return f"| {name} | **{cost.cpu / floor.cpu:.2f}** | {cost.cpu:.1f} | {cost.wall:.1f} |"


if __name__ == "__main__":
    sys.exit(main())
