"""After the session: minutes counted, what came of them, and both clocks of a recording."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

from flask.testing import FlaskClient

from tests.builders import make_registration, make_session, make_user
from tests.evidence import make_grant, make_recording, watch
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.review import MatchedBy
from webinar.domain.session import SessionStatus
from webinar.domain.wording import deadline
from webinar.models import AttendanceImport, ImportedVisit, User, WebinarSession
from webinar.services import credits

ZURICH = "Europe/Zurich"
SignIn = Callable[[User], FlaskClient]


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def ended(db: DbSession, *, hours_ago: float) -> WebinarSession:
    ends_at = now() - timedelta(hours=hours_ago)
    session = make_session(
        db, starts_at=ends_at - timedelta(minutes=45), status=SessionStatus.ENDED
    )
    session.actual_started_at, session.actual_ended_at = session.starts_at, ends_at
    return session


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(unescape(answer.text).split())


def mine(page: str) -> str:
    return page.split('id="credit"')[1]


def test_minutes_are_shown_before_credit_is_decided_with_the_hour_of_the_decision(
    db: DbSession, signed_in_as: SignIn
) -> None:
    session = ended(db, hours_ago=0.5)
    make_grant(db, session, "esmo-mora-live", "1")
    user = make_user(db)
    make_registration(db, session, user)
    watch(db, session, user, ViewingMode.LIVE, 90, 2700)
    db.commit()

    shown = mine(page(signed_in_as(user), "/my/"))

    by = deadline(session.ends_at + timedelta(hours=1), ZURICH)
    assert "43:30 of 45:00 counted live" in shown
    assert f"Your credit is decided by {by}." in shown


def test_minutes_stand_above_each_bodys_credit_once_it_is_decided(
    db: DbSession, signed_in_as: SignIn
) -> None:
    session = ended(db, hours_ago=2)
    make_grant(db, session, "esmo-mora-live", "1")
    user = make_user(db)
    make_registration(db, session, user)
    watch(db, session, user, ViewingMode.LIVE, 0, 2700)
    credits.decide_session(db, session.id, public_url="https://webinar.example", now=now())
    db.commit()

    shown = mine(page(signed_in_as(user), "/my/"))

    assert "45:00 of 45:00 counted live" in shown
    assert "How this was counted" in shown
    assert "is decided by" not in shown


def test_a_visit_in_a_room_of_others_counts_beside_what_was_watched_here(
    db: DbSession, signed_in_as: SignIn
) -> None:
    session = ended(db, hours_ago=2)
    user = make_user(db)
    make_registration(db, session, user)
    watch(db, session, user, ViewingMode.LIVE, 0, 600)
    file = AttendanceImport(
        session_id=session.id,
        source="zoom",
        filename="report.csv",
        digest="a" * 64,
        rows=1,
        problems=[],
        made_by_id=user.id,
        made_at=now(),
    )
    db.add(file)
    db.flush()
    db.add(
        ImportedVisit(
            import_id=file.id,
            row=1,
            name="Anna",
            joined_at=session.starts_at + timedelta(minutes=5),
            left_at=session.starts_at + timedelta(minutes=20),
            user_id=user.id,
            matched_by=MatchedBy.HAND,
        )
    )
    db.commit()

    shown = mine(page(signed_in_as(user), "/my/"))

    assert "20:00 of 45:00 counted live" in shown
    assert "No credit is given for this session." in shown


def test_a_recording_shows_both_clocks_and_how_much_each_body_wants(
    db: DbSession, signed_in_as: SignIn
) -> None:
    session = ended(db, hours_ago=48)
    closes_at, credit_until = now() + timedelta(days=90), now() + timedelta(days=20)
    make_recording(db, session, closes_at=closes_at)
    make_grant(db, session, "acoe-distance", "1", credit_until=credit_until)
    make_grant(db, session, "eaccme-elm-recorded", "0.5")
    user = make_user(db)
    make_registration(db, session, user)
    db.commit()

    shown = page(signed_in_as(user), f"/sessions/{session.public_id}/recording")

    assert "1 acoe-distance from 40:30; 0.5 eaccme-elm-recorded from 40:30" in shown
    clocks = shown.split('class="clocks both-clocks"')[1].split("</dl>")[0]
    assert clocks.index("Watch until") < clocks.index(deadline(credit_until, ZURICH))
    assert f'{deadline(credit_until, ZURICH)}</time>, <span class="nowrap">acoe-distance' in clocks
    assert (
        f'{deadline(closes_at, ZURICH)}</time>, <span class="nowrap">eaccme-elm-recorded' in clocks
    )


def test_a_recording_may_outlive_its_credit_and_says_so(
    db: DbSession, signed_in_as: SignIn
) -> None:
    session = ended(db, hours_ago=48)
    make_recording(db, session, closes_at=now() + timedelta(days=90))
    make_grant(db, session, "acoe-distance", "1", credit_until=now() - timedelta(hours=1))
    user = make_user(db)
    make_registration(db, session, user)
    db.commit()

    shown = page(signed_in_as(user), f"/sessions/{session.public_id}/recording")

    assert "closed since" in shown
    assert "The time for credit is over; what you watched before still counts." in shown
    assert "from 40:30" not in shown
