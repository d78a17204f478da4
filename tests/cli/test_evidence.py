"""The register and the evidence, checked from the command line."""

from decimal import Decimal

from flask import Flask
from sqlalchemy import select

from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant
from webinar.db import DbSession
from webinar.models import CreditDecision, WatchSegment, WebinarSession
from webinar.services import credits


def decided_session(db: DbSession) -> WebinarSession:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    make_attendee(db, session)
    credits.decide_session(db, session.id, public_url="https://webinar.example", now=AFTER)
    db.commit()
    return session


def run(app: Flask, *args: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=list(args))
    return result.exit_code, result.output


def test_decisions_that_follow_from_the_evidence_are_confirmed(app: Flask, db: DbSession) -> None:
    session = decided_session(db)

    assert run(app, "evidence", "verify") == (0, "1 sessions checked, findings: 0.\n")
    assert run(app, "credits", "replay", session.public_id) == (
        0,
        "Every decision comes out as it is stored.\n",
    )


def test_segments_that_were_cut_and_credit_that_was_raised_show(app: Flask, db: DbSession) -> None:
    session = decided_session(db)
    db.scalars(select(WatchSegment)).one().to_ms -= 1_800_000
    db.scalars(select(CreditDecision)).one().credit = Decimal(3)
    db.commit()

    evidence = run(app, "evidence", "verify", session.public_id)
    replay = run(app, "credits", "replay", session.public_id)

    assert evidence[0] == 1
    assert "stored 3 (ok, 2700 s), comes out 0.25 (ok, 900 s)" in evidence[1]
    assert replay[0] == 1
    assert "stored 3 (ok, 2700 s), comes out 0.75 (ok, 2700 s)" in replay[1]
