"""Cases that rest on more than beats: visits, outages, corrections, checks, presenting."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.builders import STARTS_AT, make_faculty, make_registration, make_user
from tests.evidence import (
    AFTER,
    ENDS_AT,
    make_attendee,
    make_ended_session,
    make_grant,
    make_recording,
    watch,
)
from webinar.db import DbSession
from webinar.domain.access import SecondPersonNeeded
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import Reason
from webinar.domain.errors import NotAllowed
from webinar.domain.evidence_chain import LinkKind
from webinar.domain.review import CorrectionKind, CorrectionState, MatchedBy
from webinar.domain.rooms import RoomProvider, RoomState, Visit, VisitSource
from webinar.domain.session import SessionStatus
from webinar.domain.span import Span
from webinar.models import (
    AttendanceImport,
    AttentionCheck,
    CreditCorrection,
    CreditDecision,
    ExternalRoom,
    FacultyMember,
    ImportedVisit,
    RoomGuest,
    RoomVisit,
    TestAttempt,
    User,
    WebinarSession,
)
from webinar.services import credits, redeciding, room_visits
from webinar.services.evidence import chain, corrections, faculty_credit, incidents, visits
from webinar.services.evidence.corrections import Change
from webinar.services.evidence.faculty_credit import Confirmed

URL = "https://webinar.example"
START = int(STARTS_AT.timestamp())


def at(seconds: int) -> datetime:
    return STARTS_AT + timedelta(seconds=seconds)


def decide(db: DbSession, session: WebinarSession, *, now: datetime = AFTER) -> None:
    credits.decide_session(db, session.id, public_url=URL, now=now)


def only(db: DbSession, session: WebinarSession, user: User) -> CreditDecision:
    (decision,) = credits.latest_of(db, session.id, user.id)
    return decision


def visit_room(
    db: DbSession, session: WebinarSession, user: User, start: int, end: int | None
) -> RoomVisit:
    room = db.query(ExternalRoom).filter_by(session_id=session.id).one_or_none()
    if room is None:
        room = ExternalRoom(
            public_id=f"room{session.id}",
            session_id=session.id,
            provider=RoomProvider.ZOOM,
            state=RoomState.ENDED,
            facts={},
            made_by_id=user.id,
            made_at=STARTS_AT,
        )
        db.add(room)
        db.flush()
    guest = db.query(RoomGuest).filter_by(room_id=room.id, user_id=user.id).one_or_none()
    if guest is None:
        guest = RoomGuest(
            room_id=room.id, user_id=user.id, pseudonym=f"Guest {user.id}", made_at=STARTS_AT
        )
        db.add(guest)
        db.flush()
    visit = RoomVisit(
        room_id=room.id,
        guest_id=guest.id,
        remote_person="x",
        joined_at=at(start),
        left_at=None if end is None else at(end),
        source=VisitSource.REPORT,
        remote_event=f"{user.id}@{start}",
        noted_at=AFTER,
    )
    db.add(visit)
    db.flush()
    return visit


def import_visit(
    db: DbSession,
    session: WebinarSession,
    user: User | None,
    start: int,
    end: int,
    *,
    matched_by: MatchedBy = MatchedBy.ADDRESS,
) -> AttendanceImport:
    made_by = make_user(db)
    report = AttendanceImport(
        session_id=session.id,
        source="teams",
        filename="report.csv",
        digest=f"{made_by.id:064}",
        rows=1,
        problems=[],
        made_by_id=made_by.id,
        made_at=AFTER,
    )
    db.add(report)
    db.flush()
    db.add(
        ImportedVisit(
            import_id=report.id,
            row=1,
            name="Anna",
            joined_at=at(start),
            left_at=at(end),
            user_id=user.id if user else None,
            matched_by=matched_by,
        )
    )
    db.flush()
    return report


def correct(
    db: DbSession, session: WebinarSession, user: User, change: Change, *, now: datetime = AFTER
) -> CreditCorrection:
    proposer, approver = make_user(db), make_user(db)
    correction = corrections.propose(
        db, session, user.id, change, reason="The log shows it.", actor_id=proposer.id, now=now
    )
    corrections.approve(db, correction, actor_id=approver.id, public_url=URL, now=now)
    return correction


def presence(kind: CorrectionKind, start: int, end: int) -> Change:
    return Change(kind=kind, mode=ViewingMode.LIVE, span=Span(START + start, START + end))


# Visits


def test_a_visit_in_a_room_of_others_earns_credit_without_a_single_beat(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_user(db)
    visit_room(db, session, user, -1200, 1800)

    due = credits.due(db, now=AFTER)
    decide(db, session)

    assert due == [(session.id, user.id)]
    assert only(db, session, user).seconds_counted == 1800
    assert credits.due(db, now=AFTER) == []


def test_visits_beats_and_imported_reports_are_one_union(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, session, start=0, end=900)
    visit_room(db, session, user, 600, 1200)
    import_visit(db, session, user, 1100, 1500)

    decide(db, session)

    assert only(db, session, user).seconds_counted == 1500
    assert visits.seconds_by_source(db, session, user.id) == {"teams report": 400, "zoom": 600}
    assert credits.unsupported(db, session.id) == []


def test_a_visit_whose_end_nobody_told_is_no_evidence(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_user(db)
    visit_room(db, session, user, 0, None)

    assert visits.people(db, session.id) == set()


def test_a_withdrawn_report_and_a_dismissed_visit_count_for_nobody(db: DbSession) -> None:
    session = make_ended_session(db)
    user = make_user(db)
    import_visit(db, session, user, 0, 2700).withdrawn_at = AFTER
    import_visit(db, session, user, 0, 2700, matched_by=MatchedBy.DISMISSED)
    import_visit(db, session, None, 0, 2700, matched_by=MatchedBy.NOBODY)
    db.flush()

    assert visits.people(db, session.id) == set()


# Outages


def declare(db: DbSession, session: WebinarSession, start: int, end: int) -> None:
    incidents.declare(
        db,
        session,
        Span(at(start), at(end)),
        what="The line to the studio was down.",
        actor_id=make_user(db).id,
        now=AFTER,
    )


def test_an_outage_is_taken_out_and_everybody_is_decided_for_anew(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ch-swisswebinar-live", "1")
    user = make_attendee(db, session, start=0, end=1920)
    db.add(
        AttentionCheck(
            id="check",
            session_id=session.id,
            user_id=user.id,
            mode=ViewingMode.LIVE,
            number=1,
            planned_second=START + 60,
            issued_at=at(60),
            expires_at=at(150),
            answered_at=at(70),
        )
    )
    decide(db, session)
    before = only(db, session, user).reason

    declare(db, session, 2100, 2400)
    (changed,) = redeciding.changed(db)
    decide(db, session)

    after = only(db, session, user)
    assert before is Reason.BELOW_PRESENCE
    assert changed.user_ids == [user.id]
    assert (after.reason, after.seconds_counted, after.window_seconds) == (Reason.OK, 1920, 2400)
    assert after.explanation.endswith("An outage of 5:00 was taken out of the session.")
    assert credits.replay(db, session.id) == []


def test_a_withdrawn_outage_stays_on_record_and_counts_no_more(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "esmo-mora-live", "1")
    user = make_attendee(db, session)
    declare(db, session, 0, 300)
    (incident,) = incidents.of_session(db, session.id)

    incidents.withdraw(
        db, session, incident, reason="It was another day.", actor_id=user.id, now=AFTER
    )
    decide(db, session)

    assert only(db, session, user).window_seconds == 2700
    assert [link.kind for link in chain.links_of(db, session.id)] == [
        LinkKind.INCIDENT,
        LinkKind.INCIDENT,
        LinkKind.DECISION,
    ]
    with pytest.raises(incidents.AlreadyWithdrawn):
        incidents.withdraw(db, session, incident, reason="Again.", actor_id=user.id, now=AFTER)


@pytest.mark.parametrize(("start", "end"), [(600, 600), (2000, 99_999), (-900, -600), (2700, 2800)])
def test_an_outage_outside_the_session_is_refused(db: DbSession, start: int, end: int) -> None:
    session = make_ended_session(db)

    with pytest.raises(incidents.ImpossibleOutage):
        declare(db, session, start, end)


def test_an_outage_needs_words(db: DbSession) -> None:
    session = make_ended_session(db)

    with pytest.raises(incidents.WordsMissing):
        incidents.declare(
            db, session, Span(at(0), at(60)), what="  ", actor_id=make_user(db).id, now=AFTER
        )


# Corrections


def test_a_correction_counts_once_a_second_person_has_approved_it(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "eaccme-3.0-live", "0.5")
    user = make_attendee(db, session, start=300, end=2000)
    decide(db, session)
    proposer, approver = make_user(db), make_user(db)

    correction = corrections.propose(
        db,
        session,
        user.id,
        presence(CorrectionKind.ADD_PRESENCE, 0, 300),
        reason="The page did not load.",
        actor_id=proposer.id,
        now=AFTER,
    )
    decide(db, session)
    waiting = only(db, session, user).reason
    with pytest.raises(SecondPersonNeeded):
        corrections.approve(db, correction, actor_id=proposer.id, public_url=URL, now=AFTER)
    fresh = corrections.approve(db, correction, actor_id=approver.id, public_url=URL, now=AFTER)

    assert waiting is Reason.PENDING_EVALUATION or waiting is Reason.ZERO_AFTER_ROUNDING_OR_CAP
    assert [decision.seconds_counted for decision in fresh] == [2000]
    assert "5:00 added by a correction." in fresh[0].explanation
    assert credits.unsupported(db, session.id) == []
    assert [link.kind for link in chain.links_of(db, session.id)] == [
        LinkKind.DECISION,
        LinkKind.CORRECTION,
        LinkKind.DECISION,
    ]
    with pytest.raises(corrections.NotProposed):
        corrections.refuse(db, correction, answer="No.", actor_id=approver.id, now=AFTER)


def test_somebody_without_any_evidence_can_be_given_presence(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_user(db)
    make_registration(db, session, user)

    correct(db, session, user, presence(CorrectionKind.ADD_PRESENCE, 0, 2700))
    decide(db, session)

    assert only(db, session, user).credit == Decimal("0.75")


def test_the_later_of_two_corrections_holds(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, session)

    correct(db, session, user, presence(CorrectionKind.REMOVE_PRESENCE, 0, 1800))
    taken = only(db, session, user).seconds_counted
    correct(
        db,
        session,
        user,
        presence(CorrectionKind.ADD_PRESENCE, 900, 1800),
        now=AFTER + timedelta(minutes=1),
    )

    assert (taken, only(db, session, user).seconds_counted) == (900, 1800)


def test_attention_checks_can_be_waived(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ch-swisswebinar-live", "1")
    user = make_attendee(db, session)
    decide(db, session)
    before = only(db, session, user).reason

    correct(db, session, user, Change(kind=CorrectionKind.WAIVE_CHECKS, mode=ViewingMode.LIVE))

    assert before is Reason.CHECKS_MISSING
    assert only(db, session, user).explanation == (
        "45:00 of 45:00 counted; Swisswebinar gives 1 credit from 36:00 (80 %). "
        "The attention checks were waived by a correction."
    )


def test_more_time_lets_a_late_test_count(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "it-ecm-sync", "2")
    user = make_attendee(db, session)
    taken_at = ENDS_AT + timedelta(hours=80)
    db.add(
        TestAttempt(
            session_id=session.id,
            user_id=user.id,
            number=1,
            answers=[],
            correct=4,
            of=4,
            taken_at=taken_at,
        )
    )
    decide(db, session, now=taken_at)
    before = only(db, session, user).reason

    change = Change(
        kind=CorrectionKind.MORE_TIME,
        mode=ViewingMode.LIVE,
        until=ENDS_AT + timedelta(hours=96),
    )
    correct(db, session, user, change, now=taken_at)

    assert before is Reason.TEST_LATE
    assert only(db, session, user).reason is Reason.PENDING_EVALUATION


def test_nobody_has_a_hand_in_their_own_credit(db: DbSession) -> None:
    session = make_ended_session(db)
    user, other = make_attendee(db, session), make_user(db)
    change = presence(CorrectionKind.ADD_PRESENCE, 0, 60)

    with pytest.raises(corrections.OwnCredit):
        corrections.propose(db, session, user.id, change, reason="Me.", actor_id=user.id, now=AFTER)
    correction = corrections.propose(
        db, session, user.id, change, reason="For her.", actor_id=other.id, now=AFTER
    )
    with pytest.raises(corrections.OwnCredit):
        corrections.approve(db, correction, actor_id=user.id, public_url=URL, now=AFTER)


def test_a_proposal_is_refused_with_a_reason_or_withdrawn_by_who_made_it(db: DbSession) -> None:
    session = make_ended_session(db)
    user, first, second = make_attendee(db, session), make_user(db), make_user(db)
    refused, withdrawn = (
        corrections.propose(
            db,
            session,
            user.id,
            presence(CorrectionKind.ADD_PRESENCE, 0, 60),
            reason="Asked for.",
            actor_id=first.id,
            now=AFTER,
        )
        for _ in range(2)
    )

    with pytest.raises(corrections.ReasonMissing):
        corrections.refuse(db, refused, answer=" ", actor_id=second.id, now=AFTER)
    corrections.refuse(db, refused, answer="No log shows it.", actor_id=second.id, now=AFTER)
    with pytest.raises(NotAllowed):
        corrections.withdraw(db, withdrawn, actor_id=second.id, now=AFTER)
    corrections.withdraw(db, withdrawn, actor_id=first.id, now=AFTER)

    assert [refused.state, withdrawn.state] == [
        CorrectionState.REFUSED,
        CorrectionState.WITHDRAWN,
    ]


@pytest.mark.parametrize(
    "change",
    [
        presence(CorrectionKind.ADD_PRESENCE, 60, 60),
        presence(CorrectionKind.ADD_PRESENCE, -60, 60),
        presence(CorrectionKind.REMOVE_PRESENCE, 2600, 2701),
        Change(kind=CorrectionKind.ADD_PRESENCE, mode=ViewingMode.LIVE),
        Change(kind=CorrectionKind.ADD_PRESENCE, mode=ViewingMode.RECORDED, span=Span(0, 60)),
        Change(kind=CorrectionKind.MORE_TIME, mode=ViewingMode.LIVE, until=AFTER),
        Change(kind=CorrectionKind.MORE_TIME, mode=ViewingMode.LIVE),
        Change(kind=CorrectionKind.WAIVE_CHECKS, mode=ViewingMode.FACULTY),
    ],
)
def test_a_correction_that_cannot_be_is_refused(db: DbSession, change: Change) -> None:
    session = make_ended_session(db)
    user = make_attendee(db, session)

    with pytest.raises(corrections.ImpossibleCorrection):
        corrections.propose(
            db, session, user.id, change, reason="So.", actor_id=make_user(db).id, now=AFTER
        )


def test_the_live_session_is_corrected_once_it_has_ended(db: DbSession) -> None:
    session = make_ended_session(db)
    session.status = SessionStatus.LIVE
    user = make_attendee(db, session)

    with pytest.raises(corrections.ImpossibleCorrection):
        corrections.propose(
            db,
            session,
            user.id,
            presence(CorrectionKind.ADD_PRESENCE, 0, 60),
            reason="So.",
            actor_id=make_user(db).id,
            now=AFTER,
        )


def test_a_correction_of_a_recording_is_in_its_own_seconds(db: DbSession) -> None:
    session = make_ended_session(db)
    make_recording(db, session, closes_at=AFTER + timedelta(days=180))
    make_grant(db, session, "acoe-distance", "1")
    user = make_user(db)
    watch(db, session, user, ViewingMode.RECORDED, 0, 2000, at=AFTER)

    change = Change(
        kind=CorrectionKind.ADD_PRESENCE, mode=ViewingMode.RECORDED, span=Span(1900, 2700)
    )
    correct(db, session, user, change, now=AFTER + timedelta(hours=2))

    decision = only(db, session, user)
    assert (decision.seconds_counted, decision.reason) == (2700, Reason.PENDING_TEST)


# Presenting


def present(
    db: DbSession, session: WebinarSession, user: User, minutes: int, *, is_repeat: bool = False
) -> FacultyMember:
    member = make_faculty(db, session, user=user)
    faculty_credit.confirm(
        db,
        session,
        member,
        Confirmed(minutes=minutes, is_repeat=is_repeat),
        actor_id=make_user(db).id,
        now=AFTER,
    )
    return member


def test_presenting_earns_two_credits_an_hour_and_listening_nothing_beside(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75", body="ama")
    make_grant(db, session, "ama-pra-faculty", "2", body="ama")
    user = make_attendee(db, session)
    decide(db, session)
    listened = [decision.credit for decision in credits.latest_of(db, session.id, user.id)]

    present(db, session, user, 30)
    decide(db, session)

    decisions = credits.latest_of(db, session.id, user.id)
    assert listened == [Decimal("0.75")]
    assert {d.grant.mode: (d.credit, d.reason) for d in decisions} == {
        ViewingMode.LIVE: (Decimal(0), Reason.DUPLICATE_ACTIVITY),
        ViewingMode.FACULTY: (Decimal(1), Reason.OK),
    }
    assert credits.replay(db, session.id) == []
    assert credits.unsupported(db, session.id) == []


def test_presenting_is_no_matter_for_another_body(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "esmo-mora-live", "1", body="esmo-mora")
    make_grant(db, session, "ama-pra-faculty", "2", body="ama")
    user = make_attendee(db, session)

    present(db, session, user, 30)
    decide(db, session)

    decisions = credits.latest_of(db, session.id, user.id)
    assert {d.grant.mode: d.reason for d in decisions} == {
        ViewingMode.LIVE: Reason.PENDING_EVALUATION,
        ViewingMode.FACULTY: Reason.OK,
    }


def test_a_talk_given_before_earns_no_faculty_credit(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-faculty", "2", body="ama")
    user = make_user(db)

    present(db, session, user, 30, is_repeat=True)
    decide(db, session)

    assert only(db, session, user).explanation == (
        "You gave this talk before; AMA PRA gives credit for the first time."
    )


def test_nobody_earns_faculty_credit_before_it_is_confirmed(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-faculty", "2", body="ama")
    user = make_attendee(db, session)
    make_faculty(db, session, user=user)

    decide(db, session)

    assert credits.latest_of(db, session.id, user.id) == []


def test_nobody_presented_longer_than_the_session_or_confirms_for_themselves(
    db: DbSession,
) -> None:
    session = make_ended_session(db)
    user = make_user(db)
    member = make_faculty(db, session, user=user)
    said = Confirmed(minutes=46, is_repeat=False)

    with pytest.raises(faculty_credit.ImpossibleMinutes):
        faculty_credit.confirm(db, session, member, said, actor_id=make_user(db).id, now=AFTER)
    with pytest.raises(corrections.OwnCredit):
        faculty_credit.confirm(
            db,
            session,
            member,
            Confirmed(minutes=30, is_repeat=False),
            actor_id=user.id,
            now=AFTER,
        )


def test_what_a_room_tells_after_the_end_is_decided_upon(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_user(db)
    early = visit_room(db, session, user, 0, 900)
    decide(db, session)
    room = db.get_one(ExternalRoom, early.room_id)
    db.get_one(RoomGuest, early.guest_id).remote_id = "r-1"
    db.flush()

    late = Visit(person="r-1", joined_at=at(900), left_at=at(1800), remote_event="late")
    room_visits.note_report(db, room, [late], now=AFTER)
    changed = [(one.session_id, list(one.user_ids)) for one in redeciding.changed(db)]
    decide(db, session)

    assert changed == [(session.id, [user.id])]
    assert only(db, session, user).seconds_counted == 1800
