"""A process of the service says that it lives."""

import socket
import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path

from webinar.db import open_db
from webinar.services import processes

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
