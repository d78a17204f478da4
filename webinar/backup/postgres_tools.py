"""PostgreSQL's own programs, of a version that suits the server; their home, and the password's."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from webinar.domain.errors import DomainError

INSTALLED = Path("/usr/lib/postgresql")  # where Debian keeps each version
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


class ToolMissing(DomainError):
    """pg_dump or pg_restore is not here, or too old for the server."""

    status = 500


class ToolFailed(DomainError):
    """pg_dump or pg_restore stopped with an error."""

    status = 500


@dataclass(frozen=True)
class PostgresTool:
    """One program of PostgreSQL, and its major version."""

    path: Path
    major: int

    def start(
        self, url: URL, options: list[str], *, stdin: int | None, stdout: int | None
    ) -> subprocess.Popen[bytes]:
        """Start it on this database. The password goes by the environment: other people on the
        machine see what stands on a command line."""
        return subprocess.Popen(
            [str(self.path), *options, f"--dbname={_address(url)}"],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {}),
        )


def tool_for(name: str, *, at_least: int) -> PostgresTool:
    """The oldest that is not older than `at_least`, the server's major version.

    A newer one works, but may write what an older server does not know. Raises ToolMissing.
    """
    found = list(_installed(name))
    fitting = [tool for tool in found if tool.major >= at_least]
    if fitting:
        return min(fitting, key=lambda tool: tool.major)
    here = ", ".join(str(major) for major in sorted({tool.major for tool in found})) or "none"
    raise ToolMissing(
        f"The database is PostgreSQL {at_least}, and of its program {name} this machine has: "
        f"{here}. Install the package postgresql-client-{at_least}."
    )


def failure_of(process: subprocess.Popen[bytes], name: str) -> ToolFailed:
    """What the program said when it stopped, for a person; its output must be closed by now."""
    said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
    return ToolFailed(f"{name} stopped: {said.splitlines()[-1] if said else 'it does not say why'}")


def _installed(name: str) -> Iterator[PostgresTool]:
    candidates = [Path(found)] if (found := shutil.which(name)) else []
    candidates += sorted(INSTALLED.glob(f"*/bin/{name}"))
    for path in candidates:
        try:
            said = subprocess.run(
                [str(path), "--version"], capture_output=True, text=True, check=True, timeout=20
            ).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        if version := VERSION.search(said):
            yield PostgresTool(path, int(version[1]))


def _address(url: URL) -> str:
    """The database as libpq writes it, without the password."""
    named = URL.create(
        "postgresql",
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query={name: value for name, value in url.query.items() if name != "password"},
    )
    return named.render_as_string(hide_password=False)
