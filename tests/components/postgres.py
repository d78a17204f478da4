"""A real PostgreSQL for the tests: own data folder, own port, gone when the tests are."""

import itertools
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql

from tests.components.programs import find_postgres_folder
from tests.components.servers import GuardedServer, ServerDied, ServerFolder, free_port, other_user

USER = "webinar"
# A database that need not outlive a power cut is several times faster.
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresServer:
    """`with PostgresServer() as server: url = server.create_database()`.

    With `durable=True` the server writes as in production, for tests that kill it.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._settings = {
            "max_connections": "100",
            "shared_buffers": "32MB",
            "unix_socket_directories": "",
            "listen_addresses": "127.0.0.1",
        } | ({} if durable else _CARELESS)
        self._password = secrets.token_urlsafe(12)
        self._port = 0
        self._numbers = itertools.count(1)
        self._inside: dict[str, psycopg.Connection[tuple[Any, ...]]] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except ServerDied:  # somebody took the port between our looking and listening
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        for connection in (self._admin, *self._inside.values()):
            connection.close()
        self._server.stop()

    def url(self, database: str) -> str:
        """The address of one database for SQLAlchemy."""
        return f"postgresql+psycopg://{USER}:{self._password}@127.0.0.1:{self._port}/{database}"

    def create_database(self, *, template: str = "") -> str:
        """A new database; returns its URL.

        `template` is the URL of a database to copy, to which nobody may be connected.
        """
        name = f"test_{next(self._numbers)}"
        self._admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(_name_in(template) or "template1")
            )
        )
        return self.url(name)

    def empty_database(self, url: str) -> None:
        """Delete every row and begin the numbers anew; the schema and its version stay.

        Much faster than another copy of the template, and leaves no copies on the disk.
        """
        name = _name_in(url)
        if name not in self._inside:
            self._inside[name] = self._connect(name)
            # Rows go in any order, without asking after their foreign keys.
            self._inside[name].execute("SET session_replication_role = replica")
            self._inside[name].execute("SET lock_timeout = '20s'")
        inside = self._inside[name]
        tables = inside.execute(
            "SELECT tablename FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        ).fetchall()
        numbers = inside.execute(
            "SELECT sequencename FROM pg_sequences"
            " WHERE schemaname = 'public' AND last_value IS NOT NULL"
        ).fetchall()
        deletes = [sql.SQL("DELETE FROM {}").format(sql.Identifier(row[0])) for row in tables]
        restarts = [
            sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(row[0])) for row in numbers
        ]
        inside.execute(sql.SQL("; ").join([*deletes, *restarts]))

    def drop_database(self, url: str) -> None:
        """Remove a database, closing the connections to it."""
        name = sql.Identifier(_name_in(url))
        self._admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def _start(self) -> None:
        self._port = free_port()
        folder = ServerFolder("postgres", owner=other_user())
        try:
            programs = programs_for(folder)
            make_cluster(programs, folder, self._password)
        except BaseException:
            folder.remove()
            raise
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        command = [programs / "postgres", "-D", folder.path / "data", "-p", str(self._port)]
        # SIGINT is PostgreSQL's "fast": it ends its connections and stops.
        self._server = GuardedServer([*command, *options], folder, stop_signal="SIGINT")
        self._server.wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            self._admin = self._connect("postgres")
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            f"host=127.0.0.1 port={self._port} user={USER} dbname={database}",
            password=self._password,
            autocommit=True,
            connect_timeout=5,
            application_name="the tests themselves",
        )


def programs_for(folder: ServerFolder) -> Path:
    """The programs, where the owner of the folder can start them."""
    programs = find_postgres_folder()
    try:
        subprocess.run(
            [programs / "postgres", "--version"],
            cwd=folder.path,
            check=True,
            capture_output=True,
            **identity(folder),
        )
    except PermissionError:
        # Root's checkout lies where nobody else may look (/root): take a copy outside.
        # Its libraries lie beside the package, and the programs look for them there.
        package = programs.parents[1]
        outside = folder.path / "programs"
        for part in (programs.parent, package.with_name(f"{package.name}.libs")):
            inside = part.relative_to(package.parent)
            shutil.copytree(part, outside / inside, symlinks=True)
        return outside / programs.relative_to(package.parent)
    return programs


def make_cluster(programs: Path, folder: ServerFolder, password: str) -> None:
    """An empty cluster in data/ of the folder, with one user who has this password."""
    password_file = folder.path / "password"
    password_file.write_text(password)
    if folder.owner:
        password_file.chmod(0o644)  # inside a folder that is closed to others
    result = subprocess.run(
        [
            *(programs / "initdb", "-D", folder.path / "data", "-U", USER),
            *("--encoding=UTF8", "--locale=C", "--no-sync", "--auth=scram-sha-256"),
            *("--pwfile", password_file),
        ],
        cwd=folder.path,
        capture_output=True,
        text=True,
        **identity(folder),
    )
    if result.returncode != 0:
        raise ServerDied(result.stdout + result.stderr)


def identity(folder: ServerFolder) -> dict[str, object]:
    if folder.owner is None:
        return {}
    return {"user": folder.owner.pw_uid, "group": folder.owner.pw_gid, "extra_groups": []}


def _name_in(url: str) -> str:
    return url.rpartition("/")[2]
