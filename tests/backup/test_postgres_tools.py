"""PostgreSQL's programs: one that suits the server, or a sentence that says which to install."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from webinar.backup import postgres_tools
from webinar.backup.postgres_tools import ToolMissing, tool_for


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with versions 15 and 17, as Debian keeps them, the older one on the path."""
    for major in (15, 17):
        program = tmp_path / str(major) / "bin" / "pg_dump"
        program.parent.mkdir(parents=True)
        program.write_text(
            f'#!/bin/sh\necho "pg_dump (PostgreSQL) {major}.4 (Debian {major}.4-1)"\n'
        )
        program.chmod(0o755)
    monkeypatch.setattr(postgres_tools, "INSTALLED", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "15" / "bin"))
    return tmp_path


@pytest.mark.parametrize(("server", "chosen"), [(14, 15), (15, 15), (16, 17), (17, 17)])
def test_the_oldest_that_is_not_too_old_is_taken(installed: Path, server: int, chosen: int) -> None:
    assert tool_for("pg_dump", at_least=server).major == chosen


def test_one_that_is_too_old_is_refused_with_what_to_install(installed: Path) -> None:
    with pytest.raises(ToolMissing) as refusal:
        tool_for("pg_dump", at_least=18)

    assert str(refusal.value) == (
        "The database is PostgreSQL 18, and of its program pg_dump this machine has: 15, 17. "
        "Install the package postgresql-client-18."
    )


def test_a_password_does_not_stand_on_the_command_line(tmp_path: Path) -> None:
    said = tmp_path / "said"
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\necho "$* and $PGPASSWORD" > {said}\n')
    program.chmod(0o755)
    url = make_url("postgresql+psycopg://ann:se%3Acret@db.example:5433/webinar?sslmode=require")

    with postgres_tools.PostgresTool(program, 18).start(url, ["-v"], stdin=None, stdout=None) as it:
        it.wait()

    assert said.read_text() == (
        "-v --dbname=postgresql://ann@db.example:5433/webinar?sslmode=require and se:cret\n"
    )
