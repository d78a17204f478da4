"""Uploaded videos become recordings: one worker process, under a lease in the database.

A worker that is killed is followed by another after its lease, which begins anew; what it had
packaged is thrown away. The fencing number keeps one that was thought dead from writing.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

from config import Config
from webinar.db import DbSession, open_db, read_db
from webinar.domain.errors import DomainError
from webinar.domain.upload import UploadPurpose
from webinar.jobs import workers
from webinar.jobs.apart import apart
from webinar.jobs.importing import import_video, replace_video, sweep_replaced
from webinar.jobs.toolbox import Toolbox
from webinar.media.disk import FULL
from webinar.media.uploads import NoSuchUpload, UploadStore
from webinar.models import Upload
from webinar.services import recordings, uploads
from webinar.services.leases import LeaseLost

log = logging.getLogger(__name__)

RENEW_SECONDS = 4.0
TELL_SECONDS = 1.0
PASSING = 503  # the status of a refusal that may pass

_workers = workers.Workers("take-in", start_seconds=15.0)


def upload_store(config: Config) -> UploadStore:
    """Where the bytes of uploads lie: always on this disk, whatever STORAGE_URL says."""
    return UploadStore(config.DATA_DIR.resolve())


def supervise(tools: Toolbox, now: datetime) -> None:
    """Start a worker for the video that waits longest, if none is at work."""
    _note_arrived(tools.config, now)
    with read_db() as db:
        upload_id = uploads.next_for_worker(db, now=now)
    _workers.start(tools.config, [] if upload_id is None else [upload_id])


def forget_leftovers(tools: Toolbox, now: datetime) -> None:
    """Withdraw what nobody went on with, and delete bytes that nobody needs."""
    with open_db.begin() as db:
        for upload_id in uploads.forgotten(db, now=now):
            uploads.withdraw(db, upload_id, actor_id=None, now=now)
    store = upload_store(tools.config)
    # Looked at before the rows are read: what begins now has its bytes after its row.
    names = store.names()
    with read_db() as db:
        needed = uploads.names_needed(db)
    for name in names:
        if name not in needed:
            with apart("deleting an upload", 0, now=now):
                store.delete(name)
                log.info("upload deleted: %s", name)
    sweep_replaced(tools.config, now=now)


def work(config: Config, upload_id: int) -> bool:
    """Make a recording of an upload that has arrived; False if another does, or nobody need."""
    owner = workers.own_name()
    with open_db.begin() as db:
        fence = uploads.claim(db, upload_id, owner=owner, now=datetime.now(UTC))
        upload = db.get_one(Upload, upload_id)
    if fence is None:
        return False
    worker = _Worker(config, upload, fence)
    try:
        with worker.lease_kept():
            worker.run()
    except LeaseLost:
        log.info("upload worker stops, the upload is another's or withdrawn: upload=%s", upload_id)
    return True


class _Worker:
    """One upload on its way to a recording."""

    def __init__(self, config: Config, upload: Upload, fence: int) -> None:
        self.config = config
        self.upload = upload
        self.fence = fence
        self.store = upload_store(config)
        self.told_at = 0.0

    def run(self) -> None:
        """Check, package, publish, forget the bytes; what goes wrong is said in the row."""
        path = self.store.path(self.upload.public_id)
        try:
            if self.store.offset(self.upload.public_id) < self.upload.length:
                raise NoSuchUpload("The video is not whole on the server. Send it again.")
            self._package(path)
        except DomainError as refusal:
            if refusal.status == PASSING:
                self._put_off(str(refusal))
                return
            self._fail(str(refusal))
        except OSError as failure:
            if failure.errno not in FULL:
                raise
            self._put_off("The server's disk is full. It goes on by itself when there is room.")
            return
        else:
            with open_db.begin() as db:
                uploads.finish(db, self.upload.id, fence=self.fence, now=datetime.now(UTC))
        # Plain, and not needed any more.
        self.store.delete(self.upload.public_id)
        sweep_replaced(self.config, now=datetime.now(UTC))

    @contextmanager
    def lease_kept(self) -> Iterator[None]:
        """Renew while the work goes on, however long ffmpeg says nothing."""
        done = Event()
        keeper = Thread(target=self._keep, args=(done,), name="lease", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            done.set()
            keeper.join()

    def _keep(self, done: Event) -> None:
        while not done.wait(RENEW_SECONDS):
            try:
                with open_db.begin() as db:
                    self._guard(db)
            except LeaseLost:
                return  # the work finds out by itself, at its next segment

    def _guard(self, db: DbSession) -> None:
        uploads.renew(db, self.upload.id, fence=self.fence, now=datetime.now(UTC))

    def _describe(self, found: str) -> None:
        with open_db.begin() as db:
            uploads.describe(
                db, self.upload.id, fence=self.fence, found=found, now=datetime.now(UTC)
            )

    def _package(self, path: Path) -> None:
        if self.upload.purpose is UploadPurpose.IMPORT:
            import_video(
                self.config,
                self.upload.session_id,
                path,
                progress=self._tell,
                now=datetime.now(UTC),
                again=True,
                guard=self._guard,
                found=self._describe,
            )
            return
        with read_db() as db:
            recording = recordings.for_session(db, self.upload.session_id)
        if recording is None:
            raise DomainError("The recording that was to be replaced is no longer there.")
        replace_video(
            self.config,
            recording.id,
            path,
            progress=self._tell,
            actor_id=self.upload.user_id,
            guard=self._guard,
            found=self._describe,
        )

    def _tell(self, progress: float) -> None:
        if time.monotonic() - self.told_at < TELL_SECONDS:
            return
        self.told_at = time.monotonic()
        with open_db.begin() as db:
            uploads.renew(
                db, self.upload.id, fence=self.fence, now=datetime.now(UTC), progress=progress
            )

    def _fail(self, problem: str) -> None:
        log.info("upload refused: upload=%s: %s", self.upload.id, problem)
        with open_db.begin() as db:
            uploads.fail(
                db, self.upload.id, fence=self.fence, problem=problem, now=datetime.now(UTC)
            )

    def _put_off(self, problem: str) -> None:
        log.warning("upload put off: upload=%s: %s", self.upload.id, problem)
        with open_db.begin() as db:
            uploads.put_off(
                db, self.upload.id, fence=self.fence, problem=problem, now=datetime.now(UTC)
            )


def _note_arrived(config: Config, now: datetime) -> None:
    """An upload whose server died between its last byte and the row."""
    with read_db() as db:
        coming = uploads.coming(db)
    store = upload_store(config)
    for upload in coming:
        with apart("looking at an upload", upload.id, now=now):
            try:
                is_whole = store.offset(upload.public_id) == upload.length
            except NoSuchUpload:
                continue  # its folder is about to be made, or a backup brought the row back
            if is_whole:
                with open_db.begin() as db:
                    uploads.note_progress(db, upload.id, has_arrived=True, now=now)
