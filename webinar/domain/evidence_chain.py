"""The chain of a session's evidence: each link holds the hash of the one before it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from webinar.domain.canonical import canonical_json

GENESIS = "0" * 64
"""What stands before the first link."""


class LinkKind(StrEnum):
    """What a link vouches for; its `subject` is the row's id."""

    VIEWING = "viewing"
    """A viewing pass with all its segments, when no beat can change it any more."""
    VISIT = "visit"
    IMPORT = "import"
    INCIDENT = "incident"
    CORRECTION = "correction"
    CHECK = "check"
    ATTEMPT = "attempt"
    DECISION = "decision"
    CERTIFICATE = "certificate"
    CLOSED = "closed"
    """The live evidence is complete: nothing of it can be added from here on."""
    FORGOTTEN = "forgotten"
    """Its time is over: what was vouched for of the kinds in FORGETTABLE may be gone since then."""


FORGETTABLE = (
    LinkKind.VIEWING,
    LinkKind.VISIT,
    LinkKind.IMPORT,
    LinkKind.CHECK,
    LinkKind.ATTEMPT,
)
"""The raw evidence. What people decided, and what was issued upon it, is never forgotten."""


@dataclass(frozen=True)
class NewLink:
    """What is to be vouched for: `digest` is SHA-256 in hexadecimal over the row's facts."""

    kind: LinkKind
    subject: str
    digest: str


def digest_of(facts: object) -> str:
    """SHA-256 of the canonical JSON of facts: dataclasses, mappings, tuples, instants."""
    return hashlib.sha256(canonical_json(facts).encode()).hexdigest()


def link_hash(previous: str, number: int, link: NewLink, at: datetime) -> str:
    """The hash of a link: `previous|number|kind|subject|digest|instant in UTC`, as SHA-256."""
    text = "|".join(
        (
            previous,
            str(number),
            link.kind.value,
            link.subject,
            link.digest,
            at.astimezone(UTC).isoformat(),
        )
    )
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_forgetting(session_id: int, covered: Iterable[tuple[LinkKind, str, str]]) -> str:
    """Over (kind, subject, digest) of every row that may be gone from here on, in any order."""
    lines = "\n".join(
        sorted(f"{kind.value}|{subject}|{digest}" for kind, subject, digest in covered)
    )
    return hashlib.sha256(f"{session_id}\n{lines}".encode()).hexdigest()
