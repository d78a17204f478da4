"""Statements follow their session where they are the permitted words, and say when they do not."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from config import Config
from tests.builders import NOW, STARTS_AT, make_session
from tests.evidence import make_grant
from webinar.db import DbSession
from webinar.domain.credit import GrantStatus
from webinar.domain.statements import applied_statement, granted_statement
from webinar.models import AccreditationGrant, AuditEvent, WebinarSession
from webinar.services import sessions
from webinar.services.accreditation import activity_of
from webinar.services.accreditation_statements import follow_session
from webinar.services.session_facts import facts_of
from webinar.tools import calendar_tool

HALF = Decimal("0.5")


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    return make_session(db, title="Nodes", starts_at=STARTS_AT)


@pytest.fixture
def grant(db: DbSession, session: WebinarSession) -> AccreditationGrant:
    grant = make_grant(db, session, "eaccme-3.0-live", "0.5", body="eaccme")
    grant.status = GrantStatus.APPLIED
    grant.statement_applied = applied_statement("eaccme", activity_of(session))
    grant.statement_granted = granted_statement("eaccme", activity_of(session), HALF)
    db.flush()
    return grant


def rename_and_move(session: WebinarSession) -> dict[str, str]:
    before = facts_of(session)
    session.title, session.starts_at = "Margins", STARTS_AT + timedelta(days=7)
    return before


def test_permitted_words_speak_of_the_session_as_it_is_now(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    before = rename_and_move(session)

    changed = follow_session(db, session, before, actor_id=None, now=NOW)

    assert changed == [grant]
    assert grant.changed_at == NOW
    assert grant.statement_applied == (
        "An application has been made to the EACCME for CME accreditation of the webinar "
        "“Margins”, online, 3 December 2026."
    )
    assert grant.statement_granted.startswith("The webinar “Margins”, online, 3 December 2026 has")
    assert db.query(AuditEvent).one().action == "statements followed the session"


def test_words_of_ones_own_stay(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    own = grant.statement_granted + " Conversion is possible."
    grant.statement_applied, grant.statement_granted = "", own

    changed = follow_session(db, session, rename_and_move(session), actor_id=None, now=NOW)

    assert changed == []
    assert (grant.statement_applied, grant.statement_granted) == ("", own)


def test_another_hour_of_the_same_day_changes_no_words(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    before = facts_of(session)
    session.starts_at += timedelta(hours=1)

    assert follow_session(db, session, before, actor_id=None, now=NOW) == []
    assert grant.changed_at is None


def test_whoever_moves_a_session_need_not_think_of_its_statements(
    config: Config, db: DbSession, session: WebinarSession, grant: AccreditationGrant
) -> None:
    calendar = calendar_tool(config)

    sessions.move(
        db,
        session.id,
        datetime(2026, 12, 10, 18, 15),
        actor_id=None,
        calendar=calendar,
        now=NOW,
    )

    assert grant.statement_applied.endswith("“Nodes”, online, 10 December 2026.")
