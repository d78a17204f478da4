"""flask demo, as ./run types it: the quick season, whole chain, real media."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from config import Config
from tests.builders import make_society
from tests.media.films import Cinema
from webinar.db import DbSession
from webinar.demo import speaker
from webinar.demo.hosts import ACADEMY
from webinar.demo.live import OPEN_ROUND, REHEARSAL, open_round, rehearsal, retire_rounds
from webinar.demo.people import FACULTY, PARTICIPANT, PARTS, invite_everybody, person
from webinar.demo.programme import programme
from webinar.domain.access import Role
from webinar.domain.credit import Reason
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.domain.session_details import UNTITLED
from webinar.media.ffmpeg import streams_of
from webinar.media.shelf import MediaShelf
from webinar.models import (
    AuditEvent,
    Broadcast,
    Certificate,
    CreditDecision,
    Delivery,
    MediaSegment,
    Recording,
    Registration,
    Topic,
    User,
    WebinarSession,
)
from webinar.services import (
    audit,
    broadcasts,
    captions,
    chapters,
    mail_log,
    recordings,
    slides,
    societies,
)
from webinar.tools import calendar_tool, media_shelf

# No evening today: what comes next is the rehearsal, and no mail falls due meanwhile.
QUIET_MONDAY = datetime(2026, 11, 2, 12, tzinfo=UTC)
COUNTED = (AuditEvent, Delivery, MediaSegment, Recording, Registration, User, WebinarSession)


def load(app: Flask) -> Result:
    result = app.test_cli_runner().invoke(args=["demo", "load", "--quick"])
    assert result.exit_code == 0, result.output
    return result


def invite(db: DbSession) -> None:
    """The people and their society, without the season."""
    now = datetime.now(UTC)
    societies.create(db, slug="academy", name=ACADEMY, actor_id=None, now=now)
    invite_everybody(db, programme(), now=now)
    db.commit()


def sign_ins(result: Result) -> list[str]:
    return re.findall(r"http://localhost(/sign-in/\S+)", result.output)


def shelf_of(config: Config) -> MediaShelf:
    return media_shelf(config)


def counts(db: DbSession) -> list[int | None]:
    found = [db.scalar(select(func.count()).select_from(table)) for table in COUNTED]
    db.rollback()
    return found


def sessions_in(db: DbSession, status: SessionStatus) -> list[WebinarSession]:
    return list(
        db.scalars(
            select(WebinarSession)
            .where(WebinarSession.status == status)
            .order_by(WebinarSession.starts_at)
        )
    )


@time_machine.travel(QUIET_MONDAY)
def test_the_season_is_loaded_once_and_whole(
    app: Flask, config: Config, db: DbSession, tmp_path: Path
) -> None:
    first = load(app)

    # A season: evenings that were, one on air, others to come, announced and not.
    assert [session.title for session in sessions_in(db, SessionStatus.LIVE)] == [OPEN_ROUND.title]
    assert len(sessions_in(db, SessionStatus.ENDED)) == 4
    assert len(sessions_in(db, SessionStatus.CANCELLED)) == 1
    ahead = sessions_in(db, SessionStatus.PUBLISHED)
    assert ahead[0].title == REHEARSAL.title
    assert [bool(session.moved_from) for session in ahead].count(True) == 1
    assert all(session.title != UNTITLED for session in ahead)
    assert all(session.is_demo for session in db.scalars(select(WebinarSession)))

    # One specialty above all topics: what accreditors ask of a season.
    tops = db.scalars(select(Topic.name).where(Topic.parent_id.is_(None))).all()
    assert tops == ["Oncology"]

    # Recordings behind their window that can be decoded.
    recording = db.scalars(
        select(Recording)
        .join(WebinarSession)
        .where(Recording.state == RecordingState.PUBLISHED)
        .order_by(WebinarSession.starts_at.desc())
    ).first()
    assert recording is not None
    shelf = shelf_of(config)
    cinema = Cinema(shelf.storage, shelf.keys, tmp_path / "cinema")
    packaged = recordings.segments(db, recording.id)
    assert cinema.frames(recording.public_id, packaged) == 6 * 5  # type: ignore[arg-type]
    assert shelf.storage.exists(f"recordings/{recording.public_id}/poster.jpg")
    shown = captions.shown(db, recording, "en", shelf.storage)
    assert shown.startswith("WEBVTT")
    assert shown.count("-->") == captions.listed(db, recording.id)[0].cues
    assert len(chapters.listed(db, recording.id)) == len(slides.listed(db, recording.id)) == 7

    # People, what they earned, and what they would have been mailed.
    participant = person(db, PARTICIPANT)
    assert person(db, FACULTY).roles == {Role.PARTICIPANT, Role.PRESENTER, Role.MODERATOR}
    reasons = db.scalars(
        select(CreditDecision.reason)
        .join(WebinarSession)
        .where(CreditDecision.user_id == participant.id, CreditDecision.is_latest)
        .order_by(WebinarSession.starts_at.desc())
    ).all()
    assert reasons[:2] == [Reason.PENDING_EVALUATION, Reason.PENDING_EVALUATION]
    assert Reason.OK in reasons
    assert db.scalars(select(Certificate).where(Certificate.user_id == participant.id)).all()
    owed = select(func.count()).where(Delivery.due_at <= datetime.now(UTC))
    assert db.scalar(owed) == 0
    assert len(mail_log.lost(db, None, now=datetime.now(UTC), limit=9)) == 2
    assert audit.first_broken(db) is None
    db.rollback()

    # Each sign-in leads somewhere, once.
    links = sign_ins(first)
    assert len(links) == len(PARTS)
    client = app.test_client()
    assert client.get(links[0]).status_code == 200
    assert client.post(links[0]).location == "/my/"
    assert client.post(links[0]).status_code == 410

    # Again: nothing is added, and the sign-ins are fresh.
    before = counts(db)
    second = load(app)
    assert counts(db) == before
    assert not set(sign_ins(second)) & set(links)
    assert client.post(links[1]).status_code == 410
    assert client.post(sign_ins(second)[1]).location.startswith("/studio/")


def test_content_of_somebodys_own_is_left_alone(app: Flask, db: DbSession) -> None:
    make_society(db, "real")
    db.commit()

    result = app.test_cli_runner().invoke(args=["demo", "load", "--quick"])

    assert result.output == (
        "Error: This database has content of its own, so the demonstration is not loaded into it. "
        "Use an empty database, or start with WEBINAR_DEMO=0.\n"
    )
    assert result.exit_code == 1
    assert counts(db)[-1] == 0


def test_the_speaker_broadcasts_until_it_is_not_wanted_any_more(
    config: Config, db: DbSession
) -> None:
    invite(db)
    takes = shelf_of(config).takes
    asked = iter(range(4))  # once before the take, then after every chunk

    speaker.speak(config, is_wanted=lambda: next(asked, None) is not None, clip_seconds=7)

    live = sessions_in(db, SessionStatus.LIVE)
    assert [session.title for session in live] == [OPEN_ROUND.title]
    broadcast = db.scalars(select(Broadcast).where(Broadcast.session_id == live[0].id)).one()
    assert takes.takes(broadcast.public_id) == [0]
    found = streams_of(takes.path(broadcast.public_id, 0))
    assert found.video is not None
    assert (found.video.codec, found.video.width, found.video.height) == ("h264", 1280, 720)
    assert found.audio is not None
    assert takes.next_seq(broadcast.public_id, 0) >= 2


def test_one_round_follows_the_other_and_old_ones_make_room(config: Config, db: DbSession) -> None:
    invite(db)
    calendar, shelf = calendar_tool(config), shelf_of(config)
    now = datetime.now(UTC)
    rounds = [open_round(db, calendar=calendar, now=now)]
    studio = rehearsal(db, calendar=calendar, now=now)

    for _ in range(4):
        now = rounds[-1].ends_at + timedelta(seconds=1)
        rounds.append(open_round(db, calendar=calendar, now=now))
        recording = recordings.for_session(db, rounds[-2].id)
        assert recording is not None
        recording.duration_seconds = 2700.0
        recordings.ready(db, recording.id, has_poster=False, now=now)
    retired = retire_rounds(db, shelf, now=now)

    assert [one.status for one in rounds] == [SessionStatus.ENDED] * 4 + [SessionStatus.LIVE]
    assert rounds[1].starts_at == rounds[0].ends_at
    assert retired == 1
    first = recordings.for_session(db, rounds[0].id)
    assert first is not None
    assert first.state is RecordingState.DESTROYED
    assert retire_rounds(db, shelf, now=now) == 0
    assert rehearsal(db, calendar=calendar, now=now).id != studio.id
    assert broadcasts.may_broadcast(db, studio, person(db, FACULTY))


def test_two_speakers_do_not_speak_at_once(config: Config) -> None:
    with (
        speaker.alone(config.DATA_DIR),
        pytest.raises(speaker.AnotherSpeaks, match="on air already"),
    ):
        speaker.speak(config, is_wanted=lambda: True)
