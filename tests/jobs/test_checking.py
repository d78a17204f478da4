"""What is stored against what was packaged."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from config import Config
from tests.builders import NOW, make_session
from tests.components.bucket import BucketServer
from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.jobs.checking import Fault, Finding, check
from webinar.models import MediaSegment, Recording
from webinar.tools import media_shelf

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def server() -> Iterator[BucketServer]:
    with BucketServer() as server:
        yield server


@pytest.fixture(params=["files", "bucket"])
def stored(request: pytest.FixtureRequest, config: Config, db: DbSession) -> Config:
    """A published recording of three segments and a poster, in a storage of each kind."""
    if request.param == "bucket":
        server: BucketServer = request.getfixturevalue("server")
        server.empty()
        config = replace(config, STORAGE_URL=server.url)
    storage = media_shelf(config).storage
    recording = Recording(
        public_id="rec1",
        session_id=make_session(db).id,
        state=RecordingState.PUBLISHED,
        created_at=NOW,
    )
    db.add(recording)
    db.flush()
    for number in range(3):
        data = b"noise" * (number + 1)
        name = f"recordings/rec1/main-{number:06d}-ab.ts"
        storage.put(name, data)
        db.add(
            MediaSegment(
                recording_id=recording.id,
                sequence=number,
                take=0,
                key_number=0,
                iv="0" * 32,
                duration_seconds=4,
                take_offset_seconds=4 * number,
                programme_time=NOW,
                size=len(data),
                name=name,
                sha256=hashlib.sha256(data).hexdigest(),
            )
        )
    storage.put("recordings/rec1/poster.jpg", b"picture")
    db.commit()
    return config


def test_a_whole_recording_has_nothing_wrong(stored: Config) -> None:
    checked = check(stored, everything=True)

    assert (checked.recordings, checked.files, checked.bytes) == (1, 3, 30)
    assert checked.findings == []


def test_what_is_missing_changed_and_surplus_is_named(stored: Config) -> None:
    storage = media_shelf(stored).storage
    storage.delete("recordings/rec1/main-000000-ab.ts")
    storage.put("recordings/rec1/main-000001-ab.ts", b"noise" * 2 + b"!")
    storage.put("recordings/rec1/main-000002-cd.ts", b"of a worker that died")
    storage.put("recordings/nobody/main-000000-ab.ts", b"of a recording that was forgotten")

    watched = check(stored, everything=False).findings
    everything = check(stored, everything=True).findings

    assert watched == [
        Finding(Fault.MISSING, "recordings/rec1/main-000000-ab.ts", "rec1"),
        Finding(Fault.CHANGED, "recordings/rec1/main-000001-ab.ts", "rec1"),
        Finding(Fault.SURPLUS, "recordings/rec1/main-000002-cd.ts", "rec1"),
    ]
    assert everything == [*watched, Finding(Fault.SURPLUS, "recordings/nobody/main-000000-ab.ts")]
