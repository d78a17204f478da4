"""Until when to join for each credit: on the session's page, and where one watches."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

from flask.testing import FlaskClient

from tests.builders import make_registration, make_session, make_user
from tests.evidence import make_grant, watch
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local
from webinar.models import User, WebinarSession
from webinar.services import last_calls

# A Thursday in winter, 18:15 in Zurich.
THAT_DAY = datetime(2126, 11, 28, 17, 15, tzinfo=UTC)


def with_credit(db: DbSession, session: WebinarSession) -> WebinarSession:
    esmo = make_grant(db, session, "esmo-mora-live", "1", body="esmo-mora")
    esmo.accreditor.short_name = "ESMO-MORA"
    eaccme = make_grant(db, session, "eaccme-3.0-live", "0.5", body="eaccme")
    eaccme.accreditor.short_name = "EACCME"
    return session


def page(client: FlaskClient, path: str) -> str:
    return " ".join(unescape(client.get(path).text).split())


def minutes(db: DbSession, session: WebinarSession, after: float, user: User) -> list[list[float]]:
    """By body: how many minutes after the start one can still join."""
    now = session.starts_at + timedelta(minutes=after)
    found = last_calls.of_session(db, session, user.id, now=now)
    return [
        [(step.by - session.starts_at).total_seconds() / 60 for step in one.steps] for one in found
    ]


def test_a_stranger_reads_until_when_to_join_for_each_credit(
    db: DbSession, client: FlaskClient
) -> None:
    session = with_credit(db, make_session(db, starts_at=THAT_DAY))
    db.commit()

    shown = page(client, f"/sessions/{session.public_id}")

    assert (
        '<dt>1 ESMO-MORA</dt> <dd>join by <time datetime="2126-11-28T17:24:00Z">18:24 CET' in shown
    )
    assert (
        '<dt>0.5 EACCME</dt> <dd>join by <time datetime="2126-11-28T17:30:00Z">18:30 CET' in shown
    )
    assert "Join by" not in shown


def test_who_is_registered_reads_it_on_the_card_and_at_the_door(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    session = with_credit(db, make_session(db, starts_at=THAT_DAY))
    user = make_user(db)
    make_registration(db, session, user)
    db.commit()
    client = signed_in_as(user)
    words = "Join by 18:24 for 1 ESMO-MORA, by 18:30 for 0.5 EACCME (CET), and stay to the end."

    assert words in page(client, f"/sessions/{session.public_id}")
    assert words in page(client, f"/sessions/{session.public_id}/live")


def test_during_the_session_what_was_watched_counts_and_what_is_too_late_is_said(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    starts_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=12)
    session = with_credit(db, make_session(db, starts_at=starts_at, status=SessionStatus.LIVE))
    session.actual_started_at = starts_at
    user = make_user(db)
    make_registration(db, session, user)
    db.commit()
    by = f"{to_local(starts_at + timedelta(minutes=15), 'Europe/Zurich'):%H:%M}"

    shown = page(signed_in_as(user), f"/sessions/{session.public_id}/live")

    assert f"Join by {by} for 0.5 EACCME" in shown
    assert "It is too late for live credit of ESMO-MORA." in shown


def test_who_left_may_come_back_later_than_a_newcomer(db: DbSession) -> None:
    session = with_credit(db, make_session(db, starts_at=THAT_DAY, status=SessionStatus.LIVE))
    session.actual_started_at = THAT_DAY
    watcher, newcomer = make_user(db), make_user(db)
    make_registration(db, session, watcher)
    watch(db, session, watcher, ViewingMode.LIVE, 0, 600)

    assert minutes(db, session, 11, newcomer) == [[], [15.0]]
    assert minutes(db, session, 11, watcher) == [[19.0], [25.0]]


def test_nothing_is_called_once_it_is_over_or_where_no_credit_is_given(db: DbSession) -> None:
    ended = with_credit(db, make_session(db, starts_at=THAT_DAY, status=SessionStatus.ENDED))
    plain = make_session(db, starts_at=THAT_DAY)

    assert last_calls.of_session(db, ended, None, now=THAT_DAY) == []
    assert last_calls.of_session(db, plain, None, now=THAT_DAY) == []
    late = with_credit(db, make_session(db, starts_at=THAT_DAY))
    assert last_calls.of_session(db, late, None, now=late.ends_at) == []
