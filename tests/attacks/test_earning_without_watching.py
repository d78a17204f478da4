"""Twenty ways to earn credit without watching, as listed in docs/attendance-protocol.md.

Everything goes through the real intake, under a clock of the test's own; what counts in the end is
what credits.decide_session decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from config import Config
from tests.builders import make_registration, make_session, make_user
from tests.evidence import make_grant, make_recording
from webinar.db import DbSession
from webinar.domain.attendance import SLACK_SECONDS, ViewingMode
from webinar.domain.session import SessionStatus
from webinar.models import User, WebinarSession
from webinar.services import attendance, credits, registrations
from webinar.web.beats import BeatIntake

STARTS = datetime(2026, 3, 3, 17, 15, tzinfo=UTC)
LIVE_SECONDS = 2700
LENGTH = 2700
Segment = list[Any]
LIVE, RECORDED = ViewingMode.LIVE, ViewingMode.RECORDED


@dataclass
class Stage:
    """An evening and its recording, with a clock that is moved by hand."""

    db: DbSession
    session: WebinarSession
    secret: bytes
    person: User
    now: datetime = STARTS
    seqs: dict[str, int] = field(default_factory=dict)
    client: Client | None = None

    def at(self, seconds: float) -> "Stage":
        self.now = STARTS + timedelta(seconds=seconds)
        return self

    def someone(self) -> User:
        user = make_user(self.db)
        make_registration(self.db, self.session, user)
        self.db.commit()
        return user

    def get_pass(self, mode: ViewingMode, *, user: User | None = None) -> str:
        issued = attendance.issue_pass(
            self.db,
            self.session,
            (user or self.person).id,
            mode=mode,
            secret=self.secret,
            now=self.now,
        )
        self.db.commit()
        return issued.token

    def beat(self, token: str, *segments: Any, seq: int | None = None) -> str:
        """The code of the refusal, or "ok". Live segments are in seconds after the start."""
        number = self.seqs.get(token, 0) if seq is None else seq
        self.seqs[token] = number + 1
        assert self.client is not None
        answer = self.client.post(
            "/beats", json={"pass": token, "seq": number, "wait": 1, "segments": list(segments)}
        )
        assert answer.json is not None
        return "ok" if answer.status_code == 200 else str(answer.json["code"])

    def end(self) -> None:
        self.session.status = SessionStatus.ENDED
        self.session.actual_ended_at = STARTS + timedelta(seconds=LIVE_SECONDS)
        self.db.commit()

    def counted(self, mode: ViewingMode, *, user: User | None = None) -> int:
        """Seconds that the decision counts; 0 where there is nothing to decide upon."""
        self.end()
        later = max(self.now, STARTS + timedelta(seconds=LIVE_SECONDS)) + timedelta(minutes=10)
        credits.decide_session(
            self.db, self.session.id, public_url="https://webinar.example", now=later
        )
        decided = [
            one
            for one in credits.latest_of(self.db, self.session.id, (user or self.person).id)
            if one.grant.mode is mode
        ]
        return decided[0].seconds_counted if decided else 0


def on_air(number: Any, start: float, end: float) -> Segment:
    base = STARTS.timestamp()
    return [number, round((base + start) * 1000), round((base + end) * 1000)]


def of_media(number: Any, start: float, end: float) -> Segment:
    return [number, round(start * 1000), round(end * 1000)]


@pytest.fixture
def stage(app: Flask, db: DbSession, config: Config) -> Iterator[Stage]:
    session = make_session(db, starts_at=STARTS, minutes=45, status=SessionStatus.LIVE)
    session.actual_started_at = STARTS
    make_grant(db, session, "ama-pra-live", "0.75")
    make_grant(db, session, "acoe-distance", "1")
    recording = make_recording(db, session, seconds=LENGTH, closes_at=STARTS + timedelta(days=60))
    recording.opens_at = STARTS - timedelta(hours=2)
    person = make_user(db)
    make_registration(db, session, person)
    db.commit()
    stage = Stage(db, session, config.SECRET_KEY.encode(), person)
    intake = BeatIntake(app.wsgi_app, config, app.extensions["engine"], clock=lambda: stage.now)
    stage.client = Client(intake)
    yield stage
    intake.store.close()


def test_01_a_forged_pass(stage: Stage) -> None:
    token = stage.get_pass(LIVE)
    forged = token[:50] + ("A" if token[50] != "A" else "B") + token[51:]

    assert stage.at(900).beat(forged, on_air(0, 0, 900)) == "pass_forged"
    assert stage.counted(LIVE) == 0


def test_02_the_same_beat_again_and_again(stage: Stage) -> None:
    token = stage.get_pass(LIVE)
    stage.at(300)

    assert {stage.beat(token, on_air(0, 0, 300), seq=0) for _ in range(10)} == {"ok"}
    assert stage.counted(LIVE) == 300


def test_03_the_pass_of_somebody_else(stage: Stage) -> None:
    other = stage.someone()
    token = stage.get_pass(LIVE, user=other)

    assert stage.at(600).beat(token, on_air(0, 0, 600)) == "ok"
    assert stage.counted(LIVE) == 0
    assert stage.counted(LIVE, user=other) == 600


def test_04_a_pass_of_another_session(stage: Stage) -> None:
    another = make_session(
        stage.db, starts_at=STARTS + timedelta(days=7), status=SessionStatus.PUBLISHED
    )
    make_registration(stage.db, another, stage.person)
    here, stage.session = stage.session, another
    token = stage.get_pass(LIVE)
    stage.session = here

    assert stage.at(900).beat(token, on_air(0, 0, 900)) == "outside"
    assert stage.counted(LIVE) == 0


def test_05_beats_after_the_pass_has_ended(stage: Stage) -> None:
    live, recorded = stage.get_pass(LIVE), stage.get_pass(RECORDED)
    a_day, a_week = LIVE_SECONDS + 86_400, 7 * 86_400

    assert stage.at(a_day).beat(live, on_air(0, 0, LIVE_SECONDS)) == "pass_expired"
    assert stage.at(a_week).beat(recorded, of_media(0, 0, LENGTH)) == "pass_expired"
    assert (stage.counted(LIVE), stage.counted(RECORDED)) == (0, 0)


def test_06_the_same_stretch_under_many_numbers(stage: Stage) -> None:
    token = stage.get_pass(LIVE)
    stage.at(200)
    stretches = [on_air(number, 150, 165) for number in range(10)]

    assert stage.beat(token, *stretches) == "ok"
    assert stage.counted(LIVE) == 15


@pytest.mark.parametrize(
    "segment",
    [[0, -5_000, 900_000], [-1, 0, 1_000], [0, 900_000, 0]],
)
def test_07_negative_and_turned_round(stage: Stage, segment: Segment) -> None:
    token = stage.get_pass(RECORDED)

    assert stage.at(2000).beat(token, segment) == "malformed"
    assert stage.counted(RECORDED) == 0


@pytest.mark.parametrize("end", [10**15, 10**60])
def test_08_huge(stage: Stage, end: int) -> None:
    token = stage.get_pass(RECORDED)

    assert stage.at(2000).beat(token, [0, 0, end]) == "malformed"
    assert stage.counted(RECORDED) == 0


@pytest.mark.parametrize("end", [float("nan"), float("inf"), True, "2700000", 1.5, None, [1]])
def test_09_no_whole_number(stage: Stage, end: object) -> None:
    token = stage.get_pass(RECORDED)

    assert stage.at(3000).beat(token, [0, 0, end]) == "malformed"
    assert stage.counted(RECORDED) == 0


def test_10_outside_the_media(stage: Stage) -> None:
    token = stage.get_pass(RECORDED)

    assert stage.at(5000).beat(token, of_media(0, LENGTH - 10, LENGTH + 900)) == "outside"
    assert stage.counted(RECORDED) == 0


def test_11_a_jump_to_the_end(stage: Stage) -> None:
    token = stage.get_pass(RECORDED)
    stage.at(20)

    codes = (
        stage.beat(token, of_media(0, 0, 10), of_media(1, LENGTH - 5, LENGTH)),
        stage.beat(token, of_media(0, 0, LENGTH)),
    )

    assert codes == ("ok", "too_fast")
    assert stage.counted(RECORDED) == 15


def test_12_sixteen_times_the_speed(stage: Stage) -> None:
    token = stage.get_pass(RECORDED)

    codes = [
        stage.at(at).beat(token, of_media(0, 0, min(16 * at, LENGTH))) for at in range(15, 170, 15)
    ]

    assert set(codes) == {"too_fast"}
    assert stage.counted(RECORDED) == 0


def test_13_ten_tabs_play_ten_parts(stage: Stage) -> None:
    tabs = [stage.get_pass(RECORDED) for _ in range(10)]
    stage.at(270)

    codes = {
        stage.beat(tab, of_media(0, 270 * part, 270 * (part + 1))) for part, tab in enumerate(tabs)
    }

    assert codes == {"ok"}
    assert stage.counted(RECORDED) <= 2 * 270 + SLACK_SECONDS


def test_14_a_clock_set_forward(stage: Stage) -> None:
    token = stage.get_pass(LIVE)

    assert stage.at(60).beat(token, on_air(0, 0, LIVE_SECONDS)) == "future"
    assert stage.counted(LIVE) == 0


def test_15_beats_by_hand_earn_no_more_than_the_time_they_take(stage: Stage) -> None:
    """No media was asked for. What bounds it is time: see the protocol."""
    token = stage.get_pass(LIVE)
    for at in range(15, 601, 15):
        assert stage.at(at).beat(token, on_air(0, 0, at)) == "ok"

    assert stage.counted(LIVE) == 600


def test_16_a_pass_kept_after_unregistering(stage: Stage) -> None:
    token = stage.get_pass(LIVE)
    assert stage.at(120).beat(token, on_air(0, 0, 120)) == "ok"
    stage.at(121)
    registrations.unregister(stage.db, stage.session.id, stage.person.id, now=stage.now)
    stage.db.commit()

    assert stage.at(1500).beat(token, on_air(1, 120, 1500)) == "ok"
    assert stage.counted(LIVE) == 120


def test_16_a_pass_first_used_after_unregistering(stage: Stage) -> None:
    token = stage.get_pass(LIVE)
    stage.at(60)
    registrations.unregister(stage.db, stage.session.id, stage.person.id, now=stage.now)
    stage.db.commit()

    assert stage.at(1500).beat(token, on_air(0, 0, 1500)) == "ok"
    assert stage.counted(LIVE) == 0


def test_17_what_was_on_air_before_the_page_came(stage: Stage) -> None:
    stage.at(1800)
    token = stage.get_pass(LIVE)
    stage.at(1815)

    assert stage.beat(token, on_air(0, 0, 1815)) == "too_fast"
    stage.beat(token, on_air(1, 1770, 1815))
    assert stage.counted(LIVE) <= 15 + 30


def test_18_before_the_start_and_after_the_end(stage: Stage) -> None:
    stage.at(-1800)
    token = stage.get_pass(LIVE)

    assert stage.at(-60).beat(token, on_air(0, -1800, -60)) == "ok"
    assert stage.at(4500).beat(token, on_air(1, LIVE_SECONDS, 4500)) == "ok"
    assert stage.counted(LIVE) == 0


def test_19_many_tiny_stretches_whose_gaps_are_bridged(stage: Stage) -> None:
    token = stage.get_pass(RECORDED)
    stage.at(60)

    for first in range(0, 2560, 64):
        numbers = range(first, first + 64)
        assert stage.beat(token, *(of_media(n, n, n + 0.02) for n in numbers)) == "ok"

    assert stage.counted(RECORDED) <= 2 * 60 + SLACK_SECONDS


def test_20_a_live_pass_for_the_recording_and_the_other_way_round(stage: Stage) -> None:
    live, recorded = stage.get_pass(LIVE), stage.get_pass(RECORDED)
    stage.at(900)

    assert stage.beat(live, of_media(0, 0, 900)) == "outside"
    assert stage.beat(recorded, on_air(0, 0, 900)) == "outside"
    assert (stage.counted(LIVE), stage.counted(RECORDED)) == (0, 0)


@pytest.mark.parametrize("seq", [-1, 2**31, "0", True])
def test_21_beats_are_numbered_as_players_do(stage: Stage, seq: Any) -> None:
    token = stage.get_pass(LIVE)
    stage.seqs[token] = 0
    assert stage.client is not None
    body = {"pass": token, "seq": seq, "segments": [on_air(0, 0, 300)]}

    answer = stage.at(300).client.post("/beats", json=body)  # type: ignore[union-attr]

    assert answer.json is not None
    assert answer.json["code"] == "malformed"
    assert stage.counted(LIVE) == 0


def test_22_a_second_account_earns_for_itself_alone(stage: Stage) -> None:
    second = stage.someone()
    one, other = stage.get_pass(LIVE), stage.get_pass(LIVE, user=second)
    stage.at(600).beat(one, on_air(0, 0, 300))
    stage.beat(other, on_air(0, 300, 600))

    assert (stage.counted(LIVE), stage.counted(LIVE, user=second)) == (300, 300)


def test_the_honest_viewer_gets_every_second(stage: Stage) -> None:
    """A bad network, two devices at once, and a laptop that sleeps before it could send."""
    stage.at(-120)
    phone, laptop = stage.get_pass(LIVE), stage.get_pass(LIVE)
    # The phone is there to begin with; every other beat is lost, those that come, come late.
    for end in range(15, 901, 30):
        assert stage.at(end + 40).beat(phone, on_air(0, 0, end)) == "ok"
    # Out of order, and twice.
    assert stage.at(960).beat(phone, on_air(0, 0, 600), seq=3) == "ok"
    assert stage.beat(phone, on_air(0, 0, 900), seq=99) == "ok"
    # The laptop overlaps, then its network goes, then it is closed, and opened the next morning.
    assert stage.at(1500).beat(laptop, on_air(0, 870, 1500)) == "ok"
    stage.at(18 * 3600)
    assert stage.beat(laptop, on_air(0, 870, 2000), on_air(1, 2000, LIVE_SECONDS)) == "ok"

    assert stage.counted(LIVE) == LIVE_SECONDS
