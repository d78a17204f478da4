"""What a backup says about itself: at its beginning, and at its end."""

import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from webinar.backup.sealed import DamagedBackup
from webinar.db import DbSession
from webinar.domain.backup import BackupKind
from webinar.models import (
    AuditEvent,
    BackupRun,
    Certificate,
    Delivery,
    EvidenceChain,
    Recording,
    User,
    WebinarSession,
)

FORMAT = 1


@dataclass(frozen=True)
class About:
    """The first thing in a backup: what it is, when it was taken, and of what.

    `database` is "sqlite" or "postgresql", "" in a backup of keys. `secret_mark` tells whether
    SECRET_KEY is still that of the keys and sealed words in it, and not what it is.
    """

    kind: BackupKind
    taken_at: datetime
    secret_mark: str
    database: str = ""
    server: str = ""
    tool: int = 0
    schema: str = ""
    has_media: bool = False

    def to_json(self) -> bytes:
        """As it is written."""
        taken_at = self.taken_at.astimezone(UTC).isoformat()
        return _written(asdict(self) | {"format": FORMAT, "taken_at": taken_at})

    @classmethod
    def from_json(cls, data: bytes) -> "About":
        """As it was written; raises DamagedBackup, also for one of a later form."""
        try:
            said = json.loads(data)
            if said.pop("format") != FORMAT:
                raise DamagedBackup(
                    "The backup was made by a newer version. Update this one first."
                )
            said["kind"] = BackupKind(said["kind"])
            said["taken_at"] = datetime.fromisoformat(said["taken_at"])
            return cls(**said)
        except (ValueError, TypeError, KeyError, AttributeError) as wrong:
            raise DamagedBackup("The backup does not say what it is.") from wrong


@dataclass(frozen=True)
class Head:
    """Where the evidence chain of one session ended."""

    session: str
    length: int
    head: str


@dataclass(frozen=True)
class Trail:
    """Where the audit trail ended; 0 and "" while it is empty."""

    last_id: int
    last_hash: str


@dataclass(frozen=True)
class Manifest:
    """The last thing in a backup: what must be in it, so that nothing can be missing."""

    parts: int
    size: int
    digest: str
    trail: Trail
    chains: int
    counts: dict[str, int]
    media_files: int = 0
    media_missing: int = 0
    left_out: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """As it is written."""
        return _written(asdict(self))

    @classmethod
    def from_json(cls, data: bytes) -> "Manifest":
        """As it was written; raises DamagedBackup."""
        try:
            said = json.loads(data)
            said["trail"] = Trail(**said["trail"])
            said["left_out"] = tuple(said["left_out"])
            return cls(**said)
        except (ValueError, TypeError, KeyError, AttributeError) as wrong:
            raise DamagedBackup("The manifest of the backup cannot be read.") from wrong


def secret_mark(secret: str) -> str:
    """Tells two secrets apart, and neither of them from any other."""
    return hmac.digest(secret.encode(), b"webinar backup 1", "sha256").hex()[:16]


def heads_in(db: DbSession) -> Iterator[Head]:
    """The end of every session's chain, by the sessions' public ids."""
    rows = db.execute(
        select(WebinarSession.public_id, EvidenceChain.length, EvidenceChain.head)
        .join(WebinarSession, WebinarSession.id == EvidenceChain.session_id)
        .order_by(WebinarSession.public_id)
    )
    for public_id, length, head in rows:
        yield Head(public_id, length, head)


def heads_written(heads: Iterable[Head]) -> bytes:
    """One line of JSON for each."""
    return b"".join(json.dumps(asdict(head)).encode() + b"\n" for head in heads)


def heads_read(data: bytes) -> list[Head]:
    """As they were written; raises DamagedBackup."""
    try:
        return [Head(**json.loads(line)) for line in data.splitlines()]
    except (ValueError, TypeError) as wrong:
        raise DamagedBackup("The heads of evidence in the backup cannot be read.") from wrong


def trail_in(db: DbSession) -> Trail:
    """Where the audit trail ends."""
    row = db.execute(
        select(AuditEvent.id, AuditEvent.hash).order_by(AuditEvent.id.desc()).limit(1)
    ).one_or_none()
    return Trail(0, "") if row is None else Trail(row.id, row.hash)


def counts_in(db: DbSession) -> dict[str, int]:
    """How much there is of what people would miss first."""
    tables = {
        "accounts": User,
        "sessions": WebinarSession,
        "recordings": Recording,
        "certificates": Certificate,
        "mails": Delivery,
        "backups": BackupRun,
    }
    return {
        name: db.scalar(select(func.count()).select_from(table)) or 0
        for name, table in tables.items()
    }


def _written(said: dict[str, object]) -> bytes:
    return json.dumps(said, indent=1, sort_keys=True).encode() + b"\n"
