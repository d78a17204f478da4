"""Once a day it is counted what is left of recordings that ended, in rows and in stores."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from config import Config
from tests.jobs.test_destroying import CLOSES_AT, DAY, store
from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.domain.retention import RetentionKind
from webinar.jobs import destroying, proving
from webinar.jobs.toolbox import Toolbox
from webinar.media.shelf import MediaShelf
from webinar.models import RetentionRun
from webinar.services import retention
from webinar.tools import media_shelf

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOUR = timedelta(hours=1)


@pytest.fixture
def tools(config: Config, bound: None) -> Toolbox:
    return Toolbox.from_config(config)


@pytest.fixture
def shelf(config: Config) -> MediaShelf:
    return media_shelf(config)


def last_run(db: DbSession, kind: RetentionKind) -> RetentionRun | None:
    return next((run for run in retention.last_runs(db) if run.kind == kind.value), None)


def told(db: DbSession, kind: RetentionKind) -> tuple[int, int]:
    """(deleted, left over) of the last run."""
    db.rollback()
    db.expire_all()
    run = last_run(db, kind)
    assert run is not None
    found = run.deleted, run.left_over
    db.rollback()
    return found


def test_what_ended_as_it_should_leaves_nothing(
    db: DbSession, tools: Toolbox, shelf: MediaShelf
) -> None:
    store(db, shelf)
    store(db, shelf, closes_at=CLOSES_AT + 100 * DAY)
    destroying.destroy_ended(tools, CLOSES_AT)
    destroying.destroy_ended(tools, CLOSES_AT + 7 * DAY)

    proving.prove_ends(tools, CLOSES_AT + 8 * DAY)

    assert told(db, RetentionKind.KEYS) == (2, 0)
    assert told(db, RetentionKind.MEDIA) == (1, 0)


def test_a_clock_that_just_began_is_let_do_its_work_first(
    db: DbSession, tools: Toolbox, shelf: MediaShelf
) -> None:
    store(db, shelf)
    proving.prove_ends(tools, CLOSES_AT + 3 * DAY)
    db.rollback()
    before = last_run(db, RetentionKind.KEYS)
    db.rollback()
    destroying.destroy_ended(tools, CLOSES_AT + 3 * DAY)

    proving.prove_ends(tools, CLOSES_AT + 3 * DAY + HOUR)

    assert before is None
    assert told(db, RetentionKind.KEYS) == (2, 0)


def test_each_run_counts_what_went_since_the_one_before(
    db: DbSession, tools: Toolbox, shelf: MediaShelf
) -> None:
    store(db, shelf)
    store(db, shelf, closes_at=CLOSES_AT + 2 * DAY)
    destroying.destroy_ended(tools, CLOSES_AT)
    proving.prove_ends(tools, CLOSES_AT)
    first = told(db, RetentionKind.KEYS)
    destroying.destroy_ended(tools, CLOSES_AT + 2 * DAY)

    proving.prove_ends(tools, CLOSES_AT + 3 * DAY)

    assert (first, told(db, RetentionKind.KEYS)) == ((2, 0), (2, 0))
    assert told(db, RetentionKind.MEDIA) == (0, 0)


def test_a_window_that_is_over_and_a_recording_that_still_plays_is_said(
    db: DbSession, tools: Toolbox, shelf: MediaShelf, caplog: pytest.LogCaptureFixture
) -> None:
    store(db, shelf)
    proving.prove_ends(tools, CLOSES_AT - DAY)

    with caplog.at_level(logging.CRITICAL):
        proving.prove_ends(tools, CLOSES_AT + HOUR)

    assert told(db, RetentionKind.KEYS) == (0, 1)


def test_a_key_that_came_back_is_said_until_it_is_gone(
    db: DbSession, tools: Toolbox, shelf: MediaShelf, caplog: pytest.LogCaptureFixture
) -> None:
    stored = store(db, shelf)
    folder: Path = shelf.keys.root / stored.name
    backup = (folder / "000001.key").read_bytes()
    destroying.destroy_ended(tools, CLOSES_AT)
    (folder / "destroyed").unlink()
    (folder / "000001.key").write_bytes(backup)

    with caplog.at_level(logging.CRITICAL):
        proving.prove_ends(tools, CLOSES_AT + HOUR)
        back = told(db, RetentionKind.KEYS)
        destroying.reconcile(tools, CLOSES_AT + HOUR)
        # What left something over is looked at again within the hour, and not a day later.
        proving.prove_ends(tools, CLOSES_AT + 2 * HOUR)

    assert (back, told(db, RetentionKind.KEYS)) == ((2, 1), (0, 0))


def test_a_row_that_says_published_of_what_is_destroyed_is_said(
    db: DbSession, tools: Toolbox, shelf: MediaShelf, caplog: pytest.LogCaptureFixture
) -> None:
    stored = store(db, shelf)
    destroying.destroy_ended(tools, CLOSES_AT)
    db.rollback()
    db.refresh(stored.recording)
    stored.recording.state = RecordingState.PUBLISHED
    stored.recording.closes_at = CLOSES_AT + 100 * DAY
    db.commit()

    with caplog.at_level(logging.CRITICAL):
        proving.prove_ends(tools, CLOSES_AT + HOUR)

    # Once because a destruction is written down, once because its keys are gone.
    assert told(db, RetentionKind.KEYS) == (2, 2)


def test_files_that_came_back_are_said(
    db: DbSession, tools: Toolbox, shelf: MediaShelf, caplog: pytest.LogCaptureFixture
) -> None:
    stored = store(db, shelf)
    destroying.destroy_ended(tools, CLOSES_AT)
    destroying.destroy_ended(tools, CLOSES_AT + 7 * DAY)
    shelf.storage.put(f"recordings/{stored.name}/main-000000-aa.ts", b"noise")

    with caplog.at_level(logging.CRITICAL):
        proving.prove_ends(tools, CLOSES_AT + 8 * DAY)

    assert told(db, RetentionKind.MEDIA) == (1, 1)


def test_media_nobody_deleted_in_time_is_said(
    db: DbSession, tools: Toolbox, shelf: MediaShelf, caplog: pytest.LogCaptureFixture
) -> None:
    store(db, shelf)
    destroying.destroy_ended(tools, CLOSES_AT)

    with caplog.at_level(logging.CRITICAL):
        proving.prove_ends(tools, CLOSES_AT + 7 * DAY + 2 * HOUR)

    assert told(db, RetentionKind.MEDIA) == (0, 1)
