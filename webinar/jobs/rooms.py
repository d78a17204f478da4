"""Rooms of others, by the clock: made, opened, followed, ended; what they leave is fetched.

Each piece of work is claimed in one transaction, done outside without any open, and written down
in another. What did not work is tried again, after twice as long each time, and the desk says why.
"""

import json
import logging
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config import Config
from webinar.db import open_db, read_db
from webinar.domain.errors import DomainError
from webinar.domain.rooms import (
    KeptEntry,
    KnownRoom,
    RemoteRecording,
    RoomPlan,
    RoomProvider,
    RoomRole,
    RoomTrouble,
    RoomWork,
    Standing,
)
from webinar.jobs.apart import apart
from webinar.jobs.importing import import_video
from webinar.jobs.toolbox import Toolbox
from webinar.media.disk import ensure_room
from webinar.media.ffmpeg import FfmpegFailed
from webinar.models import ExternalRoom, User
from webinar.rooms.interface import RoomService
from webinar.services import parked, room_guests, room_visits, room_work, rooms
from webinar.tools import media_shelf, room_services, sealed_text

log = logging.getLogger(__name__)

STAY_SECONDS = 60.0
REGISTER_EVERY = timedelta(seconds=30)
REGISTER_SELDOM = timedelta(minutes=10)
REGISTER_OFTEN_BEFORE = timedelta(hours=1)
# A download may take four hours, its packaging some more.
LONGEST_FETCH = timedelta(days=1)


def tend(tools: Toolbox, now: datetime) -> None:
    """Make and open rooms before the start, follow them, end them, read who was there."""
    for work, do in (
        (RoomWork.MAKE, _make),
        (RoomWork.REGISTER, _register),
        (RoomWork.FOLLOW, _follow),
        (RoomWork.END, _end),
        (RoomWork.ATTENDANCE, _read_attendance),
    ):
        _do_all(tools.config, work, do, now)


def fetch_recordings(tools: Toolbox, now: datetime) -> None:
    """Fetch what was recorded, publish it here, delete it there."""
    _forget_downloads(media_shelf(tools.config).work, "room-*", before=now - LONGEST_FETCH)
    _do_all(tools.config, RoomWork.RECORDING, _fetch_recording, now)


@dataclass(frozen=True)
class _Job:
    """One room and who runs it."""

    config: Config
    room: ExternalRoom
    service: RoomService
    known: KnownRoom
    may_record: bool
    now: datetime

    @property
    def plan(self) -> RoomPlan:
        """What the provider is told of the session."""
        public_url = self.config.PUBLIC_URL
        return rooms.plan_of(self.room, public_url=public_url, records=self.may_record)

    @property
    def id(self) -> int:
        return self.room.id


def _do_all(config: Config, work: RoomWork, do: Callable[[_Job], None], now: datetime) -> None:
    with read_db() as db:
        what = f"{work} of a room"
        due = parked.ready(db, what, room_work.due(db, work, now=now), now=now)
    for room_id in due:
        with apart(what, room_id, now=now):
            _do(config, work, do, room_id, now)


def _do(
    config: Config, work: RoomWork, do: Callable[[_Job], None], room_id: int, now: datetime
) -> None:
    with open_db.begin() as db:
        room = room_work.claim(db, room_id, work, now=now)
        if room is None:
            return
        db.refresh(room, ["session"])  # the work itself has no database
        may_record = rooms.may_record(db, room)
    try:
        service = room_services(config).of_provider(room.provider)
        known = rooms.known(room, _opened(config, room))
        do(_Job(config, room, service, known, may_record, now))
    except DomainError as problem:
        log.warning("%s of room %s: %s", work, room_id, problem)
        with open_db.begin() as db:
            room_work.failed(db, room_id, work, str(problem), now=now)
    except FfmpegFailed:
        log.exception("%s of room %s", work, room_id)
        words = "The video of the recording could not be read to its end; it is tried again."
        with open_db.begin() as db:
            room_work.failed(db, room_id, work, words, now=now)


def _make(job: _Job) -> None:
    if not job.known.remote_id and job.room.provider is not RoomProvider.ADDRESS:
        _make_there(job)
    is_time = job.now >= rooms.opens_at(job.room.session)
    with open_db.begin() as db:
        if is_time:
            rooms.opened(db, job.id, now=job.now)
            log.info("room opens: room=%s", job.id)
        room_work.done(db, job.id, RoomWork.MAKE)


def _make_there(job: _Job) -> None:
    plan = job.plan
    made = job.service.create(plan, now=job.now)
    sealed = sealed_text(job.config).seal(
        json.dumps(dict(made.secrets)), bound_to=rooms.seal_name(job.room)
    )
    with open_db.begin() as db:
        rooms.made(db, job.id, made, sealed=sealed, told=rooms.told(plan))
    log.info("room made: room=%s provider=%s", job.id, job.room.provider)


def _follow(job: _Job) -> None:
    standing = job.service.standing(job.known, now=job.now)
    if standing is not None and not standing.is_there:
        _gone(job)
        return
    if standing is not None:
        _note(job, standing)
    with open_db.begin() as db:
        room_work.done(db, job.id, RoomWork.FOLLOW, again_at=job.now + room_work.FOLLOW_EVERY)


def _note(job: _Job, standing: Standing) -> None:
    with open_db.begin() as db:
        room = rooms.locked(db, job.id)
        room_visits.note_present(db, room, standing.people, now=job.now)
        if standing.was_used or standing.people:
            rooms.put_fact(room, "used", True)


def _gone(job: _Job) -> None:
    """Ended by its moderator, or lost: an empty room does not stay for ever."""
    is_over = bool(job.room.facts.get("used")) and rooms.is_end_believed(job.room, job.now)
    if not is_over:
        _make_there(job)
    with open_db.begin() as db:
        if is_over:
            rooms.ended(db, job.id, now=job.now)
            log.info("room has ended: room=%s", job.id)
        room_work.done(db, job.id, RoomWork.FOLLOW, again_at=job.now + room_work.FOLLOW_EVERY)


def _end(job: _Job) -> None:
    if job.room.opened_at is None:
        job.service.withdraw(job.known, now=job.now)
    else:
        job.service.end(job.known, now=job.now)
    with open_db.begin() as db:
        rooms.ended(db, job.id, now=job.now)
        room_work.done(db, job.id, RoomWork.END)
    log.info("room is ended: room=%s", job.id)


def _read_attendance(job: _Job) -> None:
    visits = job.service.attendance(job.known, now=job.now)
    with open_db.begin() as db:
        room = rooms.locked(db, job.id)
        new = room_visits.note_report(db, room, visits, now=job.now)
        room.attendance_at = job.now
        again_at = room_work.next_report_at(room, now=job.now)
        room_work.done(db, job.id, RoomWork.ATTENDANCE, again_at=again_at)
    log.info("attendance read: room=%s new=%s", job.id, new)


def _fetch_recording(job: _Job) -> None:
    found = job.service.recordings(job.known, now=job.now)
    if not found or not all(one.is_ready for one in found):
        with open_db.begin() as db:
            room_work.not_yet(db, job.id, RoomWork.RECORDING, now=job.now)
        return
    longest = max(found, key=lambda one: one.seconds)
    if not longest.address:
        raise RoomTrouble(
            "The provider has a recording but no video file of it. On a BigBlueButton server, "
            'the administrator switches the recording format "video" on.'
        )
    _import(job, longest)
    job.service.delete_recording(job.known, longest, now=datetime.now(UTC))
    with open_db.begin() as db:
        room = room_work.done(db, job.id, RoomWork.RECORDING)
        room.recording_at = datetime.now(UTC)
        if len(found) > 1:
            room.problem = (
                f"There were {len(found)} recordings. The longest is here; the others are still "
                "at the provider’s, where they have to be looked at and deleted."
            )
    log.info("recording fetched and deleted there: room=%s", job.id)


def _import(job: _Job, recording: RemoteRecording) -> None:
    """Into the session's recording, unless that was done before the deletion failed."""
    if job.room.facts.get("imported") == recording.remote_id:
        return
    alive = _sign_of_life(job.id)
    work = media_shelf(job.config).work
    work.mkdir(parents=True, exist_ok=True)
    # The claim is ours: what lies here of this room was left behind by who died at it.
    _forget_downloads(work, f"room-{job.id}-*", before=None)

    def piece_came() -> None:
        # Broadcasts that run now come before what can be fetched again.
        low = job.config.LOW_DISK_MEGABYTES
        ensure_room(job.config.DATA_DIR, size=0, low_megabytes=low)
        alive()

    with tempfile.TemporaryDirectory(prefix=f"room-{job.id}-", dir=work) as folder:
        path = Path(folder) / "recording.mp4"
        piece_came()
        job.service.download(recording, path, alive=piece_came, now=job.now)
        # What this room's own import left half done may be thrown away; nobody else's.
        again = bool(job.room.facts.get("import_begun"))
        with open_db.begin() as db:
            rooms.put_fact(rooms.locked(db, job.id), "import_begun", True)
        try:
            import_video(
                job.config,
                job.room.session_id,
                path,
                progress=lambda _share: alive(),
                now=datetime.now(UTC),
                again=again,
            )
        except (DomainError, FfmpegFailed):
            # It took itself back: what is half done from now on is somebody else's.
            with open_db.begin() as db:
                rooms.put_fact(rooms.locked(db, job.id), "import_begun", False)
            raise
    with open_db.begin() as db:
        rooms.put_fact(rooms.locked(db, job.id), "imported", recording.remote_id)


def _forget_downloads(work: Path, pattern: str, *, before: datetime | None) -> None:
    """Delete folders of fetches that were killed: what lies in them is plain."""
    for folder in work.glob(pattern):
        if before is None or datetime.fromtimestamp(folder.stat().st_mtime, UTC) < before:
            shutil.rmtree(folder, ignore_errors=True)
            log.warning("a broken off fetch is deleted: %s", folder.name)


def _sign_of_life(room_id: int) -> Callable[[], None]:
    """Keeps the claim while bytes come and pictures are packaged."""
    last = time.monotonic()

    def alive() -> None:
        nonlocal last
        if time.monotonic() - last > STAY_SECONDS:
            last = time.monotonic()
            with open_db.begin() as db:
                room_work.stay(db, room_id, RoomWork.RECORDING, now=datetime.now(UTC))

    return alive


def _register(job: _Job) -> None:
    """Let Zoom know of people with a place before they all come in the same minute.

    And of another title or hour, and that it must not record any more.
    """
    plan = job.plan
    if job.room.facts.get("told") != rooms.told(plan):
        job.service.update(job.known, plan, now=job.now)
        with open_db.begin() as db:
            rooms.put_fact(rooms.locked(db, job.id), "told", rooms.told(plan))
    with read_db() as db:
        people = room_guests.expected(db, job.room)
    for user_id in people:
        with open_db.begin() as db:
            room = rooms.locked(db, job.id)
            guest = room_guests.guest_for(db, room, user_id, now=job.now)
            visitor = room_guests.visitor(db, room, guest, db.get_one(User, user_id))
        if visitor.role is not RoomRole.VIEWER:
            continue
        entry = job.service.join_url(job.known, visitor, now=job.now)
        kept = KeptEntry(entry.address, visitor.role).to_text()
        sealed = sealed_text(job.config).seal(kept, bound_to=room_guests.seal_name(guest))
        with open_db.begin() as db:
            room_guests.settle(db, guest.id, remote_id=entry.remote_id, sealed=sealed)
    is_soon = job.room.session.starts_at - job.now < REGISTER_OFTEN_BEFORE
    wait = REGISTER_EVERY if people or is_soon else REGISTER_SELDOM
    with open_db.begin() as db:
        room_work.done(db, job.id, RoomWork.REGISTER, again_at=job.now + wait)


def _opened(config: Config, room: ExternalRoom) -> dict[str, str]:
    if not room.sealed:
        return {}
    return dict(json.loads(sealed_text(config).open(room.sealed, bound_to=rooms.seal_name(room))))
