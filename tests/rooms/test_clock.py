"""What the clock does about rooms: made, opened, followed, ended, and what they leave fetched."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from config import Config
from tests.builders import STARTS_AT, make_registration, make_user
from tests.media.films import film
from tests.rooms.conftest import EARLY, Evening
from tests.rooms.fake_bigbluebutton import FakeBigBlueButton
from tests.rooms.fake_zoom import FakeZoom
from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.domain.rooms import RoomProvider, RoomState, RoomWork, VisitSource, wait_after
from webinar.domain.session import SessionStatus
from webinar.jobs import rooms as clock
from webinar.jobs.toolbox import Toolbox
from webinar.models import ExternalRoom, RoomGuest, RoomVisit
from webinar.services import recordings, room_guests, room_visits, room_work, rooms
from webinar.tools import room_services

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def choose(db: DbSession, evening: Evening, provider: RoomProvider) -> ExternalRoom:
    room = rooms.plan(
        db,
        evening.session.id,
        provider=provider,
        records=True,
        actor_id=evening.organiser.id,
        now=EARLY - timedelta(days=1),
    )
    db.commit()
    return room


def state(db: DbSession, room: ExternalRoom) -> RoomState:
    db.refresh(room)
    db.commit()
    return room.state


def join(db: DbSession, evening: Evening, room: ExternalRoom, config: Config) -> RoomGuest:
    """The viewer of the evening walks in."""
    db.refresh(room)
    guest = room_guests.guest_for(db, room, evening.viewer.id, now=EARLY)
    visitor = room_guests.visitor(db, room, guest, evening.viewer)
    db.commit()
    service = room_services(config).of_provider(room.provider)
    httpx.get(service.join_url(rooms.known(room, {}), visitor, now=EARLY).address, trust_env=False)
    return guest


@one_database
def test_a_room_is_made_half_an_hour_before_and_ended_half_an_hour_after(
    db: DbSession, evening: Evening, tools: Toolbox, bbb: FakeBigBlueButton
) -> None:
    room = choose(db, evening, RoomProvider.BIGBLUEBUTTON)
    opens, ends_by = rooms.opens_at(evening.session), rooms.ends_by(evening.session)
    second = timedelta(seconds=1)
    seen = []

    for now in (opens - second, opens, ends_by - second, ends_by):
        clock.tend(tools, now)
        seen.append((state(db, room), len(bbb.meetings)))

    assert seen == [
        (RoomState.PLANNED, 0),
        (RoomState.OPEN, 1),
        (RoomState.OPEN, 1),
        (RoomState.ENDED, 0),
    ]


@one_database
@pytest.mark.parametrize("status", [SessionStatus.DRAFT, SessionStatus.CANCELLED])
def test_no_room_opens_for_what_is_not_announced(
    db: DbSession,
    evening: Evening,
    tools: Toolbox,
    bbb: FakeBigBlueButton,
    status: SessionStatus,
) -> None:
    room = choose(db, evening, RoomProvider.BIGBLUEBUTTON)
    evening.session.status = status
    db.commit()

    clock.tend(tools, EARLY)

    assert (state(db, room), bbb.asked) == (RoomState.PLANNED, [])


@one_database
def test_what_does_not_work_is_said_and_tried_again_less_and_less_often(
    db: DbSession, evening: Evening, tools: Toolbox, zoom_server: FakeZoom
) -> None:
    room = choose(db, evening, RoomProvider.ZOOM)
    zoom_server.is_broken = True
    tries = []

    for minute in range(16):
        clock.tend(tools, EARLY + timedelta(minutes=minute))
        tries.append(len(zoom_server.asked))
    db.refresh(room)
    problem = room.problem
    db.commit()
    zoom_server.is_broken = False
    clock.tend(tools, EARLY + timedelta(hours=1))

    # At once, then after 1, 2, 4 and 8 minutes.
    assert tries == [1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5]
    assert problem == "Zoom answered 500: without a reason"
    assert state(db, room) is RoomState.OPEN
    assert room.problem is None


def test_waiting_doubles_to_an_hour_and_no_longer() -> None:
    minutes = [wait_after(tries).total_seconds() / 60 for tries in (1, 2, 3, 6, 7, 8, 1000)]

    assert minutes == [1, 2, 4, 32, 60, 60, 60]


@one_database
def test_a_room_nobody_used_is_made_again_and_one_that_was_left_at_its_hour_has_ended(
    db: DbSession, evening: Evening, tools: Toolbox, bbb: FakeBigBlueButton, config: Config
) -> None:
    room = choose(db, evening, RoomProvider.BIGBLUEBUTTON)
    clock.tend(tools, EARLY)
    bbb.meetings.clear()  # nobody came for an hour, says the server

    clock.tend(tools, EARLY + timedelta(minutes=2))
    was_made_again = list(bbb.meetings) == [room.public_id]
    join(db, evening, room, config)
    clock.tend(tools, EARLY + timedelta(minutes=4))
    bbb.meetings.clear()  # its moderator ended it
    clock.tend(tools, evening.session.ends_at)

    assert was_made_again
    assert bbb.calls("join") != []
    assert state(db, room) is RoomState.ENDED


@one_database
def test_who_is_inside_is_seen_each_minute_also_without_webhooks(
    db: DbSession, evening: Evening, tools: Toolbox, bbb: FakeBigBlueButton, config: Config
) -> None:
    bbb.has_webhooks = False
    room = choose(db, evening, RoomProvider.BIGBLUEBUTTON)
    clock.tend(tools, EARLY)
    guest = join(db, evening, room, config)

    for minute in (1, 2, 3, 4, 5):
        clock.tend(tools, EARLY + timedelta(minutes=minute))
    bbb.meetings[room.public_id].attendees.clear()
    clock.tend(tools, EARLY + timedelta(minutes=6))

    db.expire_all()
    seen = db.scalars(select(RoomVisit)).one()
    assert (seen.guest_id, seen.source, seen.joined_at, seen.left_at) == (
        guest.id,
        VisitSource.POLL,
        EARLY + timedelta(minutes=1),
        EARLY + timedelta(minutes=5),
    )


@one_database
def test_zoom_knows_of_people_before_they_come(
    db: DbSession, evening: Evening, tools: Toolbox, zoom_server: FakeZoom
) -> None:
    for _ in range(24):
        make_registration(db, evening.session, make_user(db))
    db.commit()
    choose(db, evening, RoomProvider.ZOOM)

    clock.tend(tools, EARLY)
    at_first = len(zoom_server.registrants)
    clock.tend(tools, EARLY + timedelta(minutes=1))
    clock.tend(tools, EARLY + timedelta(minutes=2))

    assert (at_first, len(zoom_server.registrants)) == (20, 25)
    names = {f"{one['first_name']} {one['last_name']}" for one in zoom_server.registrants.values()}
    assert len(names) == 25
    assert all(name.startswith("Participant ") for name in names)


@one_database
def test_zoom_hears_of_another_hour_and_everybodys_link_stays(
    db: DbSession, evening: Evening, tools: Toolbox, zoom_server: FakeZoom
) -> None:
    room = choose(db, evening, RoomProvider.ZOOM)
    clock.tend(tools, EARLY - timedelta(hours=3))
    evening.session.starts_at += timedelta(hours=1)
    evening.session.ends_at += timedelta(hours=1)
    db.commit()

    clock.tend(tools, EARLY - timedelta(hours=2))
    clock.tend(tools, EARLY - timedelta(hours=1))

    db.refresh(room)
    starts = [webinar["start_time"] for webinar in zoom_server.webinars.values()]
    assert starts == ["2026-11-26T18:15:00Z"]
    assert sum(asked.method == "PATCH" for asked in zoom_server.asked) == 1
    assert list(zoom_server.registrants) == ["reg_0"]


@one_database
def test_a_webinar_that_was_never_needed_is_deleted_there(
    db: DbSession, evening: Evening, tools: Toolbox, zoom_server: FakeZoom
) -> None:
    choose(db, evening, RoomProvider.ZOOM)
    clock.tend(tools, EARLY - timedelta(hours=3))
    was_there = len(zoom_server.webinars)

    rooms.leave(db, evening.session.id, actor_id=evening.organiser.id, now=EARLY)
    db.commit()
    clock.tend(tools, EARLY - timedelta(hours=2))

    assert (was_there, zoom_server.webinars) == (1, {})


def zoom_row(person: str, user: str, start: datetime, end: datetime) -> dict[str, str]:
    return {
        "user_id": user,
        "registrant_id": person,
        "join_time": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "leave_time": f"{end:%Y-%m-%dT%H:%M:%SZ}",
    }


@one_database
def test_the_report_is_read_again_until_it_is_complete_and_no_row_counts_twice(
    db: DbSession, evening: Evening, tools: Toolbox, zoom_server: FakeZoom
) -> None:
    room = choose(db, evening, RoomProvider.ZOOM)
    clock.tend(tools, EARLY)
    ended = rooms.ends_by(evening.session)
    clock.tend(tools, ended)
    zoom_server.runs = ["run"]
    zoom_server.reports = {"run": [zoom_row("reg_0", "1", STARTS_AT, ended)]}
    counts = []

    for later in (
        timedelta(minutes=14),
        timedelta(minutes=15),
        timedelta(hours=1),
        timedelta(hours=6),
        timedelta(hours=24),
        timedelta(hours=30),
    ):
        if later == timedelta(hours=6):
            zoom_server.reports["run"].append(zoom_row("", "2", STARTS_AT, ended))
        clock.tend(tools, ended + later)
        db.expire_all()
        counts.append(len(db.scalars(select(RoomVisit)).all()))
        db.commit()
    asked = sum("/report/" in one.path for one in zoom_server.asked)

    assert counts == [0, 1, 1, 2, 2, 2]
    assert asked == 4
    assert [(one.source, one.visits, one.people) for one in room_visits.figures(db, room)] == [
        (VisitSource.REPORT, 2, 1)
    ]


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds that are packaged without encoding."""
    how = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50"]
    path = tmp_path_factory.mktemp("room") / "talk.mp4"
    return film(path, seconds=4, how=[*how, "-c:a", "aac"]).read_bytes()


def over(db: DbSession, evening: Evening, tools: Toolbox, provider: RoomProvider) -> ExternalRoom:
    """A room that was open for an evening and has ended."""
    room = choose(db, evening, provider)
    clock.tend(tools, EARLY)
    clock.tend(tools, rooms.ends_by(evening.session))
    evening.session.status = SessionStatus.ENDED
    db.commit()
    db.refresh(room)
    db.commit()
    return room


def long_ago(db: DbSession, evening: Evening) -> None:
    """The import reads the real clock: the evening has to lie before it."""
    by = timedelta(days=365)
    evening.session.starts_at -= by
    evening.session.ends_at -= by
    db.commit()


@one_database
def test_a_recording_is_published_here_and_deleted_there(
    db: DbSession, evening: Evening, tools: Toolbox, bbb: FakeBigBlueButton, talk: bytes
) -> None:
    room = over(db, evening, tools, RoomProvider.BIGBLUEBUTTON)
    long_ago(db, evening)
    bbb.video = talk
    after = rooms.ends_by(evening.session) + timedelta(days=365, hours=1)
    bbb.record("rec1", state="processing")

    clock.fetch_recordings(tools, after)
    while_processed = list(bbb.deleted)
    bbb.recordings.clear()
    bbb.record("rec1")
    clock.fetch_recordings(tools, after + timedelta(minutes=2))
    clock.fetch_recordings(tools, after + timedelta(minutes=4))

    db.expire_all()
    recording = recordings.for_session(db, evening.session.id)
    assert recording is not None
    assert recording.state in (RecordingState.PUBLISHED, RecordingState.CLOSED)
    assert recording.duration_seconds == pytest.approx(4, abs=0.2)
    assert (while_processed, bbb.deleted) == ([], ["rec1"])
    assert room.recording_at is not None
    assert room.problem is None
    assert [path.name for path in (tools.config.DATA_DIR / "work").rglob("room-*")] == []


@one_database
def test_what_is_no_video_is_said_and_stays_there(
    db: DbSession, evening: Evening, tools: Toolbox, bbb: FakeBigBlueButton
) -> None:
    room = over(db, evening, tools, RoomProvider.BIGBLUEBUTTON)
    long_ago(db, evening)
    bbb.video = b"<html>please sign in</html>" * 100
    bbb.record("rec1")

    clock.fetch_recordings(tools, rooms.ends_by(evening.session) + timedelta(days=365, hours=1))

    db.refresh(room)
    assert room.problem
    assert bbb.deleted == []
    assert recordings.for_session(db, evening.session.id) is None


@one_database
def test_a_server_that_makes_no_videos_is_told_to_the_organiser(
    db: DbSession, evening: Evening, tools: Toolbox, bbb: FakeBigBlueButton
) -> None:
    room = over(db, evening, tools, RoomProvider.BIGBLUEBUTTON)
    bbb.record("rec1", form="presentation")

    clock.fetch_recordings(tools, rooms.ends_by(evening.session) + timedelta(hours=1))

    db.refresh(room)
    assert room.problem is not None
    assert room.problem.startswith("The provider has a recording but no video file of it.")


@one_database
def test_a_recording_kept_elsewhere_is_not_fetched_from_there(
    db: DbSession, evening: Evening, tools: Toolbox, bbb: FakeBigBlueButton
) -> None:
    room = over(db, evening, tools, RoomProvider.BIGBLUEBUTTON)
    bbb.record("rec1")
    bbb.recordings = [one.replace(bbb.url, "http://169.254.169.254") for one in bbb.recordings]

    clock.fetch_recordings(tools, rooms.ends_by(evening.session) + timedelta(hours=1))

    db.refresh(room)
    assert room.problem == (
        "BigBlueButton points to 169.254.169.254, which is not one of its hosts; "
        "nothing was fetched from there."
    )


def test_work_is_done_by_one_clock_at_a_time(db: DbSession, evening: Evening) -> None:
    room = choose(db, evening, RoomProvider.BIGBLUEBUTTON)

    first = room_work.claim(db, room.id, RoomWork.MAKE, now=EARLY)
    second = room_work.claim(db, room.id, RoomWork.MAKE, now=EARLY + timedelta(seconds=5))
    after_its_death = room_work.claim(db, room.id, RoomWork.MAKE, now=EARLY + room_work.LEASE)

    assert first is not None
    assert second is None
    assert after_its_death is not None


def test_every_kind_of_work_can_be_asked_of_both_databases(db: DbSession, evening: Evening) -> None:
    room = choose(db, evening, RoomProvider.ZOOM)

    due = {work: room_work.due(db, work, now=EARLY) for work in RoomWork}

    assert due == {
        RoomWork.MAKE: [room.id],
        RoomWork.REGISTER: [],
        RoomWork.FOLLOW: [],
        RoomWork.END: [],
        RoomWork.ATTENDANCE: [],
        RoomWork.RECORDING: [],
    }


def test_nothing_is_recorded_if_somebody_did_not_agree(db: DbSession, evening: Evening) -> None:
    evening.session.faculty[0].consent_withdrawn_at = EARLY
    db.commit()

    assert not rooms.is_recorded(choose(db, evening, RoomProvider.BIGBLUEBUTTON))


@one_database
@pytest.mark.parametrize("provider", [RoomProvider.BIGBLUEBUTTON, RoomProvider.ZOOM])
def test_a_yes_taken_back_after_the_room_was_chosen_stops_the_recording_there(
    db: DbSession,
    evening: Evening,
    tools: Toolbox,
    bbb: FakeBigBlueButton,
    zoom_server: FakeZoom,
    provider: RoomProvider,
) -> None:
    choose(db, evening, provider)
    clock.tend(tools, EARLY - timedelta(hours=12))  # Zoom makes its room ahead
    evening.session.faculty[0].consent_withdrawn_at = EARLY - timedelta(hours=2)
    db.commit()

    clock.tend(tools, EARLY)

    told = [call["record"] for call in bbb.calls("create")]
    told += [webinar["settings"]["auto_recording"] for webinar in zoom_server.webinars.values()]
    assert told == ["false" if provider is RoomProvider.BIGBLUEBUTTON else "none"]


def test_work_that_is_being_done_is_asked_for_again_and_not_begun_twice(
    db: DbSession, evening: Evening
) -> None:
    room = choose(db, evening, RoomProvider.BIGBLUEBUTTON)
    rooms.opened(db, room.id, now=EARLY)
    first = room_work.claim(db, room.id, RoomWork.FOLLOW, now=EARLY)
    asked = EARLY + timedelta(seconds=5)

    room_work.at_once(db, room.id, RoomWork.FOLLOW, now=asked)
    room_work.stay(db, room.id, RoomWork.FOLLOW, now=asked)
    second = room_work.claim(db, room.id, RoomWork.FOLLOW, now=asked)
    room_work.done(db, room.id, RoomWork.FOLLOW, again_at=asked + timedelta(hours=1))
    afterwards = room_work.claim(db, room.id, RoomWork.FOLLOW, now=asked)

    assert (first is None, second is None, afterwards is None) == (False, True, False)


@one_database
def test_a_nearly_full_disk_is_left_to_the_broadcasts(
    db: DbSession, evening: Evening, tools: Toolbox, bbb: FakeBigBlueButton, talk: bytes
) -> None:
    room = over(db, evening, tools, RoomProvider.BIGBLUEBUTTON)
    bbb.video = talk
    bbb.record("rec1")
    full = replace(tools, config=replace(tools.config, LOW_DISK_MEGABYTES=10**9))

    clock.fetch_recordings(full, rooms.ends_by(evening.session) + timedelta(hours=1))

    db.refresh(room)
    assert room.problem is not None
    assert room.problem.startswith("The server's disk is nearly full")
    assert (bbb.deleted, [asked.path for asked in bbb.asked if "video" in asked.path]) == ([], [])


@one_database
def test_what_a_killed_fetch_left_behind_is_deleted(
    db: DbSession, evening: Evening, tools: Toolbox
) -> None:
    work = tools.config.DATA_DIR / "work"
    for name in ("room-7-old", "room-8-new", "import-old"):
        (work / name).mkdir(parents=True)
        (work / name / "recording.mp4").write_bytes(b"plain")
    now = datetime.now(UTC)
    # Files bear the time of the machine, which need not be the test's.
    for name, written_at in (
        ("room-7-old", now - timedelta(days=2)),
        ("room-8-new", now),
        ("import-old", now - timedelta(days=2)),
    ):
        os.utime(work / name, (written_at.timestamp(), written_at.timestamp()))

    clock.fetch_recordings(tools, now)

    assert sorted(path.name for path in work.iterdir()) == ["import-old", "room-8-new"]
