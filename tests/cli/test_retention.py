"""What is kept and forgotten, and who is erased, from the command line."""

from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import func, select

from tests.builders import make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.retention import RECORDINGS, RULES, RetentionKind
from webinar.models import AuditEvent, RetentionRun, User
from webinar.services import retention


def run(app: Flask, *args: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=list(args))
    return result.exit_code, result.output


def make_old_unproved(db: DbSession) -> User:
    user = make_user(db, verified=False)
    user.created_at = datetime.now(UTC) - timedelta(days=31)
    db.commit()
    return user


def people(db: DbSession) -> int:
    count = db.scalar(select(func.count(User.id))) or 0
    db.rollback()
    return count


def test_every_kind_is_listed_with_how_long_and_what_was_done(app: Flask, db: DbSession) -> None:
    retention.note(
        db,
        RetentionKind.MAILS,
        older_than=datetime(2026, 1, 1, tzinfo=UTC),
        deleted=7,
        left_over=0,
        now=datetime(2027, 2, 3, 4, 5, tzinfo=UTC),
    )
    db.commit()

    status, output = run(app, "retention", "list")

    lines = output.splitlines()
    assert (status, len(lines)) == (0, len(RULES) + len(RECORDINGS))
    assert (
        "mail log: 400 days (WEBINAR_KEEP_MAIL_DAYS); "
        "last 2027-02-03 04:05 UTC: 7 deleted, 0 left over"
    ) in lines
    assert "evidence: 10 years (WEBINAR_KEEP_EVIDENCE_YEARS); never run" in lines


def test_a_dry_run_says_what_would_go_and_deletes_nothing(app: Flask, db: DbSession) -> None:
    make_old_unproved(db)

    status, output = run(app, "retention", "run", "unproved accounts", "--dry-run")

    assert status == 0
    assert output.startswith("unproved accounts: 1 rows older than ")
    assert people(db) == 1
    assert db.scalars(select(RetentionRun)).all() == []


def test_a_run_forgets_and_says_what(app: Flask, db: DbSession) -> None:
    make_old_unproved(db)

    status, output = run(app, "retention", "run")

    assert status == 0
    assert "unproved accounts: 1 deleted, 0 left over" in output.splitlines()
    assert len(output.splitlines()) == len(RULES)
    assert people(db) == 0


def test_a_kind_there_is_not_is_refused_with_those_there_are(app: Flask) -> None:
    status, output = run(app, "retention", "run", "cookies")

    assert status == 1
    assert "There is no kind 'cookies'. Kinds are: unproved accounts, " in output


def test_somebody_is_erased_only_when_it_is_said_twice(app: Flask, db: DbSession) -> None:
    make_user(db, "anna@example.net")
    admin = make_user(db, "chief@example.net", roles=(Role.ADMINISTRATOR,))
    db.commit()
    words = (
        "users",
        "erase",
        "anna@example.net",
        "--reason",
        "letter of 3 May",
        "--by",
        admin.email,
    )

    asked = run(app, *words)
    done = run(app, *words, "--yes")

    assert asked == (
        0,
        "Dr Anna Keller <anna@example.net> would be erased. Say --yes to do it.\n",
    )
    assert done[0] == 0
    event = db.scalars(select(AuditEvent).where(AuditEvent.action == "account erased")).one()
    assert (event.actor_id, event.reason) == (admin.id, "letter of 3 May")
    assert db.scalars(select(User.erased_at).where(User.email == "anna@example.net")).all() == []


def test_the_only_administrator_is_not_erased(app: Flask, db: DbSession) -> None:
    make_user(db, "chief@example.net", roles=(Role.ADMINISTRATOR,))
    db.commit()

    status, output = run(app, "users", "erase", "chief@example.net", "--reason", "left", "--yes")

    assert (status, "Make somebody else an administrator first." in output) == (1, True)
