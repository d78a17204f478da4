"""What a session earns, as officers and organisers say it in the browser."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import NOW, STARTS_AT, make_series, make_session, make_user
from tests.evidence import make_grant
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus, Reason
from webinar.models import (
    AccreditationGrant,
    Accreditor,
    AuditEvent,
    Certificate,
    CreditDecision,
    User,
    WebinarSession,
)
from webinar.services.policies import ensure_policies

RULE = "eaccme-3.0-live@1"
PERMITTED = (
    "The webinar “Sentinel nodes after neoadjuvant therapy”, online, 26 November 2026 has been "
    "accredited by the European Accreditation Council for Continuing Medical Education (EACCME) "
    "with {credits} European CME credits (ECMECs). Each medical specialist should claim only "
    "those hours of credit that he/she actually spent in the educational activity."
)
APPLIED = (
    "An application has been made to the EACCME for CME accreditation of the webinar “Sentinel "
    "nodes after neoadjuvant therapy”, online, 26 November 2026."
)
GRANT = {
    "accreditor": "eaccme",
    "body_name": "",
    "body_short_name": "",
    "body_unit": "",
    "rule": RULE,
    "credits": "0.5",
    "status": "granted",
    "reference": "LEE-2026-1",
    "statement_applied": APPLIED,
    "statement_granted": PERMITTED.format(credits="0.5"),
}


@pytest.fixture(params=[Role.ORGANISER, Role.ACCREDITATION_OFFICER])
def officer(
    request: pytest.FixtureRequest, db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> FlaskClient:
    """Both who plan sessions and who accredit them."""
    return client_of(db, signed_in_as, request.param)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    ensure_policies(db, now=NOW)
    session = make_session(db, starts_at=STARTS_AT)
    db.commit()
    return session


def client_of(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient], role: Role
) -> FlaskClient:
    user = make_user(db, roles=(role,))
    db.commit()
    return signed_in_as(user)


def path_of(session: WebinarSession, rest: str = "") -> str:
    return f"/manage/sessions/{session.public_id}/accreditation{rest}"


def add(client: FlaskClient, session: WebinarSession, **change: str) -> str:
    answer = client.post(
        path_of(session, f"/new?rule={RULE}"), data={**GRANT, **change}, follow_redirects=True
    )
    return answer.text


def stored(db: DbSession) -> list[AccreditationGrant]:
    query = select(AccreditationGrant).order_by(AccreditationGrant.id)
    found = list(db.scalars(query, execution_options={"populate_existing": True}))
    db.commit()
    return found


def hold_certificate(db: DbSession, grant: AccreditationGrant) -> None:
    user = make_user(db)
    decision = CreditDecision(
        session_id=grant.session_id,
        user_id=user.id,
        grant_id=grant.id,
        policy_id=grant.policy_id,
        revision=0,
        credit=Decimal("0.5"),
        reason=Reason.OK,
        explanation="",
        seconds_counted=2700,
        window_seconds=2700,
        inputs={},
        inputs_hash="0" * 64,
        decided_at=NOW,
    )
    db.add(decision)
    db.flush()
    db.add(
        Certificate(
            number="N-1",
            session_id=grant.session_id,
            user_id=user.id,
            revision=0,
            content={},
            content_digest="0" * 64,
            decision_ids=[decision.id],
            issued_at=NOW,
        )
    )
    db.commit()


def test_an_officer_is_led_to_the_list_and_meets_no_closed_door(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient], session: WebinarSession
) -> None:
    officer = client_of(db, signed_in_as, Role.ACCREDITATION_OFFICER)

    first = officer.get("/manage/")
    closed = officer.get("/manage/sessions/")
    pages = [officer.get(path_of(session)).text, officer.get("/manage/accreditation/").text]

    assert first.location == "/manage/credit/"
    assert closed.status_code == 403
    assert [page.count('href="/manage/sessions/"') for page in pages] == [0, 0]


@pytest.mark.parametrize("role", [Role.PARTICIPANT, Role.PRESENTER, Role.MODERATOR])
def test_nobody_else_may_accredit(
    db: DbSession,
    signed_in_as: Callable[[User], FlaskClient],
    session: WebinarSession,
    role: Role,
) -> None:
    client = client_of(db, signed_in_as, role)

    assert client.get(path_of(session)).status_code == 403
    assert client.post(path_of(session, "/new"), data=GRANT).status_code == 403
    assert stored(db) == []


def test_rules_are_put_in_once_and_then_offered_in_a_sentence(
    db: DbSession, organiser: FlaskClient
) -> None:
    session = make_session(db)
    db.commit()

    empty = organiser.get(path_of(session, "/new")).text
    filled = organiser.post(
        "/manage/accreditation/rules",
        data={"session": session.public_id},
        follow_redirects=True,
    ).text

    assert "Put in the known rules" in empty
    assert (
        "Being there live earns 0.5 credit for every full 30 minutes, up to the credit granted; "
        "it needs the evaluation within 28 days." in filled
    )


def test_the_form_begins_with_the_usual_credits_and_the_permitted_words(
    organiser: FlaskClient, session: WebinarSession
) -> None:
    page = organiser.get(path_of(session, f"/new?rule={RULE}")).text

    assert '<option value="eaccme" selected>' in page
    assert 'name="credits" type="text" value="0.5"' in page
    assert APPLIED in page
    assert PERMITTED.format(credits="0.5") in page


def test_a_grant_is_added_and_said_in_one_sentence(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    page = add(officer, session)

    assert "The grant is added." in page
    assert (
        "Being there live earns 0.5 ECMEC for every full 30 minutes, up to 0.5 ECMEC; it needs "
        "the evaluation within 28 days." in page
    )
    grant = stored(db)[0]
    assert (grant.mode, grant.status, grant.reference) == (
        ViewingMode.LIVE,
        GrantStatus.GRANTED,
        "LEE-2026-1",
    )
    db.refresh(session)
    assert "CME 0.5" in session.ical_public
    assert db.scalars(select(AuditEvent.action)).all() == ["grant added"]


def test_the_permitted_words_follow_the_credits_typed(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    add(organiser, session, credits="1,0")
    added = stored(db)[0]
    organiser.post(
        path_of(session, f"/{added.id}"),
        data={**GRANT, "credits": "1.5", "statement_granted": added.statement_granted},
    )

    assert added.statement_granted == PERMITTED.format(credits="1")
    assert stored(db)[0].statement_granted == PERMITTED.format(credits="1.5")


def test_the_words_of_one_body_are_not_kept_for_another(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    add(organiser, session, accreditor="ebac")

    assert (stored(db)[0].statement_applied, stored(db)[0].statement_granted) == ("", "")


def test_a_new_body_comes_with_its_first_grant(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    page = add(
        organiser,
        session,
        accreditor="new",
        body_name="Swiss Society of Senology",
        body_short_name="SGS",
        body_unit="point",
    )

    assert "SGS: 0.5 point" in page
    assert stored(db)[0].accreditor.slug == "sgs"


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"credits": "half"}, "credits", "Give the credits as a number above 0: 0.5."),
        ({"credits": "0"}, "credits", "Give the credits as a number above 0: 0.5."),
        ({"credits": "0.125"}, "credits", "with at most two decimals"),
        ({"credits": "NaN"}, "credits", "Give the credits as a number above 0: 0.5."),
        ({"accreditor": ""}, "accreditor", "Choose the body that gives the credit."),
        ({"rule": "nonsense@1"}, "rule", "Choose the rule that credit is decided by."),
        ({"status": "none"}, "status", "Say where the decision stands."),
        ({"accreditor": "new"}, "body_name", "Give the name of the other body"),
        (
            {
                "accreditor": "new",
                "body_name": "EACCME",
                "body_short_name": "EACCME",
                "body_unit": "credit",
            },
            "body_short_name",
            "is known already. Choose it in the list.",
        ),
        (
            {"status": "applied", "statement_applied": "Credit is expected."},
            "statement_applied",
            "Before the decision the statement has to begin",
        ),
        (
            {"rule": "eaccme-elm-recorded@1", "until_day": "2027-05-26", "until_time": ""},
            "until_time",
            "Give the hour as hours and minutes",
        ),
        (
            {"rule": "eaccme-elm-recorded@1", "until_day": "2027-03-28", "until_time": "02:30"},
            "until_time",
            "02:30 on 28 March 2027 does not exist",
        ),
    ],
)
def test_a_refused_grant_keeps_what_was_typed_and_says_what_is_wrong_beside_it(
    db: DbSession,
    organiser: FlaskClient,
    session: WebinarSession,
    change: dict[str, str],
    field: str,
    sentence: str,
) -> None:
    answer = organiser.post(
        path_of(session, f"/new?rule={RULE}"),
        data={**GRANT, "reference": "Typed just now", **change},
    )

    assert answer.status_code in (409, 422)
    assert sentence in answer.text.split(f'id="f-{field}-error">')[1].split("</p>")[0]
    assert 'value="Typed just now"' in answer.text
    assert stored(db) == []
    assert db.scalars(select(Accreditor).where(Accreditor.name == "EACCME")).all() == []


def test_a_second_grant_of_the_same_body_is_refused_beside_the_body(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    add(organiser, session)

    page = add(organiser, session)

    assert "CME has a grant for the live session here already." in page
    assert len(stored(db)) == 1


def test_the_credit_clock_of_a_recording_is_typed_in_the_sessions_zone(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    page = add(
        organiser,
        session,
        accreditor="acoe",
        rule="acoe-distance@1",
        until_day="2027-05-26",
        until_time="19:00",
    )

    grant = stored(db)[0]
    assert grant.credit_until == datetime(2027, 5, 26, 17, 0, tzinfo=UTC)
    assert "26 May 2027, 19:00 Zurich" in page
    assert "This rule asks for a test, and there is none yet" in page
    form = organiser.get(path_of(session, f"/{grant.id}")).text
    assert 'type="date" value="2027-05-26"' in form
    assert 'type="time" value="19:00"' in form


def test_a_grant_is_changed_and_saving_it_again_changes_nothing(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    add(officer, session, status="applied")
    path = path_of(session, f"/{stored(db)[0].id}")

    changed = officer.post(path, data={**GRANT, "status": "refused"}, follow_redirects=True).text
    again = officer.post(path, data={**GRANT, "status": "refused"}, follow_redirects=True).text

    assert "The grant is changed." in changed
    assert "Nobody earns credit under it." in changed
    assert "Nothing was different" in again
    assert stored(db)[0].status is GrantStatus.REFUSED


def test_a_grant_with_a_certificate_is_withdrawn_and_not_removed(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    add(organiser, session)
    grant = stored(db)[0]
    hold_certificate(db, grant)

    page = organiser.get(path_of(session)).text
    refused = organiser.post(path_of(session, f"/{grant.id}/remove"))
    withdrawn = organiser.post(
        path_of(session, f"/{grant.id}"),
        data={**GRANT, "status": "withdrawn"},
        follow_redirects=True,
    )

    assert "1 person holds a certificate under this grant, so it cannot be removed." in page
    assert "Remove the grant" not in page
    assert refused.status_code == 409
    assert "Withdraw it: their credit is decided anew." in refused.text
    assert "The grant is changed." in withdrawn.text
    assert stored(db)[0].status is GrantStatus.WITHDRAWN


def test_a_grant_nobody_has_earned_under_is_removed(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    add(organiser, session)

    page = organiser.post(
        path_of(session, f"/{stored(db)[0].id}/remove"), follow_redirects=True
    ).text

    assert "The grant is removed." in page
    assert "This session earns nothing yet" in page
    assert stored(db) == []


def test_a_grant_of_another_session_is_not_found(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    other = make_grant(db, make_session(db), "ebac-live", "1")
    db.commit()

    assert organiser.get(path_of(session, f"/{other.id}")).status_code == 404
    assert organiser.post(path_of(session, f"/{other.id}/remove")).status_code == 404


def test_the_same_as_last_time(db: DbSession, organiser: FlaskClient) -> None:
    series = make_series(db)
    first = make_session(db, series=series)
    later = make_session(db, series=series, starts_at=STARTS_AT + timedelta(weeks=1))
    make_grant(db, first, "esmo-mora-live", "1", body="esmo-mora")
    db.commit()

    offered = organiser.get(path_of(later)).text
    path, data = path_of(later, "/copy"), {"source": first.public_id}
    copied = organiser.post(path, data=data, follow_redirects=True).text
    again = organiser.post(path, data=data, follow_redirects=True).text
    elsewhere = organiser.post(path, data={"source": "nothing"})

    assert "26 Nov 2026: ESMO-MORA 1" in offered
    assert "1 grant is taken over." in copied
    assert "Once granted: being there live earns 1 point" in copied
    assert "This session has all those grants already." in again
    assert elsewhere.status_code == 404
    assert [grant.status for grant in stored(db)] == [GrantStatus.GRANTED, GrantStatus.APPLIED]


def test_the_list_says_which_sessions_earn_nothing(db: DbSession, organiser: FlaskClient) -> None:
    soon = datetime.now(UTC) + timedelta(days=3)
    make_session(db, starts_at=soon, title="Earns nothing")
    accredited = make_session(db, starts_at=soon, title="Earns something")
    make_grant(db, accredited, "ebac-live", "1", status=GrantStatus.APPLIED)
    db.commit()

    listed = organiser.get("/manage/accreditation/").text

    assert "ebac-live 1" in listed
    assert "Applied for" in listed
    assert "None yet" in listed


def test_the_sessions_page_says_what_it_earns_and_leads_on(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    add(organiser, session, status="applied")

    page = organiser.get(f"/manage/sessions/{session.public_id}").text

    assert "CME 0.5 (applied for)" in page
    assert f'href="{path_of(session)}"' in page
    assert f'href="/manage/sessions/{session.public_id}/test"' in page


@pytest.mark.parametrize(
    ("status", "shown", "hidden"),
    [
        ("applied", APPLIED, "has been accredited"),
        ("granted", "has been accredited by the European", "An application has been made"),
        ("refused", "", "accredit"),
        ("withdrawn", "", "accredit"),
    ],
)
def test_in_public_stand_the_words_of_the_state_and_of_a_refusal_none(
    client: FlaskClient,
    organiser: FlaskClient,
    session: WebinarSession,
    status: str,
    shown: str,
    hidden: str,
) -> None:
    add(organiser, session, status=status)

    page = client.get(f"/sessions/{session.public_id}").text
    own = organiser.get(path_of(session)).text

    assert shown in page
    assert hidden not in page.split("<main", 1)[1].split("</main>")[0]
    assert ("<blockquote" in own) == bool(shown)


def test_edition_and_days_are_typed_and_kept(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    form = organiser.get(path_of(session, f"/new?rule={RULE}")).text
    days = {"applied_on": "2026-09-03", "decided_on": "2026-10-22"}
    page = add(organiser, session, edition="UEMS 2023.07", **days)
    grant = stored(db)[0]
    path = path_of(session, f"/{grant.id}")
    early = organiser.post(path, data={**GRANT, **days, "applied_on": "2026-10-23"}).text
    odd = organiser.post(path, data={**GRANT, "applied_on": "soon"}).text

    assert 'value="UEMS 2023.07 (EACCME 3.0)"' in form
    assert (grant.edition, str(grant.applied_on), str(grant.decided_on)) == (
        "UEMS 2023.07",
        "2026-09-03",
        "2026-10-22",
    )
    assert "3 Sep 2026" in page
    assert "The decision is before the application." in early
    assert "Give the day as a date: 2026-09-03." in odd
