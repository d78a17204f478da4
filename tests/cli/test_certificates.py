"""Certificates verified from the command line: by number, by file, and without the register."""

from pathlib import Path

from flask import Flask
from sqlalchemy import select

from config import Config
from tests.certificate_samples import CONTENT, sample_keys, sample_paper
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant
from webinar.db import DbSession
from webinar.models import Certificate, CertificatePaper
from webinar.services import certificate_papers, certificates, credits
from webinar.tools import certificate_press


def issued(db: DbSession) -> Certificate:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    make_attendee(db, session)
    credits.decide_session(db, session.id, public_url="https://webinar.example", now=AFTER)
    db.commit()
    return db.scalars(select(Certificate)).one()


def paper_in(db: DbSession, config: Config, certificate: Certificate) -> bytes:
    press = certificate_press(config)
    made = press.paper(
        certificates.content_of(certificate), issued_at=certificate.issued_at, now=AFTER
    )
    kept = certificate_papers.keep(db, certificate, made, now=AFTER)
    db.commit()
    return kept.pdf


def run(app: Flask, *args: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=list(args))
    return result.exit_code, result.output


def test_a_genuine_number_is_told_from_one_of_nobodys(app: Flask, db: DbSession) -> None:
    number = issued(db).number
    db.commit()

    genuine = run(app, "certificates", "verify", number)
    unknown = run(app, "certificates", "verify", "WCS-0000-0000-0000")

    assert genuine[0] == 0
    assert genuine[1].startswith(f"{number} is genuine.\nDr Anna Keller; ")
    assert unknown[0] == 1
    assert "We have not issued" in unknown[1]


def test_a_file_is_genuine_to_the_last_byte_or_not_at_all(
    app: Flask, db: DbSession, config: Config, tmp_path: Path
) -> None:
    pdf = paper_in(db, config, issued(db))
    ours, changed = tmp_path / "ours.pdf", tmp_path / "changed.pdf"
    ours.write_bytes(pdf)
    changed.write_bytes(pdf + b"\n")

    assert run(app, "certificates", "verify", str(ours))[0] == 0
    status, words = run(app, "certificates", "verify", str(changed))

    assert status == 1
    assert "something was added or lost" in words


def test_an_extract_is_known_by_its_signature(
    app: Flask, db: DbSession, config: Config, tmp_path: Path
) -> None:
    certificate = issued(db)
    extract = tmp_path / "extract.pdf"
    content = certificates.content_of(certificate)
    extract.write_bytes(certificate_press(config).extract(content, 0, now=AFTER))

    status, words = run(app, "certificates", "verify", str(extract))

    assert (status, words.splitlines()[0]) == (0, f"{certificate.number} is genuine.")


def test_a_revoked_certificates_file_is_ours_and_worth_nothing(
    app: Flask, db: DbSession, config: Config, tmp_path: Path
) -> None:
    certificate = issued(db)
    file = tmp_path / "ours.pdf"
    file.write_bytes(paper_in(db, config, certificate))
    certificates.revoke(db, certificate.number, actor_id=None, reason="In error.", now=AFTER)
    db.commit()

    status, words = run(app, "certificates", "verify", str(file))

    assert status == 1
    assert words.startswith(f"{certificate.number} is revoked: In error.")


def test_a_certificate_changed_in_the_database_is_noticed(app: Flask, db: DbSession) -> None:
    certificate = issued(db)
    certificate.content = certificate.content | {"person_name": "Somebody Else"}
    number = certificate.number
    db.commit()

    status, words = run(app, "certificates", "verify", number)

    assert status == 1
    assert "its stored content does not match its digest" in words


def test_published_certificates_are_enough_to_check_a_file(app: Flask, tmp_path: Path) -> None:
    file, keys = tmp_path / "certificate.pdf", tmp_path / "keys.pem"
    file.write_bytes(sample_paper().pdf)
    keys.write_bytes(sample_keys().published_pem())

    status, words = run(app, "certificates", "verify", str(file), "--cert", str(keys))

    assert status == 0
    assert words.startswith(
        f"{CONTENT.number} is unchanged since Demo School of Oncology signed it on "
        "26 November 2026, 19:30 UTC"
    )


def test_a_file_of_another_key_does_not_pass_offline(app: Flask, tmp_path: Path) -> None:
    file, keys = tmp_path / "certificate.pdf", tmp_path / "keys.pem"
    file.write_bytes(sample_paper().pdf)
    keys.write_text(run(app, "certificates", "keys")[1])

    status, words = run(app, "certificates", "verify", str(file), "--cert", str(keys))

    assert status == 1
    assert "signed with another key" in words


def test_a_new_key_is_published_beside_the_former_one(app: Flask) -> None:
    before = run(app, "certificates", "keys")[1]

    status, words = run(app, "certificates", "rotate-key")
    after = run(app, "certificates", "keys")[1]

    assert (status, words.split()[:5]) == (0, ["New", "signatures", "are", "made", "with"])
    assert before.count("BEGIN CERTIFICATE") == 1
    assert after.count("BEGIN CERTIFICATE") == 2
    assert before in after


def test_a_badge_is_genuine_as_long_as_nobody_changed_a_letter(
    app: Flask, db: DbSession, config: Config, tmp_path: Path
) -> None:
    certificate = issued(db)
    paper_in(db, config, certificate)
    badge = db.scalars(select(CertificatePaper)).one().badge
    head, payload, signature = badge.split(".")
    ours, changed, keys = tmp_path / "ours.jwt", tmp_path / "changed.jwt", tmp_path / "keys.pem"
    ours.write_text(f"{badge}\n")
    changed.write_text(f"{head}.{payload[:-4]}AAAA.{signature}")
    keys.write_text(run(app, "certificates", "keys")[1])

    genuine = run(app, "certificates", "verify", str(ours))
    offline = run(app, "certificates", "verify", str(ours), "--cert", str(keys))
    forged = run(app, "certificates", "verify", str(changed))

    assert genuine[0] == 0
    assert genuine[1].startswith(f"{certificate.number} is genuine.\n")
    assert offline[0] == 0
    assert offline[1].startswith("One of these keys signed this badge as it is.\n")
    assert forged[0] == 1
    assert "was not signed with one of our keys" in forged[1]
