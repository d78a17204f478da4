"""A process of the service says that it lives."""

import logging
import socket
import threading
import tomllib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from webinar.db import is_read_only, open_db
from webinar.jobs.workers import own_name
from webinar.services import processes

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[2]


@cache
def release() -> str:
    """Which release of the program this is."""
    try:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    except FileNotFoundError:
        return "unknown"
    return str(project["project"]["version"])


def say(owner: str, role: str, *, started_at: datetime, now: datetime) -> None:
    """I live."""
    with open_db.begin() as db:
        processes.seen(
            db,
            owner=owner,
            role=role,
            host=socket.gethostname(),
            release=release(),
            started_at=started_at,
            now=now,
        )


def say_goodbye(owner: str) -> None:
    """I end, as I was told to."""
    with open_db.begin() as db:
        processes.gone(db, owner=owner)


class SignOfLife:
    """Says in a thread of its own that this process lives, from start to stop."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._owner = own_name()
        self._started_at = datetime.now(UTC)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sign-of-life", daemon=True)

    def start(self) -> None:
        """Begin; at once for the first time."""
        self._thread.start()

    def stop(self) -> None:
        """This process ends."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            try:
                if not is_read_only():
                    now = datetime.now(UTC)
                    say(self._owner, self._role, started_at=self._started_at, now=now)
            except SQLAlchemyError:
                log.warning("the database does not hear that this process lives")
            if self._end.wait(processes.SAID_EVERY.total_seconds()):
                break
        try:
            if not is_read_only():
                say_goodbye(self._owner)
        except SQLAlchemyError:
            log.warning("the database does not hear that this process ends")
