"""The record of a destroyed recording as PDF, for the data protection officer (PDF/UA-1, A-2a)."""

from datetime import datetime

from webinar.documents.archive_pdf import archive_pdf
from webinar.domain.destruction import WHAT_REMAINS, DestructionRecord
from webinar.domain.wording import deadline, grouped, iso_utc, plural


def destruction_pdf(record: DestructionRecord) -> bytes:
    """The record; the same content gives the same bytes. Raises UnprintableText."""
    return archive_pdf(
        "destruction.typ",
        "record",
        _words(record),
        otherwise="The command `flask recordings destroyed` prints the same facts.",
    )


def facts_in_words(record: DestructionRecord) -> list[tuple[str, str]]:
    """Label and value, in the order in which they are read: the page and the paper say the same."""
    facts = record.facts
    lines = [
        ("Session", facts.session),
        ("Society", ", ".join(part for part in (facts.society, facts.series) if part)),
        ("Held", f"{_both(facts.starts_at, facts.zone)} to {deadline(facts.ended_at, facts.zone)}"),
        ("Recording", facts.recording),
    ]
    if facts.opened_at is not None and facts.closed_at is not None:
        lines += [
            ("Could be watched from", _both(facts.opened_at, facts.zone)),
            ("Closed", _both(facts.closed_at, facts.zone)),
        ]
    else:
        lines.append(("Published", "never"))
    if facts.extensions and facts.last_end is not None:
        lines.append(
            (
                "Extensions",
                f"{plural(facts.extensions, 'extension')}; the last ended "
                f"{_both(facts.last_end, facts.zone)}",
            )
        )
    elif facts.opened_at is not None:
        lines.append(("Extensions", "none"))
    lines += [
        (
            "Keys destroyed",
            f"{plural(record.keys, 'key')}; {_both(record.keys_destroyed_at, facts.zone)}",
        ),
        ("Raw takes deleted", str(record.takes)),
        ("Also deleted", "captions, slides and the poster, with the keys"),
        (
            "Encrypted segments",
            f"{plural(record.segments, 'segment')}, {grouped(record.bytes)} bytes; "
            + _media(record.media_deleted_at, record.media_due_at, facts.zone),
        ),
        (
            "Last looked for remains",
            _both(record.checked_at, facts.zone) if record.checked_at else "not yet",
        ),
        ("Decided by", facts.decided_by or ("a command" if facts.reason else "the clock")),
    ]
    if facts.reason:
        lines.append(("Reason", facts.reason))
    return lines


def _words(record: DestructionRecord) -> dict[str, object]:
    issued = record.keys_destroyed_at
    return {
        "number": record.number,
        "provider": record.provider,
        "session": record.facts.session,
        "lines": [list(line) for line in facts_in_words(record)],
        "remains": list(WHAT_REMAINS),
        "year": issued.year,
        "month": issued.month,
        "day": issued.day,
    }


def _media(deleted_at: datetime | None, due_at: datetime, zone: str) -> str:
    if deleted_at is not None:
        return f"deleted {_both(deleted_at, zone)}"
    return f"unreadable, to be deleted {deadline(due_at, zone)}"


def _both(instant: datetime, zone: str) -> str:
    """In the session's zone, and in UTC to the second."""
    return f"{deadline(instant, zone)} ({iso_utc(instant.replace(microsecond=0))})"
