"""One media worker for each broadcast: a process of its own, under a lease in the database.

The clock sees to it that every broadcast that has something to package has a worker. A worker
survives the web server; one that dies is followed by another, which goes on at the first second
that is not packaged. The fencing number keeps a worker that was thought dead from writing.
"""

import logging
import shutil
import time
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from config import Config
from webinar.db import open_db, read_db
from webinar.domain.rendition import renditions_of
from webinar.jobs import workers
from webinar.jobs.segment_rows import reached_of, segment_row
from webinar.jobs.toolbox import Toolbox
from webinar.media.ffmpeg import FfmpegFailed, NotAVideo
from webinar.media.packager import Damage, NoRoom, Packager, Take
from webinar.media.poster import poster
from webinar.media.segments import PackagedSegment
from webinar.media.storage import StorageUnreachable
from webinar.models import Broadcast, BroadcastTake, Recording
from webinar.services import broadcasts, recordings
from webinar.services.feeds import refresh
from webinar.tools import calendar_tool, media_shelf

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 0.3
RENEW_SECONDS = 4.0
# Before what could not be done is tried again; the lease must outlast it.
FAILED_SECONDS = 3.0
UNREACHABLE = (
    "The store of the recordings does not answer. What is sent is kept and shown as soon as it "
    "does: please call the administrator."
)
_workers = workers.Workers("work", start_seconds=10.0, ended_seconds=1.0)


def supervise(tools: Toolbox, now: datetime) -> None:
    """Start a worker for every broadcast that has none."""
    _free_leases_of_the_dead(now)
    with read_db() as db:
        waiting = broadcasts.without_worker(db, now=now)
    _workers.start(tools.config, waiting)


def _free_leases_of_the_dead(now: datetime) -> None:
    """A worker of this computer that was killed keeps nobody waiting for its lease to end.

    Were it alive after all, behind another process table, its fence would stop it.
    """
    with read_db() as db:
        held = broadcasts.held_leases(db, now=now)
    for broadcast_id, owner, fence in held:
        if workers.is_dead(owner):
            with open_db.begin() as db:
                broadcasts.release(db, broadcast_id, fence=fence)
            log.warning("media worker died: broadcast=%s", broadcast_id)


def work(config: Config, broadcast_id: int) -> bool:
    """Package a broadcast until it is stopped and all of it is done; False if another does.

    Raises LeaseLost when another worker has taken over.
    """
    owner = workers.own_name()
    with open_db.begin() as db:
        fence = broadcasts.claim(db, broadcast_id, owner=owner, now=datetime.now(UTC))
    if fence is None:
        return False
    worker = _Worker(config, broadcast_id, fence)
    try:
        worker.run()
    except _NothingToDo:
        log.info("media worker leaves, nothing is being sent: broadcast=%s", broadcast_id)
    finally:
        with open_db.begin() as db:
            broadcasts.release(db, broadcast_id, fence=fence)
    return True


class _NothingToDo(Exception):
    """The speaker has been silent for a while, or the server that started us is gone."""


class _Worker:
    """The life of one worker: takes in their order, then the recording."""

    def __init__(self, config: Config, broadcast_id: int, fence: int) -> None:
        self.config = config
        self.broadcast_id = broadcast_id
        self.fence = fence
        self.shelf = media_shelf(config)
        self.work_folder = self.shelf.work / f"{broadcast_id}-{fence}"
        self.packager = Packager(
            self.shelf.storage,
            self.shelf.keys,
            self.work_folder,
            renditions=renditions_of(config.RENDITIONS),
        )
        self.renewed_at = time.monotonic()
        # The studio was told of a problem that may pass, by us or by who was here before.
        with read_db() as db:
            self.is_struggling = db.get_one(Broadcast, broadcast_id).problem == UNREACHABLE

    def run(self) -> None:
        waiting_since = time.monotonic()
        try:
            while True:
                self._keep_lease()
                # Asked before looking for a take: none can be opened after the stop.
                is_stopped = self._is_stopped()
                if (take := self._next_take()) is not None:
                    self._package(take)
                    waiting_since = time.monotonic()
                elif is_stopped:
                    if self._finish():
                        return
                elif time.monotonic() - waiting_since > broadcasts.IDLE_SECONDS:
                    raise _NothingToDo
                else:
                    time.sleep(LOOK_AGAIN_SECONDS)
        finally:
            shutil.rmtree(self.work_folder, ignore_errors=True)

    def _package(self, take: BroadcastTake) -> None:
        with read_db() as db:
            broadcast = db.get_one(Broadcast, self.broadcast_id)
            recording = db.scalars(
                select(Recording).where(Recording.session_id == broadcast.session_id)
            ).one()
            reached = reached_of(db, recording, take.number)
        started_at = max(take.started_at, reached.before_take or take.started_at)

        def store(segment: PackagedSegment) -> None:
            self._store(take.id, recording.id, segment)

        def is_finished() -> bool:
            self._keep_lease()
            with read_db() as db:
                current = db.get_one(BroadcastTake, take.id)
            if broadcasts.is_idle(current, now=datetime.now(UTC)):
                raise _NothingToDo
            return current.closed_at is not None

        try:
            self.packager.package_take(
                Take(recording.public_id, broadcast.public_id, take.number, started_at),
                self.shelf.takes,
                store,
                start=reached.positions,
                is_finished=is_finished,
                on_damage=lambda damage: self._tell_damage(take, damage),
            )
            problem = None
        except (NoRoom, StorageUnreachable) as trouble:
            # Never given up: the raw take is whole, and somebody will see to it.
            self._wait(trouble)
            return
        except (FfmpegFailed, NotAVideo) as failure:
            log.exception("take could not be packaged: take=%s", take.id)
            problem = f"Take {take.number}: {failure}"
            if not is_finished():
                # More of it is coming, and a full disk may be emptied: given up only when a new
                # take or the end would have to wait for it. The raw take stays in any case.
                self._say(problem)
                time.sleep(FAILED_SECONDS)
                return
        with open_db.begin() as db:
            broadcasts.renew(db, self.broadcast_id, fence=self.fence, now=datetime.now(UTC))
            db.get_one(BroadcastTake, take.id).packaged_at = datetime.now(UTC)
            if problem:
                db.get_one(Broadcast, self.broadcast_id).problem = problem
        log.info("take packaged: broadcast=%s take=%s", self.broadcast_id, take.number)

    def _tell_damage(self, take: BroadcastTake, damage: Damage) -> None:
        """Said and kept: the rest of the broadcast goes on."""
        lost = (
            f"Take {take.number}: the disk gave back other bytes than it was given. Missing are "
            f"{damage.to_seconds - damage.from_seconds:.1f} s from {damage.from_seconds:.1f} s on."
        )
        log.error("damaged chunk: broadcast=%s: %s", self.broadcast_id, lost)
        with open_db.begin() as db:
            db.get_one(Broadcast, self.broadcast_id).problem = lost

    def _wait(self, trouble: NoRoom | StorageUnreachable) -> None:
        """Say what keeps us, and let a moment pass."""
        log.error("packaging waits: broadcast=%s: %s", self.broadcast_id, trouble)
        self._say(str(trouble) if isinstance(trouble, NoRoom) else UNREACHABLE)
        time.sleep(FAILED_SECONDS)

    def _say(self, problem: str) -> None:
        self.is_struggling = True
        try:
            with open_db.begin() as db:
                db.get_one(Broadcast, self.broadcast_id).problem = problem
        except OperationalError:
            # The database lies on the same full disk.
            log.exception("could not say: %s", problem)

    def _store(self, take_id: int, recording_id: int, segment: PackagedSegment) -> None:
        now = datetime.now(UTC)
        row = segment_row(recording_id, segment)
        with open_db.begin() as db:
            take = db.get_one(BroadcastTake, take_id)
            broadcasts.add_segment(db, take, row, fence=self.fence, now=now)
            if self.is_struggling:
                db.get_one(Broadcast, self.broadcast_id).problem = None
        self.is_struggling = False
        self.renewed_at = time.monotonic()

    def _finish(self) -> bool:
        """The recording is ready; False while its poster cannot be stored."""
        with read_db() as db:
            broadcast = db.get_one(Broadcast, self.broadcast_id)
            recording = db.scalars(
                select(Recording).where(Recording.session_id == broadcast.session_id)
            ).one()
        try:
            has_poster = self._make_poster(broadcast, recording)
        except StorageUnreachable as trouble:
            self._wait(trouble)
            return False
        now = datetime.now(UTC)
        with open_db.begin() as db:
            broadcasts.renew(db, self.broadcast_id, fence=self.fence, now=now)
            row = db.get_one(Broadcast, self.broadcast_id)
            row.packaged_at = now
            if self.is_struggling:
                row.problem = None
            ready = recordings.ready(db, recording.id, has_poster=has_poster, now=now)
            refresh(db, ready.session, calendar=calendar_tool(self.config), now=now)
        log.info("recording ready: session=%s", broadcast.session_id)
        return True

    def _make_poster(self, broadcast: Broadcast, recording: Recording) -> bool:
        for number in self.shelf.takes.takes(broadcast.public_id):
            try:
                picture = poster(self.shelf.takes.path(broadcast.public_id, number))
            except (FfmpegFailed, NotAVideo) as failure:
                log.info("no poster from take %s: %s", number, failure)
                continue
            self.shelf.storage.put(f"recordings/{recording.public_id}/poster.jpg", picture)
            return True
        return False

    def _next_take(self) -> BroadcastTake | None:
        with read_db() as db:
            return db.scalars(
                select(BroadcastTake)
                .where(
                    BroadcastTake.broadcast_id == self.broadcast_id,
                    BroadcastTake.packaged_at.is_(None),
                )
                .order_by(BroadcastTake.number)
                .limit(1)
            ).first()

    def _is_stopped(self) -> bool:
        with read_db() as db:
            return db.get_one(Broadcast, self.broadcast_id).stopped_at is not None

    def _keep_lease(self) -> None:
        if time.monotonic() - self.renewed_at < RENEW_SECONDS:
            return
        with open_db.begin() as db:
            broadcasts.renew(db, self.broadcast_id, fence=self.fence, now=datetime.now(UTC))
        self.renewed_at = time.monotonic()
