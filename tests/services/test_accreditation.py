"""Grants: stated, changed, removed, taken over; calendars, the clock and the trail follow."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from config import Config
from tests.builders import NOW, STARTS_AT, make_series, make_session
from tests.evidence import AFTER, ENDS_AT, make_attendee, make_ended_session
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus, Reason
from webinar.domain.errors import NotFound
from webinar.domain.session import SessionStatus
from webinar.domain.statements import GrantedStatementNotPermitted, StatementNotPermitted
from webinar.jobs.deciding import decide_due
from webinar.jobs.toolbox import Toolbox
from webinar.models import (
    AccreditationGrant,
    Accreditor,
    AuditEvent,
    Certificate,
    CreditPolicy,
    EvaluationGiven,
    WebinarSession,
)
from webinar.services import accreditation, accreditation_copies, accreditors, audit, credits, feeds
from webinar.services.accreditation import (
    EditionTooLong,
    GrantDetails,
    GrantExists,
    GrantIsUsed,
    ImpossibleApplicationDay,
    ImpossibleCredits,
    ImpossibleDecisionDay,
    NotInForce,
    ReferenceTooLong,
    RuleIsFixed,
)
from webinar.services.accreditation_use import why_kept
from webinar.services.feeds import CalendarTool
from webinar.services.policies import ensure_policies
from webinar.services.policy_versions import rules_offered
from webinar.services.societies import NameMissing, SlugTaken


@pytest.fixture
def tools(config: Config, tmp_path: Path) -> Toolbox:
    return Toolbox.from_config(config)


@pytest.fixture(autouse=True)
def rules(db: DbSession) -> dict[str, CreditPolicy]:
    return ensure_policies(db, now=NOW)


def body(db: DbSession, slug: str) -> int:
    return db.scalars(select(Accreditor.id).where(Accreditor.slug == slug)).one()


def details(db: DbSession, policy: str = "eaccme-3.0-live", **change: object) -> GrantDetails:
    stated: dict[str, object] = {
        "accreditor_id": body(db, "eaccme"),
        "policy_id": db.scalars(select(CreditPolicy.id).where(CreditPolicy.name == policy)).one(),
        "status": GrantStatus.GRANTED,
        "credits": Decimal("0.5"),
    }
    return GrantDetails(**{**stated, **change})  # type: ignore[arg-type]


def add(
    db: DbSession,
    session: WebinarSession,
    stated: GrantDetails,
    calendar: CalendarTool,
    *,
    now: datetime = NOW,
) -> AccreditationGrant:
    return accreditation.add_grant(db, session, stated, actor_id=None, calendar=calendar, now=now)


def change(
    db: DbSession, grant: AccreditationGrant, stated: GrantDetails, calendar: CalendarTool
) -> bool:
    return accreditation.change_grant(
        db, grant.session, grant, stated, actor_id=None, calendar=calendar, now=AFTER
    )


def remove(db: DbSession, grant: AccreditationGrant, calendar: CalendarTool) -> None:
    accreditation.remove_grant(
        db, grant.session, grant, actor_id=None, calendar=calendar, now=AFTER
    )


def earned(db: DbSession, calendar: CalendarTool, tools: Toolbox) -> tuple[AccreditationGrant, int]:
    """A grant somebody holds a certificate under."""
    session = make_ended_session(db)
    user = make_attendee(db, session)
    db.add(EvaluationGiven(session_id=session.id, user_id=user.id, given_at=AFTER))
    grant = add(db, session, details(db), calendar)
    db.commit()
    decide_due(tools, AFTER)
    return grant, user.id


def test_calendars_tell_a_grant_once_it_is_granted(db: DbSession, calendar: CalendarTool) -> None:
    session = make_session(db)
    feeds.refresh(db, session, calendar=calendar, now=NOW)

    grant = add(db, session, details(db, status=GrantStatus.APPLIED), calendar)
    while_applied = session.ical_sequence, "CME 0.5" in session.ical_public
    change(db, grant, details(db), calendar)

    assert while_applied == (0, False)
    assert (session.ical_sequence, "CME 0.5" in session.ical_public) == (1, True)
    assert grant.decided_on is not None


def test_each_change_is_written_down_with_what_was_before(
    db: DbSession, calendar: CalendarTool
) -> None:
    grant = add(db, make_session(db), details(db), calendar)
    change(db, grant, details(db, credits=Decimal(1)), calendar)
    nothing = change(db, grant, details(db, credits=Decimal("1.00")), calendar)
    remove(db, grant, calendar)

    trail = db.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [event.action for event in trail] == ["grant added", "grant changed", "grant removed"]
    assert trail[1].before is not None
    assert trail[1].after is not None
    assert (trail[1].before["credits_granted"], trail[1].after["credits_granted"]) == ("0.5", "1")
    assert nothing is False
    assert audit.first_broken(db) is None


@pytest.mark.parametrize(
    ("stated", "refusal"),
    [
        ({"credits": Decimal(0)}, ImpossibleCredits),
        ({"credits": Decimal("0.125")}, ImpossibleCredits),
        ({"credits": Decimal(1000)}, ImpossibleCredits),
        ({"reference": "x" * 61}, ReferenceTooLong),
        (
            {"status": GrantStatus.APPLIED, "statement_applied": "EACCME credit comes."},
            StatementNotPermitted,
        ),
        ({"policy": "eaccme-pre-3.0-live"}, GrantExists),
    ],
)
def test_what_no_body_grants_is_refused(
    db: DbSession, calendar: CalendarTool, stated: dict[str, object], refusal: type[Exception]
) -> None:
    session = make_session(db)
    if refusal is GrantExists:
        add(db, session, details(db), calendar)

    with pytest.raises(refusal):
        add(db, session, details(db, **stated), calendar)  # type: ignore[arg-type]


def test_the_same_body_may_grant_for_the_recording_too_and_only_that_has_a_clock(
    db: DbSession, calendar: CalendarTool
) -> None:
    session, until = make_session(db), STARTS_AT + timedelta(days=90)

    live = add(db, session, details(db, credit_until=until), calendar)
    recorded = add(db, session, details(db, "eaccme-elm-recorded", credit_until=until), calendar)

    assert (live.mode, live.credit_until) == (ViewingMode.LIVE, None)
    assert (recorded.mode, recorded.credit_until) == (ViewingMode.RECORDED, until)


def test_a_grant_that_comes_weeks_late_is_decided_by_the_clock_once(
    db: DbSession, calendar: CalendarTool, tools: Toolbox
) -> None:
    session = make_ended_session(db)
    user = make_attendee(db, session)
    late = AFTER + timedelta(days=20)
    grant = add(db, session, details(db), calendar, now=late)
    db.commit()

    decide_due(tools, late)

    decided = credits.latest_of(db, session.id, user.id)
    assert [decision.reason for decision in decided] == [Reason.PENDING_EVALUATION]
    db.refresh(grant)
    assert grant.changed_at is None


def test_withdrawing_takes_the_credit_and_the_certificate_back_in_the_open(
    db: DbSession, calendar: CalendarTool, tools: Toolbox
) -> None:
    grant, user_id = earned(db, calendar, tools)
    kept_for = why_kept(db, grant)

    change(db, grant, details(db, status=GrantStatus.WITHDRAWN), calendar)
    db.commit()
    decide_due(tools, AFTER + timedelta(minutes=1))

    decided = credits.latest_of(db, grant.session_id, user_id)
    assert [(one.reason, one.revision) for one in decided] == [(Reason.NO_GRANT, 1)]
    assert db.scalars(select(Certificate)).one().revoked_at == AFTER + timedelta(minutes=1)
    assert kept_for.startswith("1 person holds a certificate under this grant")
    assert why_kept(db, grant).startswith("The credit of 1 person was decided under this grant")


def test_another_rule_decides_anew_and_the_earlier_decision_stays_decidable(
    db: DbSession, calendar: CalendarTool, tools: Toolbox
) -> None:
    grant, user_id = earned(db, calendar, tools)

    change(db, grant, details(db, "eaccme-pre-3.0-live"), calendar)
    db.commit()
    decide_due(tools, AFTER + timedelta(minutes=1))

    decided = credits.latest_of(db, grant.session_id, user_id)
    assert [(one.credit, one.revision) for one in decided] == [(Decimal(0), 1)]
    assert credits.replay(db, grant.session_id) == []


def test_credit_that_was_decided_keeps_its_body_and_its_mode(
    db: DbSession, calendar: CalendarTool, tools: Toolbox
) -> None:
    grant, _ = earned(db, calendar, tools)

    with pytest.raises(RuleIsFixed):
        change(db, grant, details(db, accreditor_id=body(db, "acoe")), calendar)
    with pytest.raises(RuleIsFixed):
        change(db, grant, details(db, "eaccme-elm-recorded"), calendar)


def test_a_grant_with_a_certificate_can_only_be_withdrawn(
    db: DbSession, calendar: CalendarTool, tools: Toolbox
) -> None:
    grant, _ = earned(db, calendar, tools)

    with pytest.raises(GrantIsUsed, match="1 person holds a certificate under this grant"):
        remove(db, grant, calendar)


def test_a_grant_under_which_credit_was_decided_cannot_be_removed_either(
    db: DbSession, calendar: CalendarTool, tools: Toolbox
) -> None:
    session = make_ended_session(db)
    make_attendee(db, session)
    grant = add(db, session, details(db), calendar)
    db.commit()
    decide_due(tools, AFTER)

    with pytest.raises(GrantIsUsed, match="The credit of 1 person was decided"):
        remove(db, grant, calendar)


def test_the_newest_version_of_each_rule_is_offered(db: DbSession) -> None:
    db.add(
        CreditPolicy(
            name="esmo-mora-live", version=2, data={"mode": "live"}, created_at=NOW, approved_at=NOW
        )
    )
    db.flush()

    keys = [rule.key for rule in rules_offered(db)]

    assert "esmo-mora-live@2" in keys
    assert "esmo-mora-live@1" not in keys


def test_a_rule_knows_the_body_it_was_written_for(db: DbSession) -> None:
    bodies = accreditors.listed(db)
    found = {
        rule.policy.name: getattr(accreditors.body_of(rule, bodies), "slug", None)
        for rule in rules_offered(db)
    }

    assert found["eaccme-elm-recorded"] == "eaccme"
    assert found["it-ecm-sync"] == "ecm"
    assert found["ch-swisswebinar-live"] == "swisswebinar"
    assert None not in found.values()


def test_a_new_body_needs_three_names_and_comes_once(db: DbSession) -> None:
    made = accreditors.add(
        db, name="Ordre des médecins", short_name="ODM", unit="point", actor_id=None, now=NOW
    )

    assert (made.slug, made.unit) == ("odm", "point")
    for names, refusal in (
        ({"name": "Other", "short_name": "odm", "unit": "point"}, SlugTaken),
        ({"name": "Other", "short_name": "O", "unit": ""}, NameMissing),
    ):
        with pytest.raises(refusal):
            accreditors.add(db, **names, actor_id=None, now=NOW)


def test_the_same_as_last_time_begins_as_applied_for_and_speaks_of_this_session(
    db: DbSession, calendar: CalendarTool
) -> None:
    series = make_series(db)
    first = make_session(db, series=series, status=SessionStatus.ENDED, title="Nodes")
    # Across the change of the clocks: the hour on the wall stays.
    later = make_session(db, series=series, starts_at=STARTS_AT + timedelta(weeks=20))
    until = ENDS_AT + timedelta(days=28)
    add(db, first, details(db, reference="R-1"), calendar)
    add(
        db,
        first,
        details(
            db,
            "acoe-distance",
            accreditor_id=body(db, "acoe"),
            credit_until=until,
            statement_granted="“Nodes” of 26 November 2026 was reviewed.",
        ),
        calendar,
    )

    offered = [source.session.id for source in accreditation_copies.sources(db, later)]
    for _ in range(2):
        accreditation_copies.copy_grants(
            db, later, first.public_id, as_decided=False, actor_id=None, calendar=calendar, now=NOW
        )

    live, recorded = accreditation.grants_of(db, later.id)
    assert offered == [first.id]
    assert (live.status, live.reference, live.credits_granted) == (
        GrantStatus.APPLIED,
        "",
        Decimal("0.5"),
    )
    assert live.statement_applied.endswith(
        "“Sentinel nodes after neoadjuvant therapy”, online, 15 April 2027."
    )
    assert recorded.statement_granted == (
        "“Sentinel nodes after neoadjuvant therapy” of 15 April 2027 was reviewed."
    )
    assert recorded.credit_until == until + timedelta(weeks=20) - timedelta(hours=1)


def test_a_decision_that_covers_both_sessions_is_taken_over_whole(
    db: DbSession, calendar: CalendarTool
) -> None:
    series = make_series(db)
    first, later = (
        make_session(db, series=series, starts_at=STARTS_AT + timedelta(weeks=week))
        for week in (0, 1)
    )
    add(db, first, details(db, reference="R-1"), calendar)

    added = accreditation_copies.copy_grants(
        db, later, first.public_id, as_decided=True, actor_id=None, calendar=calendar, now=NOW
    )

    assert [(grant.status, grant.reference) for grant in added] == [(GrantStatus.GRANTED, "R-1")]


def test_only_sessions_of_the_series_with_grants_are_offered(
    db: DbSession, calendar: CalendarTool
) -> None:
    series = make_series(db)
    here, bare = make_session(db, series=series), make_session(db, series=series)
    elsewhere = make_session(db)
    add(db, elsewhere, details(db), calendar)

    assert accreditation_copies.sources(db, here) == []
    for other in (bare, elsewhere):
        with pytest.raises(NotFound):
            accreditation_copies.copy_grants(
                db,
                here,
                other.public_id,
                as_decided=False,
                actor_id=None,
                calendar=calendar,
                now=NOW,
            )


def test_the_days_of_application_and_decision_are_kept(
    db: DbSession, calendar: CalendarTool
) -> None:
    applied = details(
        db, status=GrantStatus.APPLIED, edition="UEMS 2023.07", applied_on=date(2026, 9, 3)
    )
    grant = add(db, make_session(db), applied, calendar)
    while_applied = grant.edition, grant.applied_on, grant.decided_on

    change(db, grant, details(db, decided_on=date(2026, 11, 19)), calendar)

    assert while_applied == ("UEMS 2023.07", date(2026, 9, 3), None)
    assert (grant.applied_on, grant.decided_on) == (date(2026, 9, 3), date(2026, 11, 19))


def test_what_is_first_said_today_begins_today(db: DbSession, calendar: CalendarTool) -> None:
    grant = add(db, make_session(db), details(db, status=GrantStatus.APPLIED), calendar)
    assert (grant.applied_on, grant.decided_on) == (NOW.date(), None)

    change(db, grant, details(db, status=GrantStatus.REFUSED), calendar)

    assert (grant.applied_on, grant.decided_on) == (NOW.date(), AFTER.date())


@pytest.mark.parametrize(
    ("stated", "refusal"),
    [
        ({"edition": "x" * 61}, EditionTooLong),
        ({"applied_on": date(2026, 11, 21)}, ImpossibleApplicationDay),
        ({"decided_on": date(2026, 11, 21)}, ImpossibleDecisionDay),
        (
            {"applied_on": date(2026, 11, 2), "decided_on": date(2026, 11, 1)},
            ImpossibleDecisionDay,
        ),
        ({"statement_granted": "EACCME gives credit."}, GrantedStatementNotPermitted),
    ],
)
def test_impossible_days_and_words_are_refused(
    db: DbSession, calendar: CalendarTool, stated: dict[str, object], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        add(db, make_session(db), details(db, **stated), calendar)


def test_no_grant_follows_a_draft_of_a_rule(db: DbSession, calendar: CalendarTool) -> None:
    stated = details(db)
    draft = CreditPolicy(name="eaccme-3.0-live", version=2, data={"mode": "live"}, created_at=NOW)
    db.add(draft)
    db.flush()

    assert "eaccme-3.0-live@1" in [rule.key for rule in rules_offered(db)]
    with pytest.raises(NotInForce):
        add(db, make_session(db), replace(stated, policy_id=draft.id), calendar)
