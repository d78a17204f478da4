"""Videos on their way to recordings: begun, arrived, packaged by one worker, done with."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import select, update

from webinar.db import DbSession
from webinar.domain.errors import Conflict, DomainError
from webinar.domain.recording import RecordingState
from webinar.domain.upload import UploadPurpose, UploadState
from webinar.models import Recording, Upload, WebinarSession
from webinar.services import audit, recordings
from webinar.services.leases import LEASE_SECONDS, LeaseLost

KEPT_DAYS = 7  # an upload that nobody goes on with
RETRY_SECONDS = 60  # after a full disk or a silent bucket
MOST_ATTEMPTS = 5  # of workers that die without a word
LONGEST_NAME = 255
ACTIVE = frozenset({UploadState.UPLOADING, UploadState.WAITING, UploadState.WORKING})
REPLACEABLE = frozenset({RecordingState.READY, RecordingState.PUBLISHED})


def by_public_id(db: DbSession, session_id: int, public_id: str) -> Upload:
    """The upload of this session with this name; NoResultFound if there is none."""
    return db.scalars(
        select(Upload).where(Upload.session_id == session_id, Upload.public_id == public_id)
    ).one()


def latest(db: DbSession, session_id: int) -> Upload | None:
    """The newest upload of the session, whatever became of it."""
    return db.scalar(
        select(Upload).where(Upload.session_id == session_id).order_by(Upload.id.desc()).limit(1)
    )


def active(db: DbSession, session_id: int) -> Upload | None:
    """The upload that comes, waits or is packaged; a session has one at most."""
    return db.scalar(
        select(Upload).where(Upload.session_id == session_id, Upload.state.in_(ACTIVE)).limit(1)
    )


def purpose_for(db: DbSession, session: WebinarSession, *, now: datetime) -> UploadPurpose:
    """What a video would become here; raises DomainError if it could become nothing."""
    recording = recordings.for_session(db, session.id)
    if recording is None or is_half_import(recording):
        if session.ends_at > now:
            raise DomainError(
                "This session has not ended yet; it can be given a recording afterwards."
            )
        return UploadPurpose.IMPORT
    if recording.state not in REPLACEABLE:
        why = {
            RecordingState.RECORDING: "The session is being recorded at this moment",
            RecordingState.PROCESSING: "The recording is being prepared at this moment",
            RecordingState.CLOSED: "The recording has closed",
        }.get(recording.state, "The recording was destroyed")
        raise DomainError(f"{why}; no other video can take its place.")
    return UploadPurpose.REPLACE


def is_half_import(recording: Recording) -> bool:
    """True for what an import has left behind, or is making: nothing else was never on air."""
    return (
        recording.state is RecordingState.PROCESSING and recording.session.actual_started_at is None
    )


def begin(
    db: DbSession,
    session_id: int,
    *,
    user_id: int,
    file_name: str,
    length: int,
    now: datetime,
) -> Upload:
    """A video is about to come; refused while another one of the session is on its way."""
    session = db.get_one(WebinarSession, session_id, with_for_update=True, populate_existing=True)
    if (other := active(db, session.id)) is not None:
        raise Conflict(
            f"Another video of this session is on its way: {other.file_name}. "
            "Choose that one to go on, or withdraw it first."
        )
    if length <= 0:
        raise DomainError("The file is empty. Choose the video again.")
    upload = Upload(
        public_id=secrets.token_urlsafe(18),
        session_id=session.id,
        user_id=user_id,
        purpose=purpose_for(db, session, now=now),
        file_name=_shown_name(file_name),
        length=length,
        created_at=now,
        updated_at=now,
    )
    db.add(upload)
    _write_down(db, upload, "video upload begun", actor_id=user_id, now=now)
    db.flush()
    return upload


def note_progress(db: DbSession, upload_id: int, *, has_arrived: bool, now: datetime) -> None:
    """A piece came; with the last one the video waits for its worker."""
    values: dict[str, object] = {"updated_at": now}
    if has_arrived:
        values["state"] = UploadState.WAITING
    db.execute(
        update(Upload)
        .where(Upload.id == upload_id, Upload.state == UploadState.UPLOADING)
        .values(**values)
    )


def withdraw(db: DbSession, upload_id: int, *, actor_id: int | None, now: datetime) -> bool:
    """Nobody wants it any more; its worker, if it has one, stops. False if it was done with."""
    upload = db.get_one(Upload, upload_id, with_for_update=True, populate_existing=True)
    if upload.state not in ACTIVE:
        return False
    upload.state = UploadState.WITHDRAWN
    upload.updated_at = now
    upload.lease_fence += 1
    _write_down(db, upload, "video upload withdrawn", actor_id=actor_id, now=now)
    return True


def coming(db: DbSession) -> list[Upload]:
    """Those whose bytes are still coming."""
    return list(db.scalars(select(Upload).where(Upload.state == UploadState.UPLOADING)))


def forgotten(db: DbSession, *, now: datetime) -> list[int]:
    """Ids of uploads nobody went on with for a week."""
    return list(
        db.scalars(
            select(Upload.id).where(
                Upload.state == UploadState.UPLOADING,
                Upload.updated_at < now - timedelta(days=KEPT_DAYS),
            )
        )
    )


def names_needed(db: DbSession) -> set[str]:
    """Public ids of uploads whose bytes are still needed."""
    return set(db.scalars(select(Upload.public_id).where(Upload.state.in_(ACTIVE))))


def next_for_worker(db: DbSession, *, now: datetime) -> int | None:
    """The upload to be packaged next, or None: one after the other, a laptop has few cores."""
    at_work = select(Upload.id).where(
        Upload.state == UploadState.WORKING, Upload.lease_until >= now
    )
    if db.scalar(at_work.limit(1)) is not None:
        return None
    return db.scalar(
        select(Upload.id)
        .where(
            Upload.state.in_((UploadState.WAITING, UploadState.WORKING)),
            Upload.lease_until.is_(None) | (Upload.lease_until < now),
        )
        .order_by(Upload.id)
        .limit(1)
    )


def claim(db: DbSession, upload_id: int, *, owner: str, now: datetime) -> int | None:
    """Take the lease and return its fencing number, or None if it is another's or not needed.

    An upload whose workers have died too often fails here.
    """
    upload = db.get_one(Upload, upload_id, with_for_update=True, populate_existing=True)
    is_free = upload.lease_until is None or upload.lease_until < now
    if upload.state not in (UploadState.WAITING, UploadState.WORKING) or not is_free:
        return None
    if upload.state is UploadState.WORKING and upload.lease_fence >= MOST_ATTEMPTS:
        _end(upload, UploadState.FAILED, now=now)
        upload.problem = (
            "The server has tried several times and broke off each time. Export the video again "
            "with other settings, or tell the administrator."
        )
        return None
    upload.state = UploadState.WORKING
    upload.lease_owner = owner
    upload.lease_until = now + timedelta(seconds=LEASE_SECONDS)
    upload.lease_fence += 1
    upload.working_since = now
    upload.progress = 0.0
    upload.problem = None
    return upload.lease_fence


def renew(
    db: DbSession, upload_id: int, *, fence: int, now: datetime, progress: float | None = None
) -> None:
    """Keep the lease, and say how far the packaging is; raises LeaseLost."""
    values: dict[str, object] = {"lease_until": now + timedelta(seconds=LEASE_SECONDS)}
    if progress is not None:
        values["progress"] = progress
    renewed = db.execute(
        update(Upload)
        .where(
            Upload.id == upload_id,
            Upload.lease_fence == fence,
            Upload.state == UploadState.WORKING,
        )
        .values(**values)
        .returning(Upload.id)
    )
    if renewed.scalar_one_or_none() is None:
        raise LeaseLost(f"upload {upload_id}, fence {fence}")


def describe(db: DbSession, upload_id: int, *, fence: int, found: str, now: datetime) -> None:
    """Write down what the file holds; raises LeaseLost. The estimate of the rest begins here."""
    renew(db, upload_id, fence=fence, now=now)
    db.execute(update(Upload).where(Upload.id == upload_id).values(found=found, working_since=now))


def finish(db: DbSession, upload_id: int, *, fence: int, now: datetime) -> None:
    """The recording is made; raises LeaseLost."""
    upload = _mine(db, upload_id, fence)
    upload.progress = 1.0
    _end(upload, UploadState.DONE, now=now)
    _write_down(db, upload, "video packaged", actor_id=upload.user_id, now=now)


def fail(db: DbSession, upload_id: int, *, fence: int, problem: str, now: datetime) -> None:
    """Nothing can be made of it; `problem` says why, for a person. Raises LeaseLost."""
    upload = _mine(db, upload_id, fence)
    upload.problem = problem
    _end(upload, UploadState.FAILED, now=now)
    _write_down(db, upload, "video refused", actor_id=upload.user_id, now=now)


def put_off(db: DbSession, upload_id: int, *, fence: int, problem: str, now: datetime) -> None:
    """Something stands in the way that may pass; it is tried again. Raises LeaseLost."""
    upload = _mine(db, upload_id, fence)
    upload.state = UploadState.WAITING
    upload.problem = problem
    upload.lease_owner = None
    upload.lease_until = now + timedelta(seconds=RETRY_SECONDS)


def seconds_left(upload: Upload, *, now: datetime) -> float | None:
    """How long the packaging will still take, by how long it took so far; None at its start."""
    if upload.working_since is None or upload.progress < 0.02:
        return None
    passed = (now - upload.working_since).total_seconds()
    return passed / upload.progress * (1 - upload.progress)


def _mine(db: DbSession, upload_id: int, fence: int) -> Upload:
    upload = db.get_one(Upload, upload_id, with_for_update=True, populate_existing=True)
    if upload.lease_fence != fence or upload.state is not UploadState.WORKING:
        raise LeaseLost(f"upload {upload_id}, fence {fence}")
    return upload


def _end(upload: Upload, state: UploadState, *, now: datetime) -> None:
    upload.state = state
    upload.updated_at = now
    upload.lease_owner = None
    upload.lease_until = None


def _shown_name(file_name: str) -> str:
    """The last part of a path, as people call the file; it is never used as one of ours."""
    last = file_name.replace("\\", "/").rpartition("/")[2]
    printable = "".join(letter for letter in last if letter.isprintable()).strip()
    return printable[:LONGEST_NAME] or "video"


def _write_down(
    db: DbSession, upload: Upload, action: str, *, actor_id: int | None, now: datetime
) -> None:
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"session {upload.session_id}",
        after={"file": upload.file_name, "bytes": upload.length, "becomes": upload.purpose.value},
        reason=upload.problem or "",
        now=now,
    )
