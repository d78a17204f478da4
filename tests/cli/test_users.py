from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.letter import MailKind
from webinar.models import User
from webinar.services import links


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=list(words))
    return result.exit_code, result.output


def add(app: Flask, email: str = "anna@example.net") -> tuple[int, str]:
    return run(app, "users", "add", email, "--name", "Dr Anna Keller", "--role", "organiser")


def test_a_person_is_added_with_a_role_and_a_link_that_works(app: Flask, db: DbSession) -> None:
    code, printed = add(app)

    user = db.scalars(select(User)).one()
    token = printed.split("/sign-in/")[1].strip()
    assert (code, user.is_active, user.roles) == (0, True, {Role.ORGANISER, Role.PARTICIPANT})
    assert links.look_up(db, token, now=datetime.now(UTC)).user == user


def test_a_person_is_not_added_twice(app: Flask) -> None:
    add(app)

    code, printed = add(app, "Anna@example.net")

    assert code == 1
    assert printed == "Error: There is an account for anna@example.net already.\n"


def test_roles_are_given_and_taken(app: Flask) -> None:
    add(app)

    given = run(app, "users", "set-role", "anna@example.net", "moderator")
    taken = run(app, "users", "set-role", "anna@example.net", "organiser", "--remove")

    assert given == (0, "anna@example.net: moderator, organiser, participant\n")
    assert taken == (0, "anna@example.net: moderator, participant\n")


def test_a_link_for_nobody_is_refused_in_a_sentence(app: Flask) -> None:
    code, printed = run(app, "users", "token", "nobody@example.net")

    assert (code, printed) == (1, "Error: Nobody has the e-mail nobody@example.net.\n")


def test_a_link_is_printed_under_the_sites_own_address(app: Flask) -> None:
    add(app)

    code, printed = run(app, "users", "token", "anna@example.net")

    assert code == 0
    assert printed.startswith("http://localhost/sign-in/")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", MailKind)
def test_every_mail_can_be_previewed(app: Flask, kind: MailKind) -> None:
    code, printed = run(app, "mail", "preview", kind.value)

    assert code == 0
    assert printed.startswith("Subject: ")
    assert "--- HTML ---" in printed
