"""Backups from the command line: a key, a backup, a list, and what is refused."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from config import Config
from tests.components.programs import find_postgres_folder
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant
from webinar.app import create_app
from webinar.db import DbSession
from webinar.models import Certificate, CertificatePaper
from webinar.services import certificate_papers, certificates, credits
from webinar.tools import certificate_press


@pytest.fixture(autouse=True)
def _programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{find_postgres_folder()}{os.pathsep}{os.environ['PATH']}")


def run(app: Flask, *args: object) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=[str(arg) for arg in args])
    return result.exit_code, result.output


@pytest.fixture
def ready(config: Config, db: DbSession, tmp_path: Path) -> Flask:
    """An application with a recipient and a folder; its key is `backup.key`."""
    db.rollback()
    _, said = run(create_app(config), "backup", "identity", tmp_path / "backup.key")
    recipient = said.splitlines()[0].removeprefix("WEBINAR_BACKUP_RECIPIENT=")
    folder = str(tmp_path / "backups")
    return create_app(replace(config, BACKUP_RECIPIENT=recipient, BACKUP_DIR=folder))


def test_a_key_is_made_once_and_for_its_owner_alone(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "backup.key"

    made = run(app, "backup", "identity", file)
    again = run(app, "backup", "identity", file)

    assert made[0] == 0
    assert made[1].startswith("WEBINAR_BACKUP_RECIPIENT=age1")
    assert file.stat().st_mode & 0o777 == 0o600
    assert again == (1, f"Error: {file} is there already; it is not replaced.\n")


def test_a_backup_is_taken_listed_and_known_by_its_sum(ready: Flask, tmp_path: Path) -> None:
    status, said = run(ready, "backup")
    file = Path(said.splitlines()[0])

    listed = run(ready, "backup", "list")
    known = run(ready, "backup", "check", file)
    read = run(ready, "backup", "check", file, "--identity", tmp_path / "backup.key", "--here")
    file.write_bytes(file.read_bytes() + b"x")
    changed = run(ready, "backup", "check", file)

    assert status == 0
    assert str(file) in listed[1]
    assert known[1].startswith("Unchanged since it was written on ")
    assert read[0] == 0
    assert read[1].startswith("Whole: ")
    assert changed[0] == 1
    assert "is of no backup this database knows" in changed[1]


def test_what_is_not_said_is_asked_for(app: Flask, ready: Flask, tmp_path: Path) -> None:
    nowhere = run(app, "backup")
    no_recipient = run(app, "backup", "--to", tmp_path / "there")
    no_key_folder = run(ready, "backup", "--keys")
    nothing = run(ready, "restore", "--identity", tmp_path / "backup.key")

    assert nowhere == (1, "Error: Say where with --to, or set WEBINAR_BACKUP_DIR.\n")
    assert no_recipient[1].startswith("Error: No backup is taken unencrypted.")
    assert no_key_folder == (1, "Error: Say where with --to, or set WEBINAR_KEYS_BACKUP_DIR.\n")
    assert nothing == (1, "Error: Give the file of a backup, or --keys, or both.\n")
    assert "failed: No backup is taken unencrypted." in run(ready, "backup", "list")[1]


def test_every_certificate_is_held_against_what_was_issued(
    app: Flask, db: DbSession, config: Config
) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    for name in ("Dr Anna Keller", "Dr Bruno Meier"):
        make_attendee(db, session, name=name)
    credits.decide_session(db, session.id, public_url=config.PUBLIC_URL, now=AFTER)
    first, second = db.query(Certificate).order_by(Certificate.id).all()
    for one in (first, second):
        paper = certificate_press(config).paper(
            certificates.content_of(one), issued_at=one.issued_at, now=AFTER
        )
        certificate_papers.keep(db, one, paper, now=AFTER)
    numbers = first.number, second.number
    db.commit()

    whole = run(app, "certificates", "check")
    first.content = first.content | {"person_name": "Somebody Else"}
    db.get_one(CertificatePaper, second.id).pdf = b"%PDF-1.7 another"
    db.commit()
    changed = run(app, "certificates", "check")

    assert whole == (0, "2 certificates and 2 papers checked, findings: 0.\n")
    assert changed[0] == 1
    assert changed[1].splitlines() == [
        f"{numbers[0]}: it does not say what it said when it was issued",
        f"{numbers[1]}: its paper is not as it was signed (This file is not signed.)",
        "2 certificates and 2 papers checked, findings: 2.",
    ]
