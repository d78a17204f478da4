from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import make_registration, make_series, make_session, make_user
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus, Reason
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import (
    AccreditationGrant,
    Accreditor,
    CreditDecision,
    CreditPolicy,
    Recording,
    User,
)
from webinar.services import links, registrations

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
SignIn = Callable[[User], FlaskClient]


def test_an_empty_page_says_what_it_is_for_and_where_to_begin(
    signed_in_as: SignIn, db: DbSession
) -> None:
    user = make_user(db)
    db.commit()

    page = signed_in_as(user).get("/my/").text

    assert "Nothing here yet" in page
    assert 'href="/sessions/">See the schedule</a>' in page


def test_the_page_shows_what_is_coming_what_can_be_watched_and_what_is_followed(
    signed_in_as: SignIn, db: DbSession
) -> None:
    user, series = make_user(db), make_series(db)
    coming = make_session(db, starts_at=NOW + 3 * DAY, title="Coming up")
    past = make_session(db, starts_at=NOW - 30 * DAY, title="Gone by", status=SessionStatus.ENDED)
    make_registration(db, coming, user)
    make_registration(db, past, user)
    db.add(
        Recording(
            public_id="r1",
            session_id=past.id,
            state=RecordingState.PUBLISHED,
            opens_at=NOW - 29 * DAY,
            closes_at=NOW + 150 * DAY,
            created_at=NOW,
        )
    )
    registrations.register_for_series(db, series.id, user.id, now=NOW)
    db.commit()

    page = signed_in_as(user).get("/my/").text

    assert "Nothing here yet" not in page
    assert "Coming up" in page.split('id="coming"')[1]
    recordings = page.split('id="recordings"')[1]
    assert "Gone by" in recordings
    assert "Watch until" in recordings
    assert f"/series/{series.slug}/unregister" in page


def test_a_live_session_is_the_next_step(signed_in_as: SignIn, db: DbSession) -> None:
    user = make_user(db)
    live = make_session(
        db, starts_at=NOW - timedelta(minutes=5), title="On air", status=SessionStatus.LIVE
    )
    make_registration(db, live, user)
    db.commit()

    page = signed_in_as(user).get("/my/").text

    assert "On air" in page.split('id="next"')[1]
    assert f'href="/sessions/{live.public_id}/live">Join live</a>' in page


def test_credit_is_shown_with_its_reason_and_its_certificate(
    signed_in_as: SignIn, db: DbSession
) -> None:
    user = make_user(db)
    session = make_session(db, starts_at=NOW - 9 * DAY, status=SessionStatus.ENDED)
    policy = CreditPolicy(name="p", version=1, data={}, created_at=NOW)
    for slug, reason, words in (
        ("cme", Reason.OK, "41:10 of 45:00 counted"),
        ("mora", Reason.PENDING_EVALUATION, "CREDIT COMES AFTER THE EVALUATION"),
    ):
        grant = AccreditationGrant(
            session_id=session.id,
            accreditor=Accreditor(slug=slug, name=slug, short_name=slug.upper(), unit="point"),
            policy=policy,
            # A granted one would be asked for its rule, which is not what this is about.
            mode=ViewingMode.LIVE,
            status=GrantStatus.NONE,
            credits_granted=Decimal(1),
        )
        db.add(grant)
        db.flush()
        for revision in (0, 1):
            db.add(
                CreditDecision(
                    session_id=session.id,
                    user_id=user.id,
                    grant_id=grant.id,
                    policy_id=policy.id,
                    revision=revision,
                    credit=Decimal(revision) if reason is Reason.OK else Decimal(0),
                    reason=reason,
                    explanation=f"{words}, revision {revision}",
                    seconds_counted=2470,
                    window_seconds=2700,
                    inputs={},
                    inputs_hash="0" * 64,
                    decided_at=NOW,
                )
            )
    db.commit()

    page = signed_in_as(user).get("/my/").text.split('id="credit"')[1]

    assert "CME 1" in page
    assert "MORA pending" in page
    assert "41:10 of 45:00 counted, revision 1" in page
    assert "revision 0" not in page


def test_nobody_sees_what_another_registered_for(signed_in_as: SignIn, db: DbSession) -> None:
    user, other = make_user(db), make_user(db)
    make_registration(db, make_session(db, starts_at=NOW + DAY, title="Not yours"), other)
    db.commit()

    assert "Not yours" not in signed_in_as(user).get("/my/").text


def test_a_calendar_address_is_shown_once_and_kept_as_a_hash(
    signed_in_as: SignIn, db: DbSession
) -> None:
    user = make_user(db)
    db.commit()
    client = signed_in_as(user)

    shown = client.post("/my/calendar")
    later = client.get("/my/").text

    token = shown.text.split("/calendar/personal/")[1].split(".ics")[0]
    db.expire_all()
    assert shown.headers["Cache-Control"] == "no-store"
    assert user.feed_token_hash == links.hash_of(token)
    assert token not in later
    assert "Make a new address" in later


def test_what_a_person_told_us_can_be_changed(signed_in_as: SignIn, db: DbSession) -> None:
    user = make_user(db)
    db.commit()
    client = signed_in_as(user)

    answer = client.post(
        "/my/account",
        data={
            "name": "Dr Anna Meier",
            "country": "CA",
            "profession": "nurse",
            "zone": "America/Toronto",
        },
    )

    db.expire_all()
    assert (answer.status_code, answer.location) == (303, "/my/account")
    assert (user.name, user.country, user.profession, user.zone) == (
        "Dr Anna Meier",
        "CA",
        "nurse",
        "America/Toronto",
    )


def test_a_time_zone_that_does_not_exist_changes_nothing(
    signed_in_as: SignIn, db: DbSession
) -> None:
    user = make_user(db)
    db.commit()

    answer = signed_in_as(user).post(
        "/my/account",
        data={"name": "X", "country": "CH", "profession": "nurse", "zone": "Europe/Atlantis"},
    )

    db.expire_all()
    assert answer.status_code == 422
    assert "Choose your time zone from the list" in answer.text
    assert user.zone == "Europe/Zurich"


def test_a_password_is_set_changed_with_the_old_one_and_ends_other_sign_ins(
    signed_in_as: SignIn, db: DbSession
) -> None:
    user = make_user(db)
    db.commit()
    here, elsewhere = signed_in_as(user), signed_in_as(user)

    first = here.post("/my/account/password", data={"new_password": "the first password"})
    wrong = here.post(
        "/my/account/password",
        data={"current_password": "not it", "new_password": "the second password"},
    )
    right = here.post(
        "/my/account/password",
        data={"current_password": "the first password", "new_password": "the second password"},
    )

    assert (first.status_code, wrong.status_code, right.status_code) == (303, 422, 303)
    assert "This is not your current password." in wrong.text
    assert here.get("/my/").status_code == 200
    assert elsewhere.get("/my/").status_code == 302
    assert db.scalars(select(User.sign_in_generation)).one() == 2
