"""Who packages an upload, and who may no longer."""

from datetime import timedelta

import pytest

from tests.builders import NOW, make_session, make_user
from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.domain.upload import UploadState
from webinar.models import Upload
from webinar.services import uploads
from webinar.services.uploads import LEASE_SECONDS, RETRY_SECONDS, LeaseLost

LATER = NOW + timedelta(seconds=LEASE_SECONDS + 1)


@pytest.fixture
def upload(db: DbSession) -> Upload:
    """One that has arrived."""
    session = make_session(db, starts_at=NOW - timedelta(days=1), status=SessionStatus.ENDED)
    upload = uploads.begin(
        db, session.id, user_id=make_user(db).id, file_name="talk.mp4", length=5, now=NOW
    )
    uploads.note_progress(db, upload.id, has_arrived=True, now=NOW)
    db.refresh(upload)
    return upload


def claimed(db: DbSession, upload: Upload, owner: str = "first") -> int:
    fence = uploads.claim(db, upload.id, owner=owner, now=NOW)
    assert fence is not None
    return fence


def test_one_worker_at_a_time(db: DbSession, upload: Upload) -> None:
    assert uploads.next_for_worker(db, now=NOW) == upload.id
    claimed(db, upload)

    assert uploads.next_for_worker(db, now=NOW) is None
    assert uploads.claim(db, upload.id, owner="second", now=NOW) is None


def test_after_the_lease_another_takes_over_and_the_first_may_write_nothing(
    db: DbSession, upload: Upload
) -> None:
    first = claimed(db, upload)

    assert uploads.next_for_worker(db, now=LATER) == upload.id
    second = uploads.claim(db, upload.id, owner="second", now=LATER)

    assert second == first + 1
    for late in (uploads.renew, uploads.finish):
        with pytest.raises(LeaseLost):
            late(db, upload.id, fence=first, now=LATER)
    uploads.renew(db, upload.id, fence=second, now=LATER, progress=0.5)


def test_a_withdrawn_upload_stops_its_worker(db: DbSession, upload: Upload) -> None:
    fence = claimed(db, upload)

    assert uploads.withdraw(db, upload.id, actor_id=upload.user_id, now=NOW)

    with pytest.raises(LeaseLost):
        uploads.renew(db, upload.id, fence=fence, now=NOW)
    assert not uploads.withdraw(db, upload.id, actor_id=upload.user_id, now=NOW)
    assert uploads.next_for_worker(db, now=LATER) is None


def test_what_may_pass_is_tried_again_after_a_minute(db: DbSession, upload: Upload) -> None:
    fence = claimed(db, upload)

    uploads.put_off(db, upload.id, fence=fence, problem="The disk is full.", now=NOW)

    assert (upload.state, upload.problem) == (UploadState.WAITING, "The disk is full.")
    assert uploads.next_for_worker(db, now=NOW + timedelta(seconds=RETRY_SECONDS)) is None
    assert uploads.next_for_worker(db, now=NOW + timedelta(seconds=RETRY_SECONDS + 1)) == upload.id


def test_a_video_on_which_every_worker_dies_is_given_up(db: DbSession, upload: Upload) -> None:
    now = NOW
    for attempt in range(uploads.MOST_ATTEMPTS):
        assert uploads.claim(db, upload.id, owner="x", now=now) == attempt + 1
        now += timedelta(seconds=LEASE_SECONDS + 1)

    assert uploads.claim(db, upload.id, owner="x", now=now) is None
    assert upload.state is UploadState.FAILED
    assert "broke off each time" in (upload.problem or "")


def test_the_time_that_is_left_follows_from_the_time_that_passed(
    db: DbSession, upload: Upload
) -> None:
    claimed(db, upload)
    assert uploads.seconds_left(upload, now=NOW) is None

    upload.progress = 0.25

    assert uploads.seconds_left(upload, now=NOW + timedelta(seconds=30)) == pytest.approx(90)
