from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select

from tests.builders import STARTS_AT, make_registration, make_user
from tests.evidence import (
    AFTER,
    ENDS_AT,
    make_attendee,
    make_ended_session,
    make_grant,
    make_recording,
    watch,
)
from tests.services.evidence.test_grounds import import_visit
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus, Reason
from webinar.domain.session import SessionStatus
from webinar.models import (
    AttendanceSummary,
    AuditEvent,
    Certificate,
    CreditDecision,
    CreditPolicy,
    Delivery,
    EvaluationGiven,
    Identifier,
    TestAttempt,
    User,
    WatchSegment,
    WebinarSession,
)
from webinar.services import attendance, certificates, credits

URL = "https://webinar.example"


def decide(db: DbSession, session: WebinarSession, *, now: datetime = AFTER) -> None:
    credits.decide_session(db, session.id, public_url=URL, now=now)


def standing(
    db: DbSession, session: WebinarSession, user: User
) -> list[tuple[Reason, Decimal, int]]:
    return [
        (decision.reason, decision.credit, decision.revision)
        for decision in credits.latest_of(db, session.id, user.id)
    ]


def evaluate(db: DbSession, session: WebinarSession, user: User, *, at: datetime = AFTER) -> None:
    db.add(EvaluationGiven(session_id=session.id, user_id=user.id, given_at=at))
    db.flush()


def pass_test(
    db: DbSession, session: WebinarSession, user: User, *, at: datetime, number: int = 1
) -> None:
    db.add(
        TestAttempt(
            session_id=session.id,
            user_id=user.id,
            number=number,
            answers=[],
            correct=3,
            of=4,
            taken_at=at,
        )
    )
    db.flush()


def test_credit_waits_for_the_evaluation_and_comes_with_it(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "eaccme-3.0-live", "0.5")
    user = make_attendee(db, session)

    decide(db, session)
    waiting = credits.latest_of(db, session.id, user.id)[0]
    evaluate(db, session, user)
    credits.decide_person(db, session.id, user.id, public_url=URL, now=AFTER)

    assert waiting.reason is Reason.PENDING_EVALUATION
    assert waiting.due_at == ENDS_AT + timedelta(days=28)
    assert standing(db, session, user) == [(Reason.OK, Decimal("0.5"), 1)]


def test_deciding_again_without_anything_new_writes_nothing(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    make_attendee(db, session)

    decide(db, session)
    again = credits.decide_session(db, session.id, public_url=URL, now=AFTER + timedelta(days=400))

    assert again == []
    assert db.scalar(select(func.count()).select_from(CreditDecision)) == 1


def test_what_comes_too_late_is_decided_by_the_clock(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "eaccme-3.0-live", "0.5")
    user = make_attendee(db, session)
    decide(db, session)
    deadline = ENDS_AT + timedelta(days=28)

    before = credits.due(db, now=deadline)
    after = credits.due(db, now=deadline + timedelta(seconds=5))
    decide(db, session, now=deadline + timedelta(seconds=5))

    assert (before, after) == ([], [(session.id, user.id)])
    assert standing(db, session, user) == [(Reason.EVALUATION_LATE, Decimal(0), 1)]
    assert credits.due(db, now=deadline + timedelta(days=1)) == []


def test_a_session_is_decided_minutes_after_its_end_and_not_before(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, session)

    assert credits.due(db, now=ENDS_AT + timedelta(minutes=4)) == []
    assert credits.due(db, now=ENDS_AT + timedelta(minutes=5)) == [(session.id, user.id)]


def test_a_session_on_air_is_not_decided(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, session)
    session.status = SessionStatus.LIVE
    db.flush()

    decide(db, session)

    assert credits.due(db, now=AFTER) == []
    assert standing(db, session, user) == []


def test_what_was_never_on_air_counts_for_nobody(db: DbSession) -> None:
    aired, unaired = make_ended_session(db), make_ended_session(db)
    aired.actual_started_at = aired.starts_at + timedelta(minutes=10)
    unaired.actual_started_at = unaired.actual_ended_at = None
    for session in (aired, unaired):
        make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, aired)
    watch(db, unaired, user, ViewingMode.LIVE, 0, 2700)

    decide(db, aired)
    decide(db, unaired)

    seconds = [
        decision.seconds_counted
        for session in (aired, unaired)
        for decision in credits.latest_of(db, session.id, user.id)
    ]
    assert seconds == [2100, 0]


def test_who_registered_and_did_not_come_has_no_decision(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_user(db)

    decide(db, session)

    assert standing(db, session, user) == []


def test_beats_that_come_late_are_decided_upon_too(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, session, end=900)
    decide(db, session)
    settled = credits.due(db, now=AFTER)

    watch(db, session, user, ViewingMode.LIVE, 900, 2700)

    assert settled == []
    assert credits.due(db, now=AFTER) == [(session.id, user.id)]
    decide(db, session)
    assert standing(db, session, user) == [(Reason.OK, Decimal("0.75"), 1)]


def test_live_evidence_earns_nothing_on_a_recorded_grant_nor_the_reverse(db: DbSession) -> None:
    session = make_ended_session(db)
    make_recording(db, session, closes_at=AFTER + timedelta(days=180))
    make_grant(db, session, "ama-pra-live", "0.75")
    make_grant(db, session, "acoe-distance", "1")
    was_there, watched = make_attendee(db, session), make_user(db)
    watch(db, session, watched, ViewingMode.RECORDED, 0, 2700, at=AFTER)

    decide(db, session, now=AFTER + timedelta(hours=2))

    assert standing(db, session, was_there) == [(Reason.OK, Decimal("0.75"), 0)]
    assert standing(db, session, watched) == [(Reason.PENDING_TEST, Decimal(0), 0)]


def test_who_holds_live_credit_of_a_body_gets_none_for_the_recording(db: DbSession) -> None:
    session = make_ended_session(db)
    make_recording(db, session, closes_at=AFTER + timedelta(days=180))
    make_grant(db, session, "ama-pra-live", "0.75", body="one")
    make_grant(db, session, "acoe-distance", "1", body="one")
    user = make_attendee(db, session)
    decide(db, session)
    watch(db, session, user, ViewingMode.RECORDED, 0, 2700, at=AFTER)

    for _ in range(2):
        decide(db, session, now=AFTER + timedelta(hours=2))

    assert standing(db, session, user) == [
        (Reason.OK, Decimal("0.75"), 0),
        (Reason.DUPLICATE_ACTIVITY, Decimal(0), 0),
    ]


def test_two_thirds_of_a_recording_are_not_enough_and_the_rest_later_is(db: DbSession) -> None:
    session = make_ended_session(db)
    make_recording(db, session, closes_at=AFTER + timedelta(days=180))
    make_grant(db, session, "acoe-distance", "1")
    user = make_user(db)
    evaluate(db, session, user)
    pass_test(db, session, user, at=AFTER)
    watch(db, session, user, ViewingMode.RECORDED, 0, 1800, at=AFTER)

    decide(db, session, now=AFTER + timedelta(hours=1))
    first = standing(db, session, user)
    watch(db, session, user, ViewingMode.RECORDED, 1700, 2700, at=AFTER + timedelta(days=3))
    decide(db, session, now=AFTER + timedelta(days=4))

    assert first == [(Reason.BELOW_PRESENCE, Decimal(0), 0)]
    assert standing(db, session, user) == [(Reason.OK, Decimal(1), 1)]


def test_after_the_credit_clock_watching_goes_on_without_credit(db: DbSession) -> None:
    session = make_ended_session(db)
    make_recording(db, session, closes_at=AFTER + timedelta(days=180))
    until = AFTER + timedelta(days=30)
    make_grant(db, session, "acoe-distance", "1", credit_until=until)
    early, late, astride = make_user(db), make_user(db), make_user(db)
    for user, at in (
        (early, AFTER),
        (late, until),
        (astride, until - timedelta(minutes=50)),
    ):
        evaluate(db, session, user)
        pass_test(db, session, user, at=AFTER)
        watch(db, session, user, ViewingMode.RECORDED, 0, 2700, at=at)
    watch(db, session, early, ViewingMode.RECORDED, 0, 2700, at=until)

    decide(db, session, now=until + timedelta(days=1))

    assert standing(db, session, early) == [(Reason.OK, Decimal(1), 0)]
    assert standing(db, session, late) == [(Reason.CREDIT_WINDOW_CLOSED, Decimal(0), 0)]
    assert standing(db, session, astride) == [(Reason.OK, Decimal(1), 0)]


def test_a_test_in_time_counts_even_if_it_was_tried_again_too_late(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "it-ecm-sync", "2")
    user = make_attendee(db, session)
    evaluate(db, session, user)
    pass_test(db, session, user, at=ENDS_AT + timedelta(hours=71))
    pass_test(db, session, user, at=ENDS_AT + timedelta(hours=73), number=2)

    decide(db, session, now=ENDS_AT + timedelta(days=10))

    assert standing(db, session, user) == [(Reason.OK, Decimal(2), 0)]


def test_credit_is_held_until_the_identifier_is_there(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "de-laek-live", "1")
    user = make_attendee(db, session)

    decide(db, session)
    held = standing(db, session, user)
    db.add(Identifier(user_id=user.id, kind="EFN", value="8" * 15, consented_at=AFTER))
    db.flush()
    decide(db, session)

    assert held == [(Reason.PENDING_IDENTIFIER, Decimal(0), 0)]
    assert standing(db, session, user) == [(Reason.OK, Decimal(1), 1)]


def test_a_day_has_a_limit_over_all_sessions_of_a_body(db: DbSession) -> None:
    sessions = [make_ended_session(db, minutes=240) for _ in range(2)]
    user = make_user(db)
    for session in sessions:
        make_grant(db, session, "ebac-live", "4", body="ebac-body")
        watch(db, session, user, ViewingMode.LIVE, 0, 240 * 60)
        evaluate(db, session, user, at=STARTS_AT + timedelta(hours=5))
        decide(db, session, now=STARTS_AT + timedelta(hours=5))

    decide(db, sessions[0], now=STARTS_AT + timedelta(hours=5))

    assert [standing(db, session, user)[0][:2] for session in sessions] == [
        (Reason.OK, Decimal(4)),
        (Reason.OK, Decimal(2)),
    ]


def test_a_grant_that_is_withdrawn_takes_its_credit_back(db: DbSession) -> None:
    session = make_ended_session(db)
    grant = make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, session)
    decide(db, session)
    grant.status = GrantStatus.WITHDRAWN
    db.flush()

    decide(db, session)

    certificate = db.scalars(select(Certificate)).one()
    assert standing(db, session, user) == [(Reason.NO_GRANT, Decimal(0), 1)]
    assert certificate.revoked_at == AFTER
    assert db.scalars(select(AuditEvent.action)).all() == ["certificate revoked"]


def test_one_certificate_carries_every_credit_of_the_session(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    make_grant(db, session, "eaccme-3.0-live", "0.5")
    user = make_attendee(db, session, name="Dr Zoë Ångström")

    decide(db, session)
    first = db.scalars(select(Certificate)).one()
    evaluate(db, session, user)
    decide(db, session, now=AFTER + timedelta(hours=1))

    old, new = db.scalars(select(Certificate).order_by(Certificate.revision)).all()
    content = certificates.content_of(new)
    assert (old.number, old.superseded_by) == (first.number, new.number)
    assert [(line.credits, line.reference) for line in content.lines] == [
        (Decimal("0.75"), "REF-1"),
        (Decimal("0.5"), "REF-1"),
    ]
    assert content.person_name == "Dr Zoë Ångström"
    assert content.held == "Thursday, 26 November 2026, 18:15–19:00 CET"
    assert content.minutes_attended == 45
    assert content.supersedes == old.number
    assert content.verify_url == f"{URL}/verify/{new.number}"
    assert content.digest == new.content_digest
    assert [d.kind for d in db.scalars(select(Delivery))] == ["certificate_ready"] * 2


def test_a_certificate_stays_as_it_was_when_the_name_changes(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, session, name="Dr Anna Keller")
    decide(db, session)

    user.name = "Dr Anna Keller-Rossi"
    decide(db, session)

    verified = certificates.verify(db, db.scalars(select(Certificate.number)).one())
    assert verified.content.person_name == "Dr Anna Keller"
    assert verified.is_untouched
    assert verified.standing is certificates.Standing.GENUINE


def test_a_certificate_revoked_by_hand_is_not_issued_again_by_the_clock(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    make_attendee(db, session)
    decide(db, session)
    number = db.scalars(select(Certificate.number)).one()

    certificates.revoke(db, number, actor_id=make_user(db).id, reason="Issued in error.", now=AFTER)
    decide(db, session)

    assert certificates.verify(db, number.lower()).standing is certificates.Standing.REVOKED
    assert db.scalar(select(func.count()).select_from(Certificate)) == 1


def test_a_decision_comes_out_the_same_from_the_facts_kept_beside_it(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    make_grant(db, session, "it-ecm-sync", "2")
    make_attendee(db, session, start=900)
    decide(db, session)
    db.commit()
    db.expire_all()

    untouched = credits.replay(db, session.id)
    decision = db.scalars(select(CreditDecision).where(CreditDecision.credit > 0)).one()
    decision.credit = Decimal("9.75")
    db.flush()

    assert untouched == []
    assert [d.again.credit for d in credits.replay(db, session.id)] == [Decimal("0.5")]


def test_evidence_that_was_taken_away_shows(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, session)
    decide(db, session)
    before = credits.unsupported(db, session.id)

    segment = watch(db, session, user, ViewingMode.LIVE, 0, 1)
    db.execute(
        WebinarSession.metadata.tables["watch_segment"]
        .delete()
        .where(WebinarSession.metadata.tables["watch_segment"].c.pass_id != segment.id)
    )

    assert before == []
    assert [d.again.seconds_counted for d in credits.unsupported(db, session.id)] == [1]


def test_what_is_watched_after_the_window_was_closed_early_does_not_count(db: DbSession) -> None:
    session = make_ended_session(db)
    recording = make_recording(db, session, closes_at=AFTER + timedelta(days=30))
    make_grant(db, session, "acoe-distance", "1")
    before, after = make_user(db), make_user(db)
    for user, at in ((before, AFTER), (after, AFTER + timedelta(days=2))):
        evaluate(db, session, user)
        pass_test(db, session, user, at=AFTER)
        watch(db, session, user, ViewingMode.RECORDED, 0, 2700, at=at)
    recording.closes_at = AFTER + timedelta(days=1)
    db.flush()

    decide(db, session, now=AFTER + timedelta(days=3))

    assert standing(db, session, before) == [(Reason.OK, Decimal(1), 0)]
    assert standing(db, session, after) == [(Reason.BELOW_PRESENCE, Decimal(0), 0)]


def test_minutes_of_a_room_of_others_stand_in_summaries_as_soon_as_they_are_decided(
    db: DbSession,
) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_user(db)
    import_visit(db, session, user, 0, 1800)

    credits.decide_person(db, session.id, user.id, public_url=URL, now=AFTER)

    (summary,) = db.scalars(select(AttendanceSummary).where(AttendanceSummary.user_id == user.id))
    assert (summary.mode, summary.seconds) == (ViewingMode.LIVE, 1800)


def test_the_player_shows_no_more_than_the_strictest_grant_counts(db: DbSession) -> None:
    session = make_ended_session(db)
    make_recording(db, session, closes_at=session.ends_at + timedelta(days=180))
    grant = make_grant(db, session, "acoe-distance", "1")
    grant.policy.data = grant.policy.data | {"max_playback_rate": 1}
    user = make_user(db)
    make_registration(db, session, user)
    fast = watch(db, session, user, ViewingMode.RECORDED, 0, 1600, at=AFTER)
    db.scalars(select(WatchSegment).where(WatchSegment.pass_id == fast.id)).one().last_at = (
        AFTER + timedelta(seconds=800)
    )
    db.flush()

    shown = attendance.presence_now(db, session, user.id, ViewingMode.RECORDED)

    decide(db, session, now=AFTER + timedelta(hours=1))
    (decision,) = credits.latest_of(db, session.id, user.id)
    assert shown.counted_seconds == decision.seconds_counted
    assert shown.counted_seconds < 1000


def test_a_player_that_never_asks_whether_somebody_is_there_gets_no_check_off(
    db: DbSession,
) -> None:
    session = make_ended_session(db)
    grant = make_grant(db, session, "esmo-mora-live", "1")
    grant.policy = CreditPolicy(
        name="asked-live",
        version=1,
        data={
            "mode": "live",
            "award": "flat",
            "min_checks_ratio": 0.5,
            "evaluation_required": False,
        },
        created_at=AFTER,
    )
    user = make_attendee(db, session)

    decide(db, session)

    assert standing(db, session, user) == [(Reason.CHECKS_MISSING, Decimal(0), 0)]
