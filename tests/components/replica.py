"""A real streaming replica of the tests' PostgreSQL: follows it, and can be promoted."""

import subprocess
from pathlib import Path
from typing import Self

import psycopg
from sqlalchemy import make_url

from tests.components.postgres import PostgresServer, identity, programs_for
from tests.components.servers import GuardedServer, ServerDied, ServerFolder, free_port, other_user


class Replica:
    """`with Replica(server, url) as replica: replica.url` is the same database, only to be read."""

    def __init__(self, primary: PostgresServer, url: str) -> None:
        self._primary = make_url(url)
        self._port = 0
        self._settings = {
            "max_connections": "100",
            "unix_socket_directories": "",
            "listen_addresses": "127.0.0.1",
            "hot_standby_feedback": "on",
        }

    def __enter__(self) -> Self:
        self._port = free_port()
        folder = ServerFolder("replica", owner=other_user())
        try:
            programs = programs_for(folder)
            self._copy(programs / "pg_basebackup", folder)
        except BaseException:
            folder.remove()
            raise
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        command = [programs / "postgres", "-D", folder.path / "data", "-p", str(self._port)]
        self._server = GuardedServer([*command, *options], folder, stop_signal="SIGINT")
        self._server.wait_until(self._answers)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        """The address of the database here."""
        return self._primary.set(port=self._port).render_as_string(hide_password=False)

    def promote(self) -> None:
        """Make it a primary of its own; returns when it takes changes."""
        self._ask("SELECT pg_promote(true, 30)")

    def has_caught_up(self, position: str) -> bool:
        """True once everything up to this place in the log was replayed."""
        return bool(self._ask(f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn"))

    def _ask(self, question: str) -> object:
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            row = connection.execute(question).fetchone()
            return row[0] if row else None

    def _answers(self) -> bool:
        try:
            return bool(self._ask("SELECT pg_is_in_recovery()"))
        except psycopg.OperationalError:
            return False

    def _copy(self, program: Path, folder: ServerFolder) -> None:
        address = (
            f"host=127.0.0.1 port={self._primary.port} user={self._primary.username}"
            f" password={self._primary.password}"
        )
        result = subprocess.run(
            [
                *(program, "-d", address, "-D", folder.path / "data"),
                *("--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream"),
                "--no-sync",
            ],
            cwd=folder.path,
            capture_output=True,
            text=True,
            **identity(folder),
        )
        if result.returncode != 0:
            raise ServerDied(result.stdout + result.stderr)
