"""A real recording of sixteen seconds, packaged once for each test process and copied."""

import shutil
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.builders import make_registration, make_session, make_user
from tests.conftest import SECRET
from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.jobs.segment_rows import segment_row
from webinar.media.ffmpeg import run
from webinar.media.packager import Packager
from webinar.media.segments import PackagedSegment
from webinar.media.shelf import MediaShelf
from webinar.models import Recording, User
from webinar.services import recordings

PUBLIC_ID = "recorded16"
SCENES = ("red", "white", "blue", "yellow")  # four seconds of each
SCENE_SECONDS = 4


@cache
def _packaged() -> tuple[Path, tuple[PackagedSegment, ...]]:
    folder = Path(mkdtemp(prefix="recorded-"))
    colours = ";".join(
        f"color=c={colour}:s=320x180:r=25:d={SCENE_SECONDS}[v{number}]"
        for number, colour in enumerate(SCENES)
    )
    joined = "".join(f"[v{number}]" for number in range(len(SCENES)))
    length = str(len(SCENES) * SCENE_SECONDS)
    run(
        [
            *["-y", "-f", "lavfi", "-i", f"{colours};{joined}concat=n={len(SCENES)}"],
            *["-f", "lavfi", "-i", f"sine=f=330:r=48000:d={length}"],
            *["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50"],
            *["-keyint_min", "50", "-sc_threshold", "0", "-c:a", "aac", str(folder / "film.mp4")],
        ],
        timeout_seconds=60,
    )
    shelf = MediaShelf.at(folder / "data", SECRET)
    segments: list[PackagedSegment] = []
    Packager(shelf.storage, shelf.keys, folder / "work").package_file(
        folder / "film.mp4",
        PUBLIC_ID,
        segments.append,
        started_at=datetime(2026, 11, 26, 17, 15, tzinfo=UTC),
        progress=lambda _done: None,
    )
    return folder / "data", tuple(segments)


def make_recorded(
    db: DbSession, data_dir: Path, *, state: RecordingState = RecordingState.READY
) -> tuple[Recording, User]:
    """A recording of sixteen seconds that plays, and somebody registered for its session."""
    source, segments = _packaged()
    for name in ("media", "keys"):
        shutil.copytree(source / name, data_dir / name, dirs_exist_ok=True)
    ended_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    session = make_session(
        db, starts_at=ended_at - timedelta(minutes=45), status=SessionStatus.ENDED
    )
    session.actual_started_at, session.actual_ended_at = session.starts_at, ended_at
    watcher = make_user(db)
    make_registration(db, session, watcher)
    recording = Recording(
        public_id=PUBLIC_ID,
        session=session,
        state=RecordingState.READY,
        created_at=ended_at,
        ready_at=ended_at,
    )
    db.add(recording)
    db.flush()
    for segment in segments:
        # One main rendition is enough here.
        if segment.rendition.value == "main":
            recordings.add_segment(db, segment_row(recording.id, segment))
    if state is RecordingState.PUBLISHED:
        recordings.publish(db, recording.id, actor_id=None, now=ended_at + timedelta(minutes=1))
    db.commit()
    return recording, watcher
