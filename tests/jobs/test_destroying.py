"""The end of recordings: whatever step is the last before a crash, the next tick goes on."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from config import Config
from tests.builders import make_registration, make_user
from tests.components.bucket import BucketServer
from tests.evidence import make_ended_session
from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.domain.upload import UploadState
from webinar.jobs import destroying
from webinar.jobs.orphans import sweep_orphans
from webinar.jobs.toolbox import Toolbox
from webinar.media.keys import KeysDestroyed
from webinar.media.shelf import MediaShelf
from webinar.media.uploads import UploadStore
from webinar.models import (
    AuditEvent,
    Broadcast,
    Destruction,
    MediaSegment,
    Recording,
    RecordingSlide,
    WebinarSession,
)
from webinar.services import destruction, uploads, windows
from webinar.tools import media_shelf

CLOSES_AT = datetime(2027, 5, 26, 17, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
WEBM = b"\x1a\x45\xdf\xa3 what the speaker sent"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Stored:
    """A closed recording with everything that can lie there of it."""

    session: WebinarSession
    recording: Recording
    broadcast: Broadcast
    shelf: MediaShelf

    @property
    def name(self) -> str:
        return self.recording.public_id

    def left(self) -> dict[str, int]:
        """How much there is of it."""
        names = list(self.shelf.storage.names(f"recordings/{self.name}"))
        segments = [name for name in names if name.endswith(".ts")]
        return {
            "keys": len(self.shelf.keys.numbers(self.name)),
            "takes": len(self.shelf.takes.takes(self.broadcast.public_id)),
            "plain": len(names)
            - len(segments)
            + len(list(self.shelf.work.glob(f"{self.broadcast.id}-*"))),
            "segments": len(segments),
        }


ALL = {"keys": 2, "takes": 1, "plain": 4, "segments": 2}
UNREADABLE = {"keys": 0, "takes": 0, "plain": 0, "segments": 2}
NOTHING = {"keys": 0, "takes": 0, "plain": 0, "segments": 0}


@pytest.fixture
def tools(config: Config, bound: None) -> Toolbox:
    return Toolbox.from_config(config)


@pytest.fixture
def shelf(config: Config) -> MediaShelf:
    return media_shelf(config)


def store(db: DbSession, shelf: MediaShelf, *, closes_at: datetime = CLOSES_AT) -> Stored:
    session = make_ended_session(db)
    recording = Recording(
        public_id=f"rec{session.id}",
        session=session,
        state=RecordingState.PUBLISHED,
        duration_seconds=4.0,
        opens_at=session.ends_at,
        closes_at=closes_at,
        has_poster=True,
        created_at=session.ends_at,
    )
    broadcast = Broadcast(public_id=f"air{session.id}", session=session, takes=[])
    db.add_all([recording, broadcast])
    db.flush()
    folder = f"recordings/{recording.public_id}"
    for number in range(2):
        name = f"{folder}/main-{number:06d}-aa.ts"
        shelf.keys.create(recording.public_id, number)
        shelf.storage.put(name, b"noise" * 10)
        db.add(
            MediaSegment(
                recording_id=recording.id,
                sequence=number,
                take=0,
                key_number=number,
                iv="0" * 32,
                duration_seconds=2.0,
                take_offset_seconds=2.0 * number,
                programme_time=session.starts_at,
                size=50,
                name=name,
            )
        )
    for plain in ("poster.jpg", "captions/en.vtt", "slides/0001.jpg"):
        shelf.storage.put(f"{folder}/{plain}", b"plain")
    db.add(RecordingSlide(recording_id=recording.id, number=1, name="x", words="dissect"))
    shelf.takes.append(broadcast.public_id, 0, 0, WEBM)
    (shelf.work / f"{broadcast.id}-7").mkdir(parents=True)
    db.commit()
    return Stored(session, recording, broadcast, shelf)


def again(db: DbSession, stored: Stored) -> Recording:
    db.rollback()
    db.refresh(stored.recording)
    db.commit()
    return stored.recording


def test_nothing_happens_before_the_end(db: DbSession, tools: Toolbox, shelf: MediaShelf) -> None:
    stored = store(db, shelf)

    destroying.destroy_ended(tools, CLOSES_AT - SECOND)

    assert stored.left() == ALL
    assert again(db, stored).state is RecordingState.PUBLISHED


def test_at_the_end_everything_readable_goes_and_is_counted(
    db: DbSession, tools: Toolbox, shelf: MediaShelf
) -> None:
    stored = store(db, shelf)

    destroying.destroy_ended(tools, CLOSES_AT)

    assert stored.left() == UNREADABLE
    recording = again(db, stored)
    assert recording.state is RecordingState.DESTROYED
    assert recording.destroyed_at == CLOSES_AT
    assert not recording.has_poster
    row = db.scalars(select(Destruction)).one()
    assert (row.keys, row.segments, row.bytes, row.takes) == (2, 2, 100, 1)
    assert db.scalars(select(RecordingSlide)).all() == []
    with pytest.raises(KeysDestroyed):
        shelf.keys.create(stored.name, 2)


def test_the_ciphertext_goes_days_later(db: DbSession, tools: Toolbox, shelf: MediaShelf) -> None:
    stored = store(db, shelf)
    destroying.destroy_ended(tools, CLOSES_AT)

    destroying.destroy_ended(tools, CLOSES_AT + 7 * DAY - SECOND)
    before = stored.left()
    destroying.destroy_ended(tools, CLOSES_AT + 7 * DAY)

    assert (before, stored.left()) == (UNREADABLE, NOTHING)
    assert again(db, stored).media_deleted_at == CLOSES_AT + 7 * DAY


def test_what_a_better_file_has_replaced_ends_with_it(
    db: DbSession, tools: Toolbox, shelf: MediaShelf
) -> None:
    stored = store(db, shelf)
    stored.recording.generation, stored.recording.replaced_at = 1, CLOSES_AT - SECOND
    db.commit()

    destroying.destroy_ended(tools, CLOSES_AT)
    before = stored.left()
    destroying.destroy_ended(tools, CLOSES_AT + 7 * DAY)

    assert (before, stored.left()) == (UNREADABLE, NOTHING)


def test_it_waits_for_the_last_extension(db: DbSession, tools: Toolbox, shelf: MediaShelf) -> None:
    stored = store(db, shelf)
    person = make_user(db)
    make_registration(db, stored.session, person)
    windows.extend(
        db,
        stored.recording.id,
        user_id=person.id,
        closes_at=CLOSES_AT + DAY,
        reason="ill",
        actor_id=person.id,
        now=CLOSES_AT - DAY,
    )
    windows.close(db, stored.recording.id, now=CLOSES_AT)
    db.commit()

    destroying.destroy_ended(tools, CLOSES_AT + DAY - SECOND)
    before = stored.left()
    destroying.destroy_ended(tools, CLOSES_AT + DAY)

    assert (before, stored.left()) == (ALL, UNREADABLE)


@pytest.mark.parametrize(
    "state", [RecordingState.READY, RecordingState.PROCESSING, RecordingState.RECORDING]
)
def test_what_was_never_published_is_left_to_people(
    db: DbSession, tools: Toolbox, shelf: MediaShelf, state: RecordingState
) -> None:
    stored = store(db, shelf)
    stored.recording.state = state
    stored.recording.opens_at = stored.recording.closes_at = None
    db.commit()

    destroying.destroy_ended(tools, CLOSES_AT + 700 * DAY)

    assert stored.left() == ALL


class PowerFails(Exception):
    """The process ends here."""


# The steps, each as (where it is, its name): the power fails before it, and after it.
STEPS = [
    (destruction, "begin"),
    ("keys", "destroy_all"),
    (destruction, "keys_gone"),
    ("takes", "delete_broadcast"),
    ("storage", "delete"),
    (destruction, "finish"),
    ("storage", "delete_prefix"),
    (destruction, "media_deleted"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS, ids=[name for _, name in STEPS])
def test_the_power_may_fail_between_any_two_steps(
    db: DbSession,
    tools: Toolbox,
    shelf: MediaShelf,
    step: tuple[object, str],
    after: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stored = store(db, shelf)
    where, name = step
    owner = type(getattr(shelf, where)) if isinstance(where, str) else where
    real: Callable[..., object] = getattr(owner, name)
    fell: list[str] = []

    def falling(*args: object, **kwargs: object) -> object:
        if fell:
            return real(*args, **kwargs)
        fell.append(name)
        if after:
            real(*args, **kwargs)
        raise PowerFails

    with monkeypatch.context() as patch, caplog.at_level(logging.CRITICAL):
        patch.setattr(owner, name, falling)
        destroying.destroy_ended(tools, CLOSES_AT)
        destroying.destroy_ended(tools, CLOSES_AT + 7 * DAY)
    destroying.destroy_ended(tools, CLOSES_AT + 8 * DAY)
    destroying.destroy_ended(tools, CLOSES_AT + 16 * DAY)

    assert fell == [name]
    assert stored.left() == NOTHING
    recording = again(db, stored)
    assert recording.state is RecordingState.DESTROYED
    row = db.scalars(select(Destruction)).one()
    assert (row.keys, row.takes, row.segments) == (2, 1, 2)
    events = db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert events == ["recording destroyed", "recording's media deleted"]


def test_one_that_cannot_be_destroyed_does_not_keep_the_next_from_it(
    db: DbSession, tools: Toolbox, shelf: MediaShelf, caplog: pytest.LogCaptureFixture
) -> None:
    broken, whole = store(db, shelf), store(db, shelf)
    broken.recording.public_id = "no such / name"
    db.commit()

    with caplog.at_level(logging.CRITICAL):
        destroying.destroy_ended(tools, CLOSES_AT)

    assert whole.left() == UNREADABLE


def test_the_hourly_look_takes_away_what_came_back(
    db: DbSession, tools: Toolbox, shelf: MediaShelf, caplog: pytest.LogCaptureFixture
) -> None:
    stored = store(db, shelf)
    backup = (shelf.keys.root / stored.name / "000001.key").read_bytes()
    destroying.destroy_ended(tools, CLOSES_AT)
    # As a backup of the key store and a slow writer would leave it.
    (shelf.keys.root / stored.name / "destroyed").unlink()
    (shelf.keys.root / stored.name / "000001.key").write_bytes(backup)
    shelf.takes.append(stored.broadcast.public_id, 3, 0, WEBM)
    shelf.storage.put(f"recordings/{stored.name}/poster.jpg", b"plain")
    came_back = stored.left()

    with caplog.at_level(logging.CRITICAL):
        destroying.reconcile(tools, CLOSES_AT + timedelta(hours=1))

    assert came_back == {"keys": 1, "takes": 1, "plain": 1, "segments": 2}
    assert stored.left() == UNREADABLE
    with pytest.raises(KeysDestroyed):
        shelf.keys.read(stored.name, 1)
    event = db.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert event.after == {"keys": 1, "takes": 1, "files": 1}
    assert db.scalars(select(Destruction)).one().checked_at == CLOSES_AT + timedelta(hours=1)


def test_a_look_that_finds_nothing_writes_only_when_it_was(
    db: DbSession, tools: Toolbox, shelf: MediaShelf
) -> None:
    store(db, shelf)
    destroying.destroy_ended(tools, CLOSES_AT)
    events = len(db.scalars(select(AuditEvent)).all())
    db.commit()

    destroying.reconcile(tools, CLOSES_AT + timedelta(minutes=30))
    early = db.scalars(select(Destruction.checked_at)).one()
    db.commit()
    destroying.reconcile(tools, CLOSES_AT + timedelta(hours=1))

    assert early == CLOSES_AT
    assert db.scalars(select(Destruction.checked_at)).one() == CLOSES_AT + timedelta(hours=1)
    assert len(db.scalars(select(AuditEvent)).all()) == events


def test_what_is_nobodys_goes_a_day_after_it_was_first_seen(
    db: DbSession, shelf: MediaShelf, caplog: pytest.LogCaptureFixture
) -> None:
    stored = store(db, shelf)
    shelf.keys.create("gone1", 0)
    shelf.takes.append("gone2", 0, 0, WEBM)
    shelf.storage.put("recordings/gone3/main-000000-aa.ts", b"noise")

    with caplog.at_level(logging.CRITICAL):
        first = sweep_orphans(shelf, now=CLOSES_AT)
        early = sweep_orphans(shelf, now=CLOSES_AT + DAY - SECOND)
        late = sweep_orphans(shelf, now=CLOSES_AT + DAY)
        # Stored files are listed once a day.
        listed = sweep_orphans(shelf, now=CLOSES_AT + 2 * DAY)

    assert (first, early, late, listed) == (0, 0, 2, 1)
    assert shelf.keys.numbers("gone1") == []
    assert shelf.takes.takes("gone2") == []
    assert list(shelf.storage.names("recordings/gone3")) == []
    assert stored.left() == ALL


def test_what_becomes_known_again_is_kept(
    db: DbSession, shelf: MediaShelf, caplog: pytest.LogCaptureFixture
) -> None:
    stored = store(db, shelf)
    stored.recording.public_id, name = "elsewhere", stored.name
    shelf.keys.create("elsewhere", 0)
    db.commit()

    with caplog.at_level(logging.CRITICAL):
        sweep_orphans(shelf, now=CLOSES_AT)
        stored.recording.public_id = name
        db.commit()
        sweep_orphans(shelf, now=CLOSES_AT + DAY)

    assert shelf.keys.numbers(name) == [0, 1]


def test_an_empty_database_deletes_nothing(
    shelf: MediaShelf, bound: None, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.keys.create("rec1", 0)

    with caplog.at_level(logging.CRITICAL):
        gone = [sweep_orphans(shelf, now=CLOSES_AT + days * DAY) for days in range(4)]

    assert gone == [0, 0, 0, 0]
    assert shelf.keys.numbers("rec1") == [0]


def test_in_a_bucket_the_same_goes(
    db: DbSession, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    with BucketServer() as server:
        inside = replace(config, STORAGE_URL=server.url)
        tools, shelf = Toolbox.from_config(inside), media_shelf(inside)
        stored = store(db, shelf)
        whole = stored.left()

        destroying.destroy_ended(tools, CLOSES_AT)
        unreadable = stored.left()
        destroying.destroy_ended(tools, CLOSES_AT + 7 * DAY)
        gone = stored.left()
        destroying.reconcile(tools, CLOSES_AT + 8 * DAY)

    assert (whole, unreadable, gone) == (ALL, UNREADABLE, NOTHING)


def test_a_better_video_that_was_still_coming_is_gone_with_the_recording(
    db: DbSession, shelf: MediaShelf, tools: Toolbox
) -> None:
    stored, other = store(db, shelf), store(db, shelf, closes_at=CLOSES_AT + DAY)
    sent = [
        uploads.begin(
            db,
            one.session.id,
            user_id=make_user(db).id,
            file_name="better.mp4",
            length=100,
            now=CLOSES_AT - DAY,
        )
        for one in (stored, other)
    ]
    db.commit()
    arriving = UploadStore(tools.config.DATA_DIR.resolve())
    for upload in sent:
        arriving.begin(upload.public_id)
        arriving.append(upload.public_id, 0, b"plain", length=100)
    fetched = shelf.work / "room-1-abc"
    fetched.mkdir(parents=True)

    destroying.destroy_ended(tools, CLOSES_AT)

    db.expire_all()
    assert [upload.state for upload in sent] == [UploadState.WITHDRAWN, UploadState.UPLOADING]
    assert arriving.names() == [sent[1].public_id]
    assert fetched.exists()  # of a room of another session
