"""The register and the evidence, checked from the command line."""

from decimal import Decimal
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant
from webinar.db import DbSession
from webinar.documents.certificate import certificate_pdf
from webinar.models import Certificate, CreditDecision, WatchSegment, WebinarSession
from webinar.services import certificates, credits


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


def test_a_genuine_number_is_told_from_one_of_nobodys(app: Flask, db: DbSession) -> None:
    decided_session(db)
    number = db.scalars(select(Certificate.number)).one()
    db.commit()

    genuine = run(app, "certificates", "verify", number)
    unknown = run(app, "certificates", "verify", "WCS-0000-0000-0000")

    assert genuine[0] == 0
    assert genuine[1].startswith(f"{number} is genuine.\nDr Anna Keller; ")
    assert unknown[0] == 1
    assert "We have not issued" in unknown[1]


def test_a_file_is_genuine_to_the_last_byte_or_not_at_all(
    app: Flask, db: DbSession, tmp_path: Path
) -> None:
    decided_session(db)
    content = certificates.content_of(db.scalars(select(Certificate)).one())
    db.commit()
    ours, changed = tmp_path / "ours.pdf", tmp_path / "changed.pdf"
    ours.write_bytes(certificate_pdf(content))
    changed.write_bytes(certificate_pdf(content) + b"\n")

    assert run(app, "certificates", "verify", str(ours))[0] == 0
    assert run(app, "certificates", "verify", str(changed))[0] == 1


def test_a_certificate_changed_in_the_database_is_noticed(app: Flask, db: DbSession) -> None:
    decided_session(db)
    certificate = db.scalars(select(Certificate)).one()
    certificate.content = certificate.content | {"person_name": "Somebody Else"}
    number = certificate.number
    db.commit()

    status, words = run(app, "certificates", "verify", number)

    assert status == 1
    assert "its stored content does not match its digest" in words


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
