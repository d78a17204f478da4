"""Cuts, chapters, slides and captions on real databases, and what they do to evidence."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.builders import make_faculty, make_registration, make_session, make_user
from tests.evidence import AFTER, make_ended_session, make_grant, make_recording, watch
from tests.services.test_credits import evaluate, pass_test
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import Reason
from webinar.domain.edit import CannotCut, Kept, everything
from webinar.domain.errors import Conflict, NotFound
from webinar.domain.recording import RecordingNotOpen, RecordingState
from webinar.domain.session import SessionStatus
from webinar.domain.span import Span
from webinar.models import MediaSegment, Recording, RecordingSlide, User
from webinar.services import (
    attendance,
    captions,
    chapters,
    credits,
    recording_edits,
    recordings,
    slides,
)
from webinar.services.chapters import BadChapter, Mark
from webinar.services.recording_edits import KeptChanged
from webinar.services.slides import BadSlides, NewSlide

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
SEGMENTS = 100  # of four seconds
WHOLE = everything(400_000)
WITHOUT_THE_MIDDLE = Kept((Span(0, 100_000), Span(300_000, 400_000)))


@pytest.fixture
def actor(db: DbSession) -> User:
    return make_user(db, roles=(Role.ORGANISER,))


@pytest.fixture
def recording(db: DbSession) -> Recording:
    session = make_session(db, status=SessionStatus.ENDED)
    session.actual_started_at, session.actual_ended_at = session.starts_at, session.ends_at
    found = make_recording(db, session, seconds=400.0, closes_at=NOW + timedelta(days=90))
    db.add_all(
        MediaSegment(
            recording_id=found.id,
            sequence=number,
            take=0,
            key_number=0,
            iv="0" * 32,
            duration_seconds=4.0,
            take_offset_seconds=4.0 * number,
            programme_time=session.starts_at + timedelta(seconds=4 * number),
            size=9,
            name=f"recordings/x/main-{number:06d}.ts",
        )
        for number in range(SEGMENTS)
    )
    db.flush()
    return found


def cut_the_middle(db: DbSession, recording: Recording, actor: User) -> Kept:
    return recording_edits.cut_out(
        db,
        recording.id,
        shown_from=100_000,
        shown_to=300_000,
        seen=WHOLE,
        actor_id=actor.id,
        now=NOW,
    )


def presence(db: DbSession, recording: Recording, user: User) -> attendance.Presence:
    return attendance.presence_now(db, recording.session, user.id, ViewingMode.RECORDED)


def test_what_was_watched_before_a_cut_counts_as_far_as_it_is_still_shown(
    db: DbSession, recording: Recording, actor: User
) -> None:
    user = make_user(db)
    watch(db, recording.session, user, ViewingMode.RECORDED, 50, 350, at=NOW)
    before = presence(db, recording, user)

    cut_the_middle(db, recording, actor)

    after = presence(db, recording, user)
    assert (before.counted_seconds, before.total_seconds) == (300, 400)
    assert (after.counted_seconds, after.total_seconds) == (100, 200)
    # Side by side in the player's time: 50 to 100 of the whole, and 300 to 350.
    assert after.parts == (Span(50, 150),)


def test_what_is_watched_after_a_cut_is_told_in_source_time_and_counts_the_same(
    db: DbSession, recording: Recording, actor: User
) -> None:
    user = make_user(db)
    cut_the_middle(db, recording, actor)

    watch(db, recording.session, user, ViewingMode.RECORDED, 300, 400, at=NOW)

    after = presence(db, recording, user)
    assert (after.counted_seconds, after.total_seconds) == (100, 200)
    assert after.parts == (Span(100, 200),)


def test_undoing_a_cut_brings_all_evidence_back(
    db: DbSession, recording: Recording, actor: User
) -> None:
    user = make_user(db)
    watch(db, recording.session, user, ViewingMode.RECORDED, 50, 350, at=NOW)
    cut_the_middle(db, recording, actor)

    recording_edits.undo_cut(db, recording.id, Span(100_000, 300_000), actor_id=actor.id, now=NOW)

    assert recording.kept is None
    assert presence(db, recording, user).counted_seconds == 300


def test_what_counts_for_credit_is_a_share_of_what_is_shown(
    db: DbSession, recording: Recording, actor: User
) -> None:
    user = make_user(db)
    make_registration(db, recording.session, user)
    watch(db, recording.session, user, ViewingMode.RECORDED, 0, 100, at=NOW)
    watch(db, recording.session, user, ViewingMode.RECORDED, 300, 400, at=NOW)
    cut_the_middle(db, recording, actor)

    whole = attendance.counting_window(db, recording.session, ViewingMode.RECORDED)
    viewing = attendance.viewing_of(db, recording.session_id, user.id, ViewingMode.RECORDED)
    spans = attendance.counting_spans(db, recording.session, ViewingMode.RECORDED, viewing.spans())

    assert whole == Span(0, 200)
    assert spans == [Span(0.0, 200.0)]


def test_who_had_watched_enough_before_a_cut_keeps_the_credit_and_who_has_after_it_earns_it(
    db: DbSession,
) -> None:
    session = make_ended_session(db)
    recording = make_recording(db, session, closes_at=AFTER + timedelta(days=180))
    make_grant(db, session, "acoe-distance", "1")
    early, late, neither = make_user(db), make_user(db), make_user(db)
    for user, end in ((early, 2500), (late, 1500), (neither, 1000)):
        pass_test(db, session, user, at=AFTER)
        evaluate(db, session, user)
        watch(db, session, user, ViewingMode.RECORDED, 0, end, at=AFTER)

    # What the first of them had seen is cut out in part, and what nobody saw.
    for kept in (None, [[900_000, 2_700_000]], [[0, 1_600_000]]):
        recording.kept = kept
        credits.decide_session(
            db, session.id, public_url="http://localhost", now=AFTER + timedelta(hours=2)
        )
        reasons = [
            credits.latest_of(db, session.id, user.id)[0].reason for user in (early, late, neither)
        ]
        assert reasons[0] is Reason.OK
        assert (reasons[1] is Reason.OK) == (kept == [[0, 1_600_000]])
        assert reasons[2] is Reason.BELOW_PRESENCE


def test_a_pass_takes_the_whole_source_also_after_a_cut(
    db: DbSession, recording: Recording, actor: User
) -> None:
    user = make_user(db)
    make_registration(db, recording.session, user)
    cut_the_middle(db, recording, actor)

    issued = attendance.issue_pass(
        db,
        recording.session,
        user.id,
        mode=ViewingMode.RECORDED,
        secret=b"a secret",
        now=NOW,
    )

    assert issued.closes_at == recording.closes_at


def test_a_preview_is_no_evidence(db: DbSession, recording: Recording, actor: User) -> None:
    recording.state, recording.opens_at, recording.closes_at = RecordingState.READY, None, None
    db.flush()

    seen = recordings.access(db, recording, actor.id, now=NOW)

    assert seen.until > NOW
    with pytest.raises(RecordingNotOpen):
        attendance.issue_pass(
            db,
            recording.session,
            actor.id,
            mode=ViewingMode.RECORDED,
            secret=b"a secret",
            now=NOW,
        )


def test_nobody_else_sees_a_recording_before_it_is_published(
    db: DbSession, recording: Recording
) -> None:
    recording.state = RecordingState.READY
    user = make_user(db)
    make_registration(db, recording.session, user)

    with pytest.raises(RecordingNotOpen):
        recordings.access(db, recording, user.id, now=NOW)


def test_a_recording_that_is_looked_at_first_waits(db: DbSession, actor: User) -> None:
    session = make_session(db, status=SessionStatus.ENDED)
    recordings.set_review(db, session.id, reviews=True, actor_id=actor.id, now=NOW)
    recording = Recording(
        public_id="waits",
        session=session,
        state=RecordingState.PROCESSING,
        duration_seconds=60.0,
        created_at=NOW,
    )
    db.add(recording)
    db.flush()

    state = recordings.ready(db, recording.id, has_poster=False, now=NOW).state

    assert state is RecordingState.READY
    assert "organiser looks" in recordings.why_waiting(db, recording)
    make_faculty(db, session).consent_withdrawn_at = NOW
    db.flush()
    assert "did not agree" in recordings.why_waiting(db, recording)


def test_trims_and_cuts_made_on_what_has_changed_are_refused(
    db: DbSession, recording: Recording, actor: User
) -> None:
    cut_the_middle(db, recording, actor)

    with pytest.raises(KeptChanged):
        cut_the_middle(db, recording, actor)
    with pytest.raises(CannotCut):
        recording_edits.undo_cut(db, recording.id, Span(0, 4_000), actor_id=actor.id, now=NOW)


def test_captions_rise_in_revision_and_keep_one_row_a_language(
    db: DbSession, recording: Recording, actor: User
) -> None:
    for cues in (3, 5):
        captions.put(
            db,
            recording.id,
            language="en",
            label="English",
            cues=cues,
            actor_id=actor.id,
            now=NOW,
        )

    (caption,) = captions.listed(db, recording.id)
    name = captions.remove(db, recording.id, "en", actor_id=actor.id, now=NOW)

    assert (caption.revision, caption.cues) == (2, 5)
    folder = f"recordings/{recording.public_id}"
    assert re.fullmatch(f"{folder}/captions-en-2-[0-9a-f]{{16}}.vtt", name)
    with pytest.raises(NotFound):
        captions.of_language(db, recording.id, "en")


def test_chapters_in_a_cut_stay_with_it_and_come_back_with_it(
    db: DbSession, recording: Recording, actor: User
) -> None:
    marks = [Mark(0, "Start"), Mark(120_000, "Middle"), Mark(200_000, "Later")]

    def save(after: list[Mark], seen: Kept, before: list[Mark]) -> None:
        chapters.replace(
            db,
            recording.id,
            after,
            seen=seen,
            seen_chapters=before,
            actor_id=actor.id,
            now=NOW,
        )

    save(marks, WHOLE, [])
    kept = cut_the_middle(db, recording, actor)
    shown = chapters.shown(chapters.listed(db, recording.id), kept)
    save([*shown, Mark(150_000, "End")], kept, shown)

    assert shown == [Mark(0, "Start"), Mark(100_000, "Later")]
    stored = [(one.starts_seconds, one.title) for one in chapters.listed(db, recording.id)]
    assert stored == [(0.0, "Start"), (120.0, "Middle"), (200.0, "Later"), (350.0, "End")]
    with pytest.raises(Conflict):
        save([], kept, [])
    now = chapters.shown(chapters.listed(db, recording.id), kept)
    with pytest.raises(BadChapter):
        save([Mark(number, "x") for number in range(101)], kept, now)


def test_slides_have_times_that_outlive_a_cut(
    db: DbSession, recording: Recording, actor: User
) -> None:
    def put(count: int) -> list[str]:
        new = [NewSlide(f"slide-{number}", f"Words {number}") for number in range(count)]
        return slides.replace(db, recording.id, new, actor_id=actor.id, now=NOW)

    def time(**numbers: int | None) -> int:
        times = {int(name[1:]): at for name, at in numbers.items()}
        seen = recording_edits.kept_now(recording)
        return slides.set_times(db, recording.id, times, seen=seen, actor_id=actor.id, now=NOW)

    put(2)
    assert time(s1=0, s2=350_000) == 2
    cut_the_middle(db, recording, actor)
    rows = slides.listed(db, recording.id)
    assert [slides.shown_at(row, WITHOUT_THE_MIDDLE) for row in rows] == [0, 150_000]
    assert time(s1=0, s2=150_000) == 0
    with pytest.raises(BadSlides):
        time(s1=150_000)
    with pytest.raises(BadSlides):
        time(s1=250_000)
    assert time(s2=None) == 1
    assert put(1) == ["slide-0", "slide-1"]
    assert len(db.scalars(select(RecordingSlide)).all()) == 1
    with pytest.raises(BadSlides):
        put(301)
