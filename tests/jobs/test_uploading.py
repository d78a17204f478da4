"""Uploaded videos on their way to recordings."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config import Config
from tests.builders import NOW, make_session, make_user
from tests.components.bucket import BucketServer
from tests.media.films import H264, film
from webinar.db import DbSession, open_db
from webinar.domain.recording import RecordingState
from webinar.domain.rendition import Rendition
from webinar.domain.session import SessionStatus
from webinar.domain.upload import UploadPurpose, UploadState
from webinar.jobs import uploading
from webinar.jobs.checking import check
from webinar.jobs.importing import import_video
from webinar.jobs.toolbox import Toolbox
from webinar.models import MediaSegment, Recording, Upload, User, WebinarSession
from webinar.services import recordings, uploads
from webinar.services.leases import LeaseLost
from webinar.tools import media_shelf

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120
MP4 = [*H264, "-g", "50", "-c:a", "aac"]


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds that can be packaged without encoding."""
    return film(tmp_path_factory.mktemp("films") / "talk.mp4", seconds=4, how=MP4).read_bytes()


@pytest.fixture(scope="module")
def better(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Six seconds, the better file."""
    return film(tmp_path_factory.mktemp("films") / "better.mp4", seconds=6, how=MP4).read_bytes()


@pytest.fixture(scope="module")
def server() -> Iterator[BucketServer]:
    with BucketServer() as server:
        yield server


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """Ended yesterday, without a recording."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    session = make_session(db, starts_at=yesterday, status=SessionStatus.ENDED)
    db.commit()
    return session


@pytest.fixture
def sender(db: DbSession) -> User:
    return make_user(db)


def arrived(
    db: DbSession, config: Config, session: WebinarSession, sender: User, video: bytes
) -> Upload:
    """An upload whose last byte has come."""
    upload = uploads.begin(
        db,
        session.id,
        user_id=sender.id,
        file_name="talk.mp4",
        length=len(video),
        now=datetime.now(UTC),
    )
    db.commit()
    store = uploading.upload_store(config)
    store.begin(upload.public_id)
    store.append(upload.public_id, 0, video, length=len(video))
    uploads.note_progress(db, upload.id, has_arrived=True, now=datetime.now(UTC))
    db.commit()
    return upload


def recording_of(db: DbSession, session: WebinarSession) -> Recording:
    recording = recordings.for_session(db, session.id)
    assert recording is not None
    db.refresh(recording)
    db.commit()
    return recording


@pytest.mark.parametrize("kind", ["files", "bucket"])
def test_a_video_becomes_the_recording_and_its_plain_bytes_are_gone(
    kind: str,
    request: pytest.FixtureRequest,
    db: DbSession,
    config: Config,
    session: WebinarSession,
    sender: User,
    talk: bytes,
) -> None:
    if kind == "bucket":
        config = replace(config, STORAGE_URL=request.getfixturevalue("server").url)
    upload = arrived(db, config, session, sender, talk)

    assert uploading.work(config, upload.id)

    recording = recording_of(db, session)
    db.refresh(upload)
    assert (upload.state, upload.found) == (
        UploadState.DONE,
        "MP4, 320 × 180, h264 and aac, 4 s",
    )
    assert recording.state is RecordingState.PUBLISHED
    assert recording.duration_seconds == pytest.approx(4.0, abs=0.1)
    assert uploading.upload_store(config).names() == []
    assert check(config, everything=True).findings == []
    db.commit()
    assert not uploading.work(config, upload.id)


def test_what_is_no_video_is_refused_in_words_and_leaves_nothing(
    db: DbSession, config: Config, session: WebinarSession, sender: User
) -> None:
    upload = arrived(db, config, session, sender, b"%PDF-1.7 the slides of the talk")

    uploading.work(config, upload.id)

    db.refresh(upload)
    assert upload.state is UploadState.FAILED
    assert upload.problem == (
        "This is not a video that can be taken: the file is a PDF document. Videos are taken as "
        "MP4, MKV, MOV or WebM. Export it as MP4 and choose that."
    )
    assert recordings.for_session(db, session.id) is None
    assert uploading.upload_store(config).names() == []


def test_a_better_file_takes_the_place_without_changing_address_or_window(
    db: DbSession,
    config: Config,
    session: WebinarSession,
    sender: User,
    talk: bytes,
    better: bytes,
) -> None:
    uploading.work(config, arrived(db, config, session, sender, talk).id)
    first = recording_of(db, session)
    before = (first.id, first.public_id, first.opens_at, first.closes_at, first.published_at)
    first.kept = [[0, 2000]]
    db.commit()
    shelf = media_shelf(config)
    old = set(shelf.storage.names(f"recordings/{first.public_id}"))

    upload = arrived(db, config, session, sender, better)
    uploading.work(config, upload.id)

    now = recording_of(db, session)
    assert upload.purpose is UploadPurpose.REPLACE
    assert (now.id, now.public_id, now.opens_at, now.closes_at, now.published_at) == before
    assert now.duration_seconds == pytest.approx(6.0, abs=0.1)
    assert (now.generation, now.kept) == (1, None)
    folder, poster = f"recordings/{now.public_id}", f"recordings/{now.public_id}/poster.jpg"
    # Whoever is in the middle of the former one goes on: bytes and keys are there for a day.
    assert set(shelf.storage.names(folder)) & old == old
    replaced_at = now.replaced_at
    assert replaced_at is not None
    db.commit()
    tools = Toolbox.from_config(config)
    uploading.forget_leftovers(tools, replaced_at + timedelta(hours=23))
    assert set(shelf.storage.names(folder)) & old == old

    uploading.forget_leftovers(tools, replaced_at + timedelta(hours=24))

    assert set(shelf.storage.names(folder)) & old == {poster}
    rows = db.query(MediaSegment).filter_by(recording_id=now.id).all()
    assert {row.generation for row in rows} == {1}
    assert {row.rendition for row in rows} == set(Rendition)
    assert check(config, everything=True).findings == []


def test_a_better_file_that_is_broken_leaves_the_recording_as_it_was(
    db: DbSession, config: Config, session: WebinarSession, sender: User, talk: bytes
) -> None:
    uploading.work(config, arrived(db, config, session, sender, talk).id)
    before = recording_of(db, session).generation, recording_of(db, session).duration_seconds

    upload = arrived(db, config, session, sender, talk[: len(talk) // 2])
    uploading.work(config, upload.id)

    db.refresh(upload)
    after = recording_of(db, session)
    assert upload.state is UploadState.FAILED
    assert (after.generation, after.duration_seconds) == before
    assert check(config, everything=True).findings == []


def test_a_worker_that_is_killed_is_followed_by_one_that_begins_anew(
    db: DbSession, config: Config, session: WebinarSession, sender: User, tmp_path: Path
) -> None:
    # Large pictures that have to be encoded: there is time to kill.
    how = ["-c:v", "mpeg4", "-q:v", "9", "-c:a", "aac"]
    picture = "testsrc2=s=960x540:r=25"
    video = film(tmp_path / "long.mp4", seconds=9, picture=picture, how=how)
    upload = arrived(db, config, session, sender, video.read_bytes())
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "media", "take-in", str(upload.id)]
    worker = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | config.to_env(), start_new_session=True
    )
    end = time.monotonic() + PATIENCE_SECONDS
    while db.query(MediaSegment).count() == 0:
        db.commit()
        assert time.monotonic() < end, "it packaged nothing"
        assert worker.poll() is None, "it ended before it was killed"
        time.sleep(0.05)
    db.commit()
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    killed = recording_of(db, session).public_id
    assert not uploading.work(config, upload.id)
    db.refresh(upload)
    upload.lease_until = datetime.now(UTC) - timedelta(seconds=1)  # nobody waits for it here
    db.commit()

    assert uploading.work(config, upload.id)

    recording = recording_of(db, session)
    db.refresh(upload)
    assert (upload.state, upload.lease_fence) == (UploadState.DONE, 2)
    assert recording.public_id != killed
    assert recording.duration_seconds == pytest.approx(9.0, abs=0.2)
    assert list(media_shelf(config).storage.names(f"recordings/{killed}")) == []
    assert check(config, everything=True).findings == []


def test_the_clock_finds_what_arrived_while_the_server_died(
    db: DbSession, config: Config, session: WebinarSession, sender: User
) -> None:
    upload = arrived(db, config, session, sender, b"%PDF")
    upload.state = UploadState.UPLOADING
    db.commit()

    uploading._note_arrived(config, datetime.now(UTC))

    db.refresh(upload)
    assert upload.state is UploadState.WAITING


def test_what_nobody_goes_on_with_is_deleted_after_a_week(
    db: DbSession, config: Config, session: WebinarSession, sender: User
) -> None:
    upload = arrived(db, config, session, sender, b"half of a video")
    upload.state, upload.updated_at = UploadState.UPLOADING, NOW
    db.commit()
    store = uploading.upload_store(config)
    tools = Toolbox.from_config(config)

    uploading.forget_leftovers(tools, NOW + timedelta(days=6, hours=23))
    before = store.names()
    uploading.forget_leftovers(tools, NOW + timedelta(days=7, hours=1))

    db.refresh(upload)
    assert before == [upload.public_id]
    assert store.names() == []
    assert upload.state is UploadState.WITHDRAWN


def test_an_import_that_was_overtaken_takes_back_its_own_and_not_the_next_ones(
    db: DbSession, config: Config, session: WebinarSession, talk: bytes, tmp_path: Path
) -> None:
    video = tmp_path / "talk.mp4"
    video.write_bytes(talk)
    followers: list[str] = []

    def overtake(_share: float) -> None:
        # What another worker does once this one has missed its lease.
        if not followers:
            with open_db.begin() as db:
                next_one = recordings.begin_import(
                    db, session.id, now=datetime.now(UTC), again=True
                )
                followers.append(next_one.public_id)

    def guard(_db: DbSession) -> None:
        if followers:
            raise LeaseLost

    with pytest.raises(LeaseLost):
        import_video(
            config, session.id, video, progress=overtake, guard=guard, now=datetime.now(UTC)
        )

    assert [recording_of(db, session).public_id] == followers
