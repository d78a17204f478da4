"""What the clock forgets: by age, some at a time, and only what nobody needs any more."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from config import Config
from tests.builders import (
    NOW,
    make_faculty,
    make_registration,
    make_session,
    make_society,
    make_user,
)
from tests.evidence import (
    AFTER,
    make_attendee,
    make_ended_session,
    make_grant,
    make_recording,
    watch,
)
from webinar.db import Base, DbSession
from webinar.domain.access import Role
from webinar.domain.attendance import ViewingMode
from webinar.domain.mail_wishes import MailTopic
from webinar.domain.recording import RecordingState
from webinar.domain.retention import RULES, RetentionKind
from webinar.domain.rooms import RoomProvider
from webinar.jobs import forgetting
from webinar.jobs.toolbox import Toolbox
from webinar.models import (
    CreditDecision,
    Delivery,
    FacultyLink,
    MailWish,
    Question,
    RetentionRun,
    RoomNotice,
    SeasonChange,
    SignInLink,
    TickRun,
    User,
    ViewingPass,
    WatchPlace,
    WatchSegment,
    WorkingProcess,
)
from webinar.services import credits, parked, retention
from webinar.services.evidence import freezing, verifying

DAY = timedelta(days=1)
RULE = {rule.kind: rule for rule in RULES}


@pytest.fixture
def tools(config: Config, bound: None) -> Toolbox:
    return Toolbox.from_config(config)


def run(db: DbSession, config: Config, kind: RetentionKind, now: datetime) -> tuple[int, int]:
    """(deleted, left over) of one run of one kind."""
    db.commit()
    done = forgetting.forget(RULE[kind], config, now=now)
    db.expire_all()
    assert done is not None
    return done.deleted, done.left_over


def rows(db: DbSession, table: type[Base]) -> int:
    return db.scalar(select(func.count()).select_from(table)) or 0


def make_link(db: DbSession, user: User, *, made: datetime, used: bool = False) -> SignInLink:
    link = SignInLink(
        user=user,
        token_hash=f"{user.id}-{made.isoformat()}-{used}",
        purpose="sign-in",
        created_at=made,
        expires_at=made + timedelta(minutes=15),
        used_at=made if used else None,
    )
    db.add(link)
    db.flush()
    return link


def make_mail(db: DbSession, user: User, number: int, *, made: datetime, open: bool) -> Delivery:
    mail = Delivery(
        kind="sign_in_link",
        user_id=user.id,
        subject_id=number,
        created_at=made,
        due_at=made if open else None,
        sent_at=None if open else made,
    )
    db.add(mail)
    db.flush()
    return mail


def test_an_account_nobody_proved_goes_with_all_that_hangs_on_it(
    db: DbSession, config: Config
) -> None:
    forgotten = make_user(db, "new@example.net", verified=False)
    proved = make_user(db)
    session = make_session(db)
    make_registration(db, session, forgotten)
    make_link(db, forgotten, made=NOW)
    make_mail(db, forgotten, 1, made=NOW, open=True)
    wish = MailWish(
        user_id=forgotten.id,
        topic=next(iter(MailTopic)),
        is_wanted=True,
        changed_at=NOW,
        source="page",
    )
    db.add(wish)

    early = run(db, config, RetentionKind.ACCOUNTS, NOW + 30 * DAY - timedelta(seconds=1))
    late = run(db, config, RetentionKind.ACCOUNTS, NOW + 30 * DAY)

    assert (early, late) == ((0, 0), (1, 0))
    assert db.scalars(select(User.id)).all() == [proved.id]


def test_an_account_somebody_else_needs_stays(db: DbSession, config: Config) -> None:
    speaker = make_user(db, verified=False)
    organiser = make_user(db, verified=False, roles=(Role.ORGANISER,))
    make_faculty(db, make_session(db), user=speaker)
    asked = make_user(db, verified=False)
    db.add(
        Question(
            session_id=make_session(db).id,
            user_id=asked.id,
            client_key="k",
            text="?",
            asked_at=NOW,
        )
    )

    deleted = run(db, config, RetentionKind.ACCOUNTS, NOW + 400 * DAY)

    assert deleted == (0, 0)
    assert set(db.scalars(select(User.id))) == {speaker.id, organiser.id, asked.id}


def test_more_accounts_than_fit_in_one_transaction_all_go(
    db: DbSession, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "ROWS_AT_ONCE", 3)
    for _ in range(7):
        make_user(db, verified=False)

    assert run(db, config, RetentionKind.ACCOUNTS, NOW + 31 * DAY) == (7, 0)
    assert rows(db, User) == 0


def test_what_one_run_does_not_manage_is_said_and_taken_up_by_the_next(
    db: DbSession, config: Config, tools: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(7):
        make_user(db, verified=False)
    with monkeypatch.context() as patch:
        patch.setattr(forgetting, "ROWS_AT_ONCE", 2)
        patch.setattr(forgetting, "BATCHES_AT_MOST", 2)
        first = run(db, config, RetentionKind.ACCOUNTS, NOW + 31 * DAY)

    forgetting.forget_due(tools, NOW + 31 * DAY + timedelta(hours=1))

    last = {run.kind: run for run in retention.last_runs(db)}[RetentionKind.ACCOUNTS.value]
    assert first == (4, 3)
    assert (last.deleted, last.left_over) == (3, 0)


def test_links_go_a_month_after_they_ended_or_were_used(db: DbSession, config: Config) -> None:
    user = make_user(db)
    make_link(db, user, made=NOW)
    make_link(db, user, made=NOW, used=True)
    young = make_link(db, user, made=NOW + 29 * DAY)
    member = make_faculty(db, make_session(db), user=user)
    db.add(FacultyLink(faculty_id=member.id, token_hash="a", created_at=NOW, expires_at=NOW))

    deleted = run(db, config, RetentionKind.LINKS, NOW + 31 * DAY)

    assert deleted == (3, 0)
    assert db.scalars(select(SignInLink.id)).all() == [young.id]
    assert rows(db, FacultyLink) == 0


def test_mails_are_forgotten_once_they_are_old_and_done_with(db: DbSession, config: Config) -> None:
    user = make_user(db)
    make_mail(db, user, 1, made=NOW, open=False)
    waiting = make_mail(db, user, 2, made=NOW, open=True)
    young = make_mail(db, user, 3, made=NOW + DAY, open=False)

    deleted = run(db, config, RetentionKind.MAILS, NOW + 400 * DAY)

    assert deleted == (1, 0)
    assert db.scalars(select(Delivery.id).order_by(Delivery.id)).all() == [waiting.id, young.id]


def test_questions_go_by_the_end_of_their_session(db: DbSession, config: Config) -> None:
    old, young = make_ended_session(db), make_session(db, starts_at=AFTER + DAY)
    user = make_user(db)
    for session in (old, young):
        db.add(
            Question(
                session_id=session.id,
                user_id=user.id,
                client_key=f"k{session.id}",
                text="Why?",
                asked_at=NOW,
            )
        )

    deleted = run(db, config, RetentionKind.QUESTIONS, AFTER + 400 * DAY)

    assert deleted == (1, 0)
    assert db.scalars(select(Question.session_id)).all() == [young.id]


def test_places_in_recordings_go_when_the_recording_is_destroyed(
    db: DbSession, config: Config
) -> None:
    user = make_user(db)
    gone = make_recording(db, make_ended_session(db), closes_at=AFTER)
    gone.state = RecordingState.DESTROYED
    there = make_recording(db, make_ended_session(db), closes_at=AFTER)
    for recording in (gone, there):
        place = WatchPlace(user_id=user.id, recording_id=recording.id, seconds=9, updated_at=AFTER)
        db.add(place)

    deleted = run(db, config, RetentionKind.PLACES, AFTER + DAY)

    assert deleted == (1, 0)
    assert db.scalars(select(WatchPlace.recording_id)).all() == [there.id]


def test_traces_of_the_service_itself_go_after_a_month(db: DbSession, config: Config) -> None:
    db.add_all(
        [
            SeasonChange(made_at=NOW, summary="moved", items=[], undo_until=NOW),
            RoomNotice(
                digest="a",
                provider=RoomProvider.ZOOM,
                kind="x",
                body={},
                received_at=NOW,
                handled_at=NOW,
            ),
            RoomNotice(digest="b", provider=RoomProvider.ZOOM, kind="x", body={}, received_at=NOW),
            WorkingProcess(
                owner="h:1:a", role="web", host="h", release="1", started_at=NOW, seen_at=NOW
            ),
            TickRun(name="gone", owner="h", began_at=NOW),
        ]
    )
    later = NOW + 30 * DAY

    assert run(db, config, RetentionKind.CHANGES, later) == (1, 0)
    assert run(db, config, RetentionKind.NOTICES, later) == (1, 0)
    assert run(db, config, RetentionKind.PROCESSES, later) == (2, 0)
    assert db.scalars(select(RoomNotice.digest)).all() == ["b"]


def make_old_evidence(db: DbSession) -> int:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    make_attendee(db, session)
    watch(db, session, make_user(db), ViewingMode.LIVE, 0, 60)
    credits.decide_session(db, session.id, public_url="https://webinar.example", now=AFTER)
    for session_id, pass_ids in freezing.due(db, now=AFTER + 40 * DAY, most=100):
        freezing.freeze(db, session_id, pass_ids, now=AFTER + 40 * DAY)
    for session_id in freezing.ready_to_close(db, now=AFTER + 40 * DAY):
        freezing.close(db, session_id, now=AFTER + 40 * DAY)
    return session.id


LONG_AFTER = AFTER.replace(year=AFTER.year + 10) + 41 * DAY


def test_evidence_goes_after_ten_years_and_what_was_decided_stays(
    db: DbSession, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "PASSES_AT_ONCE", 1)
    session_id = make_old_evidence(db)
    decisions = rows(db, CreditDecision)

    early = run(db, config, RetentionKind.EVIDENCE, LONG_AFTER - 2 * DAY)
    late = run(db, config, RetentionKind.EVIDENCE, LONG_AFTER)

    assert early == (0, 0)
    assert (late[0] > 2, late[1]) == (True, 0)
    assert (rows(db, ViewingPass), rows(db, WatchSegment)) == (0, 0)
    assert rows(db, CreditDecision) == decisions
    assert verifying.verify(db, session_id) == []


def test_evidence_that_does_not_verify_is_kept_for_people_to_look_at(
    db: DbSession, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    make_old_evidence(db)
    db.scalars(select(WatchSegment).limit(1)).one().to_ms += 1

    assert run(db, config, RetentionKind.EVIDENCE, LONG_AFTER) == (0, 1)
    assert rows(db, ViewingPass) == 2
    assert any("does not verify" in record.message for record in caplog.records)


def test_sessions_that_do_not_verify_hold_up_no_others_and_are_shown_to_people(
    db: DbSession, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "SESSIONS_AT_MOST", 1)
    broken = make_old_evidence(db)
    db.scalars(select(WatchSegment).limit(1)).one().to_ms += 1
    whole = make_old_evidence(db)

    deleted, left_over = run(db, config, RetentionKind.EVIDENCE, LONG_AFTER)

    assert (deleted > 2, left_over) == (True, 1)
    assert set(db.scalars(select(ViewingPass.session_id))) == {broken}
    assert verifying.verify(db, whole) == []
    (failing,) = parked.failing(db)
    assert (failing.what, failing.item_id) == (forgetting.LETTING_GO, broken)
    assert "does not verify" in failing.last_error


def test_a_session_that_does_not_verify_is_parked_and_then_tried_once_a_day(
    db: DbSession, config: Config
) -> None:
    broken = make_old_evidence(db)
    db.scalars(select(WatchSegment).limit(1)).one().to_ms += 1

    for hour in range(20):
        run(db, config, RetentionKind.EVIDENCE, LONG_AFTER + timedelta(hours=hour))

    (row,) = parked.parked(db)
    assert (row.item_id, row.tries) == (broken, parked.TRIES)


def test_nothing_of_the_evidence_goes_where_it_is_kept_for_ever(
    db: DbSession, config: Config
) -> None:
    make_old_evidence(db)
    db.commit()
    for_ever = Config(
        SECRET_KEY=config.SECRET_KEY, DATABASE_URL=config.DATABASE_URL, KEEP_EVIDENCE_YEARS=0
    )

    assert forgetting.forget(RULE[RetentionKind.EVIDENCE], for_ever, now=LONG_AFTER) is None
    assert rows(db, ViewingPass) == 2


def test_the_clock_runs_each_kind_once_a_day_and_keeps_that_it_did(
    db: DbSession, tools: Toolbox
) -> None:
    make_society(db)
    db.commit()

    forgetting.forget_due(tools, NOW)
    forgetting.forget_due(tools, NOW + timedelta(hours=1))
    forgetting.forget_due(tools, NOW + timedelta(hours=23))

    runs = db.scalars(select(RetentionRun).order_by(RetentionRun.id)).all()
    assert [run.kind for run in runs] == [rule.kind.value for rule in RULES] * 2
    assert {(run.deleted, run.left_over) for run in runs} == {(0, 0)}
    assert [run.ran_at for run in retention.last_runs(db)] == [NOW + timedelta(hours=23)] * len(
        RULES
    )


def test_what_would_go_is_counted_without_deleting_anything(db: DbSession, config: Config) -> None:
    make_user(db, verified=False)
    make_old_evidence(db)
    db.commit()

    due = {one.rule.kind: one.rows for one in forgetting.due(config, now=LONG_AFTER)}

    assert due[RetentionKind.ACCOUNTS] == 1
    assert due[RetentionKind.EVIDENCE] == 1
    assert rows(db, RetentionRun) == 0
